//! A study closes itself as soon as no further participant can be kept, by each of the ways that lead there.

use std::sync::Arc;

use serde_json::json;
use sqlx::PgPool;
use weber::domain::analysis::{Decision, Override};
use weber::domain::study::StudyState;
use weber::flow::audit::log::Actor;
use weber::flow::study::{control, decisions};

use crate::support::browser::{Browser, OpenPage};
use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

/// A live study with one slot in each of five conditions, four of which are filled.
async fn nearly_full(pool: PgPool) -> (Server, String, Arc<TestClock>) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    let study = TinyStudy::new(1);
    let experts = "\n[[links]]\nname = \"Experts\"\ngroup = \"expert\"\n";
    study.edit("study.toml", |text| format!("{text}{experts}"));
    server.import(&study).await;
    switch_experts(&server, false).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    for _ in 0..4 {
        Person::go_through(&server, &link, true).await;
    }
    (server, link, clock)
}

async fn switch_experts(server: &Server, on: bool) {
    let id = server.count("select id from links where name = 'Experts'").await;
    control::enable_link(&server.app, &Actor::command_line(), "demo", id, on).await.unwrap();
}

async fn is_closed(server: &Server) -> bool {
    server.count("select count(*) from studies where state = 'closed'").await == 1
}

async fn finish(person: &mut Person<'_>) {
    person.reach_main().await;
    person.answer_main(true).await;
    assert_eq!(person.complete().await.0, 200);
}

/// Two participants for the last slot: the first lost it and passed without one, the second holds it and is taking part.
async fn late_and_at_work<'a>(server: &'a Server, link: &str, clock: &TestClock) -> (Person<'a>, Person<'a>) {
    let mut late = Person::arrive(server, link).await;
    clock.advance(301);
    let at_work = Person::arrive(server, link).await;
    finish(&mut late).await;
    assert_eq!(late.column("claim").await, "surplus");
    assert!(!is_closed(server).await, "a participant still holds the last slot");
    (late, at_work)
}

#[sqlx::test]
async fn a_study_closes_by_the_last_completion(pool: PgPool) {
    let (server, link, _) = nearly_full(pool).await;
    let mut last = Person::arrive(&server, &link).await;
    assert!(!is_closed(&server).await, "one participant is still taking part");
    let browser = Browser::signed_in(&server).await;
    let mut page = OpenPage::at(&browser, "/lab/studies/demo/live").await;
    page.hears("state-live").await;
    finish(&mut last).await;
    page.hears("state-closed").await;
    page.hears("Open again").await;
    assert!(is_closed(&server).await);
    assert_eq!(
        server.count("select count(*) from journal where actor = 'weber' and action = 'state_changed'").await,
        1
    );
    assert_eq!(server.enrol(&link, &[]).await.1["code"], "closed");
}

#[sqlx::test]
async fn a_study_closes_when_a_participant_leaves_and_a_surplus_one_gets_the_slot(pool: PgPool) {
    let (server, link, clock) = nearly_full(pool).await;
    let (late, at_work) = late_and_at_work(&server, &link, &clock).await;
    let (status, _) = server.post("/api/v1/leave", Some(&at_work.token), json!({ "reason": "left" })).await;
    assert_eq!(status, 200);
    assert_eq!(late.column("claim").await, "kept");
    assert!(is_closed(&server).await);
}

#[sqlx::test]
async fn a_study_closes_when_a_consent_gives_a_lapsed_slot_to_a_surplus_participant(pool: PgPool) {
    let (server, link, clock) = nearly_full(pool).await;
    let (late, _) = late_and_at_work(&server, &link, &clock).await;
    clock.advance(301);
    assert_eq!(server.enrol(&link, &[]).await.1["code"], "closed");
    assert_eq!(late.column("claim").await, "kept");
}

#[sqlx::test]
async fn a_study_closes_by_a_lower_quota(pool: PgPool) {
    let (server, link, _) = nearly_full(pool).await;
    control::set_quota(&server.app, &Actor::command_line(), "demo", 2).await.unwrap();
    Person::go_through(&server, &link, true).await;
    assert!(!is_closed(&server).await);
    control::set_quota(&server.app, &Actor::command_line(), "demo", 1).await.unwrap();
    assert!(is_closed(&server).await);
}

#[sqlx::test]
async fn a_study_closes_when_the_link_for_experts_is_switched_off(pool: PgPool) {
    let (server, link, _) = nearly_full(pool).await;
    switch_experts(&server, true).await;
    Person::go_through(&server, &link, true).await;
    assert!(!is_closed(&server).await, "experts need no slot");
    switch_experts(&server, false).await;
    assert!(is_closed(&server).await);
}

#[sqlx::test]
async fn a_study_closes_by_a_decision_that_is_lifted(pool: PgPool) {
    let (server, link, _) = nearly_full(pool).await;
    let last = Person::go_through(&server, &link, true).await;
    assert!(is_closed(&server).await);
    let actor = Actor::command_line();
    let exclude = Override { decision: Decision::Exclude, reason: "a bot".into() };
    decisions::decide(&server.app, &actor, "demo", last.pseudonym(), &exclude, true).await.unwrap();
    server.set_state(StudyState::Live).await;
    decisions::lift(&server.app, &actor, "demo", last.pseudonym()).await.unwrap();
    assert_eq!(last.column("claim").await, "kept", "the slot was still open");
    assert!(is_closed(&server).await);
}

#[sqlx::test]
async fn a_closed_study_can_be_opened_only_when_a_participant_could_be_kept(pool: PgPool) {
    let (server, link, _) = nearly_full(pool).await;
    Person::go_through(&server, &link, true).await;
    let actor = Actor::command_line();
    let opened = control::set_state(&server.app, &actor, "demo", StudyState::Live).await;
    assert!(opened.is_err(), "it would close again at once");
    control::set_quota(&server.app, &actor, "demo", 2).await.unwrap();
    server.set_state(StudyState::Live).await;
    assert_eq!(server.enrol(&link, &[]).await.0, 201);
}
