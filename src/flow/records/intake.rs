//! Taking in what browsers tell: many records, one statement, each decided by itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::domain::participant::Stage;
use crate::domain::record::{
    self, AnswerReply, AnswerStatus, Continued, EventReply, Record, RecordOutcome, StepReply,
};
use crate::domain::schedule::{Place, ScheduledTrial, draw_practice};
use crate::domain::study::StudyVersion;
use crate::flow::records::batch_queue::{BatchJob, BatchQueue};
use crate::flow::records::participant_cache;
use crate::flow::records::participant_cache::{CachedParticipant, ParticipantCache};
use crate::flow::{App, FlowError, Refused, Result};
use crate::store::batches::Batch;
use crate::store::record_connection::Writer;
use crate::store::{self, StoreError};

/// One record, with the hash of the token that it came with.
#[derive(Debug, Clone)]
pub struct RecordJob {
    /// Whose.
    pub token_sha256: Vec<u8>,
    /// What they tell.
    pub record: Record,
}

/// What the browser is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordResult {
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

impl RecordResult {
    /// Answers that were stored for the first time.
    pub fn stored(&self) -> u64 {
        self.answers.iter().filter(|answer| answer.status == AnswerStatus::Stored).count() as u64
    }
}

/// How long a record waits for a row that another session holds, and before that for its turn. The person's browser repeats it
/// after that.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// RecordIntake that wait for such rows at the same time, at most: each takes a connection that others need.
const MOST_WAITING: usize = 4;

/// Where records are taken in.
pub struct Intake {
    app: App,
    cache: Arc<ParticipantCache>,
    queue: BatchQueue<RecordIntake>,
    places: Semaphore,
}

impl Intake {
    /// Starts taking in records; a batch is given up after a time.
    pub fn start(app: &App, timeout: Duration) -> Self {
        let cache = Arc::<ParticipantCache>::default();
        let writer = Writer::to_database_of(&app.pool);
        let records = RecordIntake { app: app.clone(), writer, cache: cache.clone() };
        let (queue, places) = (BatchQueue::start(records, timeout), Semaphore::new(MOST_WAITING));
        Self { app: app.clone(), cache, queue, places }
    }

    /// Takes in a record; returns after it is stored for good. One of a person whose row another session holds waits by itself.
    pub async fn submit(&self, job: RecordJob) -> Result<RecordResult> {
        let job = Arc::new(job);
        match self.queue.submit(job.clone()).await {
            Err(FlowError::Store(StoreError::Held)) => self.after_others(job).await,
            reply => reply,
        }
    }

    async fn after_others(&self, job: Arc<RecordJob>) -> Result<RecordResult> {
        let place = tokio::time::timeout(LONGEST_WAIT, self.places.acquire()).await;
        let _place = place.map_err(|_| StoreError::Held)?;
        let mut tx = self.app.pool.begin().await?;
        store::wait_for_locks(&mut tx, LONGEST_WAIT).await?;
        store::batches::wait_for(&mut tx, &job.token_sha256).await?;
        let mut replies = [None];
        let studies = round(&self.app, &mut tx, &self.cache, &[job], &mut replies).await?;
        tx.commit().await?;
        let [reply] = replies.map(|reply| reply.unwrap_or(Err(StoreError::Held.into())));
        told(&self.app, studies, reply.iter());
        reply
    }
}

/// Takes in records of any number of people. Each is decided by itself, and is stored for good, or not at all, when its sender
/// hears of it.
struct RecordIntake {
    app: App,
    writer: Writer,
    cache: Arc<ParticipantCache>,
}

impl BatchJob for RecordIntake {
    type Job = Arc<RecordJob>;
    type Reply = RecordResult;

    /// What a page says while it is closed is told by nobody else.
    fn is_wanted(&self, _job: &Arc<RecordJob>) -> bool {
        true
    }

    fn failed(&self, error: &StoreError) {
        self.app.readiness.note(error, self.app.now().timestamp());
    }

    async fn run_batch(&self, jobs: &[Arc<RecordJob>]) -> Result<Vec<Result<RecordResult>>> {
        let mut replies: Vec<Option<Result<RecordResult>>> = jobs.iter().map(|_| None).collect();
        let mut conn = self.writer.take().await?;
        let mut studies = round(&self.app, &mut conn, &self.cache, jobs, &mut replies).await?;
        if replies.iter().any(Option::is_none) {
            // In one transaction their rows are locked from the moment when they are read, and nobody overtakes again.
            let mut tx = conn.begin().await?;
            studies.extend(round(&self.app, &mut tx, &self.cache, jobs, &mut replies).await?);
            tx.commit().await?;
        }
        self.writer.give_back(conn);
        // Those without a reply are held by other sessions.
        let replies: Vec<Result<RecordResult>> =
            replies.into_iter().map(|reply| reply.unwrap_or(Err(StoreError::Held.into()))).collect();
        self.app.work.batch.observe(jobs.len() as f64);
        told(&self.app, studies, replies.iter().flatten());
        Ok(replies)
    }
}

/// Tells open pages what changed, and counts the answers.
fn told<'a>(app: &App, studies: BTreeSet<i64>, replies: impl Iterator<Item = &'a RecordResult>) {
    studies.into_iter().for_each(|study_id| app.changed(study_id));
    app.work.answers.inc_by(replies.map(RecordResult::stored).sum());
}

/// Decides and stores what has no reply yet. What belongs to people who were changed since they were read, or whose rows are
/// held by other sessions, still has none afterwards. Returns the studies in which something was stored.
async fn round(
    app: &App,
    conn: &mut PgConnection,
    cache: &ParticipantCache,
    jobs: &[Arc<RecordJob>],
    replies: &mut [Option<Result<RecordResult>>],
) -> Result<BTreeSet<i64>> {
    let open: Vec<usize> = (0..jobs.len()).filter(|n| replies[*n].is_none()).collect();
    let tokens: Vec<&Vec<u8>> = open.iter().map(|n| &jobs[*n].token_sha256).collect();
    let mut people = cache.take(&tokens);
    let unknown: Vec<Vec<u8>> =
        tokens.into_iter().filter(|token| people.of(token).is_none()).cloned().collect();
    if !unknown.is_empty() {
        participant_cache::read(&mut *conn, &unknown, &mut people).await?;
    }
    let open_jobs: Vec<&RecordJob> = open.iter().map(|n| &*jobs[*n]).collect();
    participant_cache::recall(&mut *conn, &open_jobs, &mut people).await?;
    let mut batch = Batch::default();
    let mut decided = Vec::with_capacity(open.len());
    for n in open {
        let job = &jobs[n];
        let held = people.is_held(&job.token_sha256);
        match people.of(&job.token_sha256) {
            None if held => {}
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
    cache.give_back(people);
    Ok(studies)
}

/// Decides one record, and notes what it leads to.
fn decide(
    app: &App,
    batch: &mut Batch,
    version: &StudyVersion,
    known: &mut CachedParticipant,
    record: &Record,
) -> RecordResult {
    let CachedParticipant { person, stored, .. } = known;
    let outcome = record::apply(person, &version.definition, record, stored, app.now());
    known.changed |= outcome.changed;
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
    continued.into_iter().for_each(|continued| note_continue(batch, id, continued));
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

/// When Continue was pressed belongs to an answer that is stored, or to one of this very batch.
fn note_continue(batch: &mut Batch, id: Uuid, continued: Continued) {
    let mut new = batch.responses.iter_mut();
    match new.find(|(whose, new)| *whose == id && new.answer.place() == continued.place) {
        Some((_, response)) => response.answer.learn(&continued),
        None => batch.continued.push((id, continued)),
    }
}
