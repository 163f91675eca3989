//! Taking in what browsers tell: many records, one statement, each decided by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::memory::{self, Known, Memory};
use super::queue::{Queue, Together};
use super::{App, Refused, Result};
use crate::domain::participant::Stage;
use crate::domain::record::{
    self, AnswerReply, AnswerStatus, Continued, EventReply, Outcome, Record, StepReply,
};
use crate::domain::schedule::{Place, ScheduledTrial, draw_practice};
use crate::domain::study::StudyVersion;
use crate::store::batches::Batch;
use crate::store::writer::Writer;
use crate::store::{self, StoreError};

/// One record, with the hash of the token that it came with.
#[derive(Debug, Clone)]
pub struct Job {
    /// Whose.
    pub token_sha256: Vec<u8>,
    /// What they tell.
    pub record: Record,
}

/// What the browser is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Where the person stands now.
    pub stage: Stage,
    /// Whether a newer page has taken over.
    pub superseded: bool,
    /// The practice block they are in.
    pub practice_attempt: u16,
    /// What became of the steps.
    pub steps: Vec<StepReply>,
    /// What became of the answers.
    pub answers: Vec<AnswerReply>,
    /// Events that are not stored.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub events: Vec<EventReply>,
    /// After a refusal: the trial to go on with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub position: Option<Place>,
    /// A practice block that was drawn just now.
    #[serde(skip)]
    pub drawn: Vec<ScheduledTrial>,
    /// Whether they have practised as often as they may, and are to be screened out.
    #[serde(skip)]
    pub practice_is_used_up: bool,
    /// The version that the person sees.
    #[serde(skip)]
    pub version_id: i64,
    /// The person.
    #[serde(skip)]
    pub person_id: Uuid,
}

impl Reply {
    /// Answers that were stored for the first time.
    pub fn stored(&self) -> u64 {
        self.answers.iter().filter(|answer| answer.status == AnswerStatus::Stored).count() as u64
    }
}

/// Takes in records of any number of people. Each is decided by itself, and is stored for good, or not at all, when its sender
/// hears of it.
pub struct Records {
    app: App,
    writer: Writer,
    memory: Memory,
}

/// Starts the queue of records.
pub fn queue(app: &App, patience: Duration) -> Queue<Records> {
    let writer = Writer::to_database_of(&app.pool);
    Queue::start(Records { app: app.clone(), writer, memory: Memory::default() }, patience)
}

impl Together for Records {
    type Job = Job;
    type Reply = Reply;

    /// What a page says while it is closed is told by nobody else.
    fn is_wanted(&self, _job: &Job) -> bool {
        true
    }

    async fn all(&self, jobs: &[Job]) -> Result<Vec<Result<Reply>>> {
        let mut replies: Vec<Option<Result<Reply>>> = jobs.iter().map(|_| None).collect();
        let mut conn = self.writer.take().await?;
        let mut studies = round(&self.app, &mut conn, &self.memory, jobs, &mut replies).await?;
        if replies.iter().any(Option::is_none) {
            // In one transaction their rows are locked from the moment when they are read, and nobody overtakes again.
            let mut tx = conn.begin().await?;
            studies.extend(round(&self.app, &mut tx, &self.memory, jobs, &mut replies).await?);
            tx.commit().await?;
        }
        studies.into_iter().for_each(|study_id| self.app.changed(study_id));
        self.writer.give_back(conn);
        let replies: Vec<Result<Reply>> =
            replies.into_iter().map(|reply| reply.unwrap_or(Err(StoreError::Overtaken.into()))).collect();
        self.app.work.batch.observe(jobs.len() as f64);
        self.app.work.answers.inc_by(replies.iter().flatten().map(Reply::stored).sum());
        Ok(replies)
    }
}

/// Decides and stores what has no reply yet. What belongs to people who were changed since they were read still has none
/// afterwards. Returns the studies in which something was stored.
async fn round(
    app: &App,
    conn: &mut PgConnection,
    memory: &Memory,
    jobs: &[Job],
    replies: &mut [Option<Result<Reply>>],
) -> Result<BTreeSet<i64>> {
    let open: Vec<usize> = (0..jobs.len()).filter(|n| replies[*n].is_none()).collect();
    let tokens: Vec<&Vec<u8>> = open.iter().map(|n| &jobs[*n].token_sha256).collect();
    let mut people = memory.take(&tokens);
    let unknown: Vec<Vec<u8>> =
        tokens.into_iter().filter(|token| people.of(token).is_none()).cloned().collect();
    if !unknown.is_empty() {
        memory::read(&mut *conn, &unknown, &mut people).await?;
    }
    let open_jobs: Vec<&Job> = open.iter().map(|n| &jobs[*n]).collect();
    memory::recall(&mut *conn, &open_jobs, &mut people).await?;
    let mut batch = Batch::default();
    let mut decided = Vec::with_capacity(open.len());
    for n in open {
        let job = &jobs[n];
        match people.of(&job.token_sha256) {
            None => replies[n] = Some(Err(Refused::UnknownToken.into())),
            Some(known) => {
                let version = app.version(&mut *conn, known.person.version_id).await?;
                decided.push((n, known.person.id, decide(app, &mut batch, &version, known, &job.record)));
            }
        }
    }
    if people.known.is_empty() {
        return Ok(BTreeSet::new());
    }
    for known in people.known.values() {
        let revision = known.revision.clone();
        if known.changed {
            batch.changed.push((known.person.clone(), revision));
        } else {
            batch.unchanged.push((known.person.id, revision));
        }
    }
    let saved = store::batches::save(&mut *conn, &batch, app.now()).await?;
    people.stored_as(saved, &batch);
    for (n, id, reply) in decided {
        if people.known.contains_key(&id) {
            replies[n] = Some(Ok(reply));
        }
    }
    let studies = people.known.values().map(|known| known.person.study_id).collect();
    memory.give_back(people);
    Ok(studies)
}

/// Decides one record, and notes what it leads to.
fn decide(app: &App, batch: &mut Batch, version: &StudyVersion, known: &mut Known, record: &Record) -> Reply {
    let Known { person, stored, .. } = known;
    let outcome = record::apply(person, &version.definition, record, stored, app.now());
    known.changed |= outcome.changed;
    let Outcome { responses, continued, events, steps, answers, refused_events, draw_practice: draw, .. } =
        outcome;
    let id = person.id;
    batch.responses.extend(responses.into_iter().map(|response| (id, response)));
    continued.into_iter().for_each(|continued| note_continue(batch, id, continued));
    batch.events.extend(events.into_iter().map(|event| (id, event)));
    let drawn = match draw {
        Some(attempt) => draw_practice(version, &person.condition, attempt, person.seed),
        None => Vec::new(),
    };
    stored.schedule(&drawn);
    batch.drawn.extend(drawn.iter().map(|trial| (id, trial.clone())));
    let refused = answers.iter().any(|answer| answer.status == AnswerStatus::Refused);
    Reply {
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

/// When Continue was pressed belongs to an answer that is stored, or to one of this very batch.
fn note_continue(batch: &mut Batch, id: Uuid, continued: Continued) {
    let mut new = batch.responses.iter_mut();
    match new.find(|(whose, new)| *whose == id && new.answer.place() == continued.place) {
        Some((_, response)) => response.answer.learn(&continued),
        None => batch.continued.push((id, continued)),
    }
}
