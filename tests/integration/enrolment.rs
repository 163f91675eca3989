//! Consent, slots, leases and postings.

use serde_json::json;
use sqlx::PgPool;
use weber::domain::study::StudyState;

use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

#[sqlx::test]
async fn consents_at_the_same_time_fill_no_slot_twice(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let link = server.link("Volunteers").await;
    let arrivals = (0..30).map(|_| server.enrol(&link, &[]));
    let replies = futures::future::join_all(arrivals).await;
    let admitted = replies.iter().filter(|(status, _)| *status == 201).count();
    let full = replies.iter().filter(|(_, reply)| reply["code"] == "full").count();
    assert_eq!((admitted, full), (10, 20));
    let per_condition =
        "select count(*) from (select condition from participants group by 1 having count(*) = 2) c";
    assert_eq!(server.count(per_condition).await, 5);
    assert_eq!(server.count("select sum(n)::bigint from arrivals where kind = 'full'").await, 20);
}

#[sqlx::test]
async fn people_are_spread_evenly_over_conditions_and_image_sets(pool: PgPool) {
    let server = Server::live(pool, 4).await;
    let link = server.link("Volunteers").await;
    for n in 1..=20 {
        assert_eq!(server.enrol(&link, &[]).await.0, 201);
        let spread = "select max(n) - min(n) from (select count(p.id) as n from slots s
            left join participants p on p.slot_id = s.id where s.mode = 'live' group by s.condition) c";
        assert!(server.count(spread).await <= 1, "after {n} people");
    }
    let sets = "select count(*) from (select condition, image_set from participants group by 1, 2 having count(*) = 2) c";
    assert_eq!(server.count(sets).await, 10);
}

#[sqlx::test]
async fn a_slot_opens_again_after_an_exclusion_until_its_postings_are_used_up(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| {
        text.replace("name = \"Volunteers\"", "name = \"None\"\nconditions = [\"none\"]")
    });
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("None").await;
    for posting in 1..=3 {
        let person = Person::go_through(&server, &link, false).await;
        assert_eq!(person.column("claim").await, "excluded");
        assert_eq!(person.column("posting").await, posting.to_string());
    }
    let (status, problem) = server.enrol(&link, &[]).await;
    assert_eq!((status, &problem["code"]), (409, &json!("full")));
    assert_eq!(server.count("select count(*) from responses").await, 63, "data of excluded people stay");
}

#[sqlx::test]
async fn a_lapsed_lease_is_taken_back_only_when_another_person_needs_the_slot(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    server.import(&TinyStudy::new(1)).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    let mut first = Person::arrive(&server, &link).await;
    for _ in 0..4 {
        Person::arrive(&server, &link).await;
    }
    assert_eq!(server.enrol(&link, &[]).await.0, 409);
    first.reach_main().await;
    clock.advance(301);
    assert_eq!(first.column("claim").await, "leased");
    let newcomer = Person::arrive(&server, &link).await;
    assert_ne!(
        newcomer.condition().await,
        first.condition().await,
        "the lease of a participant who has begun lasts 30 minutes"
    );
    clock.advance(1800);
    for _ in 0..5 {
        Person::arrive(&server, &link).await;
    }
    assert_eq!(first.column("claim").await, "lost");
    let reply = first.answer("main", 1, 1, 0).await;
    assert_eq!(reply["answers"][0]["status"], "stored", "a lapsed lease never refuses an answer");
}

/// A study of one condition and one slot, and the clock that its server uses.
async fn one_slot(pool: PgPool) -> (Server, std::sync::Arc<TestClock>, String) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| {
        text.replace("name = \"Volunteers\"", "name = \"None\"\nconditions = [\"none\"]")
    });
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("None").await;
    (server, clock, link)
}

#[sqlx::test]
async fn a_returning_participant_retakes_the_slot_if_it_is_open(pool: PgPool) {
    let (server, clock, link) = one_slot(pool).await;
    let mut first = Person::arrive(&server, &link).await;
    first.reach_main().await;
    clock.advance(2000);
    let second = Person::arrive(&server, &link).await;
    assert_eq!(first.column("claim").await, "lost");
    first.open().await;
    assert_eq!(first.column("claim").await, "lost", "the second participant holds the slot");
    server.post("/api/v1/leave", Some(&second.token), json!({ "reason": "left" })).await;
    first.open().await;
    assert_eq!(first.column("claim").await, "leased");
    first.answer_main(true).await;
    first.complete().await;
    assert_eq!((first.column("claim").await, first.column("late").await), ("kept".into(), "false".into()));
}

#[sqlx::test]
async fn a_participant_who_passes_late_is_surplus_and_fills_the_slot_when_it_opens(pool: PgPool) {
    let (server, clock, link) = one_slot(pool).await;
    let mut late = Person::arrive(&server, &link).await;
    late.reach_main().await;
    clock.advance(2000);
    let mut second = Person::arrive(&server, &link).await;
    late.answer_main(true).await;
    assert_eq!(late.complete().await.0, 200);
    assert_eq!((late.column("claim").await, late.column("late").await), ("surplus".into(), "true".into()));
    assert_eq!(late.column("posting").await, "");
    second.reach_main().await;
    second.answer_main(false).await;
    second.complete().await;
    assert_eq!(
        (second.column("claim").await, second.column("posting").await),
        ("excluded".into(), "1".into())
    );
    assert_eq!((late.column("claim").await, late.column("posting").await), ("kept".into(), "2".into()));
    assert_eq!(server.enrol(&link, &[]).await.1["code"], "full");
}

#[sqlx::test]
async fn a_surplus_person_comes_before_a_newcomer_when_a_lease_lapses(pool: PgPool) {
    let (server, clock, link) = one_slot(pool).await;
    let mut late = Person::arrive(&server, &link).await;
    late.reach_main().await;
    clock.advance(2000);
    let second = Person::arrive(&server, &link).await;
    late.answer_main(true).await;
    late.complete().await;
    clock.advance(400);
    assert_eq!(server.enrol(&link, &[]).await.1["code"], "full");
    assert_eq!(late.column("claim").await, "kept");
    assert_eq!(second.column("claim").await, "lost");
}

#[sqlx::test]
async fn a_refusal_says_why_the_study_enrols_no_one(pool: PgPool) {
    let server = Server::empty(pool).await;
    server.import(&TinyStudy::new(1)).await;
    let link = server.link("Volunteers").await;
    let enter = format!("/enter/{link}");
    for (state, code, words) in [
        (None, "not_open_yet", "not started yet"),
        (Some(StudyState::Paused), "paused", "is paused"),
        (Some(StudyState::Closed), "closed", "is closed"),
    ] {
        if let Some(state) = state {
            server.set_state(state).await;
        }
        let (status, problem) = server.enrol(&link, &[]).await;
        assert_eq!((status, &problem["code"]), (403, &json!(code)));
        assert!(server.get(&enter).await.1.contains(words), "{words}");
    }
    server.set_state(StudyState::Live).await;
    assert!(server.get(&enter).await.1.contains("academic experiment"));
    sqlx::query("update links set enabled = false").execute(&server.app.pool).await.unwrap();
    assert!(server.get(&enter).await.1.contains("is closed"));
    assert_eq!(server.enrol("nonsense", &[]).await.1["code"], "no_such_link");
    assert_eq!(server.get("/enter/nonsense").await.0, 404);
    assert_eq!(server.count("select count(*) from participants").await, 0);
}

#[sqlx::test]
async fn participants_may_finish_a_closed_study(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    server.set_state(StudyState::Closed).await;
    person.reach_main().await;
    person.answer_main(true).await;
    assert_eq!(person.complete().await.0, 200);
}

#[sqlx::test]
async fn consent_is_to_the_text_that_was_shown(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    let old = hex::encode(weber::domain::study::text_sha256(&server.definition().await.pages.consent));
    study.edit("consent.md", |text| text + "\nOne more thing.\n");
    assert_eq!(server.import(&study).await.version, 2);
    let (status, problem) =
        server.post("/api/v1/enrolments", None, json!({ "link": link, "consent_sha256": old })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("consent_changed")));
    assert_eq!(server.enrol(&link, &[]).await.0, 201);
}

/// A study with an MTurk link.
async fn mturk(pool: PgPool) -> (Server, String) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(3);
    study.edit("study.toml", |text| {
        text + "\n[[links]]\nname = \"MTurk\"\nplatform = \"mturk\"\nconditions = [\"natural\"]\n"
    });
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("MTurk").await;
    (server, link)
}

const fn worker<'a>(worker: &'a str, assignment: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("workerId", worker),
        ("assignmentId", assignment),
        ("hitId", "HIT1"),
        ("turkSubmitTo", "https://workersandbox.mturk.com/"),
    ]
}

#[sqlx::test]
async fn two_hundred_arrivals_of_one_worker_make_one_participant(pool: PgPool) {
    let (server, link) = mturk(pool).await;
    let parameters = worker("WORKER1", "ASSIGNMENT1");
    let arrivals = (0..200).map(|_| server.enrol(&link, &parameters));
    let replies = futures::future::join_all(arrivals).await;
    assert_eq!(replies.iter().filter(|(status, _)| *status == 201).count(), 1);
    assert_eq!(replies.iter().filter(|(status, _)| *status == 200).count(), 199);
    assert_eq!(server.count("select count(*) from participants").await, 1);
}

#[sqlx::test]
async fn a_preview_records_and_allocates_nothing(pool: PgPool) {
    let (server, link) = mturk(pool).await;
    let preview = [("assignmentId", "ASSIGNMENT_ID_NOT_AVAILABLE")];
    let page = server.get(&format!("/enter/{link}?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE")).await.1;
    assert!(page.contains("This is a preview") && page.contains("only once"));
    assert_eq!(server.enrol(&link, &preview).await.1["code"], "preview");
    assert_eq!(server.get(&format!("/enter/{link}")).await.0, 400);
    assert_eq!(server.count("select count(*) from participants").await, 0);
}

#[sqlx::test]
async fn simulated_people_need_an_api_token_and_slots_of_their_own(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let sim = weber::flow::study::simulation::entrance(&server.app, "demo").await.unwrap().link;
    let (status, problem) = server.enrol(&sim, &[]).await;
    assert_eq!((status, &problem["code"]), (401, &json!("api_token_needed")));
    let mut conn = server.app.pool.acquire().await.unwrap();
    let hash = weber::flow::secrets::token_sha256("secret");
    weber::store::api_tokens::add(
        &mut conn,
        "test",
        &[weber::domain::rights::Scope::Simulate],
        &hash,
        server.app.now(),
    )
    .await
    .unwrap();
    let consent = hex::encode(weber::domain::study::text_sha256(&server.definition().await.pages.consent));
    let body = json!({ "link": sim, "consent_sha256": consent });
    assert_eq!(server.post("/api/v1/enrolments", Some("wrong"), body.clone()).await.0, 401);
    for _ in 0..5 {
        assert_eq!(server.post("/api/v1/enrolments", Some("secret"), body.clone()).await.0, 201);
    }
    assert_eq!(server.post("/api/v1/enrolments", Some("secret"), body).await.1["code"], "full");
    assert_eq!(server.enrol(&server.link("Volunteers").await, &[]).await.0, 201, "live slots are unchanged");
}
