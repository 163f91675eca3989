//! The server's clock steps back or ahead while people take part.

use sqlx::PgPool;
use weber::domain::study::{Mode, StudyState};
use weber::flow::study::export::PolicyChoice;

use crate::export::Exported;
use crate::support::browser::{Browser, PASSWORD};
use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

async fn server(pool: PgPool) -> (Server, std::sync::Arc<TestClock>) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    server.import(&TinyStudy::new(1)).await;
    server.set_state(StudyState::Live).await;
    (server, clock)
}

/// Reads every page and file that shows times.
async fn everything_can_be_read(server: &Server) -> Exported {
    let mut browser = Browser::signed_in(server).await;
    for page in ["", "/participants", "/results", "/exclusion"] {
        let page = browser.get(&format!("/lab/studies/demo{page}")).await;
        assert_eq!(page.status, reqwest::StatusCode::OK, "{}", page.text);
    }
    Exported::of(server, PolicyChoice::Enrolment, &[Mode::Live]).await
}

#[sqlx::test]
async fn a_step_changes_no_duration_and_every_participant_can_continue(pool: PgPool) {
    for steps in [[-HOUR, DAY, -DAY], [DAY, -HOUR, -HOUR]] {
        sqlx::query("truncate studies, images, researchers, responses cascade").execute(&pool).await.unwrap();
        let (server, clock) = server(pool.clone()).await;
        let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
        clock.advance(steps[0]);
        person.reach_main().await;
        clock.advance(steps[1]);
        person.answer_main(true).await;
        clock.advance(steps[2]);
        assert_eq!(person.complete().await.0, 200);
        let row = everything_can_be_read(&server).await.person(&person);
        assert_eq!(
            ["instruction_time", "total_time", "kept", "answers"].map(|column| row[column].as_str()),
            ["60", "400", "true", "25"],
            "durations are the browser's where the server has no better measure"
        );
    }
}

#[sqlx::test]
async fn a_step_ahead_makes_leases_lapse_and_fills_no_slot_twice(pool: PgPool) {
    let (server, clock) = server(pool).await;
    let link = server.link("Volunteers").await;
    let mut people = Vec::new();
    for _ in 0..5 {
        let mut person = Person::arrive(&server, &link).await;
        person.reach_main().await;
        people.push(person);
    }
    clock.advance(DAY);
    for _ in 0..5 {
        people.push(Person::arrive(&server, &link).await);
    }
    clock.advance(-DAY);
    assert_eq!(server.enrol(&link, &[]).await.1["code"], "full");
    for (n, person) in people.iter_mut().enumerate() {
        if n >= 5 {
            person.reach_main().await;
        }
        person.answer_main(true).await;
        assert_eq!(person.complete().await.0, 200);
    }
    let claims = "select count(*) from participants where claim = 'kept'";
    assert_eq!(server.count(claims).await, 5);
    assert_eq!(server.count("select count(*) from participants where claim = 'surplus'").await, 5);
    assert_eq!(everything_can_be_read(&server).await.rows("participants.csv").len(), 10);
}

#[sqlx::test]
async fn researchers_stay_signed_in_and_can_sign_in(pool: PgPool) {
    let (server, clock) = server(pool).await;
    let mut browser = Browser::signed_in(&server).await;
    clock.advance(DAY);
    for _ in 0..8 {
        let wrong = [("email", "ada@example.org"), ("password", "guess")];
        Browser::new(&server).post("/sign-in", &wrong).await;
    }
    clock.advance(-DAY);
    for step in [-HOUR, DAY, -DAY, HOUR] {
        clock.advance(step);
        assert_eq!(browser.get("/lab").await.status, reqwest::StatusCode::OK);
        let mut other = Browser::new(&server);
        let page = other.post("/sign-in", &[("email", "ada@example.org"), ("password", PASSWORD)]).await;
        assert_eq!(page.location, "/lab");
    }
}
