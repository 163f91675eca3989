//! What arrives together is done together: one transaction, one commit, and each hears of their own only after that commit.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::flow::{FlowError, Result};
use crate::store::StoreError;

/// Jobs done at once, at most.
const LARGEST_BATCH: usize = 256;

/// Jobs that may wait; beyond that, whoever comes waits to be allowed to wait.
const LONGEST_QUEUE: usize = 4096;

/// Longest time that a batch may take. A database that hangs, or a network that swallows everything, must not hold the worker
/// for ever; browsers repeat what they sent. Shorter than any request may take, so that whoever waited hears of it.
pub const BATCH_TIMEOUT: Duration = Duration::from_secs(25);

/// Work that can be done for many at once.
pub trait BatchJob: Send + Sync + 'static {
    /// What is to be done for one.
    type Job: Send + Sync + 'static;
    /// What one hears.
    type Reply: Send + 'static;

    /// Whether a job is still to be done when its turn has come.
    fn is_wanted(&self, job: &Self::Job) -> bool;

    /// Hears why a whole batch could not be done.
    fn failed(&self, error: &StoreError);

    /// Does all that is to be done, in one transaction. A job that is refused fails alone; if the whole fails, all
    /// or some of it is not done, and doing it again is harmless.
    fn run_batch(&self, jobs: &[Self::Job]) -> impl Future<Output = Result<Vec<Result<Self::Reply>>>> + Send;
}

type Waiting<W> = (<W as BatchJob>::Job, oneshot::Sender<Result<<W as BatchJob>::Reply>>);

/// Where jobs wait for their turn. Its worker does one batch after the other: while it waits for the database, the next batch
/// gathers. It ends when the queue is dropped and all that waited is done.
pub struct BatchQueue<W: BatchJob> {
    sender: mpsc::Sender<Waiting<W>>,
}

impl<W: BatchJob> BatchQueue<W> {
    /// Starts the worker, who gives a batch up after a time.
    pub fn start(work: W, timeout: Duration) -> Self {
        let (sender, receiver) = mpsc::channel(LONGEST_QUEUE);
        tokio::spawn(run_worker(work, receiver, timeout));
        Self { sender }
    }

    /// Has a job done; returns after it is done for good.
    pub async fn submit(&self, job: W::Job) -> Result<W::Reply> {
        let (reply, answer) = oneshot::channel();
        let gone = || FlowError::Store(StoreError::Database(sqlx::Error::PoolClosed));
        self.sender.send((job, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

async fn run_worker<W: BatchJob>(work: W, mut receiver: mpsc::Receiver<Waiting<W>>, timeout: Duration) {
    loop {
        let mut batch = Vec::new();
        if receiver.recv_many(&mut batch, LARGEST_BATCH).await == 0 {
            return;
        }
        let wanted = batch.into_iter().filter(|(job, _)| work.is_wanted(job));
        let (jobs, replies): (Vec<_>, Vec<_>) = wanted.unzip();
        for (reply, result) in replies.into_iter().zip(take_in(&work, &jobs, timeout).await) {
            // Whoever no longer waits will ask again.
            let _ = reply.send(result);
        }
    }
}

/// Does a batch. Should it fail as a whole for a reason that may lie in one job, each is tried by itself.
async fn take_in<W: BatchJob>(work: &W, jobs: &[W::Job], timeout: Duration) -> Vec<Result<W::Reply>> {
    match in_time(work, jobs, timeout).await {
        Ok(replies) => replies,
        Err(FlowError::Store(error)) if jobs.len() > 1 && error.may_lie_in_one() => {
            tracing::warn!(%error, jobs = jobs.len(), "A batch failed; trying each job by itself");
            let mut replies = Vec::with_capacity(jobs.len());
            for job in jobs {
                let alone = in_time(work, std::slice::from_ref(job), timeout).await;
                replies.push(alone.and_then(|mut one| one.pop().expect("one job has one reply")));
            }
            replies
        }
        Err(FlowError::Store(error)) => {
            work.failed(&error);
            let error = Arc::new(error);
            jobs.iter().map(|_| Err(FlowError::Store(StoreError::Shared(error.clone())))).collect()
        }
        Err(FlowError::Refused(refused)) => unreachable!("a whole batch is not refused: {refused}"),
    }
}

async fn in_time<W: BatchJob>(work: &W, jobs: &[W::Job], timeout: Duration) -> Result<Vec<Result<W::Reply>>> {
    let late = |_| StoreError::Database(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(timeout, work.run_batch(jobs)).await.map_err(late)?
}
