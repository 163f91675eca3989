//! The database is slow, hangs, or refuses for a while.

use std::time::Duration;

use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use weber::domain::record::Record;
use weber::flow::FlowError;
use weber::flow::record::{self, Job};
use weber::flow::secrets::token_sha256;
use weber::simulate::{Ending, Report};
use weber::store::{self, StoreError};

use crate::simulation::{plan, simulate};
use crate::support::person::Person;
use crate::support::server::Server;

/// Somebody else's session that holds a table, until it is closed.
async fn hold(pool: &PgPool, table: &str) -> PgConnection {
    let mut other = PgConnection::connect_with(&pool.connect_options()).await.unwrap();
    let sql = format!("begin; lock table {table} in access exclusive mode");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut other).await.unwrap();
    other
}

async fn assert_all_there(server: &Server, report: &Report, people: u32) {
    assert_eq!(report.endings.get(&Ending::Complete), Some(&people));
    let stored = server.count("select count(*) from responses").await;
    assert_eq!(stored as usize, report.acknowledged.len(), "each answer is there once");
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
async fn without_a_free_connection_people_are_told_to_come_again_and_then_it_goes_on(pool: PgPool) {
    let live = Server::live(pool.clone(), 1).await;
    let link = live.link("Volunteers").await;
    // One for live pages, and one for everybody else; those who write records have their own.
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
    assert_eq!(opened.status(), 200, "whoever had it waited for the table");
    assert_eq!(server.get("/readyz").await.0, 200);
}

#[sqlx::test]
async fn a_database_that_hangs_does_not_hold_the_writers_for_ever(pool: PgPool) {
    let server = Server::live(pool.clone(), 1).await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    let queue = record::queue(&server.app, Duration::from_millis(300));
    let job = Job { token_sha256: token_sha256(&person.token), record: Record::default() };
    let other = hold(&pool, "participants").await;
    let Err(FlowError::Store(error)) = queue.ask(job.clone()).await else { panic!("it cannot be stored") };
    assert!(error.is_transient(), "the browser repeats it");
    other.close().await.unwrap();
    queue.ask(job).await.unwrap();
}

#[sqlx::test]
async fn whoever_went_away_before_their_turn_is_not_let_in(pool: PgPool) {
    let server = Server::live(pool.clone(), 20).await;
    let link = server.link("Volunteers").await;
    let other = hold(&pool, "enrolment_counters").await;
    let impatient = async || {
        let request = tokio::time::timeout(Duration::from_millis(500), server.enrol(&link, &[]));
        assert!(request.await.is_err(), "the door is held");
    };
    // The turn of the first comes; all others wait behind them.
    impatient().await;
    futures::future::join_all((0..10).map(|_| impatient())).await;
    other.close().await.unwrap();
    assert_eq!(server.enrol(&link, &[]).await.0, 201);
    let let_in = server.count("select count(*) from participants").await;
    assert!(let_in <= 2, "{let_in} were let in, and hold places that nobody uses");
}

#[sqlx::test]
async fn what_may_pass_by_itself_is_not_taken_for_a_fault(pool: PgPool) {
    for (code, passes) in [
        ("53100", true),  // disk_full
        ("58030", true),  // io_error
        ("25006", true),  // read_only_sql_transaction
        ("25P03", true),  // idle_in_transaction_session_timeout
        ("57P01", true),  // admin_shutdown
        ("40P01", true),  // deadlock_detected
        ("22003", false), // numeric_value_out_of_range
        ("23505", false), // unique_violation
    ] {
        let sql = format!("do $$ begin raise exception using errcode = '{code}'; end $$");
        let error = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap_err();
        assert_eq!(StoreError::Database(error).is_transient(), passes, "{code}");
    }
}

#[sqlx::test]
async fn a_server_that_hangs_lets_go_of_its_locks(pool: PgPool) {
    let pool = store::pool((*pool.connect_options()).clone(), 2);
    let limit: String =
        sqlx::query_scalar("show idle_in_transaction_session_timeout").fetch_one(&pool).await.unwrap();
    assert_eq!(limit, "1min");
}

/// A long line to the database: every packet takes so long, either way. Returns the port at this end.
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
async fn over_a_long_line_everybody_arrives(pool: PgPool) {
    let direct = (*pool.connect_options()).clone();
    let to = format!("{}:{}", direct.get_host(), direct.get_port());
    let port = long_line(to, Duration::from_millis(10)).await;
    let far = store::pool(direct.host("127.0.0.1").port(port), 5);
    Server::live(pool, 10).await;
    let server = Server::empty(far).await;
    let report = simulate(&server, &plan(4, "honest=1")).await;
    assert_all_there(&server, &report, 4).await;
}
