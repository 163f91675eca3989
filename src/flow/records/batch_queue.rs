//! A queue whose worker takes all jobs that wait and does them together: one transaction, one commit, then one reply to each
//! client.
//!
//! The disk sets the pace: a commit takes as long for one row as for a hundred. While the database stores one batch, the next
//! one gathers, so batches grow with the load by themselves, and no job waits for a timer. Records, consents
//! (`flow::participation::enrolment_queue`) and counts of visits (`flow::participation::visits`) go through queues of this kind.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::flow::{FlowError, Result};
use crate::store::StoreError;

/// Jobs in a batch, at most.
const LARGEST_BATCH: usize = 256;

/// Jobs in the queue, at most. Further clients wait until there is room in it.
const LONGEST_QUEUE: usize = 4096;

/// The longest time that a batch may take. A database that hangs, or a network that loses everything, must not stop the worker for
/// good. It is shorter than the time that a request may take, so that clients get an error, which makes them repeat what they sent.
pub const BATCH_TIMEOUT: Duration = Duration::from_secs(25);

/// Work that can be done for many clients in one transaction.
pub trait BatchJob: Send + Sync + 'static {
    /// What one client asks for.
    type Job: Send + Sync + 'static;
    /// What one client gets.
    type Reply: Send + 'static;

    /// Whether a job is left out of its batch if its client has gone before. A job whose batch has begun is done in any case.
    const LEAVES_OUT_GONE_CLIENTS: bool = false;

    /// Is told why a whole batch failed.
    fn failed(&self, error: &StoreError);

    /// Does all jobs in one transaction and returns a reply to each, in their order. A job that is refused fails alone. If the
    /// whole batch fails, all or some of it is not stored, and it must be harmless to do it again.
    fn run_batch(&self, jobs: &[Self::Job]) -> impl Future<Output = Result<Vec<Result<Self::Reply>>>> + Send;
}

/// A job, and where its client waits for the reply.
type Waiting<W> = (<W as BatchJob>::Job, oneshot::Sender<Result<<W as BatchJob>::Reply>>);

/// The clients' end of a queue. When it is dropped, the worker does the jobs that wait and ends.
pub struct BatchQueue<W: BatchJob> {
    sender: mpsc::Sender<Waiting<W>>,
}

impl<W: BatchJob> BatchQueue<W> {
    /// Starts the worker. It gives up a batch that takes longer than `timeout`.
    pub fn start(work: W, timeout: Duration) -> Self {
        let (sender, receiver) = mpsc::channel(LONGEST_QUEUE);
        tokio::spawn(run_worker(work, receiver, timeout));
        Self { sender }
    }

    /// Puts a job into the queue and waits for the reply, which comes after the commit. A caller that stops waiting (a request's
    /// future is dropped when its client disconnects) closes the reply's channel; this is how the worker knows who has gone.
    pub async fn submit(&self, job: W::Job) -> Result<W::Reply> {
        let (reply, answer) = oneshot::channel();
        let gone = || FlowError::Store(StoreError::Database(sqlx::Error::PoolClosed));
        self.sender.send((job, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

async fn run_worker<W: BatchJob>(work: W, mut receiver: mpsc::Receiver<Waiting<W>>, timeout: Duration) {
    loop {
        let mut batch: Vec<Waiting<W>> = Vec::new();
        if receiver.recv_many(&mut batch, LARGEST_BATCH).await == 0 {
            return;
        }
        if W::LEAVES_OUT_GONE_CLIENTS {
            batch.retain(|(_, reply)| !reply.is_closed());
        }
        if batch.is_empty() {
            continue;
        }
        let (jobs, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let results = run_together_or_alone(&work, &jobs, timeout).await;
        drop(jobs);
        for (reply, result) in replies.into_iter().zip(results) {
            // A client that has gone asks again if it still needs the reply.
            let _ = reply.send(result);
        }
    }
}

/// Runs a batch. If it fails as a whole for a reason that may lie in one of its jobs, runs each job alone.
async fn run_together_or_alone<W: BatchJob>(
    work: &W,
    jobs: &[W::Job],
    timeout: Duration,
) -> Vec<Result<W::Reply>> {
    match run_in_time(work, jobs, timeout).await {
        Ok(replies) => replies,
        Err(FlowError::Store(error)) if jobs.len() > 1 && error.may_lie_in_one() => {
            tracing::warn!(%error, jobs = jobs.len(), "A batch failed; trying each job alone");
            let mut replies = Vec::with_capacity(jobs.len());
            for job in jobs {
                let alone = run_in_time(work, std::slice::from_ref(job), timeout).await;
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

async fn run_in_time<W: BatchJob>(
    work: &W,
    jobs: &[W::Job],
    timeout: Duration,
) -> Result<Vec<Result<W::Reply>>> {
    let late = |_| StoreError::Database(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(timeout, work.run_batch(jobs)).await.map_err(late)?
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use parking_lot::Mutex;
    use tokio::sync::Semaphore;

    use super::*;

    /// Notes what it does; each batch needs a permit to end.
    struct Notes<const LEAVES_OUT: bool> {
        done: Arc<Mutex<Vec<u32>>>,
        permits: Arc<Semaphore>,
    }

    impl<const LEAVES_OUT: bool> BatchJob for Notes<LEAVES_OUT> {
        type Job = u32;
        type Reply = u32;

        const LEAVES_OUT_GONE_CLIENTS: bool = LEAVES_OUT;

        fn failed(&self, _error: &StoreError) {}

        async fn run_batch(&self, jobs: &[u32]) -> Result<Vec<Result<u32>>> {
            self.permits.acquire().await.expect("it is never closed").forget();
            self.done.lock().extend(jobs);
            Ok(jobs.iter().map(|job| Ok(*job)).collect())
        }
    }

    /// Which jobs are done if the clients of 1 and 2 go: of 1 while its batch runs, of 2 before its batch begins.
    async fn done<const LEAVES_OUT: bool>() -> Vec<u32> {
        let (done, permits) = (Arc::<Mutex<Vec<u32>>>::default(), Arc::new(Semaphore::new(0)));
        let queue = BatchQueue::start(
            Notes::<LEAVES_OUT> { done: done.clone(), permits: permits.clone() },
            Duration::from_secs(60),
        );
        for job in [1, 2] {
            let mut request = pin!(queue.submit(job));
            let has_reply = poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx).is_ready())).await;
            assert!(!has_reply);
            // The worker runs until it waits for a permit.
            tokio::task::yield_now().await;
        }
        let last = queue.submit(3);
        permits.add_permits(9);
        assert_eq!(last.await.expect("it is done"), 3);
        let done = done.lock();
        done.clone()
    }

    #[tokio::test]
    async fn a_job_whose_client_has_gone_is_left_out_only_where_that_is_wanted_and_only_before_its_batch() {
        assert_eq!(done::<true>().await, [1, 3]);
        assert_eq!(done::<false>().await, [1, 2, 3]);
    }
}
