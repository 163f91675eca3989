//! The database is slow, hangs, or refuses requests for a while.

use std::time::Duration;

use axum::response::IntoResponse;
use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use weber::domain::record::Record;
use weber::domain::study::StudyState;
use weber::flow::FlowError;
use weber::flow::records::intake::RecordIntake;
use weber::flow::records::job::RecordJob;
use weber::flow::secrets::token_sha256;
use weber::simulate::{Ending, SimulationReport};
use weber::store::record_connection::RecordConnection;
use weber::store::{self, StoreError};
use weber::web::http::error::ProblemDocument;

use crate::simulation::{plan, simulate};
use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

/// A session that holds a lock on a table until it is closed.
async fn hold(pool: &PgPool, table: &str) -> PgConnection {
    let mut other = PgConnection::connect_with(&pool.connect_options()).await.unwrap();
    let sql = format!("begin; lock table {table} in access exclusive mode");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut other).await.unwrap();
    other
}

async fn assert_all_there(server: &Server, report: &SimulationReport, people: u32) {
    assert_eq!(report.endings.get(&Ending::Complete), Some(&people));
    let stored = server.count("select count(*) from responses").await;
    assert_eq!(stored as usize, report.acknowledged.len(), "each answer is stored once");
}

#[sqlx::test]
async fn while_a_table_is_held_answers_wait_and_none_is_lost(pool: PgPool) {
    let server = Server::live(pool.clone(), 10).await;
    let twenty = plan(20, "honest=1");
    let (report, ()) = tokio::join!(simulate(&server, &twenty), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let other = hold(&pool, "responses").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        other.close().await.unwrap();
    });
    assert_all_there(&server, &report, 20).await;
    assert_eq!(server.get("/readyz").await.0, 200);
}

#[sqlx::test]
async fn without_a_free_connection_requests_are_refused_and_succeed_when_repeated(pool: PgPool) {
    let live = Server::live(pool.clone(), 1).await;
    let link = live.link("Volunteers").await;
    // One connection is for live pages and one for all other requests; writing records has its own.
    let few = PgPoolOptions::new().max_connections(2).acquire_timeout(Duration::from_millis(300));
    let server = Server::empty(few.connect_with((*pool.connect_options()).clone()).await.unwrap()).await;
    let mut person = Person::arrive(&server, &link).await;
    person.reach_main().await;
    let other = hold(&pool, "participants").await;
    let open = || {
        let request = server.client.post(format!("{}/api/v1/open", server.url)).bearer_auth(&person.token);
        async { request.json(&json!({})).send().await.unwrap() }
    };
    let (answers, opened, ()) = tokio::join!(
        async { tokio::join!(person.answer("main", 1, 1, 0), person.answer("main", 1, 2, 0)) },
        open(),
        async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert_eq!(server.get("/readyz").await.0, 503);
            let response = open().await;
            assert_eq!((response.status().as_u16(), &response.headers()["retry-after"] == "2"), (503, true));
            other.close().await.unwrap();
        }
    );
    assert_eq!(answers.0["answers"][0]["status"], "stored");
    assert_eq!(answers.1["answers"][0]["status"], "stored");
    assert_eq!(opened.status(), 200, "the request with the connection waited for the table");
    assert_eq!(server.get("/readyz").await.0, 200);
}

#[sqlx::test]
async fn writing_records_ends_with_an_error_while_the_database_hangs(pool: PgPool) {
    let server = Server::live(pool.clone(), 1).await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    let queue = RecordIntake::start(&server.app, Duration::from_millis(300));
    let job = RecordJob { token_sha256: token_sha256(&person.token), record: Record::default() };
    let other = hold(&pool, "participants").await;
    let Err(FlowError::Store(error)) = queue.submit(job.clone()).await else { panic!("it cannot be stored") };
    assert!(error.is_transient(), "the browser repeats it");
    other.close().await.unwrap();
    queue.submit(job).await.unwrap();
}

#[sqlx::test]
async fn a_consent_whose_client_has_gone_is_not_enrolled(pool: PgPool) {
    let server = Server::live(pool.clone(), 20).await;
    let link = server.link("Volunteers").await;
    let other = hold(&pool, "enrolment_counters").await;
    let impatient = async || {
        let request = tokio::time::timeout(Duration::from_millis(500), server.enrol(&link, &[]));
        assert!(request.await.is_err(), "enrolment waits for the lock");
    };
    // The first consent waits for the lock, and all others wait for the first.
    impatient().await;
    futures::future::join_all((0..10).map(|_| impatient())).await;
    other.close().await.unwrap();
    assert_eq!(server.enrol(&link, &[]).await.0, 201);
    let let_in = server.count("select count(*) from participants").await;
    assert!(let_in <= 2, "{let_in} were enrolled and hold slots although their clients have gone");
}

#[sqlx::test]
async fn a_person_who_goes_while_they_are_let_in_is_counted_for_their_network(pool: PgPool) {
    let one = |site: &mut weber::web::Site| site.newcomers_per_address = 1;
    let server = Server::with(pool.clone(), TestClock::new(), one).await;
    server.import(&TinyStudy::new(2)).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    let consent = hex::encode(weber::domain::study::text_sha256(&server.definition().await.pages.consent));
    let agree = || {
        let request = server.client.post(format!("{}/api/v1/enrolments", server.url));
        let request = request.header("x-forwarded-for", "203.0.113.9");
        request.json(&json!({ "link": link, "consent_sha256": consent })).send()
    };
    let other = hold(&pool, "enrolment_counters").await;
    assert!(tokio::time::timeout(Duration::from_millis(500), agree()).await.is_err(), "the study is held");
    other.close().await.unwrap();
    while server.count("select count(*) from participants").await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(agree().await.unwrap().status(), 429, "they hold a place and do nothing");
}

#[sqlx::test]
async fn transient_errors_of_the_database_are_answered_with_503(pool: PgPool) {
    for (code, passes) in [
        ("08006", true),  // connection_failure
        ("53100", true),  // disk_full
        ("53300", true),  // too_many_connections
        ("55P03", true),  // lock_not_available
        ("58030", true),  // io_error
        ("25006", true),  // read_only_sql_transaction
        ("42501", true),  // insufficient_privilege: a read-only file system
        ("25P03", true),  // idle_in_transaction_session_timeout
        ("57014", true),  // query_canceled: statement_timeout
        ("57P01", true),  // admin_shutdown
        ("57P03", true),  // cannot_connect_now
        ("40001", true),  // serialization_failure
        ("40P01", true),  // deadlock_detected
        ("42P01", false), // undefined_table
        ("23503", false), // foreign_key_violation
        ("22003", false), // numeric_value_out_of_range
        ("23505", false), // unique_violation
    ] {
        let sql = format!("do $$ begin raise exception using errcode = '{code}'; end $$");
        let error = StoreError::Database(sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap_err());
        assert_eq!(error.is_transient(), passes, "{code}");
        let response = ProblemDocument::from(error).into_response();
        let (status, retry) = (response.status().as_u16(), response.headers().contains_key("retry-after"));
        assert_eq!((status, retry), if passes { (503, true) } else { (500, false) }, "{code}");
    }
}

/// A session that holds a lock on a participant's row until it is closed.
async fn hold_row(pool: &PgPool, person: &Person<'_>) -> PgConnection {
    let mut other = PgConnection::connect_with(&pool.connect_options()).await.unwrap();
    sqlx::raw_sql("begin").execute(&mut other).await.unwrap();
    sqlx::query("select from participants where pseudonym = $1 for update")
        .bind(person.pseudonym())
        .execute(&mut other)
        .await
        .unwrap();
    other
}

#[sqlx::test]
async fn a_participant_whose_row_is_locked_delays_no_other(pool: PgPool) {
    let server = Server::live(pool.clone(), 10).await;
    let link = server.link("Volunteers").await;
    let mut people = Vec::new();
    for _ in 0..31 {
        let mut person = Person::arrive(&server, &link).await;
        person.reach_main().await;
        people.push(person);
    }
    let held = people.pop().unwrap();
    let other = hold_row(&pool, &held).await;
    let told = |person: &Person<'_>, answer: u64| {
        let record = json!({ "answers": [person.answer_json("main", 1, answer, 0)] });
        let (token, tab) = (person.token.clone(), person.opened["tab"].clone());
        let mut record = record;
        record["tab"] = tab;
        record["clock_ms"] = json!(100_000.0);
        let server = &server;
        async move { server.post("/api/v1/records", Some(&token), record).await }
    };
    for answer in 1..=3 {
        // The others' records are in one batch with theirs, cached or not.
        let all = futures::future::join_all(people.iter().map(|person| told(person, answer)));
        let (all, (status, problem)) = tokio::join!(all, told(&held, answer));
        for (status, reply) in all {
            assert_eq!((status, &reply["answers"][0]["status"]), (200, &json!("stored")), "{reply}");
        }
        assert_eq!((status, &problem["code"]), (503, &json!("unavailable")), "{problem}");
    }
    // The participant with the locked row cannot complete meanwhile; others can, and consents work.
    let submission = json!({ "tab": 1, "clock_ms": 1.0, "feedback": "" });
    assert_eq!(server.post("/api/v1/complete", Some(&held.token), submission).await.0, 503);
    for person in &mut people[..3] {
        person.answer_main_from(4, true).await;
        assert_eq!(person.complete().await.0, 200);
    }
    Person::arrive(&server, &link).await;
    assert_eq!(server.count("select count(*) from participants where stage = 'complete'").await, 3);
    other.close().await.unwrap();
    assert_eq!(told(&held, 1).await.1["answers"][0]["status"], "stored");
}

#[sqlx::test]
async fn a_slot_whose_lapsed_holder_s_row_is_locked_is_not_given_out_and_all_others_are(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool.clone(), clock.clone()).await;
    server.import(&TinyStudy::new(1)).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    let mut people = Vec::new();
    for _ in 0..5 {
        people.push(Person::arrive(&server, &link).await);
    }
    clock.advance(301);
    let other = hold_row(&pool, &people[0]).await;
    let mut let_in = 0;
    while let_in < 4 {
        match server.enrol(&link, &[]).await {
            (201, _) => let_in += 1,
            (status, reply) => assert_eq!(status, 503, "{reply}"),
        }
    }
    assert_eq!(server.enrol(&link, &[]).await.0, 503);
    other.close().await.unwrap();
    assert_eq!(server.enrol(&link, &[]).await.0, 201);
    assert_eq!(server.enrol(&link, &[]).await.0, 409);
}

#[sqlx::test]
async fn a_session_that_idles_with_a_study_s_lock_is_ended(pool: PgPool) {
    let server = Server::live(pool.clone(), 1).await;
    let link = server.link("Volunteers").await;
    // To PostgreSQL a server that was cut off looks like this.
    let lost = store::pool((*pool.connect_options()).clone(), 1);
    let mut tx = lost.begin().await.unwrap();
    sqlx::raw_sql("select from enrolment_counters for update").execute(&mut *tx).await.unwrap();
    Person::arrive(&server, &link).await;
    assert!(sqlx::raw_sql("select 1").execute(&mut *tx).await.is_err(), "its session was ended");
}

#[sqlx::test]
async fn answers_are_on_disk_under_any_setting_of_the_database(pool: PgPool) {
    let ask = async |pool: &PgPool| -> String {
        sqlx::query_scalar("show synchronous_commit").fetch_one(pool).await.unwrap()
    };
    let name: String = sqlx::query_scalar("select current_database()").fetch_one(&pool).await.unwrap();
    for (set, seen) in [("off", "on"), ("remote_write", "remote_write")] {
        let sql = format!("alter database \"{name}\" set synchronous_commit = {set}");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
        let own = store::pool((*pool.connect_options()).clone(), 1);
        assert_eq!(ask(&own).await, seen);
        let mut writer = RecordConnection::new(&own).take_out().await.unwrap();
        let writers: String =
            sqlx::query_scalar("show synchronous_commit").fetch_one(&mut writer).await.unwrap();
        assert_eq!(writers, seen);
    }
}

#[sqlx::test]
async fn a_read_only_database_enrols_no_one(pool: PgPool) {
    let live = Server::live(pool.clone(), 5).await;
    let link = live.link("Volunteers").await;
    let options = (*pool.connect_options()).clone().options([("default_transaction_read_only", "on")]);
    let server = Server::empty(PgPoolOptions::new().connect_with(options).await.unwrap()).await;
    let (status, words) = server.get("/readyz").await;
    assert_eq!((status, words.contains("read-only")), (503, true), "{words}");
    let (status, page) = server.get(&format!("/enter/{link}")).await;
    assert_eq!((status, page.contains("come back later")), (503, true), "{page}");
    let (status, problem) = server.enrol(&link, &[]).await;
    assert_eq!((status, &problem["code"]), (503, &json!("not_now")));
    assert_eq!(server.app.work.not_now.get(), 2);
    assert_eq!(live.get("/readyz").await.0, 200);
    assert_eq!(live.count("select count(*) from participants").await, 0);
}

#[sqlx::test]
async fn after_a_refused_write_the_database_is_checked_before_consents(pool: PgPool) {
    let server = Server::live(pool.clone(), 5).await;
    let link = server.link("Volunteers").await;
    let full = "create function no_room() returns trigger language plpgsql as
        $$ begin raise exception using errcode = '53100'; end $$;
        create trigger no_room before insert on participants execute function no_room()";
    sqlx::raw_sql(full).execute(&pool).await.unwrap();
    assert_eq!(server.get("/readyz").await.0, 200);
    assert_eq!(server.enrol(&link, &[]).await.1["code"], "unavailable");
    assert_eq!(server.get("/readyz").await.0, 503);
    assert_eq!(server.enrol(&link, &[]).await.1["code"], "not_now");
    assert_eq!(server.get(&format!("/enter/{link}")).await.0, 503);
}

#[sqlx::test]
async fn sessions_of_a_hanging_server_release_their_locks(pool: PgPool) {
    let pool = store::pool((*pool.connect_options()).clone(), 2);
    let limit: String =
        sqlx::query_scalar("show idle_in_transaction_session_timeout").fetch_one(&pool).await.unwrap();
    assert_eq!(limit, "5s");
}

/// A proxy to the database that delays every packet in both directions. Returns its port.
async fn long_line(to: String, delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (near, far) = (listener.accept().await.unwrap().0, TcpStream::connect(&to).await.unwrap());
            let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
            for (mut from, mut to) in [(from_near, to_far), (from_far, to_near)] {
                tokio::spawn(async move {
                    let mut packet = vec![0; 1 << 16];
                    while let Ok(length @ 1..) = from.read(&mut packet).await {
                        tokio::time::sleep(delay).await;
                        if to.write_all(&packet[..length]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        }
    });
    port
}

#[sqlx::test]
async fn consents_succeed_over_a_connection_with_delay(pool: PgPool) {
    let direct = (*pool.connect_options()).clone();
    let to = format!("{}:{}", direct.get_host(), direct.get_port());
    let port = long_line(to, Duration::from_millis(10)).await;
    let far = store::pool(direct.host("127.0.0.1").port(port), 5);
    Server::live(pool, 10).await;
    let server = Server::empty(far).await;
    let report = simulate(&server, &plan(4, "honest=1")).await;
    assert_all_there(&server, &report, 4).await;
}
