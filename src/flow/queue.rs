//! Records that arrive together are taken in together: one statement, one commit, and each browser hears of its own
//! record only after that commit.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};

use super::memory::Memory;
use super::record::{Job, Reply, record_all};
use super::{App, FlowError, Result};
use crate::store::{self, StoreError};

/// Records taken in at once, at most.
const LARGEST_BATCH: usize = 128;

/// Records that may wait; beyond that, whoever comes waits to be allowed to wait.
const LONGEST_QUEUE: usize = 4096;

/// Writers at work at the same time: while one waits for the disk, the other gathers.
const WRITERS: u32 = 2;

/// Longest time that a batch may take. A database that hangs, or a network that swallows everything, must not hold the writers
/// for ever; what was sent before is repeated by the browsers, and taken in once. Shorter than any request may take, so that
/// whoever waited hears of it.
const PATIENCE: Duration = Duration::from_secs(25);

type Waiting = (Job, oneshot::Sender<Result<Reply>>);

/// Where records wait for their turn. Cheap to clone.
#[derive(Clone)]
pub struct RecordQueue {
    sender: mpsc::Sender<Waiting>,
}

impl RecordQueue {
    /// Starts the writers. They end when every clone of the queue is dropped and all that waited is written.
    pub fn start(app: &App) -> Self {
        Self::with_patience(app, PATIENCE)
    }

    /// Starts writers that give a batch up after another time than usual.
    pub fn with_patience(app: &App, patience: Duration) -> Self {
        let (sender, receiver) = mpsc::channel(LONGEST_QUEUE);
        let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
        let (pool, memory) = (store::writers_pool(&app.pool, WRITERS), Arc::new(Memory::default()));
        for _ in 0..WRITERS {
            let writer = Writer { app: app.clone(), pool: pool.clone(), memory: memory.clone(), patience };
            tokio::spawn(writer.write(receiver.clone()));
        }
        Self { sender }
    }

    /// Takes in one record; returns after it is stored for good.
    pub async fn record(&self, job: Job) -> Result<Reply> {
        let (reply, answer) = oneshot::channel();
        let gone = || FlowError::Store(StoreError::Database(sqlx::Error::PoolClosed));
        self.sender.send((job, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

struct Writer {
    app: App,
    pool: PgPool,
    memory: Arc<Memory>,
    patience: Duration,
}

impl Writer {
    async fn write(self, receiver: Arc<tokio::sync::Mutex<mpsc::Receiver<Waiting>>>) {
        loop {
            let mut batch = Vec::new();
            // Only one writer gathers at a time; the lock is free again while it writes.
            if receiver.lock().await.recv_many(&mut batch, LARGEST_BATCH).await == 0 {
                return;
            }
            let (jobs, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
            for (reply, result) in replies.into_iter().zip(self.take_in(jobs).await) {
                self.app.work.answers.inc_by(result.as_ref().map_or(0, Reply::stored));
                // Whoever no longer waits will ask again.
                let _ = reply.send(result);
            }
        }
    }

    /// Takes in a batch. Should it fail as a whole for a reason that may lie in one record, each is tried by itself.
    async fn take_in(&self, jobs: Vec<Job>) -> Vec<Result<Reply>> {
        match self.in_time(&jobs).await {
            Ok(replies) => {
                self.app.work.batch.observe(jobs.len() as f64);
                replies
            }
            Err(FlowError::Store(error)) if jobs.len() > 1 && !error.is_transient() => {
                tracing::warn!(%error, records = jobs.len(), "A batch of records failed; trying each by itself");
                let mut replies = Vec::with_capacity(jobs.len());
                for job in jobs {
                    replies.push(self.one(job).await);
                }
                replies
            }
            Err(FlowError::Store(error)) => {
                let error = Arc::new(error);
                jobs.iter().map(|_| Err(FlowError::Store(StoreError::Shared(error.clone())))).collect()
            }
            Err(FlowError::Refused(refused)) => unreachable!("a whole batch is not refused: {refused}"),
        }
    }

    async fn one(&self, job: Job) -> Result<Reply> {
        self.in_time(&[job]).await?.pop().expect("one job has one reply")
    }

    async fn in_time(&self, jobs: &[Job]) -> Result<Vec<Result<Reply>>> {
        let late = |_| StoreError::Database(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
        tokio::time::timeout(self.patience, self.record(jobs)).await.map_err(late)?
    }

    async fn record(&self, jobs: &[Job]) -> Result<Vec<Result<Reply>>> {
        record_all(&self.app, &mut *self.pool.acquire().await?, &self.memory, jobs).await
    }
}
