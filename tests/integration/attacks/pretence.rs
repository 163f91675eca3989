//! False claims of one participant: time that did not pass, invalid texts, and an end before the last answer.

use serde_json::json;
use sqlx::PgPool;
use weber::flow::study::export::PolicyChoice;

use crate::export::Exported;
use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

#[sqlx::test]
async fn a_claim_of_three_minutes_after_one_second_fills_no_slot(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut liar = Person::arrive(&server, &server.link("Volunteers").await).await;
    liar.step("welcome").await;
    liar.clock_ms = 60_000.0;
    liar.step("instructed").await;
    if liar.practises() {
        liar.practise(1, true).await;
    }
    liar.clock_ms = 100_000.0;
    liar.step("main").await;
    liar.answer_main(true).await;
    liar.clock_ms = 182_000.0;
    assert_eq!(liar.submit().await.0, 200);
    assert_eq!(
        (liar.column("claim").await, liar.column("passed").await),
        ("excluded".into(), "false".into())
    );
    let row = Exported::of(&server, PolicyChoice::Enrolment, &[]).await.person(&liar);
    assert_eq!(row["exclusion_reasons"], "instruction_time;total_time;clock_discrepancy");
    assert_eq!((row["kept"].as_str(), row["pass_clock_discrepancy"].as_str()), ("false", "false"));
    let number = |column: &str| row[column].parse::<f64>().unwrap();
    assert!(number("clock_discrepancy") > 150.0 && number("total_time") < 90.0);
}

#[sqlx::test]
async fn answers_that_arrive_together_after_a_time_without_network_are_accepted(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    server.import(&TinyStudy::new(1)).await;
    server.set_state(weber::domain::study::StudyState::Live).await;
    let mut person = Person::arrive_where(&server, false).await;
    // The network fails at Welcome and is back after all trials.
    clock.advance(200);
    person.clock_ms = 195_000.0;
    let step = |step: &str, clock_ms: f64| json!({ "step": step, "clock_ms": clock_ms });
    person
        .tell(
            json!({ "steps": [step("welcome", 0.0), step("instructed", 30_000.0), step("main", 32_000.0)] }),
        )
        .await;
    person.answer_main(true).await;
    clock.advance(10);
    person.clock_ms += 10_000.0;
    assert_eq!(person.submit().await.0, 200);
    let row = Exported::of(&server, PolicyChoice::Enrolment, &[]).await.person(&person);
    let told =
        ["kept", "instruction_time", "total_time", "clock_discrepancy"].map(|column| row[column].as_str());
    assert_eq!(told, ["true", "30", "205", ""]);
}

#[sqlx::test]
async fn half_an_emoji_is_accepted_in_every_text(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let consent = hex::encode(weber::domain::study::text_sha256(&server.definition().await.pages.consent));
    let send = async |path: &str, token: &str, body: String| {
        let request = server.client.post(format!("{}{path}", server.url)).bearer_auth(token);
        let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json::<serde_json::Value>().await.unwrap())
    };
    let body = format!(
        r#"{{"link":"{link}","consent_sha256":"{consent}","parameters":{{"a\ud83d":"b\udc00"}},"device":{{"browser":"B\ud83d"}}}}"#
    );
    let (status, reply) = send("/api/v1/enrolments", "", body).await;
    assert_eq!(status, 201, "{reply}");
    let mut person = Person::with_token(&server, reply["token"].as_str().unwrap()).await;
    assert_eq!(send("/api/v1/open", &person.token, r#"{"navigation":"\ud83d"}"#.into()).await.0, 200);
    person.open().await;
    let record = r#"{"tab":1,"clock_ms":0,"screen":"s\ud83d",
        "events":[{"seq":1,"kind":"screen","detail":{"screen\ude00":"x\ud83d\ude00 \ud83d"}}]}"#;
    let (status, reply) = send("/api/v1/records", &person.token, record.into()).await;
    assert_eq!((status, reply.get("events")), (200, None), "{reply}");
    person.reach_main().await;
    person.answer_main(true).await;
    let submission = r#"{"tab":1,"clock_ms":100000,"feedback":"cut \ud83d\u001b[2J"}"#;
    assert_eq!(send("/api/v1/complete", &person.token, submission.into()).await.0, 200);
    assert_eq!(person.column("feedback").await, "cut \u{fffd}\u{1b}[2J");
    assert_eq!(person.column("browser").await, "B\u{fffd}");
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    assert_eq!(
        exported.person(&person)["feedback"],
        "cut \u{fffd}\u{fffd}[2J",
        "control characters are replaced"
    );
    let details: Vec<String> = exported.rows("events.csv").iter().map(|row| row["detail"].clone()).collect();
    assert!(details.contains(&"{\"screen\u{fffd}\":\"x\u{1f600} \u{fffd}\"}".to_owned()), "{details:?}");
}

#[sqlx::test]
async fn leaving_with_all_answers_completes_and_leaving_before_ends(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let leave = async |person: &Person<'_>| {
        server.post("/api/v1/leave", Some(&person.token), json!({ "reason": "left" })).await
    };
    let mut done = Person::arrive_where(&server, false).await;
    done.reach_main().await;
    done.answer_main(true).await;
    done.spend(100.0).await;
    let (status, reply) = leave(&done).await;
    assert_eq!((status, &reply["outcome"]), (200, &json!("complete")));
    assert_eq!((done.column("stage").await, done.column("claim").await), ("complete".into(), "kept".into()));
    let total_ms: f64 = done.column("total_ms").await.parse().unwrap();
    assert!((200_000.0..230_000.0).contains(&total_ms), "{total_ms}");
    // Submit after Leave, and Leave after Submit, change nothing.
    assert_eq!(done.submit().await.1["outcome"], "complete");
    assert_eq!(leave(&done).await.1["outcome"], "complete");
    let mut left = Person::arrive_where(&server, false).await;
    left.reach_main().await;
    for index in 1..=20 {
        left.answer("main", 1, index, 0).await;
    }
    assert_eq!(leave(&left).await.1["outcome"], json!(null));
    assert_eq!(left.column("stage").await, "abandoned");
    assert_eq!(left.submit().await.1["code"], "ended");
}
