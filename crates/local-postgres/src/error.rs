//! Errors of the private PostgreSQL, in words for the person who has to solve them.

use std::io;
use std::path::{Path, PathBuf};

/// How to install the server programs.
const INSTALL: &str = "Install them:
  Debian, Ubuntu:  script/setup, or: apt-get install postgresql
  Fedora:          dnf install postgresql-server
  macOS:           brew install postgresql@17
or set DATABASE_URL to a PostgreSQL that runs already.";

/// Why the private PostgreSQL cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No usable server programs were found.
    #[error(
        "The programs of the PostgreSQL server (postgres, initdb), version {minimum} or newer, were not found{}. \
         Weber needs them for its own database. Searched: {searched}.\n{INSTALL}",
        if .too_old.is_empty() { String::new() } else { format!(" (too old: {})", .too_old) }
    )]
    NoPrograms {
        /// The oldest usable major version.
        minimum: u32,
        /// Installations that were found and are too old. Empty without any.
        too_old: String,
        /// The searched places.
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
        folder: PathBuf,
        /// The major version in its `PG_VERSION`.
        major: u32,
        /// The installed versions.
        installed: String,
    },

    /// Another `weber serve` uses this data folder.
    #[error(
        "Weber is already running on this data (pid {pid}, since {since}): {}. Stop that one first, or give \
         this one another data folder.",
        .data.display()
    )]
    AlreadyRunning {
        data: PathBuf,
        /// The process id that the running server wrote down.
        pid: String,
        /// The start time that the running server wrote down.
        since: String,
    },

    /// Another Weber process keeps starting or stopping the cluster.
    #[error(
        "Another Weber process has been starting or stopping the database in {} for {seconds} s. Try again; if \
         it stays so, look for a weber process that hangs.",
        .folder.display()
    )]
    Busy {
        folder: PathBuf,
        /// The time waited, in s.
        seconds: u64,
    },

    /// The disk has too little free space for a new cluster.
    #[error(
        "There are only {free_mb} MB free for {}; a new database needs {needed_mb} MB. Make room, or give \
         another data folder.",
        .folder.display()
    )]
    DiskFull {
        /// The folder in which the cluster should have been made.
        folder: PathBuf,
        /// Free space, MB (10^6 bytes).
        free_mb: u64,
        /// Required space, MB (10^6 bytes).
        needed_mb: u64,
    },

    /// The cluster's folder contains something else.
    #[error(
        "{} is not a PostgreSQL database that Weber can read: {problem}. Move it away, or restore it from a backup.",
        .folder.display()
    )]
    NotACluster {
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
    OtherOwner { folder: PathBuf, owner: u32, me: u32 },

    /// Weber was started as root, and no other user can run PostgreSQL.
    #[error(
        "PostgreSQL refuses to run as root, and neither the user postgres nor the user nobody exists. Create one \
         (useradd --system postgres), or start Weber as an ordinary user."
    )]
    NoUser,

    /// `initdb` failed.
    #[error("initdb could not make a database in {} ({status}). It said:\n{output}", .folder.display())]
    Init {
        /// The folder in which the cluster should have been made.
        folder: PathBuf,
        /// The exit status of `initdb`.
        status: String,
        /// The end of its output.
        output: String,
    },

    /// PostgreSQL ended while it was starting.
    #[error(
        "The private PostgreSQL in {} ended while it was starting ({status}). The end of its log, {}:\n{tail}",
        .folder.display(), .log.display()
    )]
    Start {
        folder: PathBuf,
        /// Its exit status.
        status: String,
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
        folder: PathBuf,
        /// The time waited, in s.
        seconds: u64,
        /// The last refusal.
        last: Option<String>,
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },

    /// PostgreSQL did not end after any signal.
    #[error("The private PostgreSQL (pid {pid}) in {} does not stop, not even when killed.", .folder.display())]
    WillNotStop {
        folder: PathBuf,
        /// The process id of the postmaster.
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
        /// The length of the socket's path, in bytes.
        length: usize,
        /// The longest usable path, in bytes.
        limit: usize,
    },

    /// The system refused an operation on a file or a program.
    #[error("Cannot {action} {}: {source}", .path.display())]
    System {
        /// The action that failed.
        action: &'static str,
        /// The file or program.
        path: PathBuf,
        source: io::Error,
    },

    /// The private PostgreSQL refused a statement of Weber's preparation.
    #[error("The private PostgreSQL in {} refuses to {action}: {source}", .folder.display())]
    Refused {
        /// The action that failed.
        action: &'static str,
        folder: PathBuf,
        source: sqlx::Error,
    },
}

/// Adds the action and the file to an error of the system.
pub(super) fn cannot<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> Error {
    let path = path.to_owned();
    move |source| Error::System { action, path, source: source.into() }
}
