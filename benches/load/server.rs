//! The measured server: the release binary, with a database of its own in the given cluster.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::http::Connection;

const WEBER: &str = env!("CARGO_BIN_EXE_weber");

/// Counts the servers, since each has a database of its own.
static STARTED: AtomicU32 = AtomicU32::new(0);

pub struct Server {
    child: Child,
    pub host: String,
    pub token: String,
    pub database: String,
    pub start_to_ready: Duration,
    data: tempfile::TempDir,
}

impl Server {
    /// Imports a study folder and starts the server.
    pub fn start(study: &std::path::Path) -> Self {
        let cluster = std::env::var("DATABASE_URL").expect("script/bench sets DATABASE_URL");
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("bench_{}_{number}", std::process::id());
        psql(&cluster, &format!("drop database if exists {name} with (force)"));
        psql(&cluster, &format!("create database {name}"));
        let (base, _) = cluster.rsplit_once('/').expect("a database URL");
        let database = format!("{base}/{name}");
        let data = tempfile::tempdir().expect("a folder");
        weber(&database, data.path(), &["import", &study.to_string_lossy()]);
        let token = weber(&database, data.path(), &["token", "create", "bench", "--scope", "simulate"]);
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let host = format!("127.0.0.1:{port}");
        let began = Instant::now();
        let mut child = command(&database, data.path())
            .args(["serve", "--listen", &host, "--database-connections", "20"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.contains("runs at")), "the server runs");
        let start_to_ready = began.elapsed();
        Self { child, host, token: token.trim().to_owned(), database, start_to_ready, data }
    }

    pub async fn connect(&self) -> Connection {
        Connection::open(&self.host).await.expect("the server listens")
    }

    /// Runs a statement in the server's database.
    pub fn sql(&self, statement: &str) -> String {
        psql(&self.database, statement)
    }

    /// Runs a command of Weber's and returns its output.
    pub fn weber(&self, arguments: &[&str]) -> String {
        weber(&self.database, self.data.path(), arguments)
    }

    /// Runs a command of Weber's and returns its peak memory in MiB.
    pub fn weber_peak_mib(&self, arguments: &[&str]) -> f64 {
        let mut child = command(&self.database, self.data.path())
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .expect("weber runs");
        let mut peak: f64 = 0.0;
        loop {
            peak = peak.max(memory_mib(child.id(), "VmHWM").unwrap_or(0.0));
            if let Some(status) = child.try_wait().expect("weber runs") {
                assert!(status.success(), "weber {arguments:?}");
                return peak;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Memory in use, in MiB.
    pub fn memory_mib(&self) -> f64 {
        memory_mib(self.child.id(), "VmRSS").expect("the server runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn memory_mib(pid: u32, what: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

fn command(database: &str, data: &std::path::Path) -> Command {
    let mut command = Command::new(WEBER);
    command.env("DATABASE_URL", database).env("WEBER_DATA", data);
    command
}

fn weber(database: &str, data: &std::path::Path, arguments: &[&str]) -> String {
    said(command(database, data).args(arguments))
}

pub fn psql(database: &str, statement: &str) -> String {
    said(Command::new("psql").args([
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        database,
        "-c",
        statement,
    ]))
}

pub fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
