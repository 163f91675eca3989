//! The life of a study: pilot, quotas, postings, and closing by itself.

use sqlx::PgPool;
use weber::domain::study::{Mode, StudyState};
use weber::flow::journal::Actor;
use weber::flow::steer;

use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

const CLOSED: &str = "select count(*) from studies where state = 'closed'";

#[sqlx::test]
async fn pilots_run_from_the_pilot_on_and_live_links_do_not(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| format!("{text}\n[[links]]\nname = \"Rehearsal\"\nmode = \"pilot\"\n"));
    server.import(&study).await;
    let (pilot, live) = (server.link("Rehearsal").await, server.link("Volunteers").await);
    assert_eq!(server.enrol(&pilot, &[]).await.1["code"], "not_open_yet");
    let actor = Actor::command_line();
    steer::set_state(&server.app, &actor, "demo", StudyState::Pilot).await.unwrap();
    assert_eq!(server.enrol(&pilot, &[]).await.0, 201);
    assert_eq!(server.enrol(&live, &[]).await.1["code"], "not_open_yet");
    steer::set_state(&server.app, &actor, "demo", StudyState::Draft).await.unwrap();
    assert!(steer::set_state(&server.app, &actor, "demo", StudyState::Paused).await.is_err());
    steer::set_state(&server.app, &actor, "demo", StudyState::Live).await.unwrap();
    assert_eq!((server.enrol(&pilot, &[]).await.0, server.enrol(&live, &[]).await.0), (201, 201));
    assert!(
        steer::set_state(&server.app, &actor, "demo", StudyState::Pilot).await.is_err(),
        "not back from live"
    );
}

#[sqlx::test]
async fn a_study_closes_itself_when_no_slot_is_open_or_leased(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    sqlx::query("update links set enabled = false where crowd_group = 'expert'")
        .execute(&server.app.pool)
        .await
        .unwrap();
    let link = server.link("Volunteers").await;
    let mut last = Person::arrive(&server, &link).await;
    for _ in 0..4 {
        Person::go_through(&server, &link, true).await;
    }
    assert_eq!(server.count(CLOSED).await, 0, "one is still at work");
    last.reach_main().await;
    last.answer_main(true).await;
    assert_eq!(last.complete().await.0, 200);
    assert_eq!(server.count(CLOSED).await, 1);
    assert_eq!(
        server.count("select count(*) from journal where actor = 'weber' and action = 'state_changed'").await,
        1
    );
}

#[sqlx::test]
async fn a_study_with_open_links_for_experts_stays_open(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    sqlx::query("update links set enabled = true where crowd_group = 'expert'")
        .execute(&server.app.pool)
        .await
        .unwrap();
    let experts = server.count("select count(*) from links where crowd_group = 'expert'").await;
    let link = server.link("Volunteers").await;
    for _ in 0..5 {
        Person::go_through(&server, &link, true).await;
    }
    assert_eq!(server.count(CLOSED).await, i64::from(experts == 0));
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
    assert_ne!(server.enrol(&link, &[]).await.0, 201, "every place is kept or exhausted");
    let actor = Actor::command_line();
    let given = steer::one_more_posting(&server.app, &actor, "demo", Mode::Live, &condition).await.unwrap();
    assert_eq!(given, 1);
    let none = steer::one_more_posting(&server.app, &actor, "demo", Mode::Live, &condition).await.unwrap();
    assert_eq!(none, 0, "it is open now");
    server.set_state(StudyState::Live).await;
    let person = Person::go_through(&server, &link, true).await;
    assert_eq!(person.condition().await, condition);
    assert_eq!(server.count("select count(*) from participants where claim = 'kept'").await, 5);
    assert_eq!(server.count("select count(*) from journal where action = 'postings_added'").await, 1);
}

#[sqlx::test]
async fn places_can_be_added_and_taken_away_while_people_are_at_work(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let link = server.link("Volunteers").await;
    for _ in 0..6 {
        server.enrol(&link, &[]).await;
    }
    let open = "select count(*) from slots where mode = 'live' and in_design";
    let actor = Actor::command_line();
    steer::set_quota(&server.app, &actor, "demo", 1).await.unwrap();
    let held = "select count(*) from participants p join slots s on s.id = p.slot_id where s.in_design";
    assert_eq!(server.count(held).await, 6, "places in which somebody works stay");
    let others = "select count(*) from slots s where s.mode = 'live' and s.in_design and s.number > 1
                  and not exists (select from participants p where p.slot_id = s.id)";
    assert_eq!(server.count(others).await, 0);
    steer::set_quota(&server.app, &actor, "demo", 4).await.unwrap();
    assert_eq!(server.count(open).await, 20);
    assert_eq!(
        server
            .count("select count(*) from slots where mode = 'live' and number = 4 and image_set <> 1")
            .await,
        0
    );
    assert!(steer::set_quota(&server.app, &actor, "demo", 0).await.is_err());
    // A new version of the texts does not take the change back.
    let study = TinyStudy::new(2);
    study.edit("study.toml", |text| text.replace("title = \"Which image", "title = \"New: which image"));
    server.import(&study).await;
    assert_eq!(server.count(open).await, 20);
    assert_eq!(server.count("select count(*) from participants where claim = 'leased'").await, 6);
}
