//! A cache of computed results. Participants who completed give no more answers, so results depend only on who is kept and on how
//! the results are shown.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::domain::results::{MainAnswer, Results};

/// The number of results in the cache, enough for a few studies under a few policies.
const MOST: usize = 32;

/// SHA-256 of everything that results depend on.
pub type ResultsKey = [u8; 32];

/// The data that results are computed from.
pub struct Basis {
    /// The answers of the people who are kept.
    pub answers: Vec<MainAnswer>,
    /// Conditions in the order of figures.
    pub conditions: Vec<String>,
    /// The number of confidence levels.
    pub levels: u8,
}

/// The cached results, with the one that was used last at the end.
#[derive(Default)]
pub struct Cache(Mutex<Vec<(ResultsKey, Arc<CacheEntry>)>>);

impl Cache {
    /// The entry for a key; it may be empty.
    pub fn slot(&self, key: ResultsKey) -> Arc<CacheEntry> {
        let mut slots = self.0.lock();
        let found = slots.iter().position(|(known, _)| *known == key);
        let entry = found.map_or_else(|| (key, Arc::default()), |at| slots.remove(at));
        if slots.len() == MOST {
            slots.remove(0);
        }
        let slot = entry.1.clone();
        slots.push(entry);
        slot
    }
}

/// An entry of the cache.
#[derive(Default)]
pub struct CacheEntry {
    results: OnceLock<Arc<Results>>,
    is_underway: AtomicBool,
}

impl CacheEntry {
    /// Whether the results are computed.
    pub fn is_ready(&self) -> bool {
        self.results.get().is_some()
    }

    /// The results, computed at the first call. Other calls at the same time wait for it.
    pub fn results(&self, basis: &Basis) -> Arc<Results> {
        let compute = || Arc::new(Results::new(&basis.answers, &basis.conditions, basis.levels));
        self.results.get_or_init(compute).clone()
    }

    /// Claims the work of computing the results, unless another task has claimed it.
    pub fn take_over(self: &Arc<Self>) -> Option<ComputingClaim> {
        (!self.is_underway.swap(true, Ordering::AcqRel)).then(|| ComputingClaim(self.clone()))
    }
}

/// Held by the task that computes results. If it is dropped, another task may take the work over.
pub struct ComputingClaim(Arc<CacheEntry>);

impl Drop for ComputingClaim {
    fn drop(&mut self) {
        self.0.is_underway.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use crate::flow::study::results::cache::*;

    fn no_answers() -> Basis {
        Basis { answers: Vec::new(), conditions: Vec::new(), levels: 3 }
    }

    #[test]
    fn results_with_the_same_key_are_computed_once() {
        let cache = Cache::default();
        let first = cache.slot([1; 32]).results(&no_answers());
        assert!(cache.slot([1; 32]).is_ready() && !cache.slot([2; 32]).is_ready());
        assert!(Arc::ptr_eq(&first, &cache.slot([1; 32]).results(&no_answers())));
    }

    #[test]
    fn the_results_used_last_stay_in_the_cache() {
        let cache = Cache::default();
        let key = |n: usize| [n as u8; 32];
        for n in 0..=MOST {
            cache.slot(key(n)).results(&no_answers());
            cache.slot(key(0));
        }
        assert!(cache.slot(key(0)).is_ready(), "it was asked for all the time");
        assert!(!cache.slot(key(1)).is_ready());
    }

    #[test]
    fn work_that_was_dropped_can_be_taken_over() {
        let slot = Arc::<CacheEntry>::default();
        let work = slot.take_over().unwrap();
        assert!(slot.take_over().is_none());
        drop(work);
        assert!(slot.take_over().is_some());
    }
}
