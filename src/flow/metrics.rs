//! Counters of a server's own work, for `/metrics`.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

/// The counters of one server since it started. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WorkCounts {
    /// Answers that were stored, each counted after its commit.
    pub answers: Counter,
    /// Records that one transaction stored.
    pub batch: Histogram,
    /// People who were asked to come back later, because their answers could not have been stored.
    pub not_now: Counter,
}

impl Default for WorkCounts {
    fn default() -> Self {
        let sizes = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
        Self { answers: Counter::default(), batch: Histogram::new(sizes), not_now: Counter::default() }
    }
}
