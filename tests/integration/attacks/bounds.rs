//! One participant who causes ever more data: data beyond a bound are counted and not stored, and cause no error of the server.

use serde_json::{Value, json};
use sqlx::PgPool;
use weber::domain::record::MOST_EVENTS;
use weber::domain::study::StudyState;
use weber::flow::study::export::PolicyChoice;

use crate::export::Exported;
use crate::support::browser::Browser;
use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

/// A participant in practice, in a study that allows so many practice blocks.
async fn practising<'a>(server: &'a Server, most_blocks: u32) -> Person<'a> {
    let study = TinyStudy::new(1);
    let setting =
        format!("\n[practice]\nmost_blocks = {most_blocks}\noffer_end_after_blocks = 0\n\n[design]\n");
    study.edit("study.toml", |text| text.replace("\n[design]\n", &setting));
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let person = Person::arrive_where(server, true).await;
    person.step("welcome").await;
    person.step("instructed").await;
    person
}

#[sqlx::test]
async fn practice_beyond_its_bound_ends_as_screened_out_and_frees_the_slot(pool: PgPool) {
    let server = Server::empty(pool).await;
    let mut person = practising(&server, 3).await;
    for attempt in 1..=2 {
        let reply = person.practise(attempt, false).await;
        assert_eq!(
            (&reply["stage"], &reply["next_block"]["attempt"]),
            (&json!("instructed"), &json!(attempt + 1))
        );
    }
    let reply = person.practise(3, false).await;
    assert_eq!((&reply["stage"], &reply["next_block"]), (&json!("abandoned"), &Value::Null), "{reply}");
    assert!(reply["answers"][0]["correct"].is_boolean(), "the last answer gets its feedback");
    assert_eq!(person.column("end_reason").await, "screened_out");
    assert_eq!(person.column("claim").await, "released");
    let opened = person.open().await;
    assert_eq!((&opened["outcome"], &opened["blocks"]), (&json!("screened_out"), &json!([])));
    assert_eq!(server.count("select count(*) from schedule where block = 'practice'").await, 12);
}

#[sqlx::test]
async fn a_server_that_ended_before_screening_out_does_so_when_the_participant_returns(pool: PgPool) {
    let server = Server::empty(pool).await;
    let mut person = practising(&server, 1).await;
    let mut answers = Vec::new();
    for index in 1..=4 {
        let button = person.button("practice", 1, index, false).await;
        answers.push(person.answer_json("practice", 1, index, button));
    }
    person.tell(json!({ "answers": answers })).await;
    // The row is set back to its state before the second transaction.
    sqlx::query(
        "update participants set stage = 'instructed', end_reason = null, ended_at = null, claim = 'leased'",
    )
    .execute(&server.app.pool)
    .await
    .unwrap();
    let again = person.tell(json!({ "answers": [answers[3]] })).await;
    assert_eq!((&again["stage"], &again["answers"][0]["status"]), (&json!("abandoned"), &json!("same")));
    sqlx::query(
        "update participants set stage = 'instructed', end_reason = null, ended_at = null, claim = 'leased'",
    )
    .execute(&server.app.pool)
    .await
    .unwrap();
    assert_eq!(person.open().await["outcome"], "screened_out");
}

#[sqlx::test]
async fn opening_returns_recent_practice_only_and_older_answers_can_still_be_confirmed(pool: PgPool) {
    let server = Server::empty(pool).await;
    let mut person = practising(&server, 50).await;
    let first = person.button("practice", 1, 1, false).await;
    for attempt in 1..=6 {
        person.practise(attempt, false).await;
    }
    person.answer("practice", 7, 1, 0).await;
    let opened = person.open().await;
    let blocks: Vec<_> =
        opened["blocks"].as_array().unwrap().iter().map(|b| (&b["block"], &b["attempt"])).collect();
    assert_eq!(blocks, [(&json!("practice"), &json!(7)), (&json!("main"), &json!(1))]);
    let answers = opened["answers"].as_array().unwrap();
    assert!(answers.len() == 1 && answers[0]["attempt"] == 7, "{answers:?}");
    // An early confirmation was lost: stored answers are confirmed, and no others are accepted.
    let again = person.answer("practice", 1, 1, first).await;
    assert_eq!(
        (&again["answers"][0]["status"], &again["answers"][0]["correct"]),
        (&json!("same"), &json!(false))
    );
    let other = person.answer("practice", 2, 1, 2).await;
    assert_eq!(other["answers"][0]["code"], "conflict");
    let never = person.answer("practice", 8, 1, 2).await;
    assert_eq!(never["answers"][0]["code"], "no_such_trial");
    assert_eq!(
        person.practise(7, true).await["practice_attempt"],
        8,
        "the first answer of block 7 was wrong"
    );
}

/// So many events, numbered from the given one on.
fn events(from: u32, count: u32) -> Value {
    let event = |seq| json!({ "seq": seq, "kind": "resize", "at": 1, "detail": { "x": 1 } });
    json!({ "events": (from..from + count).map(event).collect::<Vec<_>>() })
}

#[sqlx::test]
async fn events_conflicts_and_reloads_beyond_the_bound_are_counted(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive_where(&server, false).await;
    person.reach_main().await;
    person.answer("main", 1, 1, 0).await;
    // A repetition is not counted.
    for (from, count) in [(1, 900), (1, 900), (901, MOST_EVENTS - 902)] {
        assert!(person.tell(events(from, count)).await.get("events").is_none());
    }
    assert_eq!(person.column("events_dropped").await, "0");
    person.open().await;
    let reply = person.tell(events(5000, 3)).await;
    assert_eq!(
        reply["events"],
        json!([{ "seq": 5001, "code": "too_many" }, { "seq": 5002, "code": "too_many" }]),
        "{reply}"
    );
    for _ in 0..3 {
        let reply = person.answer("main", 1, 1, 5).await;
        assert_eq!(reply["answers"][0]["code"], "conflict");
        person.open().await;
    }
    assert_eq!(server.count("select count(*) from events").await, i64::from(MOST_EVENTS));
    assert_eq!(person.column("events_dropped").await, "8", "2 events, 3 conflicts, 3 reloads");
    for index in 2..=21 {
        person.answer("main", 1, index, 0).await;
    }
    assert_eq!(person.complete().await.0, 200);
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    assert_eq!(exported.person(&person)["events_dropped"], "8");
    let mut browser = Browser::signed_in(&server).await;
    let page = browser.get(&format!("/lab/studies/demo/participants/{}", person.pseudonym())).await;
    assert!(page.text.contains("8 more events were counted and not stored"), "the lab says so");
}

#[sqlx::test]
async fn a_participant_who_returns_again_and_again_adds_no_more_rows(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| {
        text + "\n[[links]]\nname = \"MTurk\"\nplatform = \"mturk\"\nconditions = [\"none\"]\n"
    });
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("MTurk").await;
    let mut tokens = Vec::new();
    for n in 0..60 {
        let assignment = format!("ASSIGNMENT{n}");
        let (status, reply) =
            server.enrol(&link, &[("workerId", "WORKER1"), ("assignmentId", &assignment)]).await;
        assert!(status < 300, "{reply}");
        tokens.push(reply["token"].as_str().unwrap().to_owned());
    }
    assert!(server.count("select count(*) from participant_tokens").await <= 51);
    assert_eq!(tokens[58], tokens[59]);
    for token in [&tokens[0], &tokens[59]] {
        assert_eq!(
            Person::with_token(&server, token).await.opened["stage"],
            "consented",
            "the participant can continue"
        );
    }
}

#[sqlx::test]
async fn a_participation_may_be_opened_any_number_of_times(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive_where(&server, false).await;
    let many = "update participants set tab = 2147483646";
    sqlx::query(many).execute(&server.app.pool).await.unwrap();
    for _ in 0..3 {
        assert_eq!(person.open().await["tab"], i32::MAX);
    }
    let reply = person.tell(json!({})).await;
    assert_eq!(reply["superseded"], false);
}
