//! A client of HTTP servers elsewhere.

use std::time::Duration;

/// A client of servers anywhere, by HTTP or HTTPS, that waits so long for an answer.
pub fn http_client(patience: Duration) -> reqwest::Result<reqwest::Client> {
    // Whoever installed a provider before us is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(patience).build()
}
