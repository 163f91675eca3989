//! A client of HTTP servers elsewhere.

use std::time::Duration;

use chrono::{DateTime, Utc};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// A client of servers anywhere, by HTTP or HTTPS, that waits so long for an answer.
pub fn http_client(patience: Duration) -> reqwest::Result<reqwest::Client> {
    // Whoever installed a provider before us is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(patience).tls_info(true).build()
}

/// Until when the certificate is valid with which the server answered; none if it was not by HTTPS.
pub fn certificate_end(reply: &reqwest::Response) -> Option<DateTime<Utc>> {
    end_of(reply.extensions().get::<reqwest::tls::TlsInfo>()?.peer_certificate()?)
}

fn end_of(der: &[u8]) -> Option<DateTime<Utc>> {
    let certificate = Certificate::from_der(der).ok()?;
    let end = certificate.tbs_certificate.validity.not_after.to_unix_duration();
    DateTime::from_timestamp(end.as_secs().try_into().ok()?, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_when_it_ends() {
        let der = include_bytes!("../tests/integration/keys/certificate-for-tests.der");
        assert_eq!(end_of(der).unwrap().to_rfc3339(), "2027-02-23T04:42:47+00:00");
        assert_eq!(end_of(&der[1..]), None);
    }
}
