//! Identities: paying, comparing with the platform's file, finding, withdrawing and forgetting, and their audit events.

use sqlx::PgPool;
use weber::domain::audit_log::first_broken;
use weber::domain::study::{Platform, StudyState};
use weber::flow::audit::log::Actor;
use weber::flow::study::export::{PolicyChoice, export, prepare};
use weber::flow::study::identities;
use weber::recruitment::reconciliation::Discrepancy;
use weber::store;

use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

const LINKS: &str = "
[[links]]
name = \"Workers\"
platform = \"mturk\"
conditions = [\"none\"]
";

async fn server(pool: PgPool) -> Server {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(2);
    study.edit("study.toml", |text| text + LINKS);
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    server
}

async fn begin<'a>(server: &'a Server, worker: &str) -> Person<'a> {
    let link = server.link("Workers").await;
    let assignment = format!("ASSIGNMENT{worker}");
    let parameters = [("workerId", worker), ("assignmentId", &assignment), ("hitId", "HIT1")];
    let reply = server.enrol(&link, &parameters).await.1;
    Person::with_token(server, reply["token"].as_str().unwrap()).await
}

async fn finish<'a>(server: &'a Server, worker: &str, pass: bool) -> Person<'a> {
    let mut person = begin(server, worker).await;
    person.reach_main().await;
    person.answer_main(pass).await;
    person.complete().await;
    person
}

#[sqlx::test]
async fn all_participants_who_finished_are_paid_whether_kept_or_not(pool: PgPool) {
    let server = server(pool).await;
    finish(&server, "WORKER1", true).await;
    finish(&server, "WORKER2", false).await;
    begin(&server, "WORKER3").await;
    let payments = identities::payments(&server.app, &Actor::command_line(), "demo").await.unwrap();
    let workers: Vec<_> = payments.iter().map(|payment| payment.worker_id.as_str()).collect();
    assert_eq!(workers, ["WORKER1", "WORKER2"]);
    assert_eq!(payments[0].amount.to_string(), "0.70");
    assert_eq!(payments[0].assignment_id.as_deref(), Some("ASSIGNMENTWORKER1"));
}

#[sqlx::test]
async fn the_platforms_own_file_is_compared(pool: PgPool) {
    let server = server(pool).await;
    finish(&server, "WORKER1", true).await;
    finish(&server, "WORKER2", true).await;
    let receipt: String = sqlx::query_scalar("select receipt from identities where worker_id = 'WORKER1'")
        .fetch_one(&server.app.pool)
        .await
        .unwrap();
    let file = format!(
        "AssignmentId,WorkerId,AssignmentStatus,Answer.receipt\n1,WORKER1,Submitted,{receipt}\n2,STRANGER,Submitted,x\n"
    );
    let (platform, lines) =
        identities::reconcile(&server.app, &Actor::command_line(), "demo", &file).await.unwrap();
    let found: Vec<_> = lines.iter().map(|line| (line.finding, line.worker_id.as_str())).collect();
    assert_eq!(platform, Platform::Mturk);
    assert_eq!(
        found,
        [
            (Discrepancy::OnlyHere, "WORKER2"),
            (Discrepancy::OnlyThere, "STRANGER"),
            (Discrepancy::Agreed, "WORKER1")
        ]
    );
    assert!(identities::reconcile(&server.app, &Actor::command_line(), "demo", "x,y\n").await.is_err());
}

#[sqlx::test]
async fn a_withdrawal_deletes_the_data_keeps_the_hashes_and_opens_the_slot(pool: PgPool) {
    let server = server(pool).await;
    let person = finish(&server, "WORKER1", true).await;
    let name = person.pseudonym().to_owned();
    let actor = Actor::command_line();
    assert_eq!(identities::seek(&server.app, &actor, "demo", " WORKER1 ").await.unwrap(), Some(name.clone()));
    assert_eq!(identities::seek(&server.app, &actor, "demo", "WORKER9").await.unwrap(), None);
    identities::withdraw(&server.app, &actor, "demo", &name).await.unwrap();
    identities::withdraw(&server.app, &actor, "demo", &name).await.unwrap();
    for table in ["responses", "schedule", "events", "identities", "assignments", "participant_tokens"] {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        let rows: i64 = sqlx::query_scalar(sql).fetch_one(&server.app.pool).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    let tombstone = "select count(*) from participants where stage = 'withdrawn' and claim = 'released'
        and slot_id is null and posting is null and browser is null and total_ms is null";
    assert_eq!(server.count(tombstone).await, 1);
    let link = server.link("Workers").await;
    let back = [("workerId", "WORKER1"), ("assignmentId", "ASSIGNMENTWORKER1"), ("hitId", "HIT1")];
    assert_eq!(server.enrol(&link, &back).await.1["code"], "already_took_part");
    finish(&server, "WORKER2", true).await;
    finish(&server, "WORKER3", true).await;
    assert_eq!(server.count("select count(*) from participants where claim = 'kept'").await, 2);
    assert_eq!(server.count("select count(*) from journal where action = 'withdrawn'").await, 1);
    assert!(identities::withdraw(&server.app, &actor, "demo", "p-unknown").await.is_err());
}

#[sqlx::test]
async fn after_forgetting_no_id_is_known_and_the_once_only_rule_still_holds(pool: PgPool) {
    let server = server(pool).await;
    finish(&server, "WORKER1", true).await;
    let actor = Actor::command_line();
    assert_eq!(identities::forget(&server.app, &actor, "demo").await.unwrap(), 1);
    assert!(identities::payments(&server.app, &actor, "demo").await.unwrap().is_empty());
    let link = server.link("Workers").await;
    let back = [("workerId", "WORKER1"), ("assignmentId", "OTHER"), ("hitId", "HIT2")];
    assert_eq!(server.enrol(&link, &back).await.1["code"], "already_took_part");
    assert!(identities::seek(&server.app, &actor, "demo", "WORKER1").await.unwrap().is_some());
}

#[sqlx::test]
async fn worker_ids_are_stored_in_the_identity_table_only(pool: PgPool) {
    let server = server(pool).await;
    finish(&server, "WORKER1", true).await;
    let actor = Actor::command_line();
    identities::seek(&server.app, &actor, "demo", "WORKER1").await.unwrap();
    identities::payments(&server.app, &actor, "demo").await.unwrap();
    identities::bar(&server.app, &actor, "demo", Platform::Mturk, "WORKER1").await.unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
            .fetch_all(&server.app.pool)
            .await
            .unwrap();
    for table in tables {
        for id in ["WORKER1", "HIT1"] {
            let sql =
                sqlx::AssertSqlSafe(format!("select count(*) from {table} t where t::text like '%{id}%'"));
            let found: i64 = sqlx::query_scalar(sql).fetch_one(&server.app.pool).await.unwrap();
            let of_ids = ["identities", "assignments"].contains(&table.as_str());
            assert_eq!(found, i64::from(of_ids), "{id} in {table}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let request = prepare(&server.app, "demo", PolicyChoice::Enrolment, &[]).await.unwrap();
    export(&server.app, &request, folder.path()).await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(
            !text.is_empty() && !text.contains("WORKER1") && !text.contains("HIT1"),
            "{:?}",
            entry.path()
        );
    }
}

#[sqlx::test]
async fn the_audit_log_is_one_chain_and_cannot_be_changed(pool: PgPool) {
    let server = server(pool).await;
    let actor = Actor::command_line();
    let seek = |n: usize| {
        let (app, actor) = (server.app.clone(), actor.clone());
        async move { identities::seek(&app, &actor, "demo", &n.to_string()).await.unwrap() }
    };
    futures::future::join_all((0..20).map(seek)).await;
    let mut conn = server.app.pool.acquire().await.unwrap();
    let entries = store::audit_log::all(&mut conn).await.unwrap();
    assert_eq!(entries.len(), 1 + 20, "the import came first");
    assert_eq!(first_broken(&entries), None);
    for change in ["update journal set actor = 'x'", "delete from journal", "truncate journal"] {
        let error = sqlx::query(change).execute(&server.app.pool).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{change}");
    }
}

#[sqlx::test]
async fn a_researcher_without_the_right_sees_no_identity(pool: PgPool) {
    let server = server(pool).await;
    let researcher = store::researchers::Researcher {
        id: 1,
        email: "eve@example.org".into(),
        role: weber::domain::rights::Role::Administrator,
        sees_identities: false,
        second_factor: false,
    };
    let eve = Actor::researcher(&researcher);
    let app = &server.app;
    assert!(identities::payments(app, &eve, "demo").await.is_err());
    assert!(identities::reconcile(app, &eve, "demo", "").await.is_err());
    assert!(identities::seek(app, &eve, "demo", "W").await.is_err());
    assert!(identities::withdraw(app, &eve, "demo", "p-x").await.is_err());
    assert!(identities::forget(app, &eve, "demo").await.is_err());
    assert!(identities::bar(app, &eve, "demo", Platform::Mturk, "W").await.is_err());
    assert_eq!(server.count("select count(*) from journal where action <> 'imported'").await, 0);
}
