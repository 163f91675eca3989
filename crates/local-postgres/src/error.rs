//! What can go wrong with the private PostgreSQL, in words for the person who has to mend it.

use std::io;
use std::path::{Path, PathBuf};

/// Where to get the server programs.
const INSTALL: &str = "Install them:
  Debian, Ubuntu:  script/setup, or: apt-get install postgresql
  Fedora:          dnf install postgresql-server
  macOS:           brew install postgresql@17
or set DATABASE_URL to a PostgreSQL that runs already.";

/// Why the private PostgreSQL cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No usable server programs anywhere.
    #[error(
        "The programs of the PostgreSQL server (postgres, initdb), version {minimum} or newer, were not found{}. \
         Weber needs them for its own database. Searched: {searched}.\n{INSTALL}",
        if .too_old.is_empty() { String::new() } else { format!(" (too old: {})", .too_old) }
    )]
    NoPrograms {
        /// The oldest major version that would do.
        minimum: u32,
        /// Installations that were found and are too old; empty if there are none.
        too_old: String,
        /// The places that were searched.
        searched: String,
    },

    /// The data belong to another major version of PostgreSQL than those installed.
    #[error(
        "The database in {} was made by PostgreSQL {major}, which is not installed; there is only {installed}. \
         Nothing was changed. Install PostgreSQL {major} beside it (Debian, Ubuntu: apt-get install \
         postgresql-{major}, if necessary from apt.postgresql.org; macOS: brew install postgresql@{major}). \
         To move to the newer version, use pg_upgrade or pg_dump while both are installed.",
        .folder.display()
    )]
    OtherMajor {
        /// The cluster.
        folder: PathBuf,
        /// The major version in its `PG_VERSION`.
        major: u32,
        /// What is installed.
        installed: String,
    },

    /// Another `weber serve` has this data folder.
    #[error(
        "Weber is already running on this data (pid {pid}, since {since}): {}. Stop that one first, or give \
         this one another data folder.",
        .data.display()
    )]
    AlreadyRunning {
        /// The data folder.
        data: PathBuf,
        /// Process id of the running server, as it wrote it down.
        pid: String,
        /// When it started, as it wrote it down.
        since: String,
    },

    /// Another Weber process keeps starting or stopping the cluster.
    #[error(
        "Another Weber process has been starting or stopping the database in {} for {seconds} s. Try again; if \
         it stays so, look for a weber process that hangs.",
        .folder.display()
    )]
    Busy {
        /// The folder of the private PostgreSQL.
        folder: PathBuf,
        /// How long was waited, s.
        seconds: u64,
    },

    /// Too little room for a new cluster.
    #[error(
        "There are only {free_mb} MB free for {}; a new database needs {needed_mb} MB. Make room, or give \
         another data folder.",
        .folder.display()
    )]
    DiskFull {
        /// Where the cluster should have been made.
        folder: PathBuf,
        /// Free space, MB (10^6 bytes).
        free_mb: u64,
        /// Required space, MB (10^6 bytes).
        needed_mb: u64,
    },

    /// The cluster's folder holds something else.
    #[error(
        "{} is not a PostgreSQL database that Weber can read: {problem}. Move it away, or restore it from a backup.",
        .folder.display()
    )]
    NotACluster {
        /// The cluster.
        folder: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// The cluster belongs to another user.
    #[error(
        "The database in {} belongs to user id {owner}, but Weber runs as user id {me}. Start Weber as that user \
         or as root.",
        .folder.display()
    )]
    OtherOwner {
        /// The cluster.
        folder: PathBuf,
        /// Its owner.
        owner: u32,
        /// This process.
        me: u32,
    },

    /// Started as root, and there is nobody to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root, and neither the user postgres nor the user nobody exists. Create one \
         (useradd --system postgres), or start Weber as an ordinary user."
    )]
    NoUser,

    /// `initdb` failed.
    #[error("initdb could not make a database in {} ({status}). It said:\n{output}", .folder.display())]
    Init {
        /// Where the cluster should have been made.
        folder: PathBuf,
        /// How `initdb` ended.
        status: String,
        /// The end of what it said.
        output: String,
    },

    /// PostgreSQL ended while it was starting.
    #[error(
        "The private PostgreSQL in {} ended while it was starting ({status}). The end of its log, {}:\n{tail}",
        .folder.display(), .log.display()
    )]
    Start {
        /// The cluster.
        folder: PathBuf,
        /// How it ended.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },

    /// PostgreSQL runs but does not take connections.
    #[error(
        "The private PostgreSQL in {} did not take connections within {seconds} s{}. The end of its log, {}:\n{tail}",
        .folder.display(), .last.as_ref().map(|e| format!(" ({e})")).unwrap_or_default(), .log.display()
    )]
    NotReady {
        /// The cluster.
        folder: PathBuf,
        /// How long was waited, s.
        seconds: u64,
        /// The last refusal.
        last: Option<String>,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },

    /// PostgreSQL outlived every signal.
    #[error("The private PostgreSQL (pid {pid}) in {} does not stop, not even when killed.", .folder.display())]
    WillNotStop {
        /// The cluster.
        folder: PathBuf,
        /// The postmaster.
        pid: i32,
    },

    /// The address of the socket does not fit, on a system without `/proc`.
    #[error(
        "The path {} is too long for a unix socket on this system ({length} of at most {limit} bytes). Give a \
         data folder with a shorter path.",
        .socket.display()
    )]
    PathTooLong {
        /// The folder of the socket.
        socket: PathBuf,
        /// Its length with the socket's name, bytes.
        length: usize,
        /// The longest that works, bytes.
        limit: usize,
    },

    /// The system refused an operation on a file or a program.
    #[error("Cannot {action} {}: {source}", .path.display())]
    System {
        /// What was tried.
        action: &'static str,
        /// On which file or program.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },

    /// The private PostgreSQL refused something of Weber's preparation.
    #[error("The private PostgreSQL in {} refuses to {action}: {source}", .folder.display())]
    Refused {
        /// What was tried.
        action: &'static str,
        /// The cluster.
        folder: PathBuf,
        /// Its answer.
        source: sqlx::Error,
    },
}

/// Adds to an error of the system what was tried, and on which file.
pub(super) fn cannot<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> Error {
    let path = path.to_owned();
    move |source| Error::System { action, path, source: source.into() }
}
