//! Sessions and tokens that are fixed, stolen, guessed, old or another person's; passwords guessed by one client or by many.

use axum::body::Body;
use axum::http::Request;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::PgPool;
use weber::domain::rights::Scope;
use weber::flow::audit::log::Actor;
use weber::flow::lab::team;
use weber::flow::lab::team::Invitation;

use super::world::ask;
use crate::support::browser::{Browser, OpenPage, PASSWORD};
use crate::support::person::Person;
use crate::support::server::{Server, TestClock};

const RIGHT: [(&str, &str); 2] = [("email", "ada@example.org"), ("password", PASSWORD)];

async fn link(server: &Server) -> String {
    let path = team::invite(&server.app, &Actor::command_line(), "ada@example.org", Invitation::default())
        .await
        .unwrap();
    path.split_once('#').unwrap().1.to_owned()
}

/// Signs in from a network, through a proxy on this machine.
async fn sign_in_from(server: &Server, network: &str, email: &str, password: &str) -> u16 {
    sign_in_with(server, network, "", email, password).await
}

/// The same, with a cookie.
async fn sign_in_with(server: &Server, network: &str, cookie: &str, email: &str, password: &str) -> u16 {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("email", email), ("password", password)])
        .finish();
    let request = server
        .client
        .post(format!("{}/sign-in", server.url))
        .header("x-forwarded-for", network)
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    request.send().await.unwrap().status().as_u16()
}

/// The status of the lab's page, to which a successful sign-in redirects.
const LET_IN: u16 = 200;

#[sqlx::test]
async fn a_token_from_before_sign_in_is_invalid_afterwards(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    Browser::signed_in(&server).await;
    let mut victim = Browser::new(&server);
    victim.cookie = Some("weber=chosen-by-an-attacker".into());
    assert_eq!(victim.post("/sign-in", &RIGHT).await.location, "/lab");
    assert_ne!(victim.cookie.as_deref(), Some("weber=chosen-by-an-attacker"));
    let mut attacker = Browser::new(&server);
    attacker.cookie = Some("weber=chosen-by-an-attacker".into());
    assert_eq!(attacker.get("/lab").await.location, "/sign-in");
}

#[sqlx::test]
async fn a_new_password_ends_every_session_and_every_other_link(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut stolen = Browser::signed_in(&server).await;
    let (used, leaked) = (link(&server).await, link(&server).await);
    let mut owner = Browser::new(&server);
    owner.set_password(&used).await;
    assert_eq!(stolen.get("/lab").await.location, "/sign-in");
    let form = [("token", leaked.as_str()), ("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(stolen.post("/set-password", &form).await.status, StatusCode::GONE);
    assert_eq!(owner.get("/lab").await.status, StatusCode::OK);
}

#[sqlx::test]
async fn a_session_ends_after_its_time(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    let mut browser = Browser::signed_in(&server).await;
    clock.advance(14 * 86_400 - 1);
    assert_eq!(browser.get("/lab").await.status, StatusCode::OK);
    clock.advance(2);
    assert_eq!(browser.get("/lab").await.location, "/sign-in");
}

#[sqlx::test]
async fn an_open_page_receives_nothing_after_its_session_ended(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut browser = Browser::signed_in(&server).await;
    let mut page = OpenPage::at(&browser, "/lab/studies/demo/live").await;
    page.hears("No one is taking part").await;
    browser.post("/sign-out", &[]).await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    while page.listens().await {}
    assert!(!page.heard.contains(person.pseudonym()));
}

#[sqlx::test]
async fn guessing_a_password_does_not_lock_its_owner_out(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    Browser::signed_in(&server).await;
    for _ in 0..8 {
        assert_eq!(sign_in_from(&server, "203.0.113.5", "ada@example.org", "guess").await, 401);
    }
    assert_eq!(sign_in_from(&server, "203.0.113.5", "ada@example.org", PASSWORD).await, 429);
    // The guesser's own header comes before the one that the proxy adds.
    assert_eq!(sign_in_from(&server, "198.51.100.1, 203.0.113.5", "ada@example.org", PASSWORD).await, 429);
    assert_eq!(sign_in_from(&server, "198.51.100.7", "ada@example.org", PASSWORD).await, LET_IN);
}

#[sqlx::test]
async fn a_colleague_does_not_lock_a_researcher_out_of_a_known_browser(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mark = Browser::signed_in(&server).await.mark.unwrap();
    let here = "203.0.113.5";
    let with = async |cookie: &str, email: &str, password: &str| {
        sign_in_with(&server, here, cookie, email, password).await
    };
    // The tries reach the limits of the network and of the researcher.
    for n in 0..100 {
        sign_in_from(&server, &format!("203.0.113.{}", 5 + n / 7), "ada@example.org", "guess").await;
    }
    assert_eq!(with("", "ada@example.org", PASSWORD).await, 429);
    assert_eq!(with(&mark, "ada@example.org", PASSWORD).await, LET_IN);
    // The mark does not sign in, is valid for one researcher, cannot be forged, and allows no unlimited guessing.
    let forged = mark.replace('.', ".0");
    assert_eq!(with(&forged, "ada@example.org", PASSWORD).await, 429);
    for _ in 0..8 {
        assert_eq!(with(&mark, "eve@example.org", "guess").await, 401);
    }
    assert_eq!(with(&mark, "eve@example.org", "guess").await, 429, "the mark is another researcher's");
    for _ in 0..8 {
        assert_eq!(with(&mark, "ada@example.org", "guess").await, 401);
    }
    assert_eq!(with(&mark, "ada@example.org", PASSWORD).await, 429);
}

#[sqlx::test]
async fn tries_with_invented_links_are_counted_by_network(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let good = link(&server).await;
    let set = async |token: &str, network: &str| {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("token", token), ("password", PASSWORD), ("again", PASSWORD)])
            .finish();
        let request = server.client.post(format!("{}/set-password", server.url)).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.header("x-forwarded-for", network).send().await.unwrap().status().as_u16()
    };
    for _ in 0..20 {
        assert_eq!(set("made-up", "203.0.113.5").await, 410);
    }
    assert_eq!(set("made-up", "203.0.113.5").await, 429);
    assert_eq!(set("made-up", "198.51.100.7").await, 410);
    assert_eq!(set(&good, "203.0.113.5").await, LET_IN, "a valid link is not limited");
}

#[sqlx::test]
async fn one_network_can_try_a_password_on_few_researchers_only(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    Browser::signed_in(&server).await;
    for n in 0..60 {
        let email = format!("r{n}@example.org");
        assert_eq!(sign_in_from(&server, "203.0.113.5", &email, "guess").await, 401);
    }
    assert_eq!(sign_in_from(&server, "203.0.113.5", "ada@example.org", PASSWORD).await, 429);
    assert_eq!(sign_in_from(&server, "198.51.100.7", "ada@example.org", PASSWORD).await, LET_IN);
}

#[sqlx::test]
async fn guesses_from_many_networks_are_limited_together(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    Browser::signed_in(&server).await;
    let tries =
        async |n: u32| sign_in_from(&server, &format!("203.0.113.{n}"), "ada@example.org", "guess").await;
    let mut stopped = 0;
    for n in 0..104 {
        stopped += u32::from(tries(n).await == 429);
    }
    assert_eq!(stopped, 4);
}

#[sqlx::test]
async fn simultaneous_guesses_are_all_counted(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    Browser::signed_in(&server).await;
    let tries = (0..30).map(|_| sign_in_from(&server, "203.0.113.5", "ada@example.org", "guess"));
    let statuses = futures::future::join_all(tries).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 8, "{statuses:?}");
}

async fn wrong_codes(browser: &mut Browser<'_>, what: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..9 {
        let path = format!("/lab/account/second-factor/{what}");
        statuses.push(browser.post(&path, &[("code", "123456")]).await.status.as_u16());
    }
    statuses
}

#[sqlx::test]
async fn the_second_factor_cannot_be_guessed_on_or_off(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut stolen = Browser::signed_in(&server).await;
    stolen.post("/lab/account/second-factor", &[]).await;
    assert_eq!(wrong_codes(&mut stolen, "confirm").await, [422, 422, 422, 422, 422, 422, 422, 422, 429]);
    sqlx::query("update researchers set totp_confirmed_at = now()").execute(&server.app.pool).await.unwrap();
    sqlx::query("delete from sign_in_tries").execute(&server.app.pool).await.unwrap();
    assert_eq!(wrong_codes(&mut stolen, "off").await, [422, 422, 422, 422, 422, 422, 422, 422, 429]);
    assert_eq!(
        wrong_codes(&mut stolen, "confirm").await,
        [429; 9],
        "wrong codes of all forms are counted together"
    );
}

/// Otherwise a person with a stolen session and one code would get recovery codes, and could lock the owner out.
#[sqlx::test]
async fn a_second_factor_that_is_on_is_not_confirmed_again(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    let mut stolen = Browser::signed_in(&server).await;
    let secret = stolen.post("/lab/account/second-factor", &[]).await.texts("details code").remove(0);
    let confirm = "/lab/account/second-factor/confirm";
    let first = stolen.post(confirm, &[("code", &crate::rights::code(&server, &secret))]).await;
    assert_eq!(first.texts(".codes code").len(), 10);
    let stored = "select sum(hashtext(hmac::text)) from recovery_codes";
    let before = server.count(stored).await;
    clock.advance(60);
    for code in [&crate::rights::code(&server, &secret), "123456"] {
        let again = stolen.post(confirm, &[("code", code)]).await;
        assert_eq!((again.status, again.texts(".codes code").len()), (StatusCode::CONFLICT, 0));
    }
    assert_eq!(server.count(stored).await, before, "the recovery codes are unchanged");
}

#[sqlx::test]
async fn a_participation_is_opened_by_its_own_token_only(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let link = server.link("Volunteers").await;
    let person = Person::arrive(&server, &link).await;
    let other = Person::arrive(&server, &link).await;
    let export = team::make_token(&server.app, &Actor::command_line(), "e", &[Scope::Export]).await.unwrap();
    let mut guessed = person.token.clone().into_bytes();
    guessed[0] = if guessed[0] == b'A' { b'B' } else { b'A' };
    let guessed = String::from_utf8(guessed).unwrap();
    let hash = hex::encode(weber::flow::secrets::token_sha256(&person.token));
    for wrong in [&guessed, &export, &hash, "", "' or true --", &"x".repeat(7000)] {
        let (status, reply) = server.post("/api/v1/open", Some(wrong), json!({})).await;
        assert_eq!((status, &reply["code"]), (401, &json!("unknown_token")), "{wrong}");
    }
    let opened = server.post("/api/v1/open", Some(&other.token), json!({})).await.1;
    assert_eq!(opened["participant"], other.opened["participant"]);
    sqlx::query("delete from participant_tokens").execute(&server.app.pool).await.unwrap();
    assert_eq!(server.post("/api/v1/open", Some(&person.token), json!({})).await.0, 401);
}

#[sqlx::test]
async fn correct_answers_are_told_for_simulated_people_only(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    let key = "/api/v1/simulation/answer-key";
    let body = json!({ "participant_token": person.token });
    let scopes = [Scope::Export, Scope::Metrics];
    let other = team::make_token(&server.app, &Actor::command_line(), "o", &scopes).await.unwrap();
    let simulate =
        team::make_token(&server.app, &Actor::command_line(), "s", &[Scope::Simulate]).await.unwrap();
    for (token, code) in [
        (None, "api_token_needed"),
        (Some(&person.token), "api_token_needed"),
        (Some(&other), "api_token_needed"),
        (Some(&simulate), "unknown_token"),
    ] {
        let (status, reply) = server.post(key, token.map(String::as_str), body.clone()).await;
        assert_eq!((status, reply["code"].as_str().unwrap()), (401, code));
    }
    let link = server.post("/api/v1/simulation/link", Some(&simulate), json!({ "study": "demo" })).await.1;
    let (status, reply) = server.enrol(link["link"].as_str().unwrap(), &[]).await;
    assert_eq!((status, &reply["code"]), (401, &json!("api_token_needed")), "the link needs an API token");
}

#[sqlx::test]
async fn an_api_token_works_for_its_scope_only(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    Browser::signed_in(&server).await;
    let scopes = [Scope::Export, Scope::Simulate, Scope::Metrics];
    let token = team::make_token(&server.app, &Actor::command_line(), "all", &scopes).await.unwrap();
    for path in
        ["/lab", "/lab/studies/demo", "/lab/studies/demo/people", "/lab/team", "/lab/studies/demo/report"]
    {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {token}"))
            .header("cookie", format!("weber={token}"));
        let answer = ask(&server, request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("location"), "/sign-in", "{path}");
    }
}
