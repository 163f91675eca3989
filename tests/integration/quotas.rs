//! The quota of a study is changed while people take part.

use sqlx::PgPool;
use weber::domain::study::StudyState;
use weber::flow::audit::log::Actor;
use weber::flow::study::control;

use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

async fn set_quota(server: &Server, places: u32) {
    control::set_quota(&server.app, &Actor::command_line(), "demo", places).await.unwrap();
}

/// Enrols people until the study is full. Returns how many were enrolled.
async fn let_in(server: &Server, link: &str) -> usize {
    let mut n = 0;
    loop {
        let (status, reply) = server.enrol(link, &[]).await;
        match status {
            201 => n += 1,
            _ => {
                assert_eq!(reply["code"], "full");
                return n;
            }
        }
    }
}

/// A live study of five conditions, with a clock that the test sets.
async fn live(pool: PgPool, places: u32) -> (Server, String, std::sync::Arc<TestClock>) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    server.import(&TinyStudy::new(places)).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    (server, link, clock)
}

#[sqlx::test]
async fn after_a_lower_quota_only_so_many_slots_are_given_out(pool: PgPool) {
    let (server, link, _) = live(pool, 3).await;
    let kept = Person::go_through(&server, &link, true).await;
    assert_eq!(kept.column("claim").await, "kept");
    set_quota(&server, 1).await;
    assert_eq!(let_in(&server, &link).await, 4, "one slot in each of the other conditions");
    set_quota(&server, 2).await;
    assert_eq!(let_in(&server, &link).await, 5);
    assert_eq!(
        server.count("select count(*) from slots where mode = 'live' and in_design").await,
        10,
        "two slots in each condition"
    );
}

#[sqlx::test]
async fn participants_keep_their_slots_under_a_lower_quota_and_these_are_not_given_again(pool: PgPool) {
    let (server, link, _) = live(pool, 2).await;
    let mut people = Vec::new();
    for _ in 0..10 {
        people.push(Person::arrive(&server, &link).await);
    }
    set_quota(&server, 1).await;
    assert_eq!(server.count("select count(*) from participants where claim = 'leased'").await, 10);
    let (status, _) =
        server.post("/api/v1/leave", Some(&people[0].token), serde_json::json!({ "reason": "left" })).await;
    assert_eq!(status, 200);
    assert_eq!(let_in(&server, &link).await, 0, "their condition still has a participant who is taking part");
    for person in &mut people[1..] {
        person.reach_main().await;
        person.answer_main(true).await;
        assert_eq!(person.complete().await.0, 200);
    }
    assert_eq!(server.count("select count(*) from participants where claim = 'kept'").await, 9);
}

#[sqlx::test]
async fn a_lower_quota_removes_slots_with_lapsed_leases(pool: PgPool) {
    let (server, link, clock) = live(pool, 2).await;
    let mut people = Vec::new();
    for _ in 0..10 {
        people.push(Person::arrive(&server, &link).await);
    }
    clock.advance(301);
    set_quota(&server, 1).await;
    assert_eq!(let_in(&server, &link).await, 5);
    for person in &mut people {
        person.open().await;
        assert_eq!(person.column("claim").await, "lost", "participants may continue without a slot");
    }
    assert_eq!(let_in(&server, &link).await, 0);
}

#[sqlx::test]
async fn new_slots_have_the_image_sets_of_the_design_and_survive_a_new_version(pool: PgPool) {
    let (server, link, _) = live(pool, 2).await;
    for _ in 0..6 {
        server.enrol(&link, &[]).await;
    }
    set_quota(&server, 4).await;
    let open = "select count(*) from slots where mode = 'live' and in_design";
    assert_eq!(server.count(open).await, 20);
    assert_eq!(
        server
            .count("select count(*) from slots where mode = 'live' and number = 4 and image_set <> 1")
            .await,
        0
    );
    assert!(control::set_quota(&server.app, &Actor::command_line(), "demo", 0).await.is_err());
    // A new version of the texts does not undo the change.
    let study = TinyStudy::new(2);
    study.edit("study.toml", |text| text.replace("title = \"Which image", "title = \"New: which image"));
    server.import(&study).await;
    assert_eq!(server.count(open).await, 20);
    assert_eq!(server.count("select count(*) from participants where claim = 'leased'").await, 6);
}

#[sqlx::test]
async fn slots_made_by_a_mistyped_quota_are_deleted(pool: PgPool) {
    let (server, link, _) = live(pool, 2).await;
    let made = "select count(*) from slots";
    let before = server.count(made).await;
    set_quota(&server, 1000).await;
    assert_eq!(server.count(made).await, 3 * 5 * 1000);
    let person = Person::arrive(&server, &link).await;
    set_quota(&server, 2).await;
    assert_eq!(server.count(made).await, before, "the number of slots is as before");
    assert_eq!(person.column("claim").await, "leased");
    assert_eq!(let_in(&server, &link).await, 9);
    set_quota(&server, 3).await;
    assert_eq!(let_in(&server, &link).await, 5, "the slots can be made again");
}
