//! Where simulated people wait who find the study full: whoever is inside may yet fail and make room.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// The door of a study. It knows how many people are not waiting, and tells those who wait when somebody has left.
#[derive(Debug, Default)]
pub struct FullStudy {
    busy: AtomicUsize,
    left: watch::Sender<RemainingPlaces>,
}

/// What those who wait are told.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemainingPlaces {
    /// Somebody found the study full while everybody else was waiting too: nothing will change any more.
    nobody_inside: bool,
}

impl FullStudy {
    /// Somebody comes.
    pub fn arrive(&self) -> SimulatedVisitor<'_> {
        self.busy.fetch_add(1, Ordering::SeqCst);
        SimulatedVisitor { door: self }
    }
}

/// Somebody who tries to get in, or is inside.
#[derive(Debug)]
pub struct SimulatedVisitor<'a> {
    door: &'a FullStudy,
}

impl SimulatedVisitor<'_> {
    /// Begins to notice who leaves: to be called before each try, so that nobody is missed.
    pub fn watch(&self) -> watch::Receiver<RemainingPlaces> {
        self.door.left.subscribe()
    }

    /// Waits until somebody has left since the watch began, and it is worth another try; false if nobody will.
    pub async fn wait(&self, mut left: watch::Receiver<RemainingPlaces>) -> bool {
        let others_busy = self.door.busy.fetch_sub(1, Ordering::SeqCst) > 1;
        let missed_somebody = left.has_changed().unwrap_or(false);
        if !others_busy && !missed_somebody {
            self.door.left.send_replace(RemainingPlaces { nobody_inside: true });
        } else if !missed_somebody {
            // The sender lives as long as the door.
            let _ = left.changed().await;
        }
        self.door.busy.fetch_add(1, Ordering::SeqCst);
        !left.borrow().nobody_inside
    }
}

impl Drop for SimulatedVisitor<'_> {
    fn drop(&mut self) {
        self.door.busy.fetch_sub(1, Ordering::SeqCst);
        self.door.left.send_modify(|_| ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_tries_again_when_somebody_leaves() {
        let door = FullStudy::default();
        let inside = door.arrive();
        let waiting = door.arrive();
        let left = waiting.watch();
        let (again, ()) = tokio::join!(waiting.wait(left), async { drop(inside) });
        assert!(again);
    }

    #[tokio::test]
    async fn whoever_left_during_the_try_is_noticed() {
        let door = FullStudy::default();
        let inside = door.arrive();
        let waiting = door.arrive();
        let left = waiting.watch();
        drop(inside);
        assert!(waiting.wait(left).await);
    }

    #[tokio::test]
    async fn when_everybody_waits_nobody_waits_any_longer() {
        let door = FullStudy::default();
        let (first, second) = (door.arrive(), door.arrive());
        let (left, right) = (first.watch(), second.watch());
        assert_eq!(tokio::join!(first.wait(left), second.wait(right)), (false, false));
        drop((first, second));
        let late = door.arrive();
        let left = late.watch();
        assert!(!late.wait(left).await);
    }
}
