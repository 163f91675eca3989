//! The postmaster, PostgreSQL's main process, as the system sees it: found by its pid file, known by its command line.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::error::{Error, cannot};

/// After the sharpest but one signal PostgreSQL itself kills, within 5 s, what does not end.
const IMMEDIATE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a process is looked at while waiting for its end.
const GLANCE: Duration = Duration::from_millis(20);

/// The files by which a server tells others that it is there; the first line is its process number.
pub(super) const PID_FILE: &str = "postmaster.pid";
const SOCKET_LOCK: &str = ".s.PGSQL.5432.lock";

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
        let text = read(&cluster.join(PID_FILE))?;
        let ready = text.lines().nth(7).is_some_and(|status| status.trim() == "ready");
        Some(Self { pid: first_line(&text)?, ready })
    }
}

/// These files also hold paths, which need not be UTF-8.
fn read(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn first_line(text: &str) -> Option<Pid> {
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
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
    command_line(pid).contains(&format!(" {mark}"))
}

/// Removes lock files whose number is in use by something that is no PostgreSQL, or by a zombie: PostgreSQL itself takes
/// any process for a server and would refuse to start, for ever. Other stale files it recognizes. To be called when no
/// postmaster of this cluster lives.
pub(super) fn remove_misleading_files(cluster: &Path) -> Result<(), Error> {
    for name in [PID_FILE, SOCKET_LOCK] {
        let path = cluster.join(name);
        let pid = read(&path).and_then(|text| first_line(&text));
        if pid.is_some_and(|pid| exists(pid) && !is_postgres(&command_line(pid))) {
            fs::remove_file(&path).map_err(cannot("remove the outdated", &path))?;
        }
    }
    Ok(())
}

fn is_postgres(command: &str) -> bool {
    let program = command.split(' ').next().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    program.starts_with("postgres") || program.starts_with("postmaster")
}

/// Stops the postmaster of this cluster if one lives, and returns when it has ended: by a fast shutdown, which ends
/// sessions and writes everything down; if `timeout` is not enough for that, by an immediate one, after which the
/// next start recovers from the write-ahead log; as the last resort by a kill.
pub(super) fn stop(cluster: &Path, timeout: Duration) -> Result<(), Error> {
    let Some(pid) = find(cluster) else { return Ok(()) };
    let steps =
        [(Signal::INT, timeout), (Signal::QUIT, IMMEDIATE_TIMEOUT), (Signal::KILL, IMMEDIATE_TIMEOUT)];
    for (signal, timeout) in steps {
        match kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(cannot("stop the private PostgreSQL in", cluster)(error)),
        }
        if ends_within(pid, cluster, timeout) {
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

fn ends_within(pid: Pid, cluster: &Path, timeout: Duration) -> bool {
    let begun = Instant::now();
    // A process that is ending has lost its command line a moment before it is gone.
    while has(pid, cluster) || is_ending(pid) {
        if begun.elapsed() > timeout {
            return false;
        }
        std::thread::sleep(GLANCE);
    }
    true
}

/// Whether the number belongs to a process, be it a zombie.
fn exists(pid: Pid) -> bool {
    test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

/// The command line of a process, its words parted by blanks; empty if there is none or it has ended. Every user may
/// read it, unlike most of what is known about the processes of others.
#[cfg(target_os = "linux")]
fn command_line(pid: Pid) -> String {
    let bytes = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// Whether a process is neither running any program nor a zombie yet.
#[cfg(target_os = "linux")]
fn is_ending(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X')) && command_line(pid).is_empty()
}

/// The command line of a process, its words parted by blanks; empty if there is none or it has ended.
#[cfg(not(target_os = "linux"))]
fn command_line(pid: Pid) -> String {
    let pid = pid.as_raw_nonzero().to_string();
    let output = std::process::Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid]).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

#[cfg(not(target_os = "linux"))]
fn is_ending(_: Pid) -> bool {
    false
}
