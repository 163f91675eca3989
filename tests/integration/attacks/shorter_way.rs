//! Records do not pass the table of routes (`web::http::responder`). Their replies are the same as by the table.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use sqlx::PgPool;
use tower::ServiceExt;
use weber::flow::App;
use weber::flow::app::SystemClock;
use weber::flow::secrets::Secrets;
use weber::web::http::responder::Responder;
use weber::web::{Site, WebState, router};

use super::world::{Answer, read};
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
async fn a_record_is_answered_as_by_the_table_of_routes(pool: PgPool) {
    let server = Server::live(pool.clone(), 1).await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    let (app, changes) = App::new(pool, Secrets::new([7; 32]), Arc::new(SystemClock), [11; 32]);
    let state = WebState::new(app, changes, Site::at("https://weber.example".into()));
    let good = format!("Bearer {}", person.token);
    let life = json!({ "tab": person.opened["tab"], "clock_ms": 0.0 }).to_string();
    let long = " ".repeat(300_000);
    for (token, body, status) in [
        (good.as_str(), life.as_str(), StatusCode::OK),
        ("Bearer guessed", &life, StatusCode::UNAUTHORIZED),
        ("", &life, StatusCode::UNAUTHORIZED),
        (&good, "{", StatusCode::BAD_REQUEST),
        (&good, &long, StatusCode::BAD_REQUEST),
    ] {
        let by_table = read(router(state.clone()).oneshot(record(token, body)).await.unwrap()).await;
        let shorter = read(Responder::new(state.clone()).answer(record(token, body)).await).await;
        assert_eq!(by_table.status, status, "{token}: {}", by_table.text);
        let whole = |mut answer: Answer| {
            // Hyper adds the length of a body that has none.
            answer.headers.remove("content-length");
            (answer.status, answer.headers, answer.text)
        };
        assert_eq!(whole(shorter), whole(by_table), "{token}");
    }
}
