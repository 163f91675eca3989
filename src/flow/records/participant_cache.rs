//! What a server remembers of people at work, so that one statement stores an answer.
//!
//! Nothing rests on it: whatever is decided on it is stored only if the database says that it is still so
//! (`store::batches`). Whoever is unknown, or was changed elsewhere, is read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::participant::Participant;
use crate::domain::record::StoredTrials;
use crate::domain::trial::Block;
use crate::flow::Result;
use crate::flow::records::intake::RecordJob;
use crate::store;
use crate::store::answers::{BlockOf, TrialOnFile};
use crate::store::batches::{Batch, Revision, Saved};

/// CachedParticipants in a generation, at most (about 4 KiB each).
const MOST: usize = 8192;

/// A person with their schedule and answers, as of a revision of their row.
#[derive(Debug)]
pub struct CachedParticipant {
    /// How they stand.
    pub person: Participant,
    /// Which row that is.
    pub revision: Revision,
    /// What they see, and what they answered.
    pub stored: StoredTrials,
    /// Whether the row is to be changed.
    pub changed: bool,
}

/// Those whom a batch is about.
#[derive(Debug, Default)]
pub struct CachedParticipants {
    /// Whose tokens these are.
    owners: HashMap<Vec<u8>, Uuid>,
    /// What is known of them. Boxed: the map moves its values about whenever somebody is taken out or given back.
    pub known: BTreeMap<Uuid, Box<CachedParticipant>>,
    /// Tokens of people whose rows other sessions hold, so that nothing is known of them.
    held: HashSet<Vec<u8>>,
}

impl CachedParticipants {
    /// The one whose token this is.
    pub fn of(&mut self, token_sha256: &[u8]) -> Option<&mut CachedParticipant> {
        let id = self.owners.get(token_sha256)?;
        self.known.get_mut(id).map(Box::as_mut)
    }

    /// Whether another session holds the row of the one whose token this is.
    pub fn is_held(&self, token_sha256: &[u8]) -> bool {
        self.held.contains(token_sha256)
    }

    /// Notes trials that are stored, and the answers to them.
    fn learn(&mut self, trials: Vec<TrialOnFile>) {
        for trial in trials {
            let Some(known) = self.known.get_mut(&trial.participant_id) else { continue };
            known.stored.schedule([&trial.scheduled]);
            known.stored.answers.extend(trial.answer.map(|answer| (trial.scheduled.place(), answer)));
        }
    }

    /// Notes which rows people have now, and forgets all others. Events that were there already took no room.
    pub fn stored_as(&mut self, saved: Saved, batch: &Batch) {
        let mut revisions: HashMap<Uuid, Revision> = saved.revisions.into_iter().collect();
        self.known.retain(|id, known| match revisions.remove(id) {
            Some(revision) => {
                (known.revision, known.changed) = (revision, false);
                known.stored.drop_old_practice(&known.person);
                true
            }
            None => false,
        });
        for (id, _) in &batch.events {
            self.known.entry(*id).and_modify(|known| known.stored.events -= 1);
        }
        for id in saved.events {
            self.known.entry(id).and_modify(|known| known.stored.events += 1);
        }
    }
}

/// What is remembered. Whoever needs a person takes them out and gives them back, so that two batches never decide on the
/// same cache.
///
/// It is bounded by generations: whoever is at work belongs to the young one; when that is full, it becomes the old one, and
/// whoever was in the old one and did nothing since is forgotten.
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
    /// Takes out those whose tokens these are, as far as they are remembered.
    pub fn take(&self, tokens_sha256: &[&Vec<u8>]) -> CachedParticipants {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &mut *generations;
        let mut taken = CachedParticipants::default();
        for token in tokens_sha256 {
            let id = young.owners.get(*token).or_else(|| old.owners.get(*token));
            let Some(id) = id.copied() else { continue };
            taken.owners.insert((*token).clone(), id);
            taken.known.extend(young.known.remove_entry(&id).or_else(|| old.known.remove_entry(&id)));
        }
        taken
    }

    /// Remembers people as they are stored now.
    pub fn give_back(&self, back: CachedParticipants) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &mut *generations;
        young.owners.extend(back.owners);
        young.known.extend(back.known);
        // Somebody may have many tokens.
        if young.owners.len() >= MOST {
            *old = std::mem::take(young);
        }
    }
}

/// Adds people, with all that belongs to them. What is read after their rows were claimed is not older than these.
pub async fn read(
    conn: &mut PgConnection,
    tokens_sha256: &[Vec<u8>],
    people: &mut CachedParticipants,
) -> Result<()> {
    let owners = store::batches::claim(&mut *conn, tokens_sha256).await?;
    let mut revisions: HashMap<Uuid, Revision> = HashMap::new();
    for owner in owners {
        let Some(revision) = owner.revision else {
            people.held.insert(owner.token_sha256);
            continue;
        };
        people.owners.insert(owner.token_sha256, owner.id);
        revisions.insert(owner.id, revision);
    }
    let ids: Vec<Uuid> = revisions.keys().copied().collect();
    if ids.is_empty() {
        return Ok(());
    }
    for person in store::participants::get_all(&mut *conn, &ids).await? {
        let revision = revisions[&person.id].clone();
        let id = person.id;
        let known = CachedParticipant { person, revision, stored: StoredTrials::default(), changed: false };
        people.known.insert(id, Box::new(known));
    }
    for (id, events) in store::answers::events_stored(&mut *conn, &ids).await? {
        people.known.entry(id).and_modify(|known| known.stored.events = events);
    }
    // Of practice, the block that they are in and the one before, of which something may be said once more.
    let blocks =
        people.known.values().filter(|known| revisions.contains_key(&known.person.id)).flat_map(|known| {
            let Participant { id, practice_attempt: attempt, .. } = known.person;
            [
                (id, Block::Main, 1),
                (id, Block::Practice, attempt),
                (id, Block::Practice, attempt.saturating_sub(1)),
            ]
        });
    let blocks: Vec<BlockOf> = blocks.collect();
    people.learn(store::answers::trials_in(&mut *conn, &blocks).await?);
    Ok(())
}

/// Adds practice blocks that people left long ago, where somebody tells of them once more. They do not change any more.
pub async fn recall(
    conn: &mut PgConnection,
    jobs: &[&RecordJob],
    people: &mut CachedParticipants,
) -> Result<()> {
    let mut blocks = BTreeSet::new();
    for job in jobs {
        let Some(known) = people.of(&job.token_sha256) else { continue };
        let is_past =
            |attempt: &u16| *attempt < known.person.practice_attempt && !known.stored.has_practice(*attempt);
        let past = job.record.practice_blocks().filter(is_past);
        blocks.extend(past.map(|attempt| (known.person.id, Block::Practice, attempt)));
    }
    if !blocks.is_empty() {
        let blocks: Vec<BlockOf> = blocks.into_iter().collect();
        people.learn(store::answers::trials_in(conn, &blocks).await?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::domain::fixture::participant;
    use crate::flow::records::participant_cache::*;

    fn somebody(n: u128) -> CachedParticipants {
        let person = Participant { id: Uuid::from_u128(n), ..participant() };
        let known = CachedParticipant {
            revision: Revision::default(),
            stored: StoredTrials::default(),
            person,
            changed: false,
        };
        CachedParticipants {
            owners: [(n.to_be_bytes().to_vec(), Uuid::from_u128(n))].into(),
            known: [(Uuid::from_u128(n), Box::new(known))].into(),
            held: HashSet::new(),
        }
    }

    fn knows(cache: &ParticipantCache, n: u128) -> bool {
        let token = n.to_be_bytes().to_vec();
        let mut people = cache.take(&[&token]);
        let knows = people.of(&token).is_some();
        cache.give_back(people);
        knows
    }

    #[test]
    fn a_bounded_number_is_remembered_and_whoever_is_at_work_stays() {
        let cache = ParticipantCache::default();
        for n in 0..5 * MOST as u128 {
            cache.give_back(somebody(n));
            assert!(knows(&cache, 0), "somebody at work is forgotten when {n} come");
            let generations = cache.generations.lock().unwrap();
            assert!(generations.young.owners.len() + generations.old.owners.len() <= 2 * MOST);
            assert!(generations.young.known.len() + generations.old.known.len() <= 2 * MOST);
        }
        assert!(!knows(&cache, 1));
    }

    #[test]
    fn nobody_is_in_two_batches() {
        let cache = ParticipantCache::default();
        cache.give_back(somebody(7));
        let token = 7_u128.to_be_bytes().to_vec();
        assert!(cache.take(&[&token]).of(&token).is_some());
        assert!(cache.take(&[&token]).of(&token).is_none());
    }
}
