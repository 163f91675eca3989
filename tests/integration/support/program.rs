//! The program `weber`, as a process on the test's database.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;

use sqlx::{ConnectOptions, PgPool};
use tempfile::TempDir;

/// A data folder that is removed with the test, and a database.
pub struct Program {
    folder: TempDir,
    database: Option<String>,
}

impl Program {
    /// A program on the test's database.
    pub fn on(pool: &PgPool) -> Self {
        let database = pool.connect_options().to_url_lossy().to_string();
        Self { folder: tempfile::tempdir().unwrap(), database: Some(database) }
    }

    /// A program with a private PostgreSQL.
    pub fn private() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The path of a file beside the data folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weber"));
        command.args(arguments).arg("--data").arg(self.data());
        for name in ["DATABASE_URL", "WEBER_SECRET_KEY", "WEBER_PUBLIC_URL", "WEBER_LOG"] {
            command.env_remove(name);
        }
        command.envs(self.database.iter().map(|url| ("DATABASE_URL", url)));
        command
    }

    /// Runs a command to its end, and returns its output.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that must fail, and returns its error message.
    pub fn refusal(&self, arguments: &[&str]) -> String {
        let Output { status, stderr, stdout } = self.command(arguments).output().unwrap();
        assert!(!status.success(), "{}", text(&stdout));
        text(&stdout) + &text(&stderr)
    }

    /// Starts the server, and returns when it says that it runs.
    pub fn serve(&self, change: impl FnOnce(&mut Command)) -> Serving {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("127.0.0.1:{port}");
        let mut command = self.command(&["serve", "--listen", &listen]);
        change(&mut command);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (log, said) = (collect(child.stderr.take().unwrap()), child.stdout.take().unwrap());
        let mut lines = BufReader::new(said).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("researchers")), "the server starts");
        std::thread::spawn(move || lines.for_each(drop));
        Serving { child, log, url: format!("http://{listen}") }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads a process's output to its end, because a process whose output is not read waits for ever.
fn collect(mut output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = output.read_to_end(&mut bytes);
        let _ = sender.send(text(&bytes));
    });
    receiver
}

/// A running server.
pub struct Serving {
    child: Child,
    log: mpsc::Receiver<String>,
    pub url: String,
}

impl Serving {
    /// Sends SIGTERM, as service managers do.
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits until the server has ended with success, and returns its log.
    pub fn log(mut self) -> String {
        assert!(self.child.wait().unwrap().success());
        self.log.recv().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
