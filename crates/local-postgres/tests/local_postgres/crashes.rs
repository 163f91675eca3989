//! Tests of crashes of Weber and of PostgreSQL at every bad moment.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

use crate::support::{
    Other, Scratch, alive, answers_again, cluster, is_root, number, postmaster, processes_of, run, serve,
    until,
};

const TABLE: &str = "create table kept (number int8); insert into kept values (7)";

async fn kept(scratch: &Scratch) {
    let server = serve(scratch).await;
    assert_eq!(number(&server.options(), "select number from kept").await, 7);
    server.stop().await.unwrap();
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
}

/// A server of another process, with a table; returned with its postmaster.
async fn served_elsewhere(scratch: &Scratch) -> (Other, Pid) {
    let server = serve(scratch).await;
    run(&server.options(), TABLE).await;
    server.stop().await.unwrap();
    let other = Other::ready("serve", &scratch.data());
    (other, postmaster(&scratch.data()).unwrap())
}

#[tokio::test]
async fn weber_killed_then_served_again() {
    let scratch = Scratch::with_cluster().await;
    let (mut other, orphan) = served_elsewhere(&scratch).await;
    other.kill();
    assert!(alive(orphan));
    kept(&scratch).await;
    assert!(!alive(orphan));
}

#[tokio::test]
async fn weber_killed_then_borrowed() {
    let scratch = Scratch::with_cluster().await;
    let (mut other, orphan) = served_elsewhere(&scratch).await;
    other.kill();
    let borrowed = scratch.postgres().borrow().await.unwrap();
    assert_eq!(postmaster(&scratch.data()), Some(orphan));
    assert_eq!(number(&borrowed.options(), "select number from kept").await, 7);
    borrowed.finish().await.unwrap();
    assert!(!alive(orphan));
}

#[tokio::test]
async fn weber_killed_while_another_borrows() {
    let scratch = Scratch::with_cluster().await;
    let (mut other, orphan) = served_elsewhere(&scratch).await;
    let borrowed = scratch.postgres().borrow().await.unwrap();
    other.kill();
    let server = serve(&scratch).await;
    assert_eq!(postmaster(&scratch.data()), Some(orphan), "the borrower still uses it");
    // The borrower restarts the adopted server like its own.
    kill_process(orphan, Signal::KILL).unwrap();
    answers_again(&server.options()).await;
    assert_eq!(number(&borrowed.options(), "select number from kept").await, 7);
    borrowed.finish().await.unwrap();
    server.stop().await.unwrap();
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
}

#[tokio::test]
async fn a_hanging_orphan_is_replaced() {
    let scratch = Scratch::with_cluster().await;
    let (mut other, orphan) = served_elsewhere(&scratch).await;
    kill_process(orphan, Signal::STOP).unwrap();
    other.kill();
    let mut postgres = scratch.postgres();
    postgres.stop_patience = Duration::from_millis(100);
    let server = postgres.serve(crate::support::now()).await.unwrap();
    assert_eq!(number(&server.options(), "select number from kept").await, 7);
    server.stop().await.unwrap();
    assert!(!alive(orphan));
}

#[tokio::test]
async fn postgres_killed_then_weber_killed() {
    let scratch = Scratch::with_cluster().await;
    let (mut other, pid) = served_elsewhere(&scratch).await;
    kill_process(other.pid(), Signal::STOP).unwrap(); // otherwise it would start another one at once
    kill_process(pid, Signal::KILL).unwrap();
    other.kill();
    assert!(cluster(&scratch.data()).join("postmaster.pid").exists());
    kept(&scratch).await;
}

#[tokio::test]
async fn weber_killed_then_postgres_killed() {
    let scratch = Scratch::with_cluster().await;
    let (mut other, pid) = served_elsewhere(&scratch).await;
    other.kill();
    kill_process(pid, Signal::KILL).unwrap();
    kept(&scratch).await;
}

/// After a restart of the machine or container, the number in `postmaster.pid` may belong to any process. Where no process waits
/// for orphans, the dead server stays as a zombie.
#[tokio::test]
async fn a_recycled_process_number() {
    let scratch = Scratch::with_cluster().await;
    let (mut other, pid) = served_elsewhere(&scratch).await;
    other.kill();
    kill_process(pid, Signal::KILL).unwrap();
    until("the server has ended", || processes_of(&scratch.data()).is_empty()).await;
    for seconds in ["60", "0"] {
        let mut sleep = Command::new("sleep");
        if is_root() {
            sleep.uid(fs::metadata(cluster(&scratch.data())).unwrap().uid()); // PostgreSQL is misled only by a process of its own user
        }
        let mut stranger = sleep.arg(seconds).spawn().unwrap();
        until("the zombie has died", || seconds != "0" || !alive(Pid::from_child(&stranger))).await;
        for name in ["postmaster.pid", ".s.PGSQL.5432.lock"] {
            let left = format!("{}\n/elsewhere\n1700000000\n5432\n.\n\n\nready   \n", stranger.id());
            fs::write(cluster(&scratch.data()).join(name), left).unwrap();
        }
        let begun = Instant::now();
        kept(&scratch).await;
        assert!(begun.elapsed() < Duration::from_secs(12), "it must be found at once, without waiting");
        assert!(
            seconds == "0" || stranger.try_wait().unwrap().is_none(),
            "Weber leaves the other process alone"
        );
        let _ = stranger.kill();
        stranger.wait().unwrap();
    }
}

/// Writes rows until told to stop, and counts the acknowledged ones.
async fn write_rows(options: PgConnectOptions, acknowledged: Arc<AtomicI64>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        let Ok(mut connection) = PgConnection::connect_with(&options).await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while !stop.load(Ordering::SeqCst) {
            let next = acknowledged.load(Ordering::SeqCst) + 1;
            let insert = "insert into answers values ($1) on conflict do nothing";
            if sqlx::query(insert).bind(next).execute(&mut connection).await.is_err() {
                break;
            }
            acknowledged.store(next, Ordering::SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_while_served_comes_back_with_every_answer() {
    let scratch = Scratch::with_cluster().await;
    let server = serve(&scratch).await;
    run(&server.options(), "create table answers (number int8 primary key)").await;
    let (acknowledged, stop) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let writer = tokio::spawn(write_rows(server.options(), Arc::clone(&acknowledged), Arc::clone(&stop)));
    let more = async || {
        let before = acknowledged.load(Ordering::SeqCst);
        until("rows are acknowledged", || acknowledged.load(Ordering::SeqCst) > before + 50).await;
    };
    for _ in 0..2 {
        more().await;
        let pid = postmaster(&scratch.data()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        answers_again(&server.options()).await;
        assert_ne!(postmaster(&scratch.data()), Some(pid));
    }
    more().await;
    stop.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    let acknowledged = acknowledged.load(Ordering::SeqCst);
    assert_eq!(number(&server.options(), "select count(*) from answers").await, acknowledged);
    assert_eq!(number(&server.options(), "select max(number) from answers").await, acknowledged);
    server.stop().await.unwrap();
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
}

#[tokio::test]
async fn the_server_survives_a_killed_backend() {
    let scratch = Scratch::with_cluster().await;
    let server = serve(&scratch).await;
    run(&server.options(), TABLE).await;
    let pid = postmaster(&scratch.data());
    let mut connection = PgConnection::connect_with(&server.options()).await.unwrap();
    let backend: i32 =
        sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await.unwrap();
    let mut witness = PgConnection::connect_with(&server.options()).await.unwrap();
    kill_process(Pid::from_raw(backend).unwrap(), Signal::KILL).unwrap();
    // The postmaster has noticed the crash once it ends the other sessions, too.
    while sqlx::query("select 1").execute(&mut witness).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    answers_again(&server.options()).await;
    assert_eq!(number(&server.options(), "select number from kept").await, 7);
    assert_eq!(postmaster(&scratch.data()), pid);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_start_is_retried_until_it_can() {
    let scratch = Scratch::with_cluster().await;
    let server = serve(&scratch).await;
    run(&server.options(), TABLE).await;
    let settings = cluster(&scratch.data()).join("postgresql.conf");
    let good = fs::read(&settings).unwrap();
    fs::write(&settings, "work_mem = lots\n").unwrap();
    kill_process(postmaster(&scratch.data()).unwrap(), Signal::KILL).unwrap();
    until("a start has failed", || {
        crate::support::log(&scratch.data()).contains("invalid value for parameter")
    })
    .await;
    fs::write(&settings, good).unwrap();
    answers_again(&server.options()).await;
    assert_eq!(number(&server.options(), "select number from kept").await, 7);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn stopping_is_quick_and_final_while_postgres_is_down() {
    let scratch = Scratch::with_cluster().await;
    let server = serve(&scratch).await;
    kill_process(postmaster(&scratch.data()).unwrap(), Signal::KILL).unwrap();
    server.stop().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
}

/// Kills Weber as soon as `initdb` has made a file. `initdb` itself continues for a moment, or is killed, too.
async fn killed_in_initdb(scratch: &Scratch, initdb_too: bool) {
    let mut other = Other::begin("serve", &scratch.data(), |_| {});
    let fresh = || {
        let entries = fs::read_dir(scratch.data().join("postgres")).ok()?;
        entries.flatten().map(|e| e.path()).find(|p| p.display().to_string().contains("cluster.init-"))
    };
    until("initdb works", || fresh().is_some_and(|folder| folder.join("base/1").exists())).await;
    let initdb = processes_of(&scratch.data());
    other.kill();
    assert!(!cluster(&scratch.data()).exists(), "killed too late");
    if initdb_too {
        for line in initdb {
            let pid = Pid::from_raw(line.split_whitespace().next().unwrap().parse().unwrap()).unwrap();
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    assert!(fresh().is_some());
}

#[tokio::test]
async fn weber_killed_in_the_middle_of_initdb() {
    for initdb_too in [false, true] {
        let scratch = Scratch::new();
        killed_in_initdb(&scratch, initdb_too).await;
        let server = serve(&scratch).await;
        run(&server.options(), TABLE).await;
        server.stop().await.unwrap();
        kept(&scratch).await;
        let mut names: Vec<_> = fs::read_dir(scratch.data().join("postgres"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["cluster", "gate.lock", "postgres.log", "users.lock"]);
    }
}
