//! What an operator sees of a server: metrics, logs, readiness, an orderly end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{ConnectOptions, PgPool};
use tokio::net::TcpStream;
use weber::domain::rights::Scope;
use weber::domain::study::StudyState;
use weber::flow::audit::log::Actor;
use weber::flow::lab::team;

use crate::support::person::Person;
use crate::support::program::{Program, Serving, path};
use crate::support::server::{Server, client};
use crate::support::tiny_study::TinyStudy;

pub async fn token(server: &Server, name: &str, scope: Scope) -> String {
    team::make_token(&server.app, &Actor::command_line(), name, &[scope]).await.unwrap()
}

/// Every series of the metrics, with its value.
async fn scrape(server: &Server, token: &str) -> BTreeMap<String, f64> {
    let request = server.client.get(format!("{}/metrics", server.url)).bearer_auth(token);
    let reply = request.send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    assert!(reply.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let text = reply.text().await.unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pairs = lines.map(|line| line.rsplit_once(' ').unwrap());
    pairs.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect()
}

#[sqlx::test]
async fn metrics_need_an_api_token_for_metrics(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let status = async |token: Option<&str>| {
        let request = server.client.get(format!("{}/metrics", server.url));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    };
    let (right, wrong) =
        (token(&server, "prometheus", Scope::Metrics).await, token(&server, "script", Scope::Export).await);
    assert_eq!((status(None).await, status(Some("x")).await, status(Some(&wrong)).await), (401, 401, 401));
    assert_eq!(status(Some(&right)).await, 200);
}

#[sqlx::test]
async fn the_counters_count(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let token = token(&server, "prometheus", Scope::Metrics).await;
    let before = scrape(&server, &token).await;
    assert_eq!(before["weber_answers_stored_total"], 0.0);
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    person.answer("main", 1, 1, 3).await;
    person.answer("main", 1, 1, 3).await;
    let answers = if person.practises() { 5.0 } else { 1.0 };
    let (404, _) = server.get("/nowhere/p-1234567890").await else { panic!("nothing is there") };
    let strange = reqwest::Method::from_bytes(b"BREW").unwrap();
    server.client.request(strange, format!("{}/healthz", server.url)).send().await.unwrap();

    let after = scrape(&server, &token).await;
    assert_eq!(after["weber_answers_stored_total"], answers, "earlier answers are not counted again");
    let series = |name: &str, labels: &str| {
        *after.get(&format!("{name}{{{labels}}}")).unwrap_or_else(|| panic!("{name} {labels}: {after:#?}"))
    };
    let requests = |labels: &str| series("weber_http_request_duration_seconds_count", labels);
    assert_eq!(requests(r#"method="POST",route="/api/v1/enrolments",status="2xx""#), 1.0);
    assert_eq!(requests(r#"method="GET",route="none",status="4xx""#), 1.0);
    assert_eq!(requests(r#"method="other",route="/healthz",status="4xx""#), 1.0);
    let records = requests(r#"method="POST",route="/api/v1/records",status="2xx""#);
    assert!(records > answers, "records with steps are counted, too");
    assert_eq!(records, after["weber_record_batch_size_count"], "each record was a batch of its own");
    assert_eq!(
        series("weber_participants", r#"study="demo",mode="live",stage="running",group="crowd""#),
        1.0
    );
    let condition = person.condition().await;
    let slots = |state: &str| {
        series("weber_slots", &format!(r#"study="demo",condition="{condition}",state="{state}""#))
    };
    assert_eq!((slots("running"), slots("open"), slots("kept")), (1.0, 1.0, 0.0));
    assert!(series("weber_database_connections", r#"state="used""#) >= 1.0);
    assert!(after["process_start_time_seconds"] > 1.7e9);
    assert_eq!(series("weber_build_info", &format!(r#"version="{}""#, env!("CARGO_PKG_VERSION"))), 1.0);
    let ids = [person.pseudonym(), &person.token, "p-1234567890", "BREW"];
    assert!(!after.keys().any(|series| ids.iter().any(|id| series.contains(id))), "no label holds an id");
}

#[sqlx::test]
async fn a_server_is_not_ready_if_the_schema_is_another_version_s(pool: PgPool) {
    let server = Server::empty(pool.clone()).await;
    assert_eq!(server.get("/readyz").await, (200, "ready\n".into()));
    sqlx::query(
        "insert into _sqlx_migrations values (29990101000001, 'of a newer program', now(), true, '', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(server.get("/readyz").await.0, 503);
    assert_eq!(server.get("/healthz").await.0, 200);
}

const WORKERS: &str = "
[[links]]
name = \"Workers\"
platform = \"mturk\"
conditions = [\"none\"]
";

/// A live study in the program's database, the program's server, and a second server on the same database.
pub async fn live(pool: &PgPool, program: &Program, slots: u32, log: &str) -> (Serving, Server) {
    let study = TinyStudy::new(slots);
    study.edit("study.toml", |text| text + WORKERS);
    program.run(&["import", path(study.path())]);
    let serving = program.serve(|command| {
        command.args(["--log-format", "json"]).env("WEBER_LOG", log);
    });
    let server = Server::elsewhere(pool.clone(), &serving.url);
    server.set_state(StudyState::Live).await;
    (serving, server)
}

/// The log level is the most detailed one that is plausible in use. The database refuses one answer, and PostgreSQL's error
/// then quotes every value.
#[sqlx::test]
async fn logs_hold_no_data_of_participants(pool: PgPool) {
    let program = Program::on(&pool);
    let (serving, server) = live(&pool, &program, 1, "debug").await;
    let link = server.link("Workers").await;
    let worker = [
        ("workerId", "A1WORKERSECRET"),
        ("assignmentId", "3ASSIGNMENTSECRET"),
        ("hitId", "3HITSECRET"),
        ("turkSubmitTo", "https://workersandbox.mturk.com/"),
    ];
    let query: Vec<String> = worker.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(server.get(&format!("/enter/{link}?{}", query.join("&"))).await.0, 200);
    let (status, reply) = server.enrol(&link, &worker).await;
    assert_eq!(status, 201, "{reply}");
    let mut person = Person::with_token(&server, reply["token"].as_str().unwrap()).await;
    person.reach_main().await;
    person.clock_ms = 123_456.789;
    person.answer("main", 1, 1, 4).await;
    person.try_tell(json!({ "answers": "ANSWERSECRET" })).await;
    let sign_in = server.client.post(format!("{}/sign-in", server.url));
    let sign_in = sign_in.header("content-type", "application/x-www-form-urlencoded");
    sign_in.body("email=ada.secret%40example.org&password=PASSWORDSECRET").send().await.unwrap();
    sqlx::query("alter table responses add check (trial_index <> 2)").execute(&pool).await.unwrap();
    let (status, failed) = person.try_tell(json!({ "answers": [person.answer_json("main", 1, 2, 4)] })).await;
    assert_eq!(status, 500, "{failed}");

    serving.terminate();
    let log = serving.log();
    for secret in [&*person.token, person.pseudonym(), "SECRET", "ada.secret", "123456.789", "1500.5"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    let lines = crate::logs::lines(&log);
    let answered = |route: &str| {
        let is_one = |line: &&Value| line["message"] == "Answered a request" && line["route"] == route;
        lines.iter().filter(is_one).count()
    };
    assert_eq!((answered("/enter/{link}"), answered("/api/v1/enrolments")), (1, 1), "{log}");
    let is_the_failure = |line: &&Value| {
        line["message"] == "A request failed" && line["span"]["reference"] == failed["reference"]
    };
    assert_eq!(lines.iter().filter(is_the_failure).count(), 1, "a failure is logged once");
}

/// Answers trials until the server has ended. Returns how many answers were acknowledged.
async fn answer_until_the_end(http: reqwest::Client, url: String, token: String, answers: Vec<Value>) -> i64 {
    let mut acknowledged = 0;
    for answer in answers {
        let body = json!({ "tab": 1, "clock_ms": 200_000.0, "answers": [answer] });
        let request = http.post(format!("{url}/api/v1/records")).bearer_auth(&token).json(&body);
        let Ok(reply) = request.send().await else { break };
        assert_eq!(reply.status().as_u16(), 200);
        let Ok(reply) = reply.json::<Value>().await else { break };
        assert_eq!(reply["answers"][0]["status"], "stored");
        acknowledged += 1;
    }
    acknowledged
}

/// The server is told to end while people answer. Every stored answer is acknowledged, because no request is cut off; and
/// clients that only keep a connection open do not delay the end.
#[sqlx::test]
async fn a_server_that_is_told_to_end_answers_pending_requests(pool: PgPool) {
    let program = Program::on(&pool);
    let (serving, server) = live(&pool, &program, 5, "info").await;
    let address = serving.url.trim_start_matches("http://").to_owned();
    let _silent = TcpStream::connect(&address).await.unwrap();
    let idle = client();
    assert!(idle.get(format!("{}/healthz", serving.url)).send().await.unwrap().status().is_success());
    let link = server.link("Volunteers").await;
    let stored = "select count(*) from responses where block = 'main'";
    let mut crowd = Vec::new();
    for _ in 0..20 {
        let mut person = Person::arrive(&server, &link).await;
        person.reach_main().await;
        let answers = (1..=21).map(|index| person.answer_json("main", 1, index, 1)).collect();
        crowd.push((client(), server.url.clone(), person.token.clone(), answers));
    }
    let crowd: Vec<_> = crowd
        .into_iter()
        .map(|(http, url, token, answers)| tokio::spawn(answer_until_the_end(http, url, token, answers)))
        .collect();
    while server.count(stored).await < 60 {
        tokio::task::yield_now().await;
    }
    serving.terminate();
    let log = tokio::task::spawn_blocking(move || serving.log());
    let log = tokio::time::timeout(Duration::from_secs(20), log).await.expect("it ends by itself").unwrap();
    assert!(!log.contains("did not finish"), "{log}");
    let mut acknowledged = 0;
    for person in crowd {
        acknowledged += person.await.unwrap();
    }
    assert!((60..20 * 21).contains(&acknowledged), "the server ended while people answered: {acknowledged}");
    assert_eq!(server.count(stored).await, acknowledged);
}

/// Checks what the doctor says about backups, the audit log, and other programs on the same database.
#[sqlx::test]
async fn the_doctor_compares_the_audit_log_with_the_newest_backup(pool: PgPool) {
    let program = Program::on(&pool);
    program.run(&["import", path(TinyStudy::new(1).path())]);
    program.run(&["token", "create", "first"]);
    let backups = program.file("backups");
    std::fs::create_dir(&backups).unwrap();
    let doctor = ["doctor", "--backup", path(&backups)];
    assert!(program.refusal(&doctor).contains("there is no backup in"));
    std::fs::write(backups.join("notes.txt"), "not a backup").unwrap();
    program.run(&["backup", "--out", path(&backups.join("weber.zip"))]);
    program.run(&["token", "create", "second"]);
    let mut old = (*pool.connect_options()).clone().application_name("weber 0.0.1").connect().await.unwrap();
    sqlx::query("select 1").execute(&mut old).await.unwrap();
    // The tests' PostgreSQL does not wait for the disk, which the doctor reports as a further problem.
    let said = program.command(&doctor).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("weber.zip, is 0 hours old"), "{said}");
    assert!(said.contains("good     the journal is whole: 4 entries"), "{said}");
    assert!(
        said.contains("warning  this is weber") && said.contains("weber 0.0.1 also runs on the database"),
        "{said}"
    );

    // A person who can change tables forges the audit log, and computes every hash after the change again.
    for sql in ["alter table journal disable trigger all", "delete from journal"] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    program.run(&["token", "create", "third"]);
    let said = program.refusal(&doctor);
    assert!(said.contains("good     the journal is whole: 1 entries"), "{said}");
    assert!(
        said.contains("PROBLEM  the journal was changed since") && said.contains("its entry 2 is not"),
        "{said}"
    );
    sqlx::query("update journal set actor = 'another person'").execute(&pool).await.unwrap();
    assert!(program.refusal(&doctor).contains("PROBLEM  the journal was changed: entry 1 does not follow"));

    let other = Program::private();
    other.run(&["import", path(TinyStudy::new(1).path())]);
    let file = other.file("other.zip");
    other.run(&["backup", "--out", path(&file)]);
    let said = program.refusal(&["doctor", "--backup", path(&file)]);
    assert!(said.contains("is a backup of another installation"), "{said}");
}

#[sqlx::test]
async fn the_doctor_finds_an_answer_to_a_trial_that_was_not_scheduled(pool: PgPool) {
    let server = Server::live(pool.clone(), 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    person.answer("main", 1, 1, 3).await;
    let program = Program::on(&pool);
    std::fs::create_dir_all(program.data()).unwrap();
    std::fs::write(program.data().join("secret"), "07".repeat(32)).unwrap();
    // The throwaway PostgreSQL of the tests does not wait for the disk, which is a problem of its own.
    assert!(program.refusal(&["doctor"]).contains("good     every answer is to a trial that was scheduled"));
    let moved = "update responses set trial_index = 999 where block = 'main'";
    assert_eq!(sqlx::query(moved).execute(&pool).await.unwrap().rows_affected(), 1);
    let said = program.refusal(&["doctor"]);
    assert!(said.contains("PROBLEM  another program than Weber changed answers or schedules"), "{said}");
    assert!(said.contains(person.pseudonym()), "{said}");
}

#[sqlx::test]
async fn a_server_says_that_it_is_alive_as_soon_as_it_listens(pool: PgPool) {
    let server = Server::live(pool.clone(), 1).await;
    let link = server.link("Volunteers").await;
    // Another session holds a table that the server needs for its start.
    let mut other = pool.acquire().await.unwrap();
    sqlx::raw_sql("begin; lock table _sqlx_migrations in access exclusive mode")
        .execute(&mut *other)
        .await
        .unwrap();
    let program = Program::on(&pool);
    std::fs::create_dir_all(program.data()).unwrap();
    std::fs::write(program.data().join("secret"), "07".repeat(32)).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let mut child = program.command(&["serve", "--listen", &listen]).spawn().unwrap();
    let client = client();
    let ask = async |path: &str| {
        let reply = client.get(format!("http://{listen}{path}")).send().await?;
        Ok::<_, reqwest::Error>((reply.status().as_u16(), reply.text().await?))
    };
    while ask("/healthz").await.is_err() {
        assert!(child.try_wait().unwrap().is_none(), "the server ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ask("/healthz").await.unwrap().0, 200);
    assert_eq!(ask("/readyz").await.unwrap().0, 503);
    let (status, page) = ask(&format!("/enter/{link}")).await.unwrap();
    assert_eq!((status, page.contains("in about a minute")), (503, true), "{page}");
    sqlx::raw_sql("commit").execute(&mut *other).await.unwrap();
    while ask("/readyz").await.unwrap().0 != 200 {
        assert!(child.try_wait().unwrap().is_none(), "the server ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ask(&format!("/enter/{link}")).await.unwrap().0, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[sqlx::test]
async fn with_too_few_file_descriptors_a_server_says_so(pool: PgPool) {
    let program = Program::on(&pool);
    let weber = program.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""]).arg(weber.get_program()).args(weber.get_args());
    let output = limited.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("ulimit -n"), "{said}");
}
