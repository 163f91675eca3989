//! Weber's own PostgreSQL: a private cluster in the data folder, run from the installed programs.
//!
//! Without `DATABASE_URL`, `weber serve` calls [`LocalPostgres::serve`] and has a database for as long as it runs. Other
//! commands call [`LocalPostgres::borrow`]: they use the server that runs, or start one for their duration. The last process
//! that uses the server stops it. After a `kill -9` of Weber its server still runs: the next `serve` replaces it by one of
//! its own, and the next `borrow` uses it and stops it.
//!
//! The cluster listens only on a unix socket in its own folder. The folder belongs to a user who is not root, and other users
//! cannot open it.

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

/// The place of a private PostgreSQL, and its settings.
#[derive(Debug, Clone)]
pub struct LocalPostgres {
    /// Weber's data folder. It is made if it is missing.
    pub data: PathBuf,
    /// The places where the server's programs are searched for.
    pub search: Search,
    /// The least free space, in bytes, for making a new cluster.
    pub min_free_bytes: u64,
    /// How long a fast shutdown may take before an immediate one follows.
    pub stop_patience: Duration,
}

impl LocalPostgres {
    /// The private PostgreSQL of a data folder with the default settings: 200 MB of free space, 30 s to stop.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self {
            data: data.into(),
            search: Search::default(),
            min_free_bytes: 200_000_000,
            stop_patience: Duration::from_secs(30),
        }
    }

    /// Runs the server for the one process that serves this data folder, and restarts it if it ends. `now` is the start time that a
    /// second process is told.
    ///
    /// # Errors
    /// [`Error::AlreadyRunning`] if another process serves this data folder; see [`Error`] for the others. After an error the server
    /// is stopped.
    pub async fn serve(&self, now: DateTime<Utc>) -> Result<Server, Error> {
        let cluster = Arc::new(Cluster::at(self).await?);
        let lock = ServeLock::take(&cluster.place, now)?;
        let membership = Membership::begin(&cluster, Purpose::Serve).await?;
        let stop = CancellationToken::new();
        let supervisor = tokio::spawn(supervisor::supervise(cluster, stop.clone()));
        Ok(Server { supervisor, _stop: stop.drop_guard(), membership, _lock: lock })
    }

    /// Uses the server of this data folder, and starts it if it does not run. Any number of processes may do so at the same time,
    /// also while another one serves.
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
/// [`Server::stop`] ends it once nothing uses the database any more. Dropping it, as in a panic, does the same, but blocks
/// meanwhile and cannot report errors.
#[derive(Debug)]
pub struct Server {
    supervisor: JoinHandle<()>,
    _stop: DropGuard,
    membership: Membership,
    // The last field, since no other process may serve before the server has stopped.
    _lock: ServeLock,
}

impl Server {
    /// The options of a connection to Weber's database, valid as long as this value lives.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.membership.options.clone()
    }

    /// Stops the server, unless another command still uses it (which then stops it). Open connections are closed.
    ///
    /// # Errors
    /// [`Error::WillNotStop`], or an error of the system.
    pub async fn stop(self) -> Result<(), Error> {
        let Self { supervisor, _stop, membership, _lock } = self;
        drop(_stop);
        // An error means that the task panicked, and then it has ended as well.
        let _ = supervisor.await;
        membership.end().await
    }
}

/// The private PostgreSQL of a command that uses it for some time.
///
/// [`Borrowed::finish`] ends it, also after an error and on Ctrl-C. Dropping it does the same, but blocks meanwhile and cannot
/// report errors.
#[derive(Debug)]
pub struct Borrowed {
    membership: Membership,
}

impl Borrowed {
    /// The options of a connection to Weber's database, valid as long as this value lives.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.membership.options.clone()
    }

    /// Stops the server if no other process uses it.
    ///
    /// # Errors
    /// [`Error::WillNotStop`], or an error of the system.
    pub async fn finish(self) -> Result<(), Error> {
        self.membership.end().await
    }
}

/// Why a process uses the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Serve,
    Borrow,
}

/// A process's (or value's) use of the server.
#[derive(Debug)]
struct Membership {
    cluster: Arc<Cluster>,
    options: PgConnectOptions,
    /// The lock on `users.lock`. None when the use has ended.
    users: Option<Lock>,
}

impl Membership {
    async fn begin(cluster: &Arc<Cluster>, purpose: Purpose) -> Result<Self, Error> {
        let gate = behind_the_gate(cluster).await?;
        if purpose == Purpose::Serve && cluster.place.is_unused()? {
            // A killed Weber left this server: it may have old settings, and sessions that hold locks.
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

/// Ends a use of the server, and stops the server after the last use.
fn leave(cluster: &Cluster, users: Option<Lock>) -> Result<(), Error> {
    let _gate = cluster.place.gate()?;
    drop(users);
    if cluster.place.is_unused()? {
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
