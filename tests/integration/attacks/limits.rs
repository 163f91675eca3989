//! Clients that take connections, memory or slots from others.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use weber::domain::rights::Scope;
use weber::domain::study::StudyState;
use weber::flow::app::SystemClock;
use weber::flow::audit::log::Actor;
use weber::flow::lab::team;
use weber::web::http::serve::ConnectionLimits;

use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

/// Long enough for a slow machine. A test waits for it only if it fails.
const AT_MOST: Duration = Duration::from_secs(25);

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap()
}

/// All that the server sends until it closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(AT_MOST, stream.read_to_end(&mut bytes)).await;
    // A reset also closes the connection.
    let _ = read.expect("the server closes the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

#[sqlx::test]
async fn a_client_that_never_finishes_its_headers_is_disconnected(pool: PgPool) {
    let bounds = ConnectionLimits { head: Duration::from_millis(300), ..ConnectionLimits::default() };
    let server = Server::start(pool, Arc::new(SystemClock), |_| {}, bounds).await;
    for said in
        ["", "GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ", "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"]
    {
        let mut slow = connect(&server).await;
        slow.write_all(said.as_bytes()).await.unwrap();
        // The other client opens a new connection, because an idle one may be closed as well.
        let mut other = connect(&server).await;
        other.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(rest(&mut other).await.starts_with("HTTP/1.1 200"), "other clients get replies meanwhile");
        let heard = rest(&mut slow).await;
        assert_eq!(heard.starts_with("HTTP/1.1 200"), said.ends_with("\r\n\r\n"), "{said:?}: {heard}");
    }
}

#[sqlx::test]
async fn a_client_whose_body_never_ends_gets_an_error(pool: PgPool) {
    let brief = |site: &mut weber::web::Site| site.longest_request = Duration::from_millis(300);
    let server = Server::start(pool, Arc::new(SystemClock), brief, ConnectionLimits::default()).await;
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
async fn the_number_of_connections_is_limited(pool: PgPool) {
    let bounds = ConnectionLimits { connections: 2, ..ConnectionLimits::default() };
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
    assert!(early.is_err(), "no connection is free yet");
    held.pop();
    tokio::time::timeout(AT_MOST, waiting.read_exact(&mut heard)).await.unwrap().unwrap();
    assert_eq!(&heard, b"HTTP/1.1 200");
}

/// Sends requests whose replies fill the connection, and reads nothing. Returns when the server accepts no more.
async fn ask_and_never_read(server: &Server) -> TcpStream {
    let mut stream = connect(server).await;
    let path = weber::web::http::page::asset("runner/main.js");
    let asked = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").repeat(100);
    loop {
        match tokio::time::timeout(Duration::from_millis(200), stream.write_all(asked.as_bytes())).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return stream,
        }
    }
}

#[sqlx::test]
async fn a_client_that_never_reads_is_disconnected(pool: PgPool) {
    let bounds =
        ConnectionLimits { connections: 3, write: Duration::from_millis(500), ..ConnectionLimits::default() };
    let server = Server::start(pool, Arc::new(SystemClock), |_| {}, bounds).await;
    let deaf = futures::future::join_all((0..3).map(|_| ask_and_never_read(&server))).await;
    let healthy = tokio::time::timeout(AT_MOST, server.get("/healthz")).await;
    assert_eq!(healthy.expect("they hold every connection").0, 200);
    drop(deaf);
}

/// Requests a page from an address of this machine. None if the server closes the connection at once.
async fn asks_from(server: &Server, address: &str) -> Option<TcpStream> {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(server.url.trim_start_matches("http://").parse().unwrap()).await.unwrap();
    let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut heard = [0; 500];
    let read = tokio::time::timeout(AT_MOST, stream.read(&mut heard)).await.unwrap();
    read.is_ok_and(|length| length > 0).then_some(stream)
}

#[sqlx::test]
async fn one_network_does_not_take_every_connection(pool: PgPool) {
    let bounds = ConnectionLimits { per_network: 2, exempt: Vec::new(), ..ConnectionLimits::default() };
    let server = Server::start(pool.clone(), Arc::new(SystemClock), |_| {}, bounds).await;
    let (first, second) = (asks_from(&server, "127.0.0.1").await, asks_from(&server, "127.0.0.1").await);
    assert!(first.is_some() && second.is_some());
    assert!(asks_from(&server, "127.0.0.1").await.is_none(), "the network has two connections");
    assert!(asks_from(&server, "127.0.0.2").await.is_some(), "another network is served");
    drop(second);
    let again = async { while asks_from(&server, "127.0.0.1").await.is_none() {} };
    tokio::time::timeout(AT_MOST, again).await.expect("a connection that was closed can be used again");
    // A proxy may open more connections, because it serves many clients.
    let proxy = ConnectionLimits::new(100, 2, &["127.0.0.1/32".parse().unwrap()]);
    let server = Server::start(pool, Arc::new(SystemClock), |_| {}, proxy).await;
    let many = futures::future::join_all((0..5).map(|_| asks_from(&server, "127.0.0.1"))).await;
    assert!(many.iter().all(Option::is_some));
}

/// Sends a consent from a network, through a proxy on this machine, with an API token that may be invalid.
async fn agree(server: &Server, link: &str, forwarded: &[&str], api_token: Option<&str>) -> (u16, String) {
    let consent = hex::encode(weber::domain::study::text_sha256(&server.definition().await.pages.consent));
    let body = json!({ "link": link, "consent_sha256": consent });
    let mut request = server.client.post(format!("{}/api/v1/enrolments", server.url)).json(&body);
    for line in forwarded {
        request = request.header("x-forwarded-for", *line);
    }
    if let Some(token) = api_token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let reply: serde_json::Value = response.json().await.unwrap();
    (status, reply["token"].as_str().unwrap_or_default().to_owned())
}

async fn live_with_clock(pool: PgPool, slots: u32) -> (Server, String, Arc<TestClock>) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    server.import(&TinyStudy::new(slots)).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    (server, link, clock)
}

#[sqlx::test]
async fn two_hundred_workers_behind_one_address_are_enrolled_and_empty_consents_are_limited(pool: PgPool) {
    let (server, link, clock) = live_with_clock(pool, 60).await;
    for group in 0..5 {
        let mut readers = Vec::new();
        for n in 0..40 {
            let (status, token) = agree(&server, &link, &["203.0.113.9"], None).await;
            assert_eq!(status, 201, "worker {n} of group {group}");
            let person = Person::with_token(&server, &token).await;
            person.step("welcome").await;
            readers.push(person);
        }
        clock.advance(20);
        for person in readers {
            person.step("instructed").await;
        }
    }
    // Forty consents without further work are accepted. Then the address has to wait, with any headers; others need not.
    for _ in 0..40 {
        assert_eq!(agree(&server, &link, &["203.0.113.9"], None).await.0, 201);
    }
    assert_eq!(agree(&server, &link, &["203.0.113.9"], None).await.0, 429);
    assert_eq!(agree(&server, &link, &["198.51.100.1, 203.0.113.9"], None).await.0, 429);
    assert_eq!(agree(&server, &link, &["198.51.100.1", "203.0.113.9"], None).await.0, 429);
    assert_eq!(agree(&server, &link, &["198.51.100.1"], None).await.0, 201);
}

#[sqlx::test]
async fn an_unchecked_api_token_does_not_lift_the_consent_limit(pool: PgPool) {
    let (server, link, _) = live_with_clock(pool, 60).await;
    let export = team::make_token(&server.app, &Actor::command_line(), "e", &[Scope::Export]).await.unwrap();
    for n in 0..40 {
        let token = if n % 2 == 0 { "x" } else { &export };
        assert_eq!(agree(&server, &link, &["203.0.113.9"], Some(token)).await.0, 201);
    }
    for token in [None, Some("x"), Some(&*export)] {
        assert_eq!(agree(&server, &link, &["203.0.113.9"], token).await.0, 429, "{token:?}");
    }
}

#[sqlx::test]
async fn welcome_alone_neither_holds_a_slot_for_long_nor_lifts_the_consent_limit(pool: PgPool) {
    let (server, link, clock) = live_with_clock(pool, 9).await;
    let mut tokens = Vec::new();
    for _ in 0..40 {
        let (status, token) = agree(&server, &link, &["203.0.113.9"], None).await;
        assert_eq!(status, 201);
        Person::with_token(&server, &token).await.step("welcome").await;
        tokens.push(token);
    }
    assert_eq!(agree(&server, &link, &["203.0.113.9"], None).await.0, 429);
    // Five continue sooner than people can read the instructions, which does not count as work.
    for token in &tokens[..5] {
        Person::with_token(&server, token).await.step("instructed").await;
    }
    assert_eq!(agree(&server, &link, &["203.0.113.9"], None).await.0, 429);
    clock.advance(301);
    let free = "select count(*) from slots s where mode = 'live' and not exists (select from participants p
        where p.slot_id = s.id and p.claim = 'leased' and p.lease_until >= to_timestamp(20000 * 86400 + 301))";
    assert_eq!(server.count(free).await, 45, "a single step does not extend the lease");
    assert_eq!(agree(&server, &link, &["203.0.113.9"], None).await.0, 201);
    // A participant who lost the slot can continue, and gets it back if it is free.
    let mut person = Person::with_token(&server, &tokens[7]).await;
    person.reach_main().await;
    assert_eq!(person.column("claim").await, "leased");
}

#[sqlx::test]
async fn clients_of_a_proxy_that_hides_them_are_counted_together(pool: PgPool) {
    let (server, link, _) = live_with_clock(pool, 60).await;
    for n in 0..40 {
        let claim = if n % 2 == 0 { "unknown" } else { "_hidden" };
        assert_eq!(agree(&server, &link, &[claim], None).await.0, 201);
    }
    assert_eq!(agree(&server, &link, &["unknown"], None).await.0, 429);
    assert_eq!(
        agree(&server, &link, &["203.0.113.7:4711"], None).await.0,
        201,
        "this client's address can be read"
    );
}
