//! Reports of how far a long work is, with the time that is left.

use std::time::{Duration, Instant};

/// One report.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What is being done.
    pub stage: &'static str,
    pub done: usize,
    pub all: usize,
    /// The time that the rest of the stage takes if it goes on as before; unknown at the start.
    pub left: Option<Duration>,
}

/// Where reports go. Any thread may call it.
#[derive(Clone, Copy)]
pub struct Progress<'a>(pub &'a (dyn Fn(&Report) + Sync));

impl Progress<'_> {
    /// Reports that `done` of `all` parts are ready, of which `computed` were computed since `started`. The others were known before.
    pub fn step(&self, stage: &'static str, done: usize, all: usize, started: Instant, computed: usize) {
        let spent = started.elapsed();
        let left = (computed > 0).then(|| spent.mul_f64((all - done) as f64 / computed as f64));
        (self.0)(&Report { stage, done, all, left });
    }
}
