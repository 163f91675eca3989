//! Results that were computed, by what they follow from. Who completed answers nothing any more: so results depend on whose answers
//! they are, and on how these are looked at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::domain::results::{MainAnswer, Results};

/// Results that are remembered, those asked for last: a few studies under a few policies.
const MOST: usize = 32;

/// SHA-256 of what results follow from.
pub type ResultsKey = [u8; 32];

/// What results are computed from.
pub struct Basis {
    /// The answers of the kept.
    pub answers: Vec<MainAnswer>,
    /// Conditions in the order of figures.
    pub conditions: Vec<String>,
    /// The number of confidence levels.
    pub levels: u8,
}

/// The remembered ones, the one asked for last at the end.
#[derive(Default)]
pub struct Cache(Mutex<Vec<(ResultsKey, Arc<CacheEntry>)>>);

impl Cache {
    /// The place of the results that follow from this.
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

/// A place for results.
#[derive(Default)]
pub struct CacheEntry {
    results: OnceLock<Arc<Results>>,
    is_underway: AtomicBool,
}

impl CacheEntry {
    /// Whether they are there.
    pub fn is_ready(&self) -> bool {
        self.results.get().is_some()
    }

    /// The results; computed unless they are there. Whoever comes second waits for the first.
    pub fn results(&self, basis: &Basis) -> Arc<Results> {
        let compute = || Arc::new(Results::new(&basis.answers, &basis.conditions, basis.levels));
        self.results.get_or_init(compute).clone()
    }

    /// Takes over the work of computing them, unless it is somebody else's already.
    pub fn take_over(self: &Arc<Self>) -> Option<ComputingClaim> {
        (!self.is_underway.swap(true, Ordering::AcqRel)).then(|| ComputingClaim(self.clone()))
    }
}

/// Held by whoever computes results: once it is given up without them, others may take the work over.
pub struct ComputingClaim(Arc<CacheEntry>);

impl Drop for ComputingClaim {
    fn drop(&mut self) {
        self.0.is_underway.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use crate::flow::study::results::cache::*;

    fn nobody() -> Basis {
        Basis { answers: Vec::new(), conditions: Vec::new(), levels: 3 }
    }

    #[test]
    fn what_follows_from_the_same_is_computed_once() {
        let cache = Cache::default();
        let first = cache.slot([1; 32]).results(&nobody());
        assert!(cache.slot([1; 32]).is_ready() && !cache.slot([2; 32]).is_ready());
        assert!(Arc::ptr_eq(&first, &cache.slot([1; 32]).results(&nobody())));
    }

    #[test]
    fn those_asked_for_last_are_remembered() {
        let cache = Cache::default();
        let key = |n: usize| [n as u8; 32];
        for n in 0..=MOST {
            cache.slot(key(n)).results(&nobody());
            cache.slot(key(0));
        }
        assert!(cache.slot(key(0)).is_ready(), "it was asked for all the time");
        assert!(!cache.slot(key(1)).is_ready());
    }

    #[test]
    fn work_that_was_given_up_can_be_taken_over() {
        let slot = Arc::<CacheEntry>::default();
        let work = slot.take_over().unwrap();
        assert!(slot.take_over().is_none());
        drop(work);
        assert!(slot.take_over().is_some());
    }
}
