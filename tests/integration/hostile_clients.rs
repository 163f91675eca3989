//! A client that repeats, reorders, truncates and invents records.

use std::collections::HashMap;

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::person::Person;
use crate::support::server::Server;

/// A trial's place: (block, attempt, trial).
type Place = (&'static str, u64, u64);

/// A record with a few answers to random trials with random buttons, some of which do not exist.
fn random_record(person: &Person<'_>, rng: &mut ChaCha20Rng) -> Value {
    let answers: Vec<Value> = (0..rng.random_range(0..4))
        .map(|_| {
            let block = *["main", "main", "practice"].choose(rng).unwrap();
            let attempt = if rng.random_bool(0.9) { 1 } else { rng.random_range(0..4) };
            person.answer_json(block, attempt, rng.random_range(0..24), rng.random_range(0..8))
        })
        .collect();
    let tab = rng.random_range(-1..3);
    let steps =
        if rng.random_bool(0.2) { json!([{ "step": "welcome", "clock_ms": 5.0 }]) } else { json!([]) };
    json!({ "tab": tab, "clock_ms": 1000.0, "steps": steps, "answers": answers })
}

/// Sends a text unchanged. Returns status and reply.
async fn send(person: &Person<'_>, text: String) -> (u16, Value) {
    let request = person.server.client.post(format!("{}/api/v1/records", person.server.url));
    let request = request.bearer_auth(&person.token).header("content-type", "application/json").body(text);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Compares the reply to an answer with the answers that were stored before.
fn check(
    stored: &mut HashMap<Place, u64>,
    sent: &Value,
    reply: &Value,
    stage_takes: impl Fn(&Place) -> bool,
) {
    let block = if sent["block"] == "main" { "main" } else { "practice" };
    let number = |field: &str| sent[field].as_u64().unwrap();
    let place = (block, number("attempt"), number("trial_index"));
    let response = number("response");
    match (reply["status"].as_str().unwrap(), reply["code"].as_str().unwrap_or_default()) {
        ("stored", _) => {
            assert!(stage_takes(&place), "{sent}");
            assert_eq!(stored.insert(place, response), None, "{sent}");
        }
        ("same", _) => assert_eq!(stored.get(&place), Some(&response), "{sent}"),
        ("refused", "conflict") => assert_ne!(stored[&place], response, "{sent}"),
        ("refused", "invalid") => assert!(response > 5, "{sent}"),
        ("refused", "no_such_trial" | "too_early") => assert_eq!(stored.get(&place), None, "{sent}"),
        (status, code) => panic!("{sent}: {status} {code}"),
    }
}

#[sqlx::test]
async fn random_records_change_no_stored_answer_and_no_other_participant(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let bystander = Person::arrive(&server, &link).await;
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    let mut person = Person::arrive(&server, &link).await;
    while !person.practises() {
        person = Person::arrive(&server, &link).await;
    }
    let mut stored = HashMap::new();
    let mut sent_before: Vec<Value> = Vec::new();
    for round in 0..400 {
        if round == 200 {
            let (_, opened) = server.post("/api/v1/open", Some(&person.token), json!({})).await;
            person.opened = opened;
            for step in ["welcome", "instructed"] {
                person.step(step).await;
            }
        }
        let again = rng.random_bool(0.3).then(|| sent_before.choose(&mut rng).cloned()).flatten();
        let record = again.unwrap_or_else(|| random_record(&person, &mut rng));
        let text = record.to_string();
        if rng.random_bool(0.1) {
            let cut = rng.random_range(0..text.len());
            let (status, problem) = send(&person, text[..cut].to_owned()).await;
            assert_eq!((status, &problem["code"]), (400, &json!("malformed")));
            continue;
        }
        let (status, reply) = send(&person, text).await;
        assert_eq!(status, 200, "{reply}");
        for (sent, reply) in
            record["answers"].as_array().unwrap().iter().zip(reply["answers"].as_array().unwrap())
        {
            check(&mut stored, sent, reply, |place| round >= 200 && place.0 == "practice");
        }
        sent_before.push(record);
    }
    assert!(!stored.is_empty());
    let rows: Vec<(String, i16, i16, i16)> =
        sqlx::query_as("select block, attempt, trial_index, response from responses")
            .fetch_all(&server.app.pool)
            .await
            .unwrap();
    assert_eq!(rows.len(), stored.len());
    for (block, attempt, trial_index, response) in rows {
        let block = if block == "main" { "main" } else { "practice" };
        assert_eq!(stored[&(block, attempt as u64, trial_index as u64)], response as u64);
    }
    assert_eq!(bystander.column("stage").await, "consented");
}

#[sqlx::test]
async fn a_reply_names_the_first_trial_without_an_answer(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    // Later trials are answered first, as after a time without a network; one is answered again with another button.
    for index in [3, 1, 5] {
        assert_eq!(person.answer("main", 1, index, 2).await["answers"][0]["status"], "stored");
    }
    let reply = person.answer("main", 1, 3, 4).await;
    assert_eq!(reply["answers"][0]["code"], "conflict");
    assert_eq!(reply["position"], json!({ "block": "main", "attempt": 1, "trial_index": 2 }));
    let reply = person.answer("main", 1, 22, 4).await;
    assert_eq!(reply["answers"][0]["code"], "no_such_trial");
    assert_eq!(reply["position"]["trial_index"], 2);
}
