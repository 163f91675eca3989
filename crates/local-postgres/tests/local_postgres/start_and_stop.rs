//! Tests of normal starts and stops, and of starts and stops that are interrupted.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;

use rustix::process::{Signal, kill_process, kill_process_group};
use sqlx::{Connection, PgConnection};

use crate::support::{
    Other, Scratch, alive, cluster, log, now, number, postmaster, processes_of, run, serve, text, until,
};

#[tokio::test]
async fn the_first_start_makes_a_safe_and_private_cluster() {
    let scratch = Scratch::new();
    let server = serve(&scratch).await;
    let options = server.options();
    for (query, expected) in [
        ("select current_user::text", "weber"),
        ("select current_database()::text", "weber"),
        ("select usesuper::text from pg_user where usename = current_user", "false"),
        ("select datdba::regrole::text from pg_database where datname = 'weber'", "weber"),
        ("select pg_encoding_to_char(encoding)::text from pg_database where datname = 'weber'", "UTF8"),
        ("select datcollate::text || datctype::text from pg_database where datname = 'weber'", "CC"),
        ("select current_setting('data_checksums')", "on"),
        ("select current_setting('fsync')", "on"),
        ("select current_setting('full_page_writes')", "on"),
        ("select current_setting('synchronous_commit')", "on"),
        ("select current_setting('listen_addresses')", ""),
        ("select current_setting('max_connections')", "120"),
        ("select current_setting('log_statement')", "none"),
        ("select current_setting('log_parameter_max_length')", "0"),
        ("select current_setting('log_parameter_max_length_on_error')", "0"),
        ("select current_setting('TimeZone')", "UTC"),
    ] {
        assert_eq!(text(&options, query).await, expected, "{query}");
    }
    let socket = cluster(&scratch.data()).join(".s.PGSQL.5432");
    for path in [&scratch.data(), &cluster(&scratch.data()), &socket] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700, "{}", path.display());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn stopping_leaves_no_process_and_keeps_the_data() {
    let scratch = Scratch::with_cluster().await;
    let server = serve(&scratch).await;
    let pid = postmaster(&scratch.data()).unwrap();
    assert!(alive(pid) && !processes_of(&scratch.data()).is_empty());
    run(&server.options(), "create table kept (number int); insert into kept values (7)").await;
    let open = PgConnection::connect_with(&server.options()).await.unwrap();
    server.stop().await.unwrap();
    assert!(!alive(pid));
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
    assert!(open.close().await.is_err(), "open connections are closed at once");
    let server = serve(&scratch).await;
    assert_eq!(number(&server.options(), "select sum(number) from kept").await, 7);
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_server_stops() {
    let scratch = Scratch::with_cluster().await;
    let data = scratch.data();
    let task = tokio::spawn(async move {
        let _server = serve(&scratch).await;
        panic!("on purpose");
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(processes_of(&data), [""; 0]);
}

#[tokio::test]
async fn an_abandoned_start_leaves_no_process() {
    let scratch = Scratch::new();
    for milliseconds in [5, 50, 150, 300, 450, 600, 650, 700, 750, 800] {
        let timeout = Duration::from_millis(milliseconds);
        if let Ok(server) = tokio::time::timeout(timeout, scratch.postgres().serve(now())).await {
            server.unwrap().stop().await.unwrap();
        }
    }
    until("everything has ended", || processes_of(&scratch.data()).is_empty()).await;
    let server = serve(&scratch).await;
    assert_eq!(number(&server.options(), "select 1::int8").await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_start_that_fails_shows_the_log_and_leaves_no_process() {
    let scratch = Scratch::with_cluster().await;
    fs::write(cluster(&scratch.data()).join("postgresql.conf"), "work_mem = lots\n").unwrap();
    let error = scratch.postgres().serve(now()).await.unwrap_err().to_string();
    assert!(error.contains("ended while it was starting (exit status: 1)"), "{error}");
    assert!(
        error.contains("postgres.log") && error.contains("invalid value for parameter \"work_mem\""),
        "{error}"
    );
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
}

#[tokio::test]
async fn the_server_stops_despite_a_hanging_backend() {
    let scratch = Scratch::with_cluster().await;
    let mut postgres = scratch.postgres();
    postgres.stop_patience = Duration::from_millis(300);
    let server = postgres.serve(now()).await.unwrap();
    run(&server.options(), "create table kept (number int8); insert into kept values (7)").await;
    let mut connection = PgConnection::connect_with(&server.options()).await.unwrap();
    let backend: i32 =
        sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await.unwrap();
    kill_process(rustix::process::Pid::from_raw(backend).unwrap(), Signal::STOP).unwrap();
    server.stop().await.unwrap();
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
    let server = serve(&scratch).await;
    assert_eq!(number(&server.options(), "select number from kept").await, 7);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn ctrl_c_reaches_weber_alone_which_then_stops_the_database() {
    let scratch = Scratch::with_cluster().await;
    let mut other = Other::ready("serve", &scratch.data());
    let pid = postmaster(&scratch.data()).unwrap();
    kill_process_group(other.pid(), Signal::INT).unwrap(); // as a terminal does
    assert_eq!(other.answer(), "interrupted, 6 * 7 = 42");
    other.end();
    assert!(!alive(pid));
}

#[tokio::test]
async fn the_log_contains_no_personal_data() {
    let scratch = Scratch::with_cluster().await;
    let server = serve(&scratch).await;
    run(
        &server.options(),
        "create table people (worker text primary key); insert into people values ('A1SECRET')",
    )
    .await;
    let mut connection = PgConnection::connect_with(&server.options()).await.unwrap();
    for statement in ["insert into people values ($1)", "select $1::text::int from people"] {
        let refused = sqlx::query(statement).bind("A1SECRET").execute(&mut connection).await;
        assert!(refused.is_err(), "{statement}");
    }
    assert!(sqlx::raw_sql("select 'A1SECRET'::int").execute(&mut connection).await.is_err());
    // PostgreSQL logs which statement a process was running when it was killed.
    let backend: i32 =
        sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await.unwrap();
    let doing = tokio::spawn(async move {
        sqlx::raw_sql("select pg_sleep(60), 'A1SECRET'").execute(&mut connection).await.is_err()
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    kill_process(rustix::process::Pid::from_raw(backend).unwrap(), Signal::KILL).unwrap();
    assert!(doing.await.unwrap());
    crate::support::answers_again(&server.options()).await;
    server.stop().await.unwrap();
    let log = log(&scratch.data());
    assert!(log.contains("was terminated by signal 9"), "{log}");
    assert!(!log.contains("SECRET") && !log.contains("select") && !log.contains("insert"), "{log}");
}

#[tokio::test]
async fn a_large_log_is_truncated_while_the_server_runs() {
    let scratch = Scratch::with_cluster().await;
    let server = serve(&scratch).await;
    let log = scratch.data().join("postgres/postgres.log");
    let large = fs::OpenOptions::new().append(true).open(&log).unwrap();
    large.set_len(5 << 20).unwrap();
    until("the log is small again", || fs::metadata(&log).unwrap().size() < 1 << 20).await;
    server.stop().await.unwrap();
    let text = fs::read_to_string(&log).unwrap();
    assert!(
        text.contains("database system is shut down") && !text.contains('\0'),
        "the server continues to write to it"
    );
}
