//! Restarts PostgreSQL when it ends while Weber serves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::cluster::Cluster;
use super::error::Error;
use super::{behind_the_gate, log};

/// The pause before the first attempt. It doubles after each failed attempt, up to a limit.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// If a server ran this long, its end begins a new series of attempts.
const WELL: Duration = Duration::from_secs(60);

/// How often the size of the log is checked.
const LOG_CHECK: Duration = Duration::from_secs(5);

/// How long the watch may take to connect. The pool retries this long when a connection is refused, since the server may be
/// starting. But the server may also have just ended.
const WATCH_TIMEOUT: Duration = Duration::from_secs(2);

/// Watches the server until told to stop. The watch is an idle connection: the kernel closes it at once when the server ends, no
/// matter how it ends and which process started it.
pub(super) async fn supervise(cluster: Arc<Cluster>, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    loop {
        let begun = Instant::now();
        tokio::select! {
            () = stop.cancelled() => return,
            () = keep_log_small(&cluster) => {}
            reason = lost(&cluster) => {
                tracing::warn!(%reason, folder = %cluster.place.folder.display(), "private PostgreSQL ended; restarting it");
            }
        }
        if begun.elapsed() > WELL {
            pause = FIRST_PAUSE;
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            // A restart is completed even when told to stop, because the code that stops the server expects a complete one.
            match revive(&cluster, &stop).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::error!(%error, next_attempt_in_s = pause.as_secs_f32(), "private PostgreSQL cannot be restarted");
                }
            }
        }
        tracing::info!(folder = %cluster.place.folder.display(), "private PostgreSQL runs again");
    }
}

/// Returns, with the reason, when the connection is lost.
async fn lost(cluster: &Cluster) -> sqlx::Error {
    let watch = async {
        let options = cluster.superuser().map_err(|error| sqlx::Error::Configuration(error.into()))?;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WATCH_TIMEOUT)
            .max_lifetime(None)
            .idle_timeout(None);
        let mut listener = PgListener::connect_with(&pool.connect_with(options).await?).await?;
        listener.eager_reconnect(false);
        while listener.try_recv().await?.is_some() {}
        Err::<(), _>(sqlx::Error::PoolClosed)
    };
    watch.await.err().unwrap_or(sqlx::Error::PoolClosed)
}

/// Checks the size of the log again and again.
async fn keep_log_small(cluster: &Cluster) {
    let mut ticks = interval(LOG_CHECK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = log::bound(&cluster.place) {
            tracing::error!(%error, "the log of the private PostgreSQL cannot be kept small");
        }
    }
}

async fn revive(cluster: &Arc<Cluster>, stop: &CancellationToken) -> Result<(), Error> {
    let _gate = behind_the_gate(cluster).await?;
    if stop.is_cancelled() {
        return Ok(()); // it may have been stopped on purpose meanwhile
    }
    if let Some(started) = cluster.ensure_running().await? {
        started.settle();
    }
    Ok(())
}
