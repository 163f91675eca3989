//! How many people a study takes, changed while they are at work.

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

/// How many newcomers are let in until one is told that the study is full.
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

/// A live study of five conditions, by a clock that the test sets.
async fn live(pool: PgPool, places: u32) -> (Server, String, std::sync::Arc<TestClock>) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    server.import(&TinyStudy::new(places)).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    (server, link, clock)
}

#[sqlx::test]
async fn fewer_places_are_given_out_and_no_more(pool: PgPool) {
    let (server, link, _) = live(pool, 3).await;
    let kept = Person::go_through(&server, &link, true).await;
    assert_eq!(kept.column("claim").await, "kept");
    set_quota(&server, 1).await;
    assert_eq!(let_in(&server, &link).await, 4, "one place in each of the other conditions");
    set_quota(&server, 2).await;
    assert_eq!(let_in(&server, &link).await, 5);
    assert_eq!(
        server.count("select count(*) from slots where mode = 'live' and in_design").await,
        10,
        "two in each condition"
    );
}

#[sqlx::test]
async fn whoever_is_at_work_keeps_their_place_and_nobody_follows_them(pool: PgPool) {
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
    assert_eq!(let_in(&server, &link).await, 0, "their condition still has somebody at work");
    for person in &mut people[1..] {
        person.reach_main().await;
        person.answer_main(true).await;
        assert_eq!(person.complete().await.0, 200);
    }
    assert_eq!(server.count("select count(*) from participants where claim = 'kept'").await, 9);
}

#[sqlx::test]
async fn places_whose_leases_have_lapsed_are_taken_away(pool: PgPool) {
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
        assert_eq!(person.column("claim").await, "lost", "they may go on, without a place");
    }
    assert_eq!(let_in(&server, &link).await, 0);
}

#[sqlx::test]
async fn more_places_show_the_design_s_image_sets_and_survive_a_new_version(pool: PgPool) {
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
    // A new version of the texts does not take the change back.
    let study = TinyStudy::new(2);
    study.edit("study.toml", |text| text.replace("title = \"Which image", "title = \"New: which image"));
    server.import(&study).await;
    assert_eq!(server.count(open).await, 20);
    assert_eq!(server.count("select count(*) from participants where claim = 'leased'").await, 6);
}

#[sqlx::test]
async fn places_that_a_mistyped_number_made_are_gone(pool: PgPool) {
    let (server, link, _) = live(pool, 2).await;
    let made = "select count(*) from slots";
    let before = server.count(made).await;
    set_quota(&server, 1000).await;
    assert_eq!(server.count(made).await, 3 * 5 * 1000);
    let person = Person::arrive(&server, &link).await;
    set_quota(&server, 2).await;
    assert_eq!(server.count(made).await, before, "arrivals read what is to be filled");
    assert_eq!(person.column("claim").await, "leased");
    assert_eq!(let_in(&server, &link).await, 9);
    set_quota(&server, 3).await;
    assert_eq!(let_in(&server, &link).await, 5, "they can be made anew");
}
