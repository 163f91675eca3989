//! What a server remembers of people at work, so that one statement stores an answer.
//!
//! Nothing rests on it: whatever is decided on it is stored only if the database says that it is still so
//! (`store::batches`). Whoever is unknown, or was changed elsewhere, is read.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::participant::Participant;
use crate::domain::record::Stored;
use crate::store::{self, batches::Revision};

/// People remembered, at most (about 8 KiB each).
const MOST: usize = 4096;

/// A person with their schedule and answers, as of a revision of their row.
#[derive(Debug)]
pub struct Known {
    /// How they stand.
    pub person: Participant,
    /// Which row that is.
    pub revision: Revision,
    /// What they see, and what they answered.
    pub stored: Stored,
}

/// Those whom a batch is about.
#[derive(Debug, Default)]
pub struct People {
    /// Whose tokens these are.
    owners: HashMap<Vec<u8>, Uuid>,
    /// What is known of them.
    pub known: BTreeMap<Uuid, Known>,
}

impl People {
    /// The one whose token this is.
    pub fn of(&mut self, token_sha256: &[u8]) -> Option<&mut Known> {
        self.owners.get(token_sha256).and_then(|id| self.known.get_mut(id))
    }

    /// Notes which rows people have now, and forgets all others.
    pub fn stored_as(&mut self, mut revisions: HashMap<Uuid, Revision>) {
        self.known.retain(|id, known| {
            let new = revisions.remove(id);
            let is_stored = new.is_some();
            new.into_iter().for_each(|revision| known.revision = revision);
            is_stored
        });
    }
}

/// What is remembered. Whoever needs a person takes them out and gives them back, so that two batches never decide on the
/// same memory.
#[derive(Debug, Default)]
pub struct Memory {
    people: Mutex<People>,
}

impl Memory {
    /// Takes out those whose tokens these are, and reads whoever is not remembered.
    pub async fn take(&self, conn: &mut PgConnection, tokens_sha256: &[&Vec<u8>]) -> Result<People> {
        let mut taken = self.remembered(tokens_sha256);
        let unknown: Vec<Vec<u8>> =
            tokens_sha256.iter().filter(|token| taken.of(token).is_none()).map(|t| (*t).clone()).collect();
        if !unknown.is_empty() {
            read(conn, &unknown, &mut taken).await?;
        }
        Ok(taken)
    }

    fn remembered(&self, tokens_sha256: &[&Vec<u8>]) -> People {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = People::default();
        for token in tokens_sha256 {
            let Some(id) = people.owners.get(*token).copied() else { continue };
            taken.owners.insert((*token).clone(), id);
            taken.known.extend(people.known.remove_entry(&id));
        }
        taken
    }

    /// Remembers people as they are stored now. When there are too many it begins anew.
    pub fn give_back(&self, back: People) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        if people.known.len() + back.known.len() > MOST || people.owners.len() + back.owners.len() > 2 * MOST {
            *people = People::default();
        }
        people.owners.extend(back.owners);
        people.known.extend(back.known);
    }
}

/// Reads people with all that belongs to them: first which row is meant, so that whatever comes between is noticed.
async fn read(conn: &mut PgConnection, tokens_sha256: &[Vec<u8>], people: &mut People) -> Result<()> {
    let owners = store::batches::owners(&mut *conn, tokens_sha256).await?;
    let ids: Vec<Uuid> = owners.iter().map(|owner| owner.id).collect();
    let revisions: HashMap<Uuid, Revision> = owners
        .into_iter()
        .map(|owner| {
            people.owners.insert(owner.token_sha256, owner.id);
            (owner.id, owner.revision)
        })
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    for person in store::participants::get_all(&mut *conn, &ids).await? {
        let revision = revisions[&person.id].clone();
        people.known.insert(person.id, Known { person, revision, stored: Stored::default() });
    }
    for trial in store::records::trials_of_all(&mut *conn, &ids).await? {
        let Some(known) = people.known.get_mut(&trial.participant_id) else { continue };
        let place = trial.scheduled.place();
        known.stored.scheduled.insert(place, trial.scheduled);
        known.stored.answers.extend(trial.answer.map(|answer| (place, answer)));
    }
    Ok(())
}
