//! Finds the participants whose records are in a batch: in the cache, else in the database.

use std::collections::{BTreeSet, HashMap};

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::participant::Participant;
use crate::domain::record::StoredTrials;
use crate::domain::trial::Block;
use crate::flow::Result;
use crate::flow::records::job::RecordJob;
use crate::flow::records::participant_cache::{CachedParticipant, CachedParticipants, ParticipantCache};
use crate::store;
use crate::store::answers::BlockOf;
use crate::store::batches::Revision;

/// Takes the participants of these jobs out of the cache, and reads those that are not in it. A token that is not among the result's
/// belongs to no participant, or to one whose row another session has locked.
pub async fn find(
    conn: &mut PgConnection,
    cache: &ParticipantCache,
    jobs: &[&RecordJob],
) -> Result<CachedParticipants> {
    let tokens: Vec<&Vec<u8>> = jobs.iter().map(|job| &job.token_sha256).collect();
    let mut found = cache.take_out(&tokens);
    let unknown: Vec<Vec<u8>> =
        tokens.into_iter().filter(|token| found.get_mut(token).is_none()).cloned().collect();
    if !unknown.is_empty() {
        claim_and_read(&mut *conn, &unknown, &mut found).await?;
    }
    read_old_practice(conn, jobs, &mut found).await?;
    Ok(found)
}

/// Reads participants with their schedules, answers and numbers of events. Their rows are claimed first, so that what is read is at
/// least as new as the revision.
async fn claim_and_read(
    conn: &mut PgConnection,
    tokens_sha256: &[Vec<u8>],
    found: &mut CachedParticipants,
) -> Result<()> {
    let owners = store::batches::claim(&mut *conn, tokens_sha256).await?;
    let mut revisions: HashMap<Uuid, Revision> = HashMap::new();
    for owner in owners {
        let Some(revision) = owner.revision else {
            found.locked_elsewhere.insert(owner.token_sha256);
            continue;
        };
        found.owners.insert(owner.token_sha256, owner.id);
        revisions.insert(owner.id, revision);
    }
    let ids: Vec<Uuid> = revisions.keys().copied().collect();
    if ids.is_empty() {
        return Ok(());
    }
    for person in store::participants::get_all(&mut *conn, &ids).await? {
        let revision = revisions[&person.id].clone();
        let id = person.id;
        let cached = CachedParticipant { person, revision, stored: StoredTrials::default(), changed: false };
        found.by_id.insert(id, Box::new(cached));
    }
    for (id, events) in store::answers::events_stored(&mut *conn, &ids).await? {
        found.by_id.entry(id).and_modify(|cached| cached.stored.events = events);
    }
    // Of practice, the block that they are in and the one before: the browser may repeat a record about that one.
    let read = found.by_id.values().filter(|cached| revisions.contains_key(&cached.person.id));
    let blocks = read.flat_map(|cached| {
        let Participant { id, practice_attempt: attempt, .. } = cached.person;
        [
            (id, Block::Main, 1),
            (id, Block::Practice, attempt),
            (id, Block::Practice, attempt.saturating_sub(1)),
        ]
    });
    let blocks: Vec<BlockOf> = blocks.collect();
    found.add_trials(store::answers::trials_in(&mut *conn, &blocks).await?);
    Ok(())
}

/// Reads older practice blocks, where a record tells of them once more. They do not change any more.
async fn read_old_practice(
    conn: &mut PgConnection,
    jobs: &[&RecordJob],
    found: &mut CachedParticipants,
) -> Result<()> {
    let mut blocks = BTreeSet::new();
    for job in jobs {
        let Some(cached) = found.get_mut(&job.token_sha256) else { continue };
        let is_missing = |attempt: &u16| {
            *attempt < cached.person.practice_attempt && !cached.stored.has_practice(*attempt)
        };
        let missing = job.record.practice_blocks().filter(is_missing);
        blocks.extend(missing.map(|attempt| (cached.person.id, Block::Practice, attempt)));
    }
    if !blocks.is_empty() {
        let blocks: Vec<BlockOf> = blocks.into_iter().collect();
        found.add_trials(store::answers::trials_in(conn, &blocks).await?);
    }
    Ok(())
}
