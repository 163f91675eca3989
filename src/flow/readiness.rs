//! Checks whether people can be let in: whether the database and its folders can be written.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::sync::Mutex;

use crate::store::{self, StoreError};

/// How long a result is reused, since load balancers and newcomers ask often.
const FRESH: Duration = Duration::from_secs(3);

/// How long a database counts as unwritable after it refused a write, in s: small writes may still succeed meanwhile.
const DISTRUST_S: i64 = 15;

/// Bytes that each folder must have space for.
const ROOM: usize = 1 << 20;

/// Why no one can be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// The database cannot be reached.
    Unreachable,
    /// The database cannot be written: the disk is full, or it is read-only.
    DatabaseUnwritable,
    /// The folder of the database cannot be written: the disk is full, or it is read-only.
    FolderUnwritable,
}

impl NotReady {
    /// A line for the people who run the server.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "the database cannot be reached\n",
            Self::DatabaseUnwritable => "the database cannot be written: no room, or read-only\n",
            Self::FolderUnwritable => "the database's folder cannot be written: no room, or read-only\n",
        }
    }
}

type WriteCheck = Result<(), NotReady>;

/// Checks readiness, and reuses the last result for a while. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    /// The data folders of a private PostgreSQL.
    folders: Vec<PathBuf>,
    last: Arc<Mutex<Option<(Instant, WriteCheck)>>>,
    /// When a write was last refused, in s since 1970.
    refused_at: Arc<AtomicI64>,
}

impl Readiness {
    /// For a server whose private PostgreSQL stores its data in these folders.
    pub fn with_folders(folders: Vec<PathBuf>) -> Self {
        Self { folders, ..Self::default() }
    }

    /// Notes that the database refused a write, if the error says so.
    pub fn note(&self, error: &StoreError, now_s: i64) {
        if error.is_unwritable() {
            self.refused_at.store(now_s, Ordering::Relaxed);
        }
    }

    /// Whether people can be let in. The result may be a few seconds old.
    pub async fn check(&self, pool: &PgPool, now_s: i64) -> WriteCheck {
        if now_s.abs_diff(self.refused_at.load(Ordering::Relaxed)) < DISTRUST_S.unsigned_abs() {
            return Err(NotReady::DatabaseUnwritable);
        }
        // Of many calls at the same time one checks, and the others wait for its result.
        let mut last = self.last.lock().await;
        if let Some((at, found)) = *last
            && at.elapsed() < FRESH
        {
            return found;
        }
        let found = self.look(pool).await;
        *last = Some((Instant::now(), found));
        found
    }

    async fn look(&self, pool: &PgPool) -> WriteCheck {
        let writable = async { store::health::is_writable(&mut *pool.acquire().await?).await };
        match writable.await {
            Ok(true) => {}
            Ok(false) => return Err(NotReady::DatabaseUnwritable),
            Err(error) if error.is_unwritable() => return Err(NotReady::DatabaseUnwritable),
            Err(_) => return Err(NotReady::Unreachable),
        }
        let folders = self.folders.clone();
        let written =
            tokio::task::spawn_blocking(move || folders.iter().try_for_each(|folder| has_room(folder)));
        if matches!(written.await, Ok(Ok(()))) { Ok(()) } else { Err(NotReady::FolderUnwritable) }
    }
}

/// Writes a temporary file.
fn has_room(folder: &Path) -> std::io::Result<()> {
    tempfile::tempfile_in(folder)?.write_all(&vec![7; ROOM])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_written_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(has_room(folder.path()).is_ok());
        assert!(has_room(&folder.path().join("gone")).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}
