//! An installation for each test, crowds of simulated people, and the check of all answers and slots afterwards.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use weber::simulate::{Client, Ending, Plan, SimulationReport, run};

use crate::tiny_study::TinyStudy;

const WEBER: &str = env!("CARGO_BIN_EXE_weber");

/// An installation that is removed with the test.
pub struct Installation {
    pub folder: TempDir,
    /// The data folder; it lies in the other folder unless a test moves it.
    pub data: PathBuf,
    database: Option<Database>,
}

impl Installation {
    /// An installation with a private PostgreSQL and an empty database.
    pub fn private() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { data: folder.path().join("data"), folder, database: None }
    }

    /// An installation with a database of its own in the tests' PostgreSQL, for any number of servers that share the data
    /// folder and the key in it.
    pub async fn shared() -> Self {
        let mut installation = Self::private();
        installation.database = Some(Database::new().await);
        installation
    }

    /// Imports a small study with so many slots per condition, each of which is opened again until it has a kept participant.
    /// A consent whose reply is lost is repeated and holds one more slot for minutes, so there must be more slots than people.
    pub fn with_study(self, slots: u32) -> Self {
        let study = endless_study(slots);
        self.weber(&["import", study.path().to_str().unwrap()]);
        self
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(WEBER);
        // The log is off, because servers under faults warn often.
        command.env_remove("DATABASE_URL").env("WEBER_LOG", "off").arg("--data").arg(&self.data);
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", &database.url);
        }
        command
    }

    /// Runs a command and returns its output.
    pub fn weber(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a server and returns once it says that it runs.
    pub fn serve(&self) -> Running {
        self.serve_at("127.0.0.1:0")
    }

    /// Starts a server at an address.
    pub fn serve_at(&self, address: &str) -> Running {
        let mut command = self.command();
        let child = command.args(["serve", "--listen", address]).stdout(Stdio::piped()).spawn().unwrap();
        let mut running = Running { url: String::new(), child };
        for line in BufReader::new(running.child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once("Weber runs at ") {
                running.url = rest.split_whitespace().next().unwrap().to_owned();
            }
            if line.contains("researchers") {
                return running;
            }
        }
        panic!("the server at {address} does not start");
    }

    /// Ends the private PostgreSQL's first process by SIGKILL, as soon as there is one: it may be starting after the last kill.
    pub async fn kill_postgres(&self) {
        let file = self.data.join("postgres/cluster/postmaster.pid");
        let killed = || {
            let text = std::fs::read_to_string(&file).ok()?;
            Some(kill(text.lines().next()?, "-9"))
        };
        while killed() != Some(true) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// A crowd of honest people who take a hundredth of real people's time, so that they take part for seconds on any
    /// computer.
    pub fn crowd(&self, urls: &[&str], people: u32) -> Crowd {
        self.crowd_of(urls, people, "honest=1", 0.01)
    }

    /// A crowd in which people behave differently, and in a share of real people's time.
    pub fn crowd_of(&self, urls: &[&str], people: u32, mix: &str, think_time: f64) -> Crowd {
        let token = self.weber(&["token", "create", &format!("crowd-{people}")]);
        let client = Client::new(urls, token.trim()).unwrap();
        let plan = Plan {
            study: "demo".into(),
            participants: people,
            concurrency: people.min(100) as usize,
            seed: 11,
            mix: mix.parse().unwrap(),
            abilities: Default::default(),
            think_time,
        };
        Crowd(tokio::spawn(async move { run(&client, &plan, |_| ()).await.unwrap() }))
    }

    /// Asserts all rules for the crowd's answers and slots that hold after any fault. Returns the number of kept people per
    /// condition.
    pub fn account_for(&self, report: &SimulationReport) -> Vec<u64> {
        let out = self.exported();
        self.weber(&["export", "demo", "--out", out.to_str().unwrap(), "--include", "simulated"]);
        let exported = answers(&out);
        for answer in &report.acknowledged {
            let place = answer.place;
            let key = (
                answer.participant.clone(),
                place.block.to_string(),
                place.attempt.to_string(),
                place.trial_index.to_string(),
            );
            assert_eq!(exported.get(&key), Some(&answer.response.to_string()), "{answer:?}");
        }
        kept(&out)
    }

    /// Slots per condition, filled or not, in the export that [`Self::account_for`] made.
    pub fn slots(&self) -> Vec<u64> {
        let all = |slots: &Value| slots.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        slots_by_condition(&self.exported()).iter().map(all).collect()
    }

    fn exported(&self) -> PathBuf {
        self.folder.path().join("export")
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if self.database.is_none() && self.data.exists() {
            // This command stops a PostgreSQL that a killed server left behind.
            let _ = self.command().args(["journal", "verify"]).output();
        }
    }
}

/// A study whose slots are opened again until each has a kept participant.
pub fn endless_study(slots: u32) -> TinyStudy {
    let study = TinyStudy::new(slots);
    study.edit("study.toml", |text| {
        text.replace("postings_per_slot = 3", "postings_per_slot = \"unlimited\"")
    });
    study
}

/// The answers in the export: the button by (participant, block, attempt, trial).
fn answers(export: &Path) -> HashMap<(String, String, String, String), String> {
    let mut reader = csv::Reader::from_path(export.join("trials.csv")).unwrap();
    let rows = reader.deserialize().map(|row: Result<HashMap<String, String>, _>| row.unwrap());
    let place = |row: &HashMap<String, String>| {
        let column = |name: &str| row[name].clone();
        (column("participant"), column("block"), column("attempt"), column("trial_index"))
    };
    let all: Vec<_> = rows.map(|row| (place(&row), row["response"].clone())).collect();
    let unique: HashMap<_, _> = all.iter().cloned().collect();
    assert_eq!(unique.len(), all.len(), "no answer is stored twice");
    unique
}

/// The manifest's entry about the slots of each condition.
fn slots_by_condition(export: &Path) -> Vec<Value> {
    let manifest = std::fs::read(export.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    manifest["slots_by_mode"]["simulated"].as_object().unwrap().values().cloned().collect()
}

/// The number of kept people per condition. Asserts that no slot has two.
fn kept(export: &Path) -> Vec<u64> {
    let mut reader = csv::Reader::from_path(export.join("participants.csv")).unwrap();
    let rows = reader.deserialize().map(|row: Result<HashMap<String, String>, _>| row.unwrap());
    let mut filled: Vec<_> = rows
        .filter(|row| row["kept"] == "true")
        .map(|row| [row["condition"].clone(), row["slot"].clone()])
        .collect();
    let people = filled.len();
    filled.sort();
    filled.dedup();
    assert_eq!(filled.len(), people, "no slot is filled twice");
    let conditions = slots_by_condition(export);
    let kept: Vec<u64> = conditions.iter().map(|slots| slots["kept"].as_u64().unwrap()).collect();
    assert_eq!(kept.iter().sum::<u64>(), people as u64);
    kept
}

/// A server that is told to stop when the test ends.
pub struct Running {
    pub url: String,
    child: Child,
}

impl Running {
    /// The server's host and port.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Ends the server by SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal and waits until the server has ended with success.
    pub fn stop(mut self, kind: &str) {
        signal(&self.child.id().to_string(), kind);
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(&self.child.id().to_string(), "-TERM");
            let _ = self.child.wait();
        }
    }
}

fn signal(pid: &str, kind: &str) {
    assert!(kill(pid, kind));
}

/// Sends a signal. Returns whether the process exists.
fn kill(pid: &str, kind: &str) -> bool {
    Command::new("kill").args([kind, pid]).status().unwrap().success()
}

/// An HTTP client that follows no redirects.
pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Simulated people who are taking part.
pub struct Crowd(tokio::task::JoinHandle<SimulationReport>);

impl Crowd {
    /// Waits for them, and asserts that all completed and that all their answers were acknowledged.
    pub async fn all_complete(self) -> SimulationReport {
        let report = self.report().await;
        assert_eq!(report.troubles, Default::default());
        let people = report.endings.get(&Ending::Complete).copied().unwrap_or_default();
        assert_eq!(report.endings.values().sum::<u32>(), people);
        assert!(report.acknowledged.len() >= people as usize * 21);
        report
    }

    pub async fn report(self) -> SimulationReport {
        self.0.await.unwrap()
    }

    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

/// A database in the PostgreSQL of the tests.
struct Database {
    server: String,
    name: String,
    url: String,
}

impl Database {
    async fn new() -> Self {
        let server = std::env::var("DATABASE_URL").expect("script/with-postgres sets DATABASE_URL");
        let name = format!("weber_faults_{}", uuid::Uuid::new_v4().simple());
        execute(&server, format!("create database {name}")).await.unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Self { server, name, url: url.into() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // The test's own runtime cannot wait here.
        let drop = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _ = runtime.block_on(execute(&server, format!("drop database {name} with (force)")));
        };
        let _ = std::thread::spawn(drop).join();
    }
}

async fn execute(server: &str, sql: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}

/// Finds a file by its name.
pub fn find(folder: &Path, name: &str) -> PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            if entry.file_name() == name {
                return entry.path();
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    panic!("{name} is nowhere in {}", folder.display());
}
