//! The states of a study: pilot and live; and one more posting for exhausted slots.

use sqlx::PgPool;
use weber::domain::study::{Mode, StudyState};
use weber::flow::audit::log::Actor;
use weber::flow::study::control;

use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

#[sqlx::test]
async fn pilot_links_work_in_the_pilot_state_and_live_links_do_not(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| format!("{text}\n[[links]]\nname = \"Rehearsal\"\nmode = \"pilot\"\n"));
    server.import(&study).await;
    let (pilot, live) = (server.link("Rehearsal").await, server.link("Volunteers").await);
    assert_eq!(server.enrol(&pilot, &[]).await.1["code"], "not_open_yet");
    let actor = Actor::command_line();
    control::set_state(&server.app, &actor, "demo", StudyState::Pilot).await.unwrap();
    assert_eq!(server.enrol(&pilot, &[]).await.0, 201);
    assert_eq!(server.enrol(&live, &[]).await.1["code"], "not_open_yet");
    control::set_state(&server.app, &actor, "demo", StudyState::Draft).await.unwrap();
    assert!(control::set_state(&server.app, &actor, "demo", StudyState::Paused).await.is_err());
    control::set_state(&server.app, &actor, "demo", StudyState::Live).await.unwrap();
    assert_eq!((server.enrol(&pilot, &[]).await.0, server.enrol(&live, &[]).await.0), (201, 201));
    assert!(
        control::set_state(&server.app, &actor, "demo", StudyState::Pilot).await.is_err(),
        "a live study does not become a pilot again"
    );
}

#[sqlx::test]
async fn exhausted_slots_can_be_given_one_more_posting(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| text.replace("postings_per_slot = 3", "postings_per_slot = 1"));
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    let failing = Person::go_through(&server, &link, false).await;
    let condition = failing.condition().await;
    for _ in 0..4 {
        Person::go_through(&server, &link, true).await;
    }
    assert_ne!(server.enrol(&link, &[]).await.0, 201, "every slot is kept or exhausted");
    let actor = Actor::command_line();
    let given = control::one_more_posting(&server.app, &actor, "demo", Mode::Live, &condition).await.unwrap();
    assert_eq!(given, 1);
    let none = control::one_more_posting(&server.app, &actor, "demo", Mode::Live, &condition).await.unwrap();
    assert_eq!(none, 0, "no slot is exhausted any more");
    server.set_state(StudyState::Live).await;
    let person = Person::go_through(&server, &link, true).await;
    assert_eq!(person.condition().await, condition);
    assert_eq!(server.count("select count(*) from participants where claim = 'kept'").await, 5);
    assert_eq!(server.count("select count(*) from journal where action = 'postings_added'").await, 1);
}
