//! Measures how long requests take, and counts those that fail.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{stats, words};

words! {
    /// A kind of request.
    Request {
        /// Asks for the link by which simulated people enter.
        Entrance = "entrance",
        /// Reads the page of consent.
        Page = "page",
        /// Consents.
        Enrol = "enrol",
        /// Opens the participation.
        Open = "open",
        /// Asks for the correct answers, which the server tells simulated people only.
        Key = "answer key",
        /// Sends steps, answers or a sign of life.
        Record = "record",
        /// Ends the participation.
        Complete = "complete",
        /// Leaves early.
        Leave = "leave",
    }
}

impl Request {
    /// The path of its address. The page's address has the link's code after it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Entrance => "/api/v1/simulation/link",
            Self::Page => "/enter",
            Self::Enrol => "/api/v1/enrolments",
            Self::Open => "/api/v1/open",
            Self::Key => "/api/v1/simulation/answer-key",
            Self::Record => "/api/v1/records",
            Self::Complete => "/api/v1/complete",
            Self::Leave => "/api/v1/leave",
        }
    }
}

/// The measurements of all requests. Each try of a request counts.
#[derive(Debug, Clone, Default)]
pub struct RequestMeter {
    ms: BTreeMap<Request, Vec<f64>>,
    errors: BTreeMap<(Request, String), u32>,
}

/// The measurements of one kind of request: the number of answers, and the times in ms from sending to the complete answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latency {
    /// The number of answers, refusals included.
    pub count: usize,
    /// Half are faster.
    pub p50: f64,
    /// 95 % are faster.
    pub p95: f64,
    /// 99 % are faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

impl RequestMeter {
    /// Notes that a request was answered.
    pub fn answered(&mut self, request: Request, took: Duration) {
        self.ms.entry(request).or_default().push(took.as_secs_f64() * 1000.0);
    }

    /// Notes that a request was refused with this code, or got no answer.
    pub fn failed(&mut self, request: Request, code: &str) {
        *self.errors.entry((request, code.to_owned())).or_default() += 1;
    }

    /// The number of requests that were answered.
    pub fn count(&self) -> usize {
        self.ms.values().map(Vec::len).sum()
    }

    /// The times of each kind of request.
    pub fn latencies(&self) -> impl Iterator<Item = (Request, Latency)> {
        self.ms.iter().filter_map(|(request, ms)| {
            let mut sorted = ms.clone();
            sorted.sort_by(f64::total_cmp);
            let at = |q| stats::quantile(&sorted, q);
            let (p50, p95, p99, max) = (at(0.5)?, at(0.95)?, at(0.99)?, at(1.0)?);
            Some((*request, Latency { count: ms.len(), p50, p95, p99, max }))
        })
    }

    /// How often each error happened.
    pub fn errors(&self) -> impl Iterator<Item = (Request, &str, u32)> {
        self.errors.iter().map(|((request, code), n)| (*request, code.as_str(), *n))
    }
}

impl std::fmt::Display for RequestMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [count, p50, p95, p99, max] = ["requests", "p50 ms", "p95 ms", "p99 ms", "max ms"];
        write!(f, "{:<12}{count:>9}{p50:>9}{p95:>9}{p99:>9}{max:>9}", "")?;
        for (request, Latency { count, p50, p95, p99, max }) in self.latencies() {
            write!(f, "\n{request:<12}{count:>9}{p50:>9.1}{p95:>9.1}{p99:>9.1}{max:>9.1}")?;
        }
        for (request, code, n) in self.errors() {
            write!(f, "\n{n} x {request}: {code}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_kind_and_for_each_error() {
        let mut meter = RequestMeter::default();
        (1..=101).for_each(|ms| meter.answered(Request::Record, Duration::from_millis(ms)));
        meter.answered(Request::Enrol, Duration::from_micros(1500));
        meter.failed(Request::Enrol, "full");
        meter.failed(Request::Enrol, "full");
        let expected = "             requests   p50 ms   p95 ms   p99 ms   max ms\n\
                        enrol               1      1.5      1.5      1.5      1.5\n\
                        record            101     51.0     96.0    100.0    101.0\n\
                        2 x enrol: full";
        assert_eq!(meter.to_string(), expected);
        assert_eq!(meter.count(), 102);
    }
}
