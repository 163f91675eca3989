//! Keeps one network from leasing a whole study with empty consents, and does not mind many workers behind one address.
//!
//! Counted are people of one network who agreed and have not passed the instructions since, in a time in which these can be read
//! (`Participant::is_idle`), for as long as they hold a place. A network is known by the keyed hash of its address, which is kept in
//! memory, for an hour at most, and is never stored or logged.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::flow::secrets::token_sha256;
use crate::flow::{App, Refused, Result};
use crate::store;

/// People of one network who agreed and are not at work yet, at most, unless the server is told otherwise.
pub const MOST: usize = 40;

/// After that time people are not counted any more: memory is bounded, and hardly any lease lasts for so
/// long without work.
const COUNTED_FOR: Duration = Duration::from_secs(3600);

/// Networks of people who agreed and are not known to be at work, with the moment when they did; by the hash of their token, or by a
/// number while they are being enrolled: many who come at the same instant are counted, too.
#[derive(Default)]
struct IdleConsents {
    entering: HashMap<u64, Vec<u8>>,
    idle: HashMap<Vec<u8>, (Vec<u8>, Instant)>,
    next: u64,
}

impl IdleConsents {
    fn of(&self, network: &[u8]) -> usize {
        let entering = self.entering.values().filter(|other| *other == network).count();
        entering + self.idle.values().filter(|(other, _)| other == network).count()
    }
}

/// Counts consents by network, and refuses those beyond the limit. Cheap to clone.
#[derive(Clone)]
pub struct ConsentLimit {
    most: usize,
    consents: Arc<Mutex<IdleConsents>>,
}

impl ConsentLimit {
    /// So many people of one network may have agreed without being at work yet.
    pub fn of(most: usize) -> Self {
        Self { most, consents: Arc::default() }
    }

    /// Refuses a person whose network has too many people who are not at work yet. Only the database knows who is at work: they may
    /// do so at another server.
    pub async fn admit(&self, app: &App, network: &[u8]) -> Result<Admission> {
        if self.is_reached(network) {
            let idle = no_longer_idle(app, self.counted(network)).await?;
            idle.iter().for_each(|token_sha256| self.forget(token_sha256));
        }
        self.admit_now(network)
    }

    fn is_reached(&self, network: &[u8]) -> bool {
        self.lock().of(network) >= self.most
    }

    fn admit_now(&self, network: &[u8]) -> Result<Admission> {
        let mut consents = self.lock();
        consents.idle.retain(|_, (_, since)| since.elapsed() < COUNTED_FOR);
        if consents.of(network) >= self.most {
            return Err(Refused::Crowded.into());
        }
        let number = consents.next;
        consents.next += 1;
        consents.entering.insert(number, network.to_vec());
        Ok(Admission { limit: self.clone(), number })
    }

    /// The hashes of the tokens of people of a network who are counted.
    fn counted(&self, network: &[u8]) -> Vec<Vec<u8>> {
        let consents = self.lock();
        let idle = consents.idle.iter().filter(|(_, (other, _))| other == network);
        idle.map(|(token_sha256, _)| token_sha256.clone()).collect()
    }

    /// Counts a person no more who is at work, or holds no place any more.
    fn forget(&self, token_sha256: &[u8]) {
        self.lock().idle.remove(token_sha256);
    }

    fn lock(&self) -> MutexGuard<'_, IdleConsents> {
        self.consents.lock()
    }
}

/// A person who was admitted, and is counted until this is dropped; from their enrolment on by their token.
pub struct Admission {
    limit: ConsentLimit,
    number: u64,
}

impl Admission {
    /// They agreed, and got this token.
    pub fn enrolled(&self, token: &str) {
        let mut consents = self.limit.lock();
        if let Some(network) = consents.entering.remove(&self.number) {
            consents.idle.insert(token_sha256(token), (network, Instant::now()));
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.limit.lock().entering.remove(&self.number);
    }
}

/// Of these tokens, those whose owners are at work, or hold no place any more.
async fn no_longer_idle(app: &App, tokens_sha256: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
    let mut conn = app.pool.acquire().await?;
    let owners: BTreeMap<Vec<u8>, Uuid> =
        store::participants::owners(&mut conn, &tokens_sha256).await?.into_iter().collect();
    let ids: Vec<Uuid> = owners.values().copied().collect();
    let now = app.now();
    let mut idle = Vec::new();
    for person in store::participants::get_all(&mut conn, &ids).await? {
        let version = app.version(&mut conn, person.version_id).await?;
        if person.is_idle(&version.definition.lease, now) {
            idle.push(person.id);
        }
    }
    let is_idle = |token: &Vec<u8>| owners.get(token).is_some_and(|id| idle.contains(id));
    Ok(tokens_sha256.into_iter().filter(|token| !is_idle(token)).collect())
}

#[cfg(test)]
mod tests {
    use crate::flow::participation::consent_limit::*;

    #[test]
    fn only_people_who_are_not_at_work_are_counted_and_only_those_of_one_network() {
        let limit = ConsentLimit::of(MOST);
        for n in 0..MOST {
            limit.admit_now(&[1]).unwrap().enrolled(&n.to_string());
        }
        assert!(limit.is_reached(&[1]) && limit.admit_now(&[1]).is_err());
        assert!(!limit.is_reached(&[2]) && limit.admit_now(&[2]).is_ok());
        assert_eq!(limit.counted(&[1]).len(), MOST);
        assert!(limit.counted(&[2]).is_empty());
        limit.forget(&token_sha256("7"));
        assert!(limit.admit_now(&[1]).is_ok());
    }

    #[test]
    fn people_who_come_at_the_same_instant_are_counted_while_they_are_enrolled() {
        let limit = ConsentLimit::of(MOST);
        let mut entering: Vec<_> = (0..MOST).map(|_| limit.admit_now(&[1]).unwrap()).collect();
        assert!(limit.admit_now(&[1]).is_err());
        entering.pop();
        let last = limit.admit_now(&[1]).unwrap();
        last.enrolled("token");
        assert!(limit.admit_now(&[1]).is_err(), "a person who enrolled is counted once");
        drop(entering);
        assert_eq!(limit.lock().of(&[1]), 1);
    }
}
