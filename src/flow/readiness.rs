//! Whether people can be let in: the database and its folders take what is to be kept.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::sync::Mutex;

use crate::store::{self, StoreError};

/// What is found out is good for so long: balancers ask often, and each newcomer would.
const FRESH: Duration = Duration::from_secs(3);

/// How long a database that refused to write is not trusted, in s: a write that is small enough may still succeed.
const DISTRUST_S: i64 = 15;

/// Bytes that each folder must have room for.
const ROOM: usize = 1 << 20;

/// Why nobody can be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// The database cannot be reached.
    Unreachable,
    /// It does not take writes: no room, or read-only.
    DatabaseUnwritable,
    /// Its folder does not take files: no room, or read-only.
    FolderUnwritable,
}

impl NotReady {
    /// In words, as a line for the people who run the server.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "the database cannot be reached\n",
            Self::DatabaseUnwritable => "the database cannot be written: no room, or read-only\n",
            Self::FolderUnwritable => "the database's folder cannot be written: no room, or read-only\n",
        }
    }
}

type WriteCheck = Result<(), NotReady>;

/// What is known of it. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    /// Where a private PostgreSQL keeps what it is given.
    folders: Vec<PathBuf>,
    last: Arc<Mutex<Option<(Instant, WriteCheck)>>>,
    /// When a write was refused last, in s since 1970.
    refused_at: Arc<AtomicI64>,
}

impl Readiness {
    /// That of a server whose private PostgreSQL keeps everything in these folders.
    pub fn with_folders(folders: Vec<PathBuf>) -> Self {
        Self { folders, ..Self::default() }
    }

    /// Notes that the database did not take a write, if that is what an error says.
    pub fn note(&self, error: &StoreError, now_s: i64) {
        if error.is_unwritable() {
            self.refused_at.store(now_s, Ordering::Relaxed);
        }
    }

    /// Whether people can be let in now, as of some seconds ago at most.
    pub async fn check(&self, pool: &PgPool, now_s: i64) -> WriteCheck {
        if now_s.abs_diff(self.refused_at.load(Ordering::Relaxed)) < DISTRUST_S.unsigned_abs() {
            return Err(NotReady::DatabaseUnwritable);
        }
        // Of many who ask at once one looks, and the others wait for what they find.
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

/// Writes a file that vanishes.
fn has_room(folder: &Path) -> std::io::Result<()> {
    tempfile::tempfile_in(folder)?.write_all(&vec![7; ROOM])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_takes_no_file_is_found_out() {
        let folder = tempfile::tempdir().unwrap();
        assert!(has_room(folder.path()).is_ok());
        assert!(has_room(&folder.path().join("gone")).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}
