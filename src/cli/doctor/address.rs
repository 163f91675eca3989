//! Examines the address by which browsers reach the server.

use std::ops::Range;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::DoctorFinding;
use super::DoctorFinding::{Good, Problem, Warning};
use crate::flow::app::{Clock, SystemClock};
use crate::outgoing::{certificate_validity, http_client};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Proxies renew a certificate when a third of its lifetime is left. If less than this share is left, renewal fails.
const LATE: f64 = 0.2;
const VERY_LATE: f64 = 0.05;

/// Examines the public address: encryption, the server's reply and the certificate.
pub async fn examine(url: &str) -> Vec<DoctorFinding> {
    let local = url.contains("//127.0.0.1") || url.contains("//localhost");
    let way = match (url.starts_with("https://"), local) {
        (true, _) => Good(format!("{url} is encrypted")),
        (false, true) => Warning(format!("{url} can be reached from this machine only")),
        (false, false) => Problem(format!(
            "{url} is not encrypted: platforms refuse it, and answers and passwords can be read on the way"
        )),
    };
    [vec![way], reach(url).await].concat()
}

async fn reach(url: &str) -> Vec<DoctorFinding> {
    let client = match http_client(REQUEST_TIMEOUT) {
        Ok(client) => client,
        Err(error) => return vec![Problem(format!("no request can be sent: {error}"))],
    };
    match client.get(format!("{url}/readyz")).send().await {
        Ok(reply) => {
            let answers = if reply.status().is_success() {
                Good(format!("{url} answers, and its database is ready"))
            } else {
                let status = reply.status();
                Problem(format!("{url}/readyz answers {status}: look at the server's and the proxy's logs"))
            };
            let certificate =
                certificate_validity(&reply).map(|valid| certificate(&valid, SystemClock.now()));
            std::iter::once(answers).chain(certificate).collect()
        }
        Err(error) => vec![Problem(format!("{url} cannot be reached from here: {}", reasons(&error)))],
    }
}

/// Judges the certificate that the client just accepted.
fn certificate(valid: &Range<DateTime<Utc>>, now: DateTime<Utc>) -> DoctorFinding {
    let left = valid.end - now;
    let share = left.num_seconds() as f64 / (valid.end - valid.start).num_seconds() as f64;
    let end = valid.end.format("%Y-%m-%d %H:%M UTC");
    let words = format!("the certificate is valid until {end} ({} days)", left.num_days());
    if share < VERY_LATE {
        Problem(format!("{words}: look in the proxy's log why it is not renewed"))
    } else if share < LATE {
        Warning(format!("{words}: it should have been renewed by now"))
    } else {
        Good(words)
    }
}

/// An error with its causes. Only the last cause mentions the certificate.
fn reasons(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_is_not_renewed_is_reported() {
        let now = SystemClock.now();
        let days = |days| now + chrono::TimeDelta::days(days);
        let finding = |left| certificate(&(days(left - 90)..days(left)), now);
        assert!(matches!(finding(4), Problem(_)));
        assert!(matches!(finding(17), Warning(_)));
        assert!(matches!(finding(18), Good(_)));
    }
}
