//! Makes clients for HTTP servers on other machines, and reads those servers' certificates.

use std::ops::Range;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::Time;

/// Makes a client for HTTP and HTTPS that waits at most `timeout` for a reply.
pub fn http_client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    // It fails if another part installed a provider before, which is equally good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(timeout).tls_info(true).build()
}

/// What stands at an address as JSON, from a server that answers within that time.
pub async fn get_json<T: DeserializeOwned>(url: &str, timeout: Duration) -> reqwest::Result<T> {
    http_client(timeout)?.get(url).send().await?.error_for_status()?.json().await
}

/// The time for which the server's certificate is valid. None if the reply did not come by HTTPS.
pub fn certificate_validity(reply: &reqwest::Response) -> Option<Range<DateTime<Utc>>> {
    validity(reply.extensions().get::<reqwest::tls::TlsInfo>()?.peer_certificate()?)
}

fn validity(der: &[u8]) -> Option<Range<DateTime<Utc>>> {
    let validity = Certificate::from_der(der).ok()?.tbs_certificate.validity;
    let time = |time: Time| DateTime::from_timestamp(time.to_unix_duration().as_secs().try_into().ok()?, 0);
    Some(time(validity.not_before)?..time(validity.not_after)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_how_long_it_is_valid() {
        let der = include_bytes!("../tests/integration/keys/certificate-for-tests.der");
        let Range { start, end } = validity(der).unwrap();
        assert_eq!(start.to_rfc3339(), "2026-11-25T04:42:47+00:00");
        assert_eq!(end.to_rfc3339(), "2027-02-23T04:42:47+00:00");
        assert_eq!(validity(&der[1..]), None);
    }
}
