//! Live pages: a change in any server reaches every open page through notifications of the database.

pub(crate) mod fragments;
pub(crate) mod shown_fragments;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::broadcast;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use crate::store::notifications::{self, Listener};

/// Changes within this time are announced together, so that many participants cause only a few notifications a second.
const GATHER: Duration = Duration::from_millis(250);

/// How many changes a slow page may miss; a page that misses more reads everything again.
const BACKLOG: usize = 256;

/// Tells open pages about changes.
pub struct Live {
    changes: broadcast::Sender<Change>,
    /// Ends the streams of open pages when the server stops.
    pub stop: CancellationToken,
    /// Each open page holds a clone, so that pages can be counted.
    pages: Arc<()>,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Something in this study.
    Study(i64),
    /// Unknown, since the connection to the database was lost for a while.
    Anything,
}

impl Change {
    /// Whether a page about this study must be updated.
    pub fn concerns(self, study_id: i64) -> bool {
        self == Self::Anything || self == Self::Study(study_id)
    }
}

impl Live {
    /// Starts to announce changes of this server, and to listen to those of all servers.
    pub fn start(pool: &PgPool, own_changes: UnboundedReceiver<i64>) -> Self {
        let changes = broadcast::Sender::new(BACKLOG);
        let live = Self { changes, stop: CancellationToken::new(), pages: Arc::default() };
        tokio::spawn(live.stop.clone().run_until_cancelled_owned(tell(pool.clone(), own_changes)));
        tokio::spawn(live.stop.clone().run_until_cancelled_owned(hear(pool.clone(), live.changes.clone())));
        live
    }

    /// Counts a page as open until the returned value is dropped.
    pub fn open_page(&self) -> Arc<()> {
        self.pages.clone()
    }

    /// The number of pages that are open.
    pub fn open_pages(&self) -> usize {
        Arc::strong_count(&self.pages) - 1
    }

    /// Receives changes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}

/// Sends the changes of this server to the database.
async fn tell(pool: PgPool, mut own_changes: UnboundedReceiver<i64>) {
    while let Some(first) = own_changes.recv().await {
        tokio::time::sleep(GATHER).await;
        let mut changed = BTreeSet::from([first]);
        while let Ok(study_id) = own_changes.try_recv() {
            changed.insert(study_id);
        }
        let ids = Vec::from_iter(changed);
        let told = async { notifications::tell(&mut *pool.acquire().await?, &ids).await };
        if let Err(error) = told.await {
            tracing::warn!(%error, "Live pages were not told of a change");
        }
    }
}

/// Receives the changes of all servers from the database.
async fn hear(pool: PgPool, changes: broadcast::Sender<Change>) {
    loop {
        match Listener::new(&pool).await {
            Ok(mut listener) => {
                // Changes before the listener started are unknown.
                let _ = changes.send(Change::Anything);
                while let Ok(change) = listener.next().await {
                    let _ = changes.send(change.map_or(Change::Anything, Change::Study));
                }
            }
            Err(error) => tracing::warn!(%error, "Live pages cannot listen to the database; trying again"),
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
