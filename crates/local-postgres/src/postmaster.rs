//! The postmaster, PostgreSQL's main process: finds it by its pid file, and recognises it by its command line.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::error::{Error, cannot};

/// How long an immediate shutdown may take. PostgreSQL itself kills its processes within 5 s.
const IMMEDIATE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a process is checked while waiting for its end.
const GLANCE: Duration = Duration::from_millis(20);

/// The file in which a server announces itself. The first line is its process id.
pub(super) const PID_FILE: &str = "postmaster.pid";
const SOCKET_LOCK: &str = ".s.PGSQL.5432.lock";

/// The content of `postmaster.pid`.
#[derive(Debug, Clone, Copy)]
pub(super) struct PidFile {
    /// The process that wrote the file. It may have ended, and another process may have its number.
    pub(super) pid: Pid,
    /// Whether it accepted connections.
    pub(super) ready: bool,
}

impl PidFile {
    /// Reads the file if its first line is complete.
    pub(super) fn read(cluster: &Path) -> Option<Self> {
        let text = read(&cluster.join(PID_FILE))?;
        let ready = text.lines().nth(7).is_some_and(|status| status.trim() == "ready");
        Some(Self { pid: first_line(&text)?, ready })
    }
}

/// Reads a file with paths, which need not be UTF-8.
fn read(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn first_line(text: &str) -> Option<Pid> {
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

/// A setting on the command line that tells the system and readers of `ps` which cluster a server runs. It contains the inode:
/// a copied cluster has another inode, a moved one the same.
pub(super) fn mark(cluster: &Path) -> Result<String, Error> {
    Ok(format!("{}{}", mark_start(cluster)?, cluster.display()))
}

fn mark_start(cluster: &Path) -> Result<String, Error> {
    let inode = fs::metadata(cluster).map_err(cannot("look at", cluster))?.ino();
    Ok(format!("weber.cluster={inode}:"))
}

/// The living postmaster of this cluster. It may be starting or stopping.
pub(super) fn find(cluster: &Path) -> Option<Pid> {
    let pid = PidFile::read(cluster)?.pid;
    has(pid, cluster).then_some(pid)
}

/// Whether a process is a living postmaster of this cluster, and neither a zombie nor another process with its number.
pub(super) fn has(pid: Pid, cluster: &Path) -> bool {
    let Ok(mark) = mark_start(cluster) else { return false };
    command_line(pid).contains(&format!(" {mark}"))
}

/// Removes lock files whose process id belongs to a zombie or to another program. PostgreSQL takes every process for a server,
/// and would refuse to start. It recognises other outdated files itself. The caller makes sure that the cluster has no
/// living postmaster.
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

/// Stops the living postmaster of this cluster, and returns when it has ended. A fast shutdown ends sessions and writes all
/// data. After `timeout` follows an immediate shutdown, after which the next start recovers from the write-ahead log.
/// The last resort is a kill.
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
    // An ending process loses its command line shortly before it is gone.
    while has(pid, cluster) || is_ending(pid) {
        if begun.elapsed() > timeout {
            return false;
        }
        std::thread::sleep(GLANCE);
    }
    true
}

/// Whether a process has this number, even a zombie.
fn exists(pid: Pid) -> bool {
    test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

/// The command line of a process, with blanks between its words. Empty if the process has ended. Every user may read the command
/// lines of other users' processes.
#[cfg(target_os = "linux")]
fn command_line(pid: Pid) -> String {
    let bytes = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// Whether a process has no program any more and is not a zombie yet.
#[cfg(target_os = "linux")]
fn is_ending(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X')) && command_line(pid).is_empty()
}

/// The command line of a process, with blanks between its words. Empty if the process has ended.
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
