//! Weber and its PostgreSQL are killed in the middle of a crowd: nothing that was acknowledged is missing, and everyone
//! can go on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "integration/support/tiny_study.rs"]
mod tiny_study;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tiny_study::TinyStudy;
use weber::simulate::{Client, Ending, Plan, Report, run};

const WEBER: &str = env!("CARGO_BIN_EXE_weber");

/// An installation in a folder that vanishes, with a small study.
struct Installation {
    data: TempDir,
    port: u16,
    server: Option<Child>,
}

impl Installation {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let installation = Self { data, port, server: None };
        let study = TinyStudy::new(10);
        study.edit("study.toml", |text| {
            text.replace("postings_per_slot = 3", "postings_per_slot = \"unlimited\"")
        });
        installation.weber(&["import", study.path().to_str().unwrap()]);
        installation
    }

    fn command(&self) -> Command {
        let mut command = Command::new(WEBER);
        command.env_remove("DATABASE_URL").arg("--data").arg(self.data.path().join("data"));
        command
    }

    /// Runs a command and returns what it said.
    fn weber(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts the server and returns once it says that it runs.
    fn serve(&mut self) {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut child =
            self.command().args(["serve", "--listen", &listen]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.server = Some(child);
        assert!(lines.map_while(Result::ok).any(|line| line.contains("researchers")), "the server starts");
    }

    /// kill -9 of the server.
    fn kill_server(&mut self) {
        let mut child = self.server.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// kill -9 of the private PostgreSQL's first process.
    fn kill_postgres(&self) {
        let pid = std::fs::read_to_string(find(self.data.path(), "postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    }

    /// Answers in the export: (participant, block, attempt, trial) and the button.
    fn exported(&self) -> HashMap<(String, String, String, String), String> {
        let out = self.data.path().join("export");
        self.weber(&["export", "demo", "--out", out.to_str().unwrap(), "--include", "simulated"]);
        let mut reader = csv::Reader::from_path(out.join("trials.csv")).unwrap();
        let rows = reader.deserialize().map(|row: Result<HashMap<String, String>, _>| row.unwrap());
        let place = |row: &HashMap<String, String>| {
            let column = |name: &str| row[name].clone();
            (column("participant"), column("block"), column("attempt"), column("trial_index"))
        };
        let all: Vec<_> = rows.map(|row| (place(&row), row["response"].clone())).collect();
        let unique: HashMap<_, _> = all.iter().cloned().collect();
        assert_eq!(unique.len(), all.len(), "no answer is there twice");
        unique
    }

    fn assert_all_there(&self, report: &Report) {
        let exported = self.exported();
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
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if let Some(mut child) = self.server.take() {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
        // A command that comes last stops a PostgreSQL that a killed server left.
        let _ = self.command().args(["export", "demo", "--out"]).arg(self.data.path().join("last")).output();
    }
}

fn find(folder: &Path, name: &str) -> std::path::PathBuf {
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

/// Sends 50 people through the study and disturbs the server when a few of them are done.
async fn crowd(installation: &mut Installation, mut disturb: impl FnMut(&mut Installation)) -> Report {
    installation.serve();
    let token = installation.weber(&["token", "create", "crowd"]);
    let client = Client::new(&[installation.url()], token.trim()).unwrap();
    let plan = Plan {
        study: "demo".into(),
        participants: 50,
        concurrency: 50,
        seed: 11,
        mix: "honest=1".parse().unwrap(),
        abilities: Default::default(),
        think_time: 0.0,
    };
    let crowd = tokio::spawn(async move { run(&client, &plan, |_| ()).await.unwrap() });
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        disturb(installation);
    }
    crowd.await.unwrap()
}

fn assert_everyone_went_on(report: &Report) {
    assert_eq!(report.troubles, Default::default());
    assert_eq!(report.endings.get(&Ending::Complete), Some(&50));
    assert!(report.acknowledged.len() >= 50 * 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_killed_in_the_middle_of_a_crowd() {
    let mut installation = Installation::new();
    let report = crowd(&mut installation, |installation| {
        installation.kill_server();
        installation.serve();
    })
    .await;
    assert_everyone_went_on(&report);
    installation.assert_all_there(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_killed_in_the_middle_of_a_crowd() {
    let mut installation = Installation::new();
    let report = crowd(&mut installation, |installation| installation.kill_postgres()).await;
    assert_everyone_went_on(&report);
    installation.assert_all_there(&report);
}

#[test]
fn a_second_server_on_the_same_data_says_so() {
    let mut installation = Installation::new();
    installation.serve();
    let output = installation.command().args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("already running on this data"), "{said}");
    assert!(installation.weber(&["researcher", "add", "ada@example.org"]).contains("/set-password#"));
}

#[test]
fn the_server_stops_when_it_is_told_to() {
    let mut installation = Installation::new();
    installation.serve();
    let mut child = installation.server.take().unwrap();
    let asked = Instant::now();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert!(asked.elapsed() < Duration::from_secs(20));
    let left =
        Command::new("pgrep").args(["-f", installation.data.path().to_str().unwrap()]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "no process is left behind");
}

#[test]
fn another_secret_key_is_refused() {
    let installation = Installation::new();
    std::fs::write(installation.data.path().join("data/secret"), "ab".repeat(32)).unwrap();
    let output = installation.command().args(["import", "/nowhere"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("another secret key"), "{said}");
}
