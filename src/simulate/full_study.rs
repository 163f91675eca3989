//! Simulated people who find the study full wait here, since a person who is taking part may still fail and make room.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// Counts the people who are not waiting, and tells those who wait when a person has left.
#[derive(Debug, Default)]
pub struct FullStudy {
    busy: AtomicUsize,
    left: watch::Sender<RemainingPlaces>,
}

/// The news for people who wait.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemainingPlaces {
    /// The last person who was not waiting found the study full, so no place will become free.
    none_inside: bool,
}

impl FullStudy {
    /// Registers a person who arrives.
    pub fn arrive(&self) -> SimulatedVisitor<'_> {
        self.busy.fetch_add(1, Ordering::SeqCst);
        SimulatedVisitor { study: self }
    }
}

/// A person who tries to enter the study or is taking part.
#[derive(Debug)]
pub struct SimulatedVisitor<'a> {
    study: &'a FullStudy,
}

impl SimulatedVisitor<'_> {
    /// Begins to watch for people who leave. It is called before each try, so that none is missed.
    pub fn watch(&self) -> watch::Receiver<RemainingPlaces> {
        self.study.left.subscribe()
    }

    /// Waits until a person has left since the watch began, so that another try makes sense. False if no person can leave.
    pub async fn wait(&self, mut left: watch::Receiver<RemainingPlaces>) -> bool {
        let others_busy = self.study.busy.fetch_sub(1, Ordering::SeqCst) > 1;
        let missed_departure = left.has_changed().unwrap_or(false);
        if !others_busy && !missed_departure {
            self.study.left.send_replace(RemainingPlaces { none_inside: true });
        } else if !missed_departure {
            // The sender lives as long as the study.
            let _ = left.changed().await;
        }
        self.study.busy.fetch_add(1, Ordering::SeqCst);
        !left.borrow().none_inside
    }
}

impl Drop for SimulatedVisitor<'_> {
    fn drop(&mut self) {
        self.study.busy.fetch_sub(1, Ordering::SeqCst);
        self.study.left.send_modify(|_| ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_person_who_waits_tries_again_when_another_leaves() {
        let study = FullStudy::default();
        let inside = study.arrive();
        let waiting = study.arrive();
        let left = waiting.watch();
        let (again, ()) = tokio::join!(waiting.wait(left), async { drop(inside) });
        assert!(again);
    }

    #[tokio::test]
    async fn a_person_who_leaves_during_the_try_is_noticed() {
        let study = FullStudy::default();
        let inside = study.arrive();
        let waiting = study.arrive();
        let left = waiting.watch();
        drop(inside);
        assert!(waiting.wait(left).await);
    }

    #[tokio::test]
    async fn the_wait_ends_when_all_are_waiting() {
        let study = FullStudy::default();
        let (first, second) = (study.arrive(), study.arrive());
        let (left, right) = (first.watch(), second.watch());
        assert_eq!(tokio::join!(first.wait(left), second.wait(right)), (false, false));
        drop((first, second));
        let late = study.arrive();
        let left = late.watch();
        assert!(!late.wait(left).await);
    }
}
