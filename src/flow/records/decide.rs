//! Decides the records of a batch, in memory, and stores what follows by one statement.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::record::{self, AnswerStatus, Continued, Record, RecordOutcome};
use crate::domain::schedule::draw_practice;
use crate::domain::study::StudyVersion;
use crate::flow::records::job::{RecordJob, RecordResult};
use crate::flow::records::participant_cache::{CachedParticipant, ParticipantCache};
use crate::flow::records::participants;
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::batches::Batch;

/// Decides and stores the jobs that have no reply yet, and fills in the replies. A job still has none afterwards if the row of its
/// participant has changed since it was read, or if another session has locked it. Returns the studies in which something was stored.
pub async fn decide_and_store(
    app: &App,
    conn: &mut PgConnection,
    cache: &ParticipantCache,
    jobs: &[Arc<RecordJob>],
    replies: &mut [Option<Result<RecordResult>>],
) -> Result<BTreeSet<i64>> {
    let open: Vec<usize> = (0..jobs.len()).filter(|n| replies[*n].is_none()).collect();
    let open_jobs: Vec<&RecordJob> = open.iter().map(|n| &*jobs[*n]).collect();
    let mut found = participants::find(&mut *conn, cache, &open_jobs).await?;
    let mut batch = Batch::default();
    let mut decided = Vec::with_capacity(open.len());
    for (n, job) in open.into_iter().zip(open_jobs) {
        let is_locked = found.is_locked_elsewhere(&job.token_sha256);
        match found.get_mut(&job.token_sha256) {
            None if is_locked => {}
            None => replies[n] = Some(Err(Refused::UnknownToken.into())),
            Some(cached) => {
                let version = app.version(&mut *conn, cached.person.version_id).await?;
                decided.push((n, cached.person.id, decide(app, &mut batch, &version, cached, &job.record)));
            }
        }
    }
    if found.by_id.is_empty() {
        return Ok(BTreeSet::new());
    }
    for cached in found.by_id.values() {
        let revision = cached.revision.clone();
        if cached.changed {
            batch.changed.push((cached.person.clone(), revision));
        } else {
            batch.unchanged.push((cached.person.id, revision));
        }
    }
    let saved = store::batches::save(&mut *conn, &batch, app.now()).await?;
    found.keep_saved(saved, &batch);
    for (n, id, reply) in decided {
        if found.by_id.contains_key(&id) {
            replies[n] = Some(Ok(reply));
        }
    }
    let studies = found.by_id.values().map(|cached| cached.person.study_id).collect();
    cache.put_back(found);
    Ok(studies)
}

/// Decides one record, and adds what is to be stored to the batch.
fn decide(
    app: &App,
    batch: &mut Batch,
    version: &StudyVersion,
    cached: &mut CachedParticipant,
    record: &Record,
) -> RecordResult {
    let CachedParticipant { person, stored, .. } = cached;
    let outcome = record::apply(person, &version.definition, record, stored, app.now());
    cached.changed |= outcome.changed;
    let RecordOutcome {
        responses,
        continued,
        events,
        steps,
        answers,
        refused_events,
        draw_practice: draw,
        ..
    } = outcome;
    let id = person.id;
    batch.responses.extend(responses.into_iter().map(|response| (id, response)));
    continued.into_iter().for_each(|continued| add_continue(batch, id, continued));
    batch.events.extend(events.into_iter().map(|event| (id, event)));
    let drawn = match draw {
        Some(attempt) => draw_practice(version, &person.condition, attempt, person.seed),
        None => Vec::new(),
    };
    stored.schedule(&drawn);
    batch.drawn.extend(drawn.iter().map(|trial| (id, trial.clone())));
    let refused = answers.iter().any(|answer| answer.status == AnswerStatus::Refused);
    RecordResult {
        stage: person.stage,
        superseded: record.tab < person.tab,
        practice_attempt: person.practice_attempt,
        steps,
        answers,
        events: refused_events,
        position: if refused { stored.position(person) } else { None },
        drawn,
        practice_is_used_up: version.definition.practice.is_used_up(person.stage, person.practice_attempt),
        version_id: person.version_id,
        person_id: person.id,
    }
}

/// Adds the time at which Continue was pressed. One statement cannot insert an answer and update it, so if the answer is in this very
/// batch, it gets the time before it is stored.
fn add_continue(batch: &mut Batch, id: Uuid, continued: Continued) {
    let mut new = batch.responses.iter_mut();
    match new.find(|(owner, new)| *owner == id && new.answer.place() == continued.place) {
        Some((_, response)) => response.answer.set_continue(&continued),
        None => batch.continued.push((id, continued)),
    }
}
