//! Helpers of the tests: data folders, other processes that use them, and views of PostgreSQL from outside.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use weber_local_postgres::{LocalPostgres, Server};

/// A folder that is removed after the test, with every server that still runs in it.
pub struct Scratch(TempDir);

/// Data with a new cluster. It is made once and copied for the tests that need a cluster.
static TEMPLATE: OnceCell<PathBuf> = OnceCell::const_new();

/// The variable with the folder of the template, if it is not cargo's folder for temporary files.
pub const TEMPLATE_VARIABLE: &str = "WEBER_TEST_TEMPLATE";

async fn make_template() -> PathBuf {
    let folder = std::env::var_os(TEMPLATE_VARIABLE).unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
    let data = PathBuf::from(folder).join("local_postgres_template");
    let _ = fs::remove_dir_all(&data); // of an earlier run
    LocalPostgres::new(&data).serve(now()).await.unwrap().stop().await.unwrap();
    data
}

impl Scratch {
    /// A folder without data.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with a cluster without tables.
    pub async fn with_cluster() -> Self {
        let scratch = Self::new();
        let template = TEMPLATE.get_or_init(make_template).await;
        let copied = Command::new("cp").arg("-a").arg(template).arg(scratch.data()).status().unwrap();
        assert!(copied.success());
        scratch
    }

    /// The parent of the data folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub fn postgres(&self) -> LocalPostgres {
        LocalPostgres::new(self.data())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A failed test must not leave its server running.
        if let Some(pid) = postmaster(&self.data()).filter(|pid| alive(*pid) && is_postgres(*pid)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The start time that tests give to servers.
pub fn now() -> DateTime<Utc> {
    "2026-11-24T09:30:00Z".parse().unwrap()
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The user and group number of a user of this system.
pub fn user(name: &str) -> (u32, u32) {
    let id = |what: &str| {
        let output = Command::new("id").args([what, name]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    (id("-u"), id("-g"))
}

pub fn cluster(data: &Path) -> PathBuf {
    data.join("postgres/cluster")
}

pub fn log(data: &Path) -> String {
    fs::read_to_string(data.join("postgres/postgres.log")).unwrap()
}

/// The process that `postmaster.pid` names.
pub fn postmaster(data: &Path) -> Option<Pid> {
    let bytes = fs::read(cluster(data).join("postmaster.pid")).ok()?;
    Pid::from_raw(String::from_utf8_lossy(&bytes).lines().next()?.parse().ok()?)
}

/// Whether a process lives. A zombie does not.
pub fn alive(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let zombie = stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'));
    test_kill_process(pid) != Err(rustix::io::Errno::SRCH) && !zombie
}

fn is_postgres(pid: Pid) -> bool {
    let command = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    command.split(|byte| *byte == 0).next().is_some_and(|program| program.ends_with(b"/postgres"))
}

/// All living processes whose command line, or whose parent's, names this data folder.
pub fn processes_of(data: &Path) -> Vec<String> {
    let output = Command::new("ps").args(["-ww", "-eo", "pid,ppid,stat,args"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mark = format!("{}/", data.display());
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    let own = |line: &str| line.contains(&mark) && line.contains("postgres");
    let pids: Vec<&str> =
        text.lines().zip(&rows).filter(|(line, _)| own(line)).map(|(_, row)| row[0]).collect();
    text.lines()
        .zip(&rows)
        .filter(|(line, row)| own(line) || pids.contains(&row[1]))
        .filter(|(_, row)| !row[2].starts_with('Z'))
        .map(|(line, _)| line.to_owned())
        .collect()
}

/// Long enough for a busy machine with a slow disk.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Waits until the condition holds.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < TIMEOUT, "timeout: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub async fn number(options: &PgConnectOptions, query: &'static str) -> i64 {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
}

pub async fn text(options: &PgConnectOptions, query: &'static str) -> String {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
}

pub async fn run(options: &PgConnectOptions, statement: &'static str) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
}

/// Waits until a lost database replies again.
pub async fn answers_again(options: &PgConnectOptions) {
    let begun = Instant::now();
    while PgConnection::connect_with(options).await.is_err() {
        assert!(begun.elapsed() < TIMEOUT, "the database did not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub async fn serve(scratch: &Scratch) -> Server {
    scratch.postgres().serve(now()).await.unwrap()
}

/// Another Weber process, which the test kills or tells to end.
pub struct Other {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Other {
    /// Starts a process that serves or borrows the data, without waiting until it is ready.
    pub fn begin(role: &str, data: &Path, change: impl FnOnce(&mut Command)) -> Self {
        Self::begin_with(&std::env::current_exe().unwrap(), role, data, change)
    }

    /// Starts the process from a copy of this program that another user can reach.
    pub fn begin_with(program: &Path, role: &str, data: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(program);
        command.args(["--exact", "support::process_of_other_tests", "--nocapture"]);
        command.env("WEBER_TEST_ROLE", role).env("WEBER_TEST_DATA", data);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, orders, answers }
    }

    /// Starts a process that serves or borrows the data, and waits until it is ready.
    pub fn ready(role: &str, data: &Path) -> Self {
        let mut other = Self::begin(role, data, |_| {});
        assert_eq!(other.answer(), "ready");
        other
    }

    /// Reads its next line.
    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "the other process ended");
            if let Some((_, answer)) = line.split_once("ANSWER ") {
                return answer.trim_end().to_owned();
            }
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Reads why it could not use the data.
    pub fn refusal(mut self) -> String {
        let answer = self.answer();
        self.child.wait().unwrap();
        answer
    }

    /// Tells it to end, and waits for it.
    pub fn end(mut self) {
        writeln!(self.orders, "end").unwrap();
        assert_eq!(self.answer(), "ended");
        self.child.wait().unwrap();
    }
}

/// Not a test, but the code of the other processes, which run this program once more.
#[tokio::test(flavor = "multi_thread")]
async fn process_of_other_tests() {
    let Ok(role) = std::env::var("WEBER_TEST_ROLE") else { return };
    let postgres = LocalPostgres::new(std::env::var_os("WEBER_TEST_DATA").unwrap());
    match role.as_str() {
        "serve" => match postgres.serve(now()).await {
            Ok(server) => {
                wait_for_order(&server.options()).await;
                server.stop().await.unwrap();
            }
            Err(error) => return println!("ANSWER {}", error.to_string().replace('\n', " ")),
        },
        "borrow" => match postgres.borrow().await {
            Ok(borrowed) => {
                wait_for_order(&borrowed.options()).await;
                borrowed.finish().await.unwrap();
            }
            Err(error) => return println!("ANSWER {}", error.to_string().replace('\n', " ")),
        },
        other => panic!("unknown role {other}"),
    }
    println!("ANSWER ended");
}

/// Waits until told to end. On Ctrl-C it first reports whether the database still replies.
async fn wait_for_order(options: &PgConnectOptions) {
    let mut interrupt = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt()).unwrap();
    println!("ANSWER ready");
    let order = tokio::task::spawn_blocking(|| std::io::stdin().lines().next());
    tokio::select! {
        _ = order => {}
        _ = interrupt.recv() => println!("ANSWER interrupted, 6 * 7 = {}", number(options, "select 42::int8").await),
    }
}
