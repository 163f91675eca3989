//! Two servers on one database behave as one.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use weber::flow::audit::log::Actor;
use weber::flow::study::identities;
use weber::flow::study::import::import_and_start;

use crate::support::browser::{Browser, OpenPage, PASSWORD};
use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

#[sqlx::test]
async fn a_session_begins_and_ends_at_every_server(pool: PgPool) {
    let (one, other, _) = Server::two(pool, 1).await;
    let mut here = Browser::signed_in(&one).await;
    let mut there = Browser::new(&other);
    there.cookie = here.cookie.clone();
    assert_eq!(there.get("/lab").await.status, StatusCode::OK);
    there.post("/sign-out", &[]).await;
    assert_eq!(here.get("/lab").await.location, "/sign-in");
}

#[sqlx::test]
async fn wrong_passwords_are_counted_over_all_servers(pool: PgPool) {
    let (one, other, _) = Server::two(pool, 1).await;
    let mut here = Browser::signed_in(&one).await;
    let mut there = Browser::new(&other);
    here.cookie = None;
    let wrong = [("email", "ada@example.org"), ("password", "guess")];
    for _ in 0..4 {
        assert_eq!(here.post("/sign-in", &wrong).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(there.post("/sign-in", &wrong).await.status, StatusCode::UNAUTHORIZED);
    }
    let right = [("email", "ada@example.org"), ("password", PASSWORD)];
    for browser in [&mut here, &mut there] {
        assert_eq!(browser.post("/sign-in", &right).await.status, StatusCode::TOO_MANY_REQUESTS);
    }
}

#[sqlx::test]
async fn an_open_page_shows_changes_made_at_the_other_server(pool: PgPool) {
    let (one, other, _) = Server::two(pool, 1).await;
    let mut page = OpenPage::at(&Browser::signed_in(&one).await, "/lab/studies/demo/live").await;
    page.hears("No one is taking part").await;
    let person = Person::arrive(&other, &other.link("Volunteers").await).await;
    page.hears(person.pseudonym()).await;
}

#[sqlx::test]
async fn a_lapsed_lease_is_taken_back_by_the_other_server(pool: PgPool) {
    let (one, other, clock) = Server::two(pool, 1).await;
    let link = one.link("Volunteers").await;
    let first = Person::arrive(&one, &link).await;
    for _ in 0..4 {
        Person::arrive(&one, &link).await;
    }
    assert_eq!(other.enrol(&link, &[]).await.1["code"], "full");
    clock.advance(301);
    for _ in 0..5 {
        Person::arrive(&other, &link).await;
    }
    assert_eq!(one.enrol(&link, &[]).await.1["code"], "full");
    assert_eq!(first.column("claim").await, "lost");
    let mut first = Person::with_token(&other, &first.token).await;
    first.reach_main().await;
    first.answer_main(true).await;
    assert_eq!(first.complete().await.0, 200, "a participant who lost the slot may finish at any server");
}

/// Sends a consent with a network address, as a proxy passes it on.
async fn enrol_from(server: &Server, address: &str) -> (StatusCode, Value) {
    let consent = hex::encode(weber::domain::study::text_sha256(&server.definition().await.pages.consent));
    let body = json!({ "link": server.link("Volunteers").await, "consent_sha256": consent });
    let request = server.client.post(format!("{}/api/v1/enrolments", server.url)).json(&body);
    let response = request.header("X-Forwarded-For", address).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[sqlx::test]
async fn participants_who_begin_at_the_other_server_do_not_count_against_the_consent_limit(pool: PgPool) {
    let (one, other, clock) = Server::two(pool, 20).await;
    let mut tokens = Vec::new();
    for _ in 0..40 {
        let (status, reply) = enrol_from(&one, "203.0.113.5").await;
        assert_eq!(status, StatusCode::CREATED);
        tokens.push(reply["token"].as_str().unwrap().to_owned());
    }
    assert_eq!(enrol_from(&one, "203.0.113.5").await.0, StatusCode::TOO_MANY_REQUESTS);
    let person = Person::with_token(&other, &tokens[0]).await;
    person.step("welcome").await;
    clock.advance(20);
    assert_eq!(enrol_from(&one, "203.0.113.5").await.0, StatusCode::TOO_MANY_REQUESTS);
    person.step("instructed").await;
    assert_eq!(enrol_from(&one, "203.0.113.5").await.0, StatusCode::CREATED);
    assert_eq!(enrol_from(&one, "203.0.113.5").await.0, StatusCode::TOO_MANY_REQUESTS);
}

#[sqlx::test]
async fn two_servers_that_import_the_demo_at_once_import_it_once(pool: PgPool) {
    let (one, other) = Server::two_empty(pool, TestClock::new()).await;
    let study = TinyStudy::new(2);
    let actor = Actor::program();
    let start = |server: &Server| {
        let (app, actor, folder) = (server.app.clone(), actor.clone(), study.path().to_owned());
        async move { import_and_start(&app, &actor, &folder).await }
    };
    let (here, there) = tokio::join!(start(&one), start(&other));
    assert!(here.unwrap().changed != there.unwrap().changed, "one server imports it, the other finds it");
    assert_eq!(one.count("select count(*) from studies where state = 'live'").await, 1);
    assert_eq!(one.count("select count(*) from study_versions").await, 1);
    assert_eq!(one.count("select count(*) from slots where mode = 'live'").await, 10);
    let noted: Vec<String> = sqlx::query_scalar(
        "select action from journal where actor = 'weber' and study = 'demo' order by number",
    )
    .fetch_all(&one.app.pool)
    .await
    .unwrap();
    assert_eq!(noted, ["imported", "state_changed"]);
    Person::arrive(&other, &one.link("Volunteers").await).await;
}

/// A participant at the first practice trial.
async fn practising(server: &Server) -> Person<'_> {
    let link = server.link("Volunteers").await;
    loop {
        let person = Person::arrive(server, &link).await;
        if person.practises() {
            person.step("welcome").await;
            person.step("instructed").await;
            return person;
        }
    }
}

async fn tell(server: &Server, person: &Person<'_>, answer: &Value) -> Value {
    let record = json!({ "tab": person.opened["tab"], "clock_ms": 60_000.0, "answers": [answer] });
    let (status, reply) = server.post("/api/v1/records", Some(&person.token), record).await;
    assert_eq!(status, 200, "{reply}");
    reply
}

#[sqlx::test]
async fn a_cached_participant_is_used_only_while_the_row_is_unchanged(pool: PgPool) {
    let (one, other, _) = Server::two(pool, 1).await;
    let person = practising(&one).await;
    let mut reply = Value::Null;
    for (index, server) in (1..=4).zip([&one, &other].into_iter().cycle()) {
        let button = person.button("practice", 1, index, true).await;
        reply = tell(server, &person, &person.answer_json("practice", 1, index, button)).await;
        assert_eq!(reply["answers"][0]["status"], "stored", "{reply}");
    }
    assert_eq!(reply["stage"], "practised", "neither server received all four");
    person.step("main").await;
    let answers: Vec<Value> = (1..=21).map(|index| person.answer_json("main", 1, index, 0)).collect();
    for status in ["stored", "same"] {
        // The same answers go to both servers at once.
        let told = answers.iter().zip([&one, &other].into_iter().cycle());
        let replies = told.map(|(answer, server)| tell(server, &person, answer));
        for reply in futures::future::join_all(replies).await {
            assert_eq!(reply["answers"][0]["status"], status, "{reply}");
        }
    }
    assert_eq!(one.count("select count(*) from responses").await, 25);
    identities::withdraw(&other.app, &Actor::command_line(), "demo", person.pseudonym()).await.unwrap();
    for server in [&one, &other] {
        let record = json!({ "tab": 1, "clock_ms": 60_000.0, "answers": [answers[0]] });
        assert_eq!(server.post("/api/v1/records", Some(&person.token), record).await.0, 401);
    }
    assert_eq!(one.count("select count(*) from responses").await, 0);
}

#[sqlx::test]
async fn answers_are_stored_while_another_session_keeps_changing_the_participant(pool: PgPool) {
    let server = Server::live(pool.clone(), 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    // The row changes far more often than a server needs time to decide.
    let changes = "do $$ begin for n in 1..200000 loop update participants set tab = tab; commit; \
                   exit when (select count(*) from responses where block = 'main') = 21; end loop; end $$";
    let elsewhere = tokio::spawn(async move { sqlx::raw_sql(changes).execute(&pool).await });
    for index in 1..=21 {
        let reply = tell(&server, &person, &person.answer_json("main", 1, index, 0)).await;
        assert_eq!(reply["answers"][0]["status"], "stored", "{reply}");
    }
    elsewhere.await.unwrap().unwrap();
}
