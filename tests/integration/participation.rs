//! One participation: stages, answers, continuing, the end.

use serde_json::json;
use sqlx::PgPool;

use crate::support::person::Person;
use crate::support::server::{Server, TestClock};

#[sqlx::test]
async fn a_whole_participation_leads_to_a_kept_slot(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let person = Person::go_through(&server, &server.link("Volunteers").await, true).await;
    assert_eq!(person.column("stage").await, "complete");
    assert_eq!(person.column("claim").await, "kept");
    assert_eq!(person.column("posting").await, "1");
    assert_eq!(server.count("select count(*) from responses where block = 'main'").await, 21);
}

#[sqlx::test]
async fn completing_needs_all_answers_and_a_repetition_changes_nothing(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    let (status, problem) = person.complete().await;
    assert_eq!((status, &problem["code"]), (409, &json!("too_early")));
    person.reach_main().await;
    for index in (1..=21).filter(|index| ![4, 17].contains(index)) {
        person.answer("main", 1, index, index % 6).await;
    }
    let (status, problem) = person.complete().await;
    assert_eq!(
        (status, &problem["code"], &problem["missing"]),
        (409, &json!("answers_missing"), &json!([4, 17]))
    );
    assert_eq!(person.column("stage").await, "running");
    person.answer("main", 1, 4, 0).await;
    person.answer("main", 1, 17, 5).await;
    assert_eq!(
        person.complete().await,
        (200, json!({ "outcome": "complete", "return": { "kind": "thanks" } }))
    );
    let ended = person.column("ended_at").await;
    assert_eq!(
        person.complete().await,
        (200, json!({ "outcome": "complete", "return": { "kind": "thanks" } }))
    );
    assert_eq!(person.column("ended_at").await, ended);
    assert_eq!(person.open().await["return"], json!({ "kind": "thanks" }));
    assert_eq!(person.opened["blocks"], json!([]));
}

#[sqlx::test]
async fn a_second_answer_to_a_trial_is_refused_and_stored_as_an_event(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    assert_eq!(person.answer("main", 1, 1, 2).await["answers"][0]["status"], "stored");
    assert_eq!(person.answer("main", 1, 1, 2).await["answers"][0]["status"], "same");
    let reply = person.answer("main", 1, 1, 3).await;
    assert_eq!(reply["answers"][0]["code"], "conflict");
    assert_eq!(reply["position"], json!({ "block": "main", "attempt": 1, "trial_index": 2 }));
    let stored = "select count(*) from responses where block = 'main' and response = 2 and confidence = 1
                  and choice_side = 'left'";
    assert_eq!(server.count(stored).await, 1);
    assert_eq!(server.count("select count(*) from events where kind = 'answer_conflict'").await, 1);
    let mut later = person.answer_json("main", 1, 1, 2);
    later["continue_rt"] = json!(432.1);
    person.tell(json!({ "answers": [later] })).await;
    assert_eq!(server.count("select count(*) from responses where continue_rt = 432.1").await, 1);
}

#[sqlx::test]
async fn a_hundred_repetitions_at_once_store_one_answer(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    let sent = (0..100u64).map(|n| person.answer("main", 1, 1 + n % 2, 0));
    let replies = futures::future::join_all(sent).await;
    let stored = replies.iter().filter(|reply| reply["answers"][0]["status"] == "stored").count();
    assert_eq!(stored, 2);
    assert_eq!(server.count("select count(*) from responses where block = 'main'").await, 2);
}

#[sqlx::test]
async fn opening_again_tells_how_far_the_participant_is(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    server.import(&crate::support::tiny_study::TinyStudy::new(1)).await;
    server.set_state(weber::domain::study::StudyState::Live).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    assert_eq!(person.opened["clock_ms"], json!(null));
    person.step("welcome").await;
    clock.advance(60);
    person.clock_ms = 59_000.0;
    person.tell(json!({ "screen": "instructions:3" })).await;
    clock.advance(30);
    person.open().await;
    assert_eq!(person.opened["tab"], 2);
    assert_eq!(person.opened["clock_ms"], 89_000.0, "the server adds the time of the gap");
    assert_eq!(server.count("select count(*) from events where kind = 'reload'").await, 1);
    person.clock_ms = 89_000.0;
    person.reach_main().await;
    person.answer("main", 1, 1, 0).await;
    let answers = person.open().await["answers"].as_array().unwrap().clone();
    let main: Vec<_> = answers.iter().filter(|answer| answer["block"] == "main").collect();
    assert_eq!(main.len(), 1);
    assert!(main[0].get("correct").is_none());
}

#[sqlx::test]
async fn an_older_tab_is_told_that_it_is_superseded_and_loses_nothing(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    let newer = Person::with_token(&server, &person.token).await;
    let reply = person.answer("main", 1, 1, 0).await;
    assert_eq!((&reply["superseded"], &reply["answers"][0]["status"]), (&json!(true), &json!("stored")));
    assert_eq!(newer.answer("main", 1, 2, 0).await["superseded"], false);
}

#[sqlx::test]
async fn practice_repeats_and_then_offers_an_end(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let mut person = Person::arrive(&server, &link).await;
    while !person.practises() {
        person = Person::arrive(&server, &link).await;
    }
    person.step("welcome").await;
    person.step("instructed").await;
    let screen_out =
        || server.post("/api/v1/leave", Some(&person.token), json!({ "reason": "screened_out" }));
    for attempt in 1..=5 {
        let (status, problem) = screen_out().await;
        assert_eq!((status, &problem["code"]), (409, &json!("too_early")), "block {attempt}");
        let reply = person.practise(attempt, false).await;
        assert_eq!(reply["next_block"]["attempt"], attempt + 1);
        assert_eq!(reply["next_block"]["trials"].as_array().unwrap().len(), 4);
    }
    assert_eq!(screen_out().await.0, 200);
    assert_eq!(person.column("end_reason").await, "screened_out");
    assert_eq!(person.column("claim").await, "released");
}

#[sqlx::test]
async fn leaving_frees_the_place_and_cannot_be_undone(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    let leave = || server.post("/api/v1/leave", Some(&person.token), json!({ "reason": "left" }));
    assert_eq!(leave().await.0, 200);
    assert_eq!(leave().await.0, 200);
    let reply = person.answer("main", 1, 1, 0).await;
    assert_eq!(reply["answers"][0]["code"], "ended");
    assert_eq!(
        server.count("select count(*) from participants where claim = 'released' and posting is null").await,
        1
    );
}

#[sqlx::test]
async fn malformed_requests_get_an_explanation(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    let (status, problem) =
        server.post("/api/v1/records", Some("unknown"), json!({ "tab": 1, "clock_ms": 0 })).await;
    assert_eq!((status, &problem["code"]), (401, &json!("unknown_token")));
    assert_eq!(problem["type"], "urn:weber:problem:unknown_token");
    let (status, _) = server.post("/api/v1/open", None, json!({})).await;
    assert_eq!(status, 401);
    let (status, problem) = person.try_tell(json!({ "anwsers": [] })).await;
    assert_eq!((status, &problem["code"]), (400, &json!("malformed")));
    assert!(problem["detail"].as_str().unwrap().contains("anwsers"));
    person.reach_main().await;
    let mut nonsense = person.answer_json("main", 1, 1, 0);
    nonsense["trial_index"] = json!(70_000);
    let reply = person.tell(json!({ "answers": [nonsense] })).await;
    let refused = &reply["answers"][0];
    assert_eq!((&refused["code"], &refused["trial_index"]), (&json!("invalid"), &json!(70_000)), "{reply}");
    assert_eq!(person.try_tell(json!({ "answers": 7 })).await.0, 400);
    assert_eq!(person.answer("main", 40_000, 1, 0).await["answers"][0]["code"], "no_such_trial");
    let huge = json!({ "events": [{ "seq": 1, "kind": "offline", "detail": { "x": "x".repeat(300_000) } }] });
    assert_eq!(person.try_tell(huge).await.0, 400);
}

#[sqlx::test]
async fn a_clock_that_runs_ahead_of_the_server_is_stored_as_discrepancy(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.step("welcome").await;
    person.clock_ms = 30_000.0;
    person.tell(json!({})).await;
    let discrepancy: f64 = person.column("clock_discrepancy_s").await.parse().unwrap();
    assert!((29.0..=30.0).contains(&discrepancy), "{discrepancy}");
}

#[sqlx::test]
async fn no_reply_to_a_browser_tells_the_answer(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let link = server.link("Volunteers").await;
    for _ in 0..5 {
        let mut person = Person::arrive(&server, &link).await;
        person.reach_main().await;
        let reply = person.answer("main", 1, 1, 0).await;
        person.open().await;
        let blocks = person.opened["blocks"].as_array().unwrap().clone();
        for trial in blocks.iter().flat_map(|block| block["trials"].as_array().unwrap()) {
            let keys: Vec<_> = trial.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, ["base", "left", "references", "right", "trial_index"]);
            let address = |image: &serde_json::Value| {
                let text = image.as_str().unwrap().strip_prefix("/images/").unwrap().to_owned();
                assert!(text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()), "{text}");
            };
            ["base", "left", "right"].iter().for_each(|key| address(&trial[*key]));
            trial["references"].as_array().unwrap().iter().for_each(address);
        }
        let words = format!("{}{}{reply}", serde_json::to_string(&blocks).unwrap(), person.opened["answers"]);
        for telling in
            ["max", "min", "unit-", "catch", "layer", "condition", "correct\":true,\"block\":\"main"]
        {
            assert!(!words.contains(telling), "{telling}");
        }
    }
}

#[sqlx::test]
async fn images_are_served_by_opaque_addresses_for_ever(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    let address = person.opened["blocks"][0]["trials"][0]["base"].as_str().unwrap();
    let response = server.client.get(format!("{}{address}", server.url)).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "image/png");
    assert_eq!(response.headers()["cache-control"], "private, max-age=31536000, immutable");
    let tag = response.headers()["etag"].clone();
    assert!(response.bytes().await.unwrap().starts_with(b"\x89PNG"));
    let again = server
        .client
        .get(format!("{}{address}", server.url))
        .header("if-none-match", tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(server.get("/images/00000000000000000000000000000000").await.0, 404);
}
