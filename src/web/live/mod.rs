//! Live pages: a change in any server reaches every open page, by way of the database.

pub mod fragments;
pub mod shown_fragments;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::broadcast;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use crate::store::notifications::{self, Listener};

/// Changes are told together, so that a crowd at work costs a few notices a second.
const GATHER: Duration = Duration::from_millis(250);

/// Changes that a slow page may fall behind; one that falls behind further reads everything anew.
const BACKLOG: usize = 256;

/// Where open pages hear of changes.
pub struct Live {
    changes: broadcast::Sender<Change>,
    /// Open pages end when the server does.
    pub stop: CancellationToken,
    /// Each open page holds it.
    pages: Arc<()>,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Something in this study.
    Study(i64),
    /// Nobody knows what: the connection to the database was lost for a while.
    Anything,
}

impl Change {
    /// Whether a page about this study is to look again.
    pub fn concerns(self, study_id: i64) -> bool {
        self == Self::Anything || self == Self::Study(study_id)
    }
}

impl Live {
    /// Starts telling and hearing.
    pub fn start(pool: &PgPool, own_changes: UnboundedReceiver<i64>) -> Self {
        let changes = broadcast::Sender::new(BACKLOG);
        let live = Self { changes, stop: CancellationToken::new(), pages: Arc::default() };
        tokio::spawn(live.stop.clone().run_until_cancelled_owned(tell(pool.clone(), own_changes)));
        tokio::spawn(live.stop.clone().run_until_cancelled_owned(hear(pool.clone(), live.changes.clone())));
        live
    }

    /// A page, which is open as long as this is kept.
    pub fn open_page(&self) -> Arc<()> {
        self.pages.clone()
    }

    /// Pages that hear of changes now.
    pub fn open_pages(&self) -> usize {
        Arc::strong_count(&self.pages) - 1
    }

    /// Hears of changes from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }
}

/// Tells the database what changed here.
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

/// Hears from the database what changed anywhere.
async fn hear(pool: PgPool, changes: broadcast::Sender<Change>) {
    loop {
        match Listener::new(&pool).await {
            Ok(mut listener) => {
                // Whatever happened before the listener was there is not known.
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
