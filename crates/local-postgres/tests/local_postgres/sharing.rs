//! Tests of several Weber processes on one data folder.

use sqlx::{Connection, PgConnection};

use crate::support::{Other, Scratch, alive, now, number, postmaster, processes_of, run, serve};

#[tokio::test]
async fn a_second_server_is_refused_and_told_which_process_has_the_data() {
    let scratch = Scratch::with_cluster().await;
    let server = serve(&scratch).await;
    run(&server.options(), "create table kept (number int8); insert into kept values (7)").await;
    let expected = format!(
        "Weber is already running on this data (pid {}, since 2026-11-24T09:30:00Z)",
        std::process::id()
    );
    let error = scratch.postgres().serve(now()).await.unwrap_err().to_string();
    assert!(error.starts_with(&expected), "{error}");
    let error = Other::begin("serve", &scratch.data(), |_| {}).refusal();
    assert!(error.starts_with(&expected), "{error}");
    assert_eq!(number(&server.options(), "select number from kept").await, 7);
    server.stop().await.unwrap();
    serve(&scratch).await.stop().await.unwrap();
}

#[test]
fn two_borrowers_at_the_same_time_on_new_data() {
    let scratch = Scratch::new();
    let mut borrowers = [(); 2].map(|()| Other::begin("borrow", &scratch.data(), |_| {}));
    for borrower in &mut borrowers {
        assert_eq!(borrower.answer(), "ready");
    }
    let pid = postmaster(&scratch.data()).unwrap();
    let [first, second] = borrowers;
    first.end();
    assert!(alive(pid), "the first one to end must not stop the server that the second uses");
    assert_eq!(postmaster(&scratch.data()), Some(pid));
    second.end();
    assert!(!alive(pid));
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
}

#[tokio::test]
async fn a_borrower_uses_the_server_that_runs() {
    let scratch = Scratch::with_cluster().await;
    let server = serve(&scratch).await;
    run(&server.options(), "create table kept (number int8); insert into kept values (7)").await;
    let pid = postmaster(&scratch.data()).unwrap();
    let borrowed = scratch.postgres().borrow().await.unwrap();
    assert_eq!(number(&borrowed.options(), "select number from kept").await, 7);
    assert_eq!(postmaster(&scratch.data()), Some(pid));
    borrowed.finish().await.unwrap();
    assert!(alive(pid));
    assert_eq!(number(&server.options(), "select number from kept").await, 7);
    server.stop().await.unwrap();
    assert!(!alive(pid));
}

#[tokio::test]
async fn a_serving_process_does_not_disturb_a_borrower() {
    let scratch = Scratch::with_cluster().await;
    let borrower = scratch.postgres().borrow().await.unwrap();
    let pid = postmaster(&scratch.data()).unwrap();
    let mut connection = PgConnection::connect_with(&borrower.options()).await.unwrap();
    let server = serve(&scratch).await;
    assert_eq!(number(&server.options(), "select 1::int8").await, 1);
    server.stop().await.unwrap();
    connection.ping().await.unwrap();
    assert_eq!(postmaster(&scratch.data()), Some(pid));
    borrower.finish().await.unwrap();
    assert!(!alive(pid));
}

#[tokio::test]
async fn a_borrower_does_not_stop_the_server_of_a_serving_process() {
    let scratch = Scratch::with_cluster().await;
    let other = Other::ready("borrow", &scratch.data());
    let pid = postmaster(&scratch.data()).unwrap();
    let server = serve(&scratch).await;
    other.end();
    assert!(alive(pid));
    assert_eq!(number(&server.options(), "select 1::int8").await, 1);
    server.stop().await.unwrap();
    assert!(!alive(pid));
}

#[tokio::test]
async fn many_short_borrowers_never_disturb_each_other() {
    let scratch = Scratch::new();
    let each = |_| {
        let postgres = scratch.postgres();
        tokio::spawn(async move {
            for _ in 0..4 {
                let borrowed = postgres.borrow().await.unwrap();
                assert_eq!(number(&borrowed.options(), "select 42::int8").await, 42);
                borrowed.finish().await.unwrap();
            }
        })
    };
    let tasks: Vec<_> = (0..4).map(each).collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(processes_of(&scratch.data()), [""; 0]);
}
