//! The postmaster, PostgreSQL's main process, as the system sees it: found by its pid file, known by its command line.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::error::{Error, cannot};

/// After the sharpest but one signal PostgreSQL itself kills, within 5 s, what does not end.
const IMMEDIATE_PATIENCE: Duration = Duration::from_secs(10);

/// How often a process is looked at while waiting for its end.
const GLANCE: Duration = Duration::from_millis(20);

/// What `postmaster.pid` says.
#[derive(Debug, Clone, Copy)]
pub(super) struct PidFile {
    /// The process that wrote it; it may be long gone, and its number in use by another process.
    pub(super) pid: Pid,
    /// Whether it had come so far as to take connections.
    pub(super) ready: bool,
}

impl PidFile {
    /// Reads the file, if there is a complete first line.
    pub(super) fn read(cluster: &Path) -> Option<Self> {
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let pid = Pid::from_raw(lines.next()?.trim().parse().ok()?)?;
        let status = lines.nth(6);
        Some(Self { pid, ready: status.is_some_and(|status| status.trim() == "ready") })
    }
}

/// A setting for the command line that says to the system and to people reading `ps` which cluster a server has. The
/// inode makes it exact: a copied cluster has another one, a moved one keeps it.
pub(super) fn mark(cluster: &Path) -> Result<String, Error> {
    Ok(format!("{}{}", mark_start(cluster)?, cluster.display()))
}

fn mark_start(cluster: &Path) -> Result<String, Error> {
    let inode = fs::metadata(cluster).map_err(cannot("look at", cluster))?.ino();
    Ok(format!("weber.cluster={inode}:"))
}

/// The postmaster that has this cluster, if one lives. It may still be starting, or be stopping already.
pub(super) fn find(cluster: &Path) -> Option<Pid> {
    let pid = PidFile::read(cluster)?.pid;
    has(pid, cluster).then_some(pid)
}

/// Whether a process is a living postmaster of this cluster. Neither a zombie nor a recycled number is.
pub(super) fn has(pid: Pid, cluster: &Path) -> bool {
    let Ok(mark) = mark_start(cluster) else { return false };
    command_line(pid).is_some_and(|command| command.contains(&format!(" {mark}")))
}

/// Removes a pid file whose number has been recycled by something that is no PostgreSQL: PostgreSQL itself would take
/// that process for a server and refuse to start, for ever. Every other stale file it recognizes itself.
pub(super) fn remove_misleading_pid_file(cluster: &Path) -> Result<(), Error> {
    let Some(command) = PidFile::read(cluster).and_then(|file| command_line(file.pid)) else { return Ok(()) };
    let program = command.split(' ').next().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    if program.starts_with("postgres") || program.starts_with("postmaster") {
        return Ok(());
    }
    let path = cluster.join("postmaster.pid");
    fs::remove_file(&path).map_err(cannot("remove the outdated", &path))
}

/// Stops the postmaster of this cluster if one lives, and returns when it has ended: by a fast shutdown, which ends
/// sessions and writes everything down; if `patience` is not enough for that, by an immediate one, after which the
/// next start recovers from the write-ahead log; as the last resort by a kill.
pub(super) fn stop(cluster: &Path, patience: Duration) -> Result<(), Error> {
    let Some(pid) = find(cluster) else { return Ok(()) };
    let steps =
        [(Signal::INT, patience), (Signal::QUIT, IMMEDIATE_PATIENCE), (Signal::KILL, IMMEDIATE_PATIENCE)];
    for (signal, patience) in steps {
        match kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(cannot("stop the private PostgreSQL in", cluster)(error)),
        }
        if ends_within(pid, cluster, patience) {
            return Ok(());
        }
        tracing::warn!(
            pid = pid.as_raw_nonzero().get(),
            ?signal,
            "the private PostgreSQL did not stop in time"
        );
    }
    Err(Error::WillNotStop { folder: cluster.to_owned(), pid: pid.as_raw_nonzero().get() })
}

fn ends_within(pid: Pid, cluster: &Path, patience: Duration) -> bool {
    let begun = Instant::now();
    while has(pid, cluster) {
        if begun.elapsed() > patience {
            return false;
        }
        std::thread::sleep(GLANCE);
    }
    true
}

/// The command line of a living process, its words parted by blanks. Every user may read it, unlike most of what is
/// known about the processes of others.
#[cfg(target_os = "linux")]
fn command_line(pid: Pid) -> Option<String> {
    let bytes = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace('\0', " ")).filter(|command| !command.is_empty())
}

/// The command line of a living process, its words parted by blanks.
#[cfg(not(target_os = "linux"))]
fn command_line(pid: Pid) -> Option<String> {
    let pid = pid.as_raw_nonzero().to_string();
    let output =
        std::process::Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid]).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|command| !command.is_empty())
}
