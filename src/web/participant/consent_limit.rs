//! Keeps one network from leasing a whole study with empty consents, and does not mind many workers behind one address.
//!
//! Counted are people of one network who agreed and have not passed the instructions since, in a time in which these can be read
//! (`Participant::is_at_work`), for as long as they hold a place. Addresses are kept as keyed hashes, in memory, for an hour at
//! most, and are never stored or logged.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::flow::secrets::token_sha256;
use crate::flow::{FlowError, Refused};
use crate::web::http::client_address::ClientAddress;

/// People of one network who agreed and are not at work yet, at most, unless the server is told otherwise.
pub const MOST: usize = 40;

/// After that time people are not counted any more, whatever became of them: memory is bounded, and hardly any lease lasts for so
/// long without work.
const COUNTED_FOR: Duration = Duration::from_secs(3600);

/// Addresses of people who agreed and are not known to be at work, with the moment when they did; by the hash of their token, or by a
/// number while they are being enrolled: many who come at the same instant are counted, too.
#[derive(Default)]
struct IdleConsents {
    entering: HashMap<u64, Vec<u8>>,
    idle: HashMap<Vec<u8>, (Vec<u8>, Instant)>,
    next: u64,
}

impl IdleConsents {
    fn of(&self, address: &[u8]) -> usize {
        let entering = self.entering.values().filter(|other| *other == address).count();
        entering + self.idle.values().filter(|(other, _)| other == address).count()
    }
}

/// Who is about to begin. Cheap to clone.
#[derive(Clone)]
pub struct ConsentLimit {
    most: usize,
    waiting: Arc<Mutex<IdleConsents>>,
}

impl ConsentLimit {
    /// Nobody is there yet; of one network so many may be about to begin.
    pub fn of(most: usize) -> Self {
        Self { most, waiting: Arc::default() }
    }

    /// Refuses somebody whose network has too many people who are not at work yet. Whoever is vouched for is not counted.
    pub fn admit(&self, client: &ClientAddress, vouched_for: bool) -> Result<Admission, FlowError> {
        let Some(address) = client.0.clone().filter(|_| !vouched_for) else {
            return Ok(Admission { limit: self.clone(), number: None });
        };
        let mut waiting = self.lock();
        waiting.idle.retain(|_, (_, since)| since.elapsed() < COUNTED_FOR);
        if waiting.of(&address) >= self.most {
            return Err(Refused::Crowded.into());
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.entering.insert(number, address);
        Ok(Admission { limit: self.clone(), number: Some(number) })
    }

    /// The hashes of the tokens of people of a network who are counted.
    pub fn counted(&self, client: &ClientAddress) -> Vec<Vec<u8>> {
        let waiting = self.lock();
        let idle = waiting.idle.iter().filter(|(_, (address, _))| address == client.hmac());
        idle.map(|(token_sha256, _)| token_sha256.clone()).collect()
    }

    /// Somebody is at work, or holds no place any more.
    pub fn forget(&self, token_sha256: &[u8]) {
        self.lock().idle.remove(token_sha256);
    }

    fn lock(&self) -> MutexGuard<'_, IdleConsents> {
        self.waiting.lock()
    }
}

/// Somebody who was admitted; whoever does not enrol after all is forgotten.
pub struct Admission {
    limit: ConsentLimit,
    number: Option<u64>,
}

impl Admission {
    /// They agreed, and got this token.
    pub fn enrolled(&self, token: &str) {
        let mut waiting = self.limit.lock();
        if let Some(address) = self.number.and_then(|number| waiting.entering.remove(&number)) {
            waiting.idle.insert(token_sha256(token), (address, Instant::now()));
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.limit.lock().entering.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::web::participant::consent_limit::*;

    #[test]
    fn only_people_who_are_not_at_work_are_counted_and_only_those_of_one_address() {
        let limit = ConsentLimit::of(MOST);
        let address = |n: u8| ClientAddress(Some(vec![n]));
        for n in 0..MOST {
            limit.admit(&address(1), false).unwrap().enrolled(&n.to_string());
        }
        assert!(limit.admit(&address(1), false).is_err());
        assert!(limit.admit(&address(2), false).is_ok());
        assert!(limit.admit(&address(1), true).is_ok());
        assert!(limit.admit(&ClientAddress(None), false).is_ok());
        assert_eq!(limit.counted(&address(1)).len(), MOST);
        assert!(limit.counted(&address(2)).is_empty());
        limit.forget(&token_sha256("7"));
        assert!(limit.admit(&address(1), false).is_ok());
    }

    #[test]
    fn people_who_come_at_the_same_instant_are_counted_while_they_are_enrolled() {
        let limit = ConsentLimit::of(MOST);
        let address = ClientAddress(Some(vec![1]));
        let mut entering: Vec<_> = (0..MOST).map(|_| limit.admit(&address, false).unwrap()).collect();
        assert!(limit.admit(&address, false).is_err());
        entering.pop();
        let last = limit.admit(&address, false).unwrap();
        last.enrolled("token");
        assert!(limit.admit(&address, false).is_err(), "whoever enrolled is counted once");
        drop(entering);
        assert_eq!(limit.lock().of(&[1]), 1);
    }
}
