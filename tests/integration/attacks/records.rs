//! What every answer to a record carries, also where the record is refused: protecting headers, and leave for pages of other
//! origins to read it (the page of a task may stand in a frame without an origin of its own).

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use sqlx::PgPool;

use super::world::ask;
use crate::support::person::Person;
use crate::support::server::Server;

fn record(token: &str, body: &str) -> Request<Body> {
    let request = Request::post("/api/v1/records")
        .header("origin", "https://frame.example")
        .header("authorization", token)
        .header("content-type", "application/json");
    request.body(Body::from(body.to_owned())).unwrap()
}

#[sqlx::test]
async fn an_answer_to_a_record_is_protected_and_may_be_read_by_any_origin(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    let good = format!("Bearer {}", person.token);
    let life = json!({ "tab": person.opened["tab"], "clock_ms": 0.0 }).to_string();
    let long = " ".repeat(300_000);
    for (token, body, status, media_type) in [
        (good.as_str(), life.as_str(), StatusCode::OK, "application/json"),
        ("Bearer guessed", &life, StatusCode::UNAUTHORIZED, "application/problem+json"),
        ("", &life, StatusCode::UNAUTHORIZED, "application/problem+json"),
        (&good, "{", StatusCode::BAD_REQUEST, "application/problem+json"),
        (&good, &long, StatusCode::BAD_REQUEST, "application/problem+json"),
    ] {
        let answer = ask(&server, record(token, body)).await;
        assert_eq!(answer.status, status, "{token}: {}", answer.text);
        for (name, value) in [
            ("content-type", media_type),
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", ""),
            ("vary", ""),
            ("cache-control", "no-store"),
            ("content-encoding", ""),
            ("cross-origin-opener-policy", "same-origin"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), value, "{name} of {status}");
        }
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    }
}
