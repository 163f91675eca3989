//! Clients who take time, room or places.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use weber::flow::app::SystemClock;
use weber::web::serve::Bounds;

use crate::support::person::Person;
use crate::support::server::Server;

/// Long enough for a slow machine; no test waits for it unless it fails.
const AT_MOST: Duration = Duration::from_secs(25);

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap()
}

/// Everything that the server says until it closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(AT_MOST, stream.read_to_end(&mut bytes)).await;
    // A connection that is reset is closed, too.
    let _ = read.expect("the server closes the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[sqlx::test]
async fn a_client_who_never_comes_to_the_point_is_put_out(pool: PgPool) {
    let bounds = Bounds { head: Duration::from_millis(300), ..Bounds::default() };
    let server = Server::start(pool, Arc::new(SystemClock), |_| {}, bounds).await;
    for said in
        ["", "GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ", "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"]
    {
        let mut slow = connect(&server).await;
        slow.write_all(said.as_bytes()).await.unwrap();
        assert_eq!(server.get("/healthz").await.0, 200, "others are answered meanwhile");
        let heard = rest(&mut slow).await;
        assert_eq!(heard.starts_with("HTTP/1.1 200"), said.ends_with("\r\n\r\n"), "{said:?}: {heard}");
    }
}

#[sqlx::test]
async fn a_client_whose_body_never_ends_is_put_out(pool: PgPool) {
    let brief = |site: &mut weber::web::Site| site.longest_request = Duration::from_millis(300);
    let server = Server::start(pool, Arc::new(SystemClock), brief, Bounds::default()).await;
    for (path, kind) in [
        ("/api/v1/records", "application/json"),
        ("/api/v1/enrolments", "application/json"),
        ("/sign-in", "application/x-www-form-urlencoded"),
    ] {
        let mut slow = connect(&server).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\ncontent-type: {kind}\r\n\
             content-length: 1000\r\n\r\n{{"
        );
        slow.write_all(head.as_bytes()).await.unwrap();
        let heard = rest(&mut slow).await;
        assert!(heard.starts_with("HTTP/1.1 503"), "{path}: {heard}");
    }
}

#[sqlx::test]
async fn there_are_not_more_connections_than_there_may_be(pool: PgPool) {
    let bounds = Bounds { connections: 2, ..Bounds::default() };
    let server = Server::start(pool, Arc::new(SystemClock), |_| {}, bounds).await;
    let ask = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(&server).await;
        stream.write_all(ask.as_bytes()).await.unwrap();
        assert!(stream.read(&mut [0; 500]).await.unwrap() > 0);
        held.push(stream);
    }
    let mut waiting = connect(&server).await;
    waiting.write_all(ask.as_bytes()).await.unwrap();
    let mut heard = [0; 12];
    let early = tokio::time::timeout(Duration::from_millis(300), waiting.read_exact(&mut heard)).await;
    assert!(early.is_err(), "there is no place yet");
    held.pop();
    tokio::time::timeout(AT_MOST, waiting.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, b"HTTP/1.1 200");
}

/// Agrees at one network, by way of a proxy on this machine.
async fn agree(server: &Server, consent: &str, link: &str, forwarded: &[&str]) -> (u16, String) {
    let body = json!({ "link": link, "consent_sha256": consent });
    let mut request = server.client.post(format!("{}/api/v1/enrolments", server.url)).json(&body);
    for line in forwarded {
        request = request.header("x-forwarded-for", *line);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let reply: serde_json::Value = response.json().await.unwrap();
    (status, reply["token"].as_str().unwrap_or_default().to_owned())
}

#[sqlx::test]
async fn two_hundred_workers_behind_one_address_get_in_and_empty_consents_do_not(pool: PgPool) {
    let server = Server::live(pool, 60).await;
    let link = server.link("Volunteers").await;
    let consent = hex::encode(weber::domain::study::text_sha256(&server.definition().await.pages.consent));
    for n in 0..200 {
        let (status, token) = agree(&server, &consent, &link, &["203.0.113.9"]).await;
        assert_eq!(status, 201, "worker {n}");
        let person = Person::with_token(&server, &token).await;
        person.step("welcome").await;
    }
    // Forty who do nothing are borne; then the address waits, whatever it claims to be, and others do not.
    for _ in 0..40 {
        assert_eq!(agree(&server, &consent, &link, &["203.0.113.9"]).await.0, 201);
    }
    assert_eq!(agree(&server, &consent, &link, &["203.0.113.9"]).await.0, 429);
    assert_eq!(agree(&server, &consent, &link, &["198.51.100.1, 203.0.113.9"]).await.0, 429);
    assert_eq!(agree(&server, &consent, &link, &["198.51.100.1", "203.0.113.9"]).await.0, 429);
    assert_eq!(agree(&server, &consent, &link, &["198.51.100.1"]).await.0, 201);
}
