//! Measures what researchers read of a study, alone in the database and beside a hundred other studies, right after its people
//! came, and of a study of 10,000 people.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::server::{Server, said};
use super::{Line, ms};

/// The number of people in the study that is read in both databases.
const PEOPLE: u32 = 300;
/// The number of other studies, and of people in each: a million answers together.
const OTHERS: (u32, u32) = (100, 400);
/// The number of people in the large study.
const MANY: u32 = 10_000;
/// The number of people who are copied to make all others.
const MODELS: u32 = 60;
/// How often each page is read.
const TURNS: usize = 9;
/// The limit of the time beside other studies, as a multiple of the time alone.
const LIMIT: f64 = 1.3;
/// The longest time for a page of the large study.
const PATIENCE: Duration = Duration::from_millis(500);

const COPIES: &str = include_str!("../../tests/integration/support/copied_studies.sql");

const PAGES: [(&str, &str); 5] = [
    ("study", ""),
    ("participants", "/participants"),
    ("exclusion workbench", "/exclusion"),
    ("flow", "/flow"),
    ("results", "/results"),
];

/// A server, with the session of a researcher who reads its pages.
struct Reader {
    server: Server,
}

impl Reader {
    /// Starts a server whose database does not update its statistics.
    async fn start(study: &Path) -> Self {
        let server = Server::start(study);
        for table in server.sql("select quote_ident(relname) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace").lines() {
            server.sql(&format!("alter table {table} set (autovacuum_enabled = off)"));
        }
        server.sql(
            "insert into researchers (email, created_at) values ('bench@example.org', now());
             insert into sessions (sha256, researcher_id, created_at, expires_at)
             select sha256('bench'), id, now(), now() + interval '1 day' from researchers where email = 'bench@example.org'",
        );
        Self { server }
    }

    fn simulate(&self, study: &str, people: u32) {
        let (url, people) = (format!("http://{}", self.server.host), people.to_string());
        let token = self.server.token.clone();
        let crowd = [
            "simulate",
            study,
            "--participants",
            &people,
            "--concurrency",
            "25",
            "--url",
            &url,
            "--token",
            &token,
        ];
        self.server.weber(&crowd);
    }

    fn copy(&self, studies: u32, people: u32) {
        // Copied rows need no checks.
        let model = self.server.sql("select id from studies where slug = 'demo'");
        self.server.sql(&format!(
            "set session_replication_role = replica; call copy_study({}, {studies}, {people})",
            model.trim()
        ));
    }

    async fn page(&self, study: &str, page: &str) -> Duration {
        self.timed(study, page).await.0
    }

    async fn text(&self, study: &str, page: &str) -> String {
        self.timed(study, page).await.1
    }

    async fn timed(&self, study: &str, page: &str) -> (Duration, String) {
        // Servers close idle connections.
        let mut connection = self.server.connect().await;
        connection.cookie = Some("weber=bench".to_owned());
        let began = Instant::now();
        let answer =
            connection.get(&format!("/lab/studies/{study}{page}?mode=simulated")).await.expect("an answer");
        let took = began.elapsed();
        assert_eq!(answer.status, 200, "{page}");
        (took, String::from_utf8(answer.body).expect("text"))
    }

    fn export(&self, study: &str) -> Duration {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out").display().to_string();
        let began = Instant::now();
        self.server.weber(&["export", study, "--include", "simulated", "--out", &out]);
        began.elapsed()
    }
}

/// Copies the study's folder under another name.
fn renamed(study: &Path, name: &str, into: &Path) -> PathBuf {
    let folder = into.join(name);
    said(Command::new("cp").arg("-r").args([study, &folder]));
    let file = folder.join("study.toml");
    let text = std::fs::read_to_string(&file).expect("study.toml");
    std::fs::write(&file, text.replace("slug = \"demo\"", &format!("slug = \"{name}\"")))
        .expect("study.toml is written");
    folder
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

pub async fn measure(study: &Path) -> Vec<Line> {
    let folders = tempfile::tempdir().expect("a folder");
    let small = renamed(study, "small", folders.path());
    let alone = Reader::start(&small).await;
    let beside = Reader::start(study).await;
    beside.simulate("demo", MODELS);
    beside.server.sql(COPIES);
    beside.copy(OTHERS.0, OTHERS.1);
    beside.server.weber(&["import", &small.display().to_string()]);
    for reader in [&alone, &beside] {
        reader.simulate("small", PEOPLE);
    }
    let others = beside.server.sql("select count(*) from responses").trim().to_owned();
    let mut lines = vec![Line::known(
        "(g) answers in the database: alone, beside other studies",
        format!("{}, {others}", alone.server.sql("select count(*) from responses").trim()),
    )];
    for (name, page) in PAGES {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            first.push(alone.page("small", page).await);
            second.push(beside.page("small", page).await);
        }
        lines.push(compared(name, first, second));
    }
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        first.push(alone.export("small"));
        second.push(beside.export("small"));
    }
    lines.push(compared("export", first, second));

    beside.copy(1, MANY);
    let large = beside.server.sql("select slug from studies order by id desc limit 1").trim().to_owned();
    for (name, page) in PAGES {
        let first = beside.page(&large, page).await;
        let mut times = Vec::new();
        for _ in 0..TURNS {
            times.push(beside.page(&large, page).await);
        }
        let again = median(times);
        lines.push(Line::new(
            format!("(g) {MANY} people: {name}, the first time and again"),
            format!("{}, {}", ms(first), ms(again)),
            format!("again within {}", ms(PATIENCE)),
            again <= PATIENCE,
        ));
    }
    lines.push(computed(&beside, &large).await);
    lines
}

/// Measures how long the results of the large study take, and the page that shows them.
async fn computed(reader: &Reader, study: &str) -> Line {
    let began = Instant::now();
    while reader.text(study, "/results").await.contains("being computed") {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let waited = began.elapsed();
    let mut times = Vec::new();
    for _ in 0..TURNS {
        times.push(reader.page(study, "/results").await);
    }
    let shown = median(times);
    Line::new(
        format!(
            "(g) {MANY} people: results once they are computed, which took {:.0} s more",
            waited.as_secs_f64()
        ),
        ms(shown),
        format!("within {}", ms(PATIENCE)),
        shown <= PATIENCE,
    )
}

fn compared(name: &str, alone: Vec<Duration>, beside: Vec<Duration>) -> Line {
    let firsts = [&alone, &beside].map(|times| times.first().copied().unwrap_or_default());
    let (alone, beside) = (median(alone), median(beside));
    let factor = beside.as_secs_f64() / alone.as_secs_f64();
    Line::new(
        format!("(g) {PEOPLE} people: {name}, alone and beside others (the first time)"),
        format!("{}, {}: {factor:.2} ({}, {})", ms(alone), ms(beside), ms(firsts[0]), ms(firsts[1])),
        format!("at most {LIMIT} times as long"),
        factor <= LIMIT,
    )
}
