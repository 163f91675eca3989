//! The files of the private PostgreSQL in the data folder, and the locks that keep several Weber processes apart.
//!
//! | file | what it is |
//! |---|---|
//! | `weber.lock` | locked by the one process that serves this data; contains its process id |
//! | `postgres/cluster/` | the cluster, with its socket |
//! | `postgres/postgres.log` | the server's log; `postgres.log.1` is its older part |
//! | `postgres/gate.lock` | locked while a process starts or stops the server, or checks whether it runs |
//! | `postgres/users.lock` | locked, shared, by every process that uses the server; the last one stops it |
//!
//! The locks are `flock`s, which always end with their process, so no outdated lock can remain.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use rustix::fs::OFlags;

use super::error::{Error, cannot};

/// How long a process waits while another one starts or stops the server. Recovery after a crash may take minutes.
const GATE_TIMEOUT: Duration = Duration::from_secs(330);

/// The paths of one data folder.
#[derive(Debug)]
pub(super) struct Place {
    /// The data folder, without symbolic links.
    pub(super) data: PathBuf,
    /// The folder `postgres`, which contains all files above except `weber.lock`.
    pub(super) folder: PathBuf,
}

impl Place {
    /// Makes missing folders. Other users cannot open them, since the data folder also contains keys.
    pub(super) fn prepare(data: &Path) -> Result<Self, Error> {
        if let Some(parent) = data.parent() {
            fs::create_dir_all(parent).map_err(cannot("make the folder", parent))?;
        }
        make_folder(data)?;
        let data = fs::canonicalize(data).map_err(cannot("find the data folder", data))?;
        let place = Self { folder: data.join("postgres"), data };
        if make_folder(&place.folder)? {
            let made = File::open(&place.folder).map_err(cannot("open", &place.folder))?;
            place.share(&made, &place.folder)?;
        }
        if !fs::symlink_metadata(&place.folder).is_ok_and(|found| found.is_dir()) {
            let problem =
                "it must be a folder; to keep the data elsewhere, make the data folder the link".into();
            return Err(Error::NotACluster { folder: place.folder, problem });
        }
        Ok(place)
    }

    /// The cluster, which PostgreSQL calls the data directory.
    pub(super) fn cluster(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    /// The server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    /// Opens one of our files, and makes it if needed. It refuses a symbolic link, which root would follow.
    pub(super) fn open(&self, path: &Path, options: &mut OpenOptions) -> Result<File, Error> {
        let no_links = i32::try_from(OFlags::NOFOLLOW.bits()).expect("flags of open(2) are an int");
        options.mode(0o600).custom_flags(no_links);
        match options.clone().create_new(true).open(path) {
            Ok(file) => self.share(&file, path).map(|()| file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                options.open(path).map_err(cannot("open", path))
            }
            Err(error) => Err(cannot("make", path)(error)),
        }
    }

    /// Gives a file that root made to the owner of the data folder, so that both users may run Weber on it.
    fn share(&self, made: &File, path: &Path) -> Result<(), Error> {
        let owner = fs::metadata(&self.data).map_err(cannot("look at", &self.data))?;
        if rustix::process::geteuid().is_root() && owner.uid() != 0 {
            fchown(made, Some(owner.uid()), Some(owner.gid())).map_err(cannot("give away", path))?;
        }
        Ok(())
    }

    fn lock_file(&self, path: &Path) -> Result<File, Error> {
        self.open(path, OpenOptions::new().read(true).write(true))
    }

    /// Locks a file for this process alone, unless another process holds the lock. An error if the file system has no locks.
    fn try_lock(&self, path: &Path) -> Result<Option<Lock>, Error> {
        let file = self.lock_file(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(cannot("lock", path)(error)),
        }
    }

    /// Waits until no other process is starting or stopping the server, and prevents it until the lock is dropped.
    pub(super) fn gate(&self) -> Result<Lock, Error> {
        let path = self.folder.join("gate.lock");
        let begun = Instant::now();
        loop {
            if let Some(lock) = self.try_lock(&path)? {
                return Ok(lock);
            }
            if begun.elapsed() > GATE_TIMEOUT {
                return Err(Error::Busy { folder: self.folder.clone(), seconds: GATE_TIMEOUT.as_secs() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether no process uses the server. The result is reliable only while holding the gate.
    pub(super) fn is_unused(&self) -> Result<bool, Error> {
        Ok(self.try_lock(&self.folder.join("users.lock"))?.is_some())
    }

    /// Registers this process as a user of the server until the lock is dropped. While the gate is held, no process has the lock for
    /// itself alone.
    pub(super) fn join_users(&self) -> Result<Lock, Error> {
        let path = self.folder.join("users.lock");
        let file = self.lock_file(&path)?;
        file.lock_shared().map_err(cannot("lock", &path))?;
        Ok(Lock(file))
    }
}

/// Makes a folder that only its owner may open, and returns whether it was missing.
fn make_folder(path: &Path) -> Result<bool, Error> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(cannot("make the folder", path)(error)),
    }
}

/// A locked file. Dropping it releases the lock.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child that another thread is spawning has the same file open for a moment.
        let _ = self.0.unlock();
    }
}

/// The right to serve a data folder, held by one process at a time.
#[derive(Debug)]
pub(super) struct ServeLock(Lock);

impl ServeLock {
    /// Takes the right and writes down which process has it. If another process has it, the error names that process.
    pub(super) fn take(place: &Place, now: DateTime<Utc>) -> Result<Self, Error> {
        let path = place.data.join("weber.lock");
        let Some(mut lock) = place.try_lock(&path)? else {
            let owner = fs::read_to_string(&path).map_err(cannot("read", &path))?;
            let mut words = owner.split_whitespace().map(str::to_owned);
            let mut next = || words.next().unwrap_or_else(|| "unknown".into());
            return Err(Error::AlreadyRunning { data: place.data.clone(), pid: next(), since: next() });
        };
        let owner = format!("{} {}\n", std::process::id(), now.to_rfc3339_opts(SecondsFormat::Secs, true));
        let written = lock.0.set_len(0).and_then(|()| lock.0.write_all(owner.as_bytes()));
        written.map_err(cannot("write", &path))?;
        Ok(Self(lock))
    }
}

impl Drop for ServeLock {
    fn drop(&mut self) {
        // The content is removed so that it does not name a process that has ended.
        let _ = self.0.0.set_len(0);
    }
}
