//! The participant cache: rows, schedules and answers of people who are taking part, so that storing an answer takes one statement.
//!
//! The cache may be outdated. What is decided on it is stored only if the database says that the participant's row still has the
//! cached revision (`store::batches`); otherwise the participant is read again (`flow::records::participants`).

use std::collections::{BTreeMap, HashMap, HashSet};

use parking_lot::Mutex;
use uuid::Uuid;

use crate::domain::participant::Participant;
use crate::domain::record::StoredTrials;
use crate::store::answers::TrialOnFile;
use crate::store::batches::{Batch, Revision, Saved};

/// Tokens in a generation of the cache, at most. A participant takes about 4 KiB.
const GENERATION_SIZE: usize = 8192;

/// A participant as of one revision of their row.
#[derive(Debug)]
pub struct CachedParticipant {
    /// Their row.
    pub person: Participant,
    /// Which state of the row that is.
    pub revision: Revision,
    /// Their schedule and their answers.
    pub stored: StoredTrials,
    /// Whether the records of the batch change the row.
    pub changed: bool,
}

/// Participants by their tokens: those of a batch, or a generation of the cache.
#[derive(Debug, Default)]
pub struct CachedParticipants {
    /// The participant of each token, by the token's SHA-256.
    pub(super) owners: HashMap<Vec<u8>, Uuid>,
    /// Boxed, because a map moves its values about whenever one is taken out or put in.
    pub(super) by_id: BTreeMap<Uuid, Box<CachedParticipant>>,
    /// Tokens of participants whose rows other sessions have locked, so that they could not be read.
    pub(super) locked_elsewhere: HashSet<Vec<u8>>,
}

impl CachedParticipants {
    /// The participant whose token this is.
    pub fn get_mut(&mut self, token_sha256: &[u8]) -> Option<&mut CachedParticipant> {
        let id = self.owners.get(token_sha256)?;
        self.by_id.get_mut(id).map(Box::as_mut)
    }

    /// Whether another session has locked the row of the participant whose token this is.
    pub fn is_locked_elsewhere(&self, token_sha256: &[u8]) -> bool {
        self.locked_elsewhere.contains(token_sha256)
    }

    /// Adds stored trials, and the answers to them.
    pub fn add_trials(&mut self, trials: Vec<TrialOnFile>) {
        for trial in trials {
            let Some(cached) = self.by_id.get_mut(&trial.participant_id) else { continue };
            cached.stored.schedule([&trial.scheduled]);
            cached.stored.answers.extend(trial.answer.map(|answer| (trial.scheduled.place(), answer)));
        }
    }

    /// Keeps the participants of whom the batch was saved, with their new revisions, and drops the others. The number of events is
    /// corrected: the decision counted each event of the batch, and those that were stored already took no room.
    pub fn keep_saved(&mut self, saved: Saved, batch: &Batch) {
        let mut revisions: HashMap<Uuid, Revision> = saved.revisions.into_iter().collect();
        self.by_id.retain(|id, cached| match revisions.remove(id) {
            Some(revision) => {
                (cached.revision, cached.changed) = (revision, false);
                cached.stored.drop_old_practice(&cached.person);
                true
            }
            None => false,
        });
        for (id, _) in &batch.events {
            self.by_id.entry(*id).and_modify(|cached| cached.stored.events -= 1);
        }
        for id in saved.events {
            self.by_id.entry(id).and_modify(|cached| cached.stored.events += 1);
        }
    }
}

/// The cache of one server. A batch takes its participants out and puts them back after they are stored, so that two batches never
/// decide on the same copy. A batch that fails puts nothing back.
///
/// Two generations bound its size. Participants are put back into the young generation. When that is full, it becomes the old one, and
/// the former old one is dropped with all who sent nothing meanwhile.
#[derive(Debug, Default)]
pub struct ParticipantCache {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: CachedParticipants,
    old: CachedParticipants,
}

impl ParticipantCache {
    /// Takes out the participants whose tokens these are, as far as they are in the cache.
    pub fn take_out(&self, tokens_sha256: &[&Vec<u8>]) -> CachedParticipants {
        let mut generations = self.generations.lock();
        let Generations { young, old } = &mut *generations;
        let mut taken = CachedParticipants::default();
        for token in tokens_sha256 {
            let id = young.owners.get(*token).or_else(|| old.owners.get(*token));
            let Some(id) = id.copied() else { continue };
            taken.owners.insert((*token).clone(), id);
            taken.by_id.extend(young.by_id.remove_entry(&id).or_else(|| old.by_id.remove_entry(&id)));
        }
        taken
    }

    /// Puts participants into the cache, as they are stored now.
    pub fn put_back(&self, back: CachedParticipants) {
        let mut generations = self.generations.lock();
        let Generations { young, old } = &mut *generations;
        young.owners.extend(back.owners);
        young.by_id.extend(back.by_id);
        // Tokens are counted, not participants: one participant may have many.
        if young.owners.len() >= GENERATION_SIZE {
            *old = std::mem::take(young);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::fixture::participant;
    use crate::flow::records::participant_cache::*;

    fn participant_with_token(n: u128) -> CachedParticipants {
        let person = Participant { id: Uuid::from_u128(n), ..participant() };
        let cached = CachedParticipant {
            revision: Revision::default(),
            stored: StoredTrials::default(),
            person,
            changed: false,
        };
        CachedParticipants {
            owners: [(n.to_be_bytes().to_vec(), Uuid::from_u128(n))].into(),
            by_id: [(Uuid::from_u128(n), Box::new(cached))].into(),
            locked_elsewhere: HashSet::new(),
        }
    }

    fn has(cache: &ParticipantCache, n: u128) -> bool {
        let token = n.to_be_bytes().to_vec();
        let mut people = cache.take_out(&[&token]);
        let has = people.get_mut(&token).is_some();
        cache.put_back(people);
        has
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_those_who_are_active() {
        let cache = ParticipantCache::default();
        for n in 0..5 * GENERATION_SIZE as u128 {
            cache.put_back(participant_with_token(n));
            assert!(has(&cache, 0), "an active participant is dropped after {n} others came");
            let generations = cache.generations.lock();
            assert!(generations.young.owners.len() + generations.old.owners.len() <= 2 * GENERATION_SIZE);
            assert!(generations.young.by_id.len() + generations.old.by_id.len() <= 2 * GENERATION_SIZE);
        }
        assert!(!has(&cache, 1));
    }

    #[test]
    fn a_participant_is_in_one_batch_at_a_time() {
        let cache = ParticipantCache::default();
        cache.put_back(participant_with_token(7));
        let token = 7_u128.to_be_bytes().to_vec();
        assert!(cache.take_out(&[&token]).get_mut(&token).is_some());
        assert!(cache.take_out(&[&token]).get_mut(&token).is_none());
    }
}
