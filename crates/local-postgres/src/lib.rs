//! Weber's own PostgreSQL: a private cluster in the data folder, run from the installed programs.
//!
//! Without `DATABASE_URL`, `weber serve` calls [`LocalPostgres::serve`] and has a database for as long as it runs. Other
//! commands call [`LocalPostgres::borrow`]: they use the server that runs, or start one for their duration. Whoever
//! leaves last stops it. After a `kill -9` of Weber its server is still there: the next `serve` replaces it by one of
//! its own, the next `borrow` uses it and stops it.
//!
//! The cluster listens only on a unix socket in its own folder, which belongs to one user, who is not root, and is
//! closed to all others.

mod account;
mod cluster;
mod error;
mod log;
mod place;
mod postmaster;
mod programs;
mod supervisor;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_util::sync::{CancellationToken, DropGuard};

use cluster::Cluster;
pub use error::Error;
use place::{Lock, ServeLock};
pub use programs::Search;

/// Where a private PostgreSQL lives, and how it is treated.
#[derive(Debug, Clone)]
pub struct LocalPostgres {
    /// Weber's data folder; made if missing.
    pub data: PathBuf,
    /// Where the server's programs are searched for.
    pub search: Search,
    /// A new cluster is not made on a disk with less free space, bytes.
    pub min_free_bytes: u64,
    /// How long a fast shutdown may take before the server is stopped without ceremony.
    pub stop_patience: Duration,
}

impl LocalPostgres {
    /// The private PostgreSQL of a data folder, with the usual settings: 200 MB of free space, 30 s to stop.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            search: Search::default(),
            min_free_bytes: 200_000_000,
            stop_patience: Duration::from_secs(30),
        }
    }

    /// Runs the server for a process that serves this data folder, alone; brings it back if it ends. `now` is the time
    /// that a second one will be told.
    ///
    /// # Errors
    /// [`Error::AlreadyRunning`] if another process serves this data folder; see [`Error`] for the others. A server that
    /// was started in vain is stopped again.
    pub async fn serve(&self, now: DateTime<Utc>) -> Result<Server, Error> {
        let cluster = Arc::new(Cluster::at(self).await?);
        let lock = ServeLock::take(&cluster.place, now)?;
        let membership = Membership::begin(&cluster, Purpose::Serve).await?;
        let stop = CancellationToken::new();
        let supervisor = tokio::spawn(supervisor::supervise(cluster, stop.clone()));
        Ok(Server { supervisor, _stop: stop.drop_guard(), membership, _lock: lock })
    }

    /// Uses the server of this data folder: the one that runs, or one that is started now. Any number of processes may,
    /// at the same time, whether one serves or not.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn borrow(&self) -> Result<Borrowed, Error> {
        let cluster = Arc::new(Cluster::at(self).await?);
        Ok(Borrowed { membership: Membership::begin(&cluster, Purpose::Borrow).await? })
    }
}

/// The private PostgreSQL of the process that serves.
///
/// To be ended by [`Server::stop`] once nothing uses the database any more. Dropped instead, as in a panic, it does the
/// same, but blocks meanwhile and cannot report errors.
#[derive(Debug)]
pub struct Server {
    supervisor: JoinHandle<()>,
    _stop: DropGuard,
    membership: Membership,
    // Last: nobody else may serve before the server has stopped.
    _lock: ServeLock,
}

impl Server {
    /// How to connect to Weber's database; valid as long as this value lives.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.membership.options.clone()
    }

    /// Stops the server, unless another command still uses it (which then stops it). Open connections are cut.
    ///
    /// # Errors
    /// [`Error::WillNotStop`], or what the system refused.
    pub async fn stop(self) -> Result<(), Error> {
        let Self { supervisor, _stop, membership, _lock } = self;
        drop(_stop);
        // An error would say that it panicked; there is nothing more to wait for then.
        let _ = supervisor.await;
        membership.end().await
    }
}

/// The private PostgreSQL of a command that uses it for a while.
///
/// To be ended by [`Borrowed::finish`], also after an error and on Ctrl-C. Dropped instead, it does the same, but blocks
/// meanwhile and cannot report errors.
#[derive(Debug)]
pub struct Borrowed {
    membership: Membership,
}

impl Borrowed {
    /// How to connect to Weber's database; valid as long as this value lives.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.membership.options.clone()
    }

    /// Stops the server if nobody else uses it.
    ///
    /// # Errors
    /// [`Error::WillNotStop`], or what the system refused.
    pub async fn finish(self) -> Result<(), Error> {
        self.membership.end().await
    }
}

/// What a process wants the server for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Serve,
    Borrow,
}

/// One process's (or value's) use of the server.
#[derive(Debug)]
struct Membership {
    cluster: Arc<Cluster>,
    options: PgConnectOptions,
    /// The lock on `users.lock`; absent when the use has ended.
    users: Option<Lock>,
}

impl Membership {
    async fn begin(cluster: &Arc<Cluster>, purpose: Purpose) -> Result<Self, Error> {
        let gate = behind_the_gate(cluster).await?;
        if purpose == Purpose::Serve && cluster.place.nobody_uses()? {
            // Left by a Weber that was killed: it may have old settings, and sessions that hold locks.
            let orphaned = Arc::clone(cluster);
            blocking(move || orphaned.stop()).await?;
        }
        let started = cluster.ensure_running().await?;
        cluster.prepare_database().await?;
        let users = Some(cluster.place.join_users()?);
        let membership = Self { cluster: Arc::clone(cluster), options: cluster.options()?, users };
        if let Some(started) = started {
            started.settle();
        }
        drop(gate);
        Ok(membership)
    }

    async fn end(mut self) -> Result<(), Error> {
        let users = self.users.take();
        let cluster = Arc::clone(&self.cluster);
        blocking(move || leave(&cluster, users)).await
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if self.users.is_some()
            && let Err(error) = leave(&self.cluster, self.users.take())
        {
            tracing::error!(%error, "the private PostgreSQL could not be stopped");
        }
    }
}

/// Ends a use of the server, and with the last use the server.
fn leave(cluster: &Cluster, users: Option<Lock>) -> Result<(), Error> {
    let _gate = cluster.place.gate()?;
    drop(users);
    if cluster.place.nobody_uses()? {
        cluster.stop()?;
    } else {
        tracing::info!("another Weber process uses the private PostgreSQL; it runs on until that one ends");
    }
    Ok(())
}

/// Waits for the gate without blocking the runtime.
async fn behind_the_gate(cluster: &Arc<Cluster>) -> Result<Lock, Error> {
    let cluster = Arc::clone(cluster);
    blocking(move || cluster.place.gate()).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}
