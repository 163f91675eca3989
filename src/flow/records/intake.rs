//! The entry for records: handlers submit a record here and get the reply after it is on disk.
//!
//! The module's head (`flow::records`) explains the whole path.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use tokio::sync::Semaphore;

use crate::flow::records::batch_queue::{BatchJob, BatchQueue};
use crate::flow::records::decide::decide_and_store;
use crate::flow::records::job::{RecordJob, RecordResult};
use crate::flow::records::participant_cache::ParticipantCache;
use crate::flow::{App, FlowError, Result};
use crate::store::record_connection::RecordConnection;
use crate::store::{self, StoreError};

/// How long a record whose row another session has locked waits: first for one of the few places to wait in, then for the row. After
/// that it is refused, and the browser repeats it.
const ROW_TIMEOUT: Duration = Duration::from_secs(1);

/// How many records may wait for rows at the same time: each takes a connection of the pool.
const WAITING_PLACES: usize = 4;

/// Where handlers submit records.
pub struct RecordIntake {
    app: App,
    cache: Arc<ParticipantCache>,
    queue: BatchQueue<RecordBatches>,
    waiting_places: Semaphore,
}

impl RecordIntake {
    /// Starts the queue; a batch that takes longer than `timeout` is given up.
    pub fn start(app: &App, timeout: Duration) -> Self {
        let cache = Arc::<ParticipantCache>::default();
        let connection = RecordConnection::new(&app.pool);
        let batches = RecordBatches { app: app.clone(), connection, cache: cache.clone() };
        let (queue, waiting_places) = (BatchQueue::start(batches, timeout), Semaphore::new(WAITING_PLACES));
        Self { app: app.clone(), cache, queue, waiting_places }
    }

    /// Stores a record and returns the reply after the commit. A record is stored even if its client goes before: a page that is
    /// being closed sends its last record and cannot repeat it.
    pub async fn submit(&self, job: RecordJob) -> Result<RecordResult> {
        let job = Arc::new(job);
        match self.queue.submit(job.clone()).await {
            Err(FlowError::Store(StoreError::Held)) => self.wait_for_row(job).await,
            reply => reply,
        }
    }

    /// Stores a record whose participant's row another session has locked, as soon as it is free.
    async fn wait_for_row(&self, job: Arc<RecordJob>) -> Result<RecordResult> {
        let place = tokio::time::timeout(ROW_TIMEOUT, self.waiting_places.acquire()).await;
        let _place = place.map_err(|_| StoreError::Held)?;
        let mut tx = self.app.pool.begin().await?;
        store::wait_for_locks(&mut tx, ROW_TIMEOUT).await?;
        store::batches::lock_owner(&mut tx, &job.token_sha256).await?;
        let mut replies = [None];
        let studies = decide_and_store(&self.app, &mut tx, &self.cache, &[job], &mut replies).await?;
        tx.commit().await?;
        let [reply] = replies.map(reply_or_held);
        announce(&self.app, studies, reply.iter());
        reply
    }
}

/// Stores records of any number of participants in one batch.
struct RecordBatches {
    app: App,
    connection: RecordConnection,
    cache: Arc<ParticipantCache>,
}

impl BatchJob for RecordBatches {
    type Job = Arc<RecordJob>;
    type Reply = RecordResult;

    fn failed(&self, error: &StoreError) {
        self.app.readiness.note(error, self.app.now().timestamp());
    }

    async fn run_batch(&self, jobs: &[Arc<RecordJob>]) -> Result<Vec<Result<RecordResult>>> {
        let mut replies: Vec<Option<Result<RecordResult>>> = jobs.iter().map(|_| None).collect();
        let mut conn = self.connection.take_out().await?;
        let mut studies = decide_and_store(&self.app, &mut conn, &self.cache, jobs, &mut replies).await?;
        if replies.iter().any(Option::is_none) {
            // In one transaction the rows stay locked from the claim to the commit, so that none can change meanwhile.
            let mut tx = conn.begin().await?;
            studies.extend(decide_and_store(&self.app, &mut tx, &self.cache, jobs, &mut replies).await?);
            tx.commit().await?;
        }
        self.connection.put_back(conn);
        let replies: Vec<Result<RecordResult>> = replies.into_iter().map(reply_or_held).collect();
        self.app.work.batch.observe(jobs.len() as f64);
        announce(&self.app, studies, replies.iter().flatten());
        Ok(replies)
    }
}

/// What has no reply after two rounds belongs to a participant whose row another session has locked.
fn reply_or_held(reply: Option<Result<RecordResult>>) -> Result<RecordResult> {
    reply.unwrap_or(Err(StoreError::Held.into()))
}

/// Tells open pages of the lab which studies changed, and counts the answers.
fn announce<'a>(app: &App, studies: BTreeSet<i64>, replies: impl Iterator<Item = &'a RecordResult>) {
    studies.into_iter().for_each(|study_id| app.changed(study_id));
    app.work.answers.inc_by(replies.map(RecordResult::stored).sum());
}
