//! How browsers reach the server.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Finding::{self, Good, Problem, Warning};
use crate::flow::app::{Clock, SystemClock};
use crate::outgoing::{certificate_end, http_client};

const PATIENCE: Duration = Duration::from_secs(10);

/// Proxies renew a certificate weeks before its end: later than this something keeps them from it.
const LATE_DAYS: i64 = 10;
const VERY_LATE_DAYS: i64 = 3;

/// The way that participants come.
pub async fn examine(url: &str) -> Vec<Finding> {
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

async fn reach(url: &str) -> Vec<Finding> {
    let client = match http_client(PATIENCE) {
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
            let certificate = certificate_end(&reply).map(|end| certificate(end, SystemClock.now()));
            std::iter::once(answers).chain(certificate).collect()
        }
        Err(error) => vec![Problem(format!("{url} cannot be reached from here: {}", reasons(&error)))],
    }
}

/// A certificate that was accepted just now.
fn certificate(end: DateTime<Utc>, now: DateTime<Utc>) -> Finding {
    let days = (end - now).num_days();
    let words = format!("the certificate is valid until {} ({days} days)", end.format("%Y-%m-%d %H:%M UTC"));
    match days {
        ..VERY_LATE_DAYS => Problem(format!("{words}: look in the proxy's log why it is not renewed")),
        VERY_LATE_DAYS..LATE_DAYS => Warning(format!("{words}: it should have been renewed by now")),
        _ => Good(words),
    }
}

/// An error with its causes: certificates are only spoken of in the last one.
fn reasons(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_is_not_renewed_is_told() {
        let now = SystemClock.now();
        let finding = |days| certificate(now + chrono::TimeDelta::days(days), now);
        assert!(matches!(finding(2), Problem(_)));
        assert!(matches!(finding(9), Warning(_)));
        assert!(matches!(finding(10), Good(_)));
    }
}
