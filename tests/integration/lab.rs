//! The researchers' pages, by real HTTP.

use reqwest::StatusCode;
use sqlx::PgPool;

use crate::support::browser::{Browser, OpenPage, PASSWORD, invitation};
use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

#[sqlx::test]
async fn a_researcher_sets_a_password_and_signs_in_and_out(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut browser = Browser::signed_in(&server).await;
    assert_eq!(browser.get("/lab").await.texts(".study-title"), ["Which image does the machine favor?"]);
    browser.post("/sign-out", &[]).await;
    assert!(browser.cookie.is_none());
    let page = browser.get("/lab").await;
    assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/sign-in"));
    let page = browser.post("/sign-in", &[("email", "ADA@example.org"), ("password", PASSWORD)]).await;
    assert_eq!(page.location, "/lab");
    assert_eq!(browser.get("/sign-in").await.location, "/lab");
}

/// Errors are shown on a page of the lab with its links, and only to signed-in researchers.
#[sqlx::test]
async fn errors_are_pages_of_the_lab_for_signed_in_researchers(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut browser = Browser::signed_in(&server).await;
    let study = "/lab/studies/demo";
    for (path, form, status, back) in [
        ("/lab/nowhere", None, 404, "/lab"),
        ("/lab/studies/another", None, 404, "/lab"),
        ("/lab/studies/demo/participants/p-none", None, 404, study),
        ("/lab/studies/demo/figures/none.svg", None, 404, study),
        ("/lab/studies/demo/participants?mode=none", None, 400, study),
        ("/lab/studies/demo/quota", Some(("per_condition", "0")), 422, study),
        ("/lab/studies/demo/quota", Some(("per_condition", "many")), 422, study),
        ("/lab/team", Some(("email", "no-address")), 422, "/lab/team"),
    ] {
        let page = match form {
            Some(field) => browser.post(path, &[field]).await,
            None => browser.get(path).await,
        };
        assert_eq!(page.status.as_u16(), status, "{path}");
        assert_eq!(page.texts("h1").len(), 1, "{path}");
        assert!(page.text.contains(r#"<nav aria-label="Lab">"#), "{path}: {}", page.text);
        assert!(page.text.contains(&format!(r#"<a href="{back}">"#)), "{path}: {}", page.text);
    }
    let elsewhere = browser.get("/nowhere").await;
    assert!(elsewhere.status == StatusCode::NOT_FOUND && !elsewhere.text.contains("<nav"));
    browser.cookie = None;
    let stranger = browser.get("/lab/nowhere").await;
    assert!(stranger.status == StatusCode::NOT_FOUND && !stranger.text.contains("<nav"));
}

#[sqlx::test]
async fn signing_out_ends_the_session_on_the_server(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut browser = Browser::signed_in(&server).await;
    let stolen = browser.cookie.clone();
    browser.post("/sign-out", &[]).await;
    browser.cookie = stolen;
    assert_eq!(browser.get("/lab").await.location, "/sign-in");
}

#[sqlx::test]
async fn a_link_to_set_a_password_works_once_and_for_a_week(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    let mut browser = Browser::new(&server);
    let token = invitation(&server).await;
    let form = |password: &'static str, again: &'static str| [("password", password), ("again", again)];
    for (password, again, said) in
        [("short", "short", "at least 10"), (PASSWORD, "another one", "not the same")]
    {
        let fields = [&[("token", token.as_str())], form(password, again).as_slice()].concat();
        let page = browser.post("/set-password", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.text.contains(said) && page.text.contains(&token),
            "the form keeps the token: {}",
            page.text
        );
    }
    let fields = [&[("token", token.as_str())], form(PASSWORD, PASSWORD).as_slice()].concat();
    assert_eq!(browser.post("/set-password", &fields).await.location, "/lab");
    let used = browser.post("/set-password", &fields).await;
    assert_eq!((used.status, used.texts("form").len()), (StatusCode::GONE, 0), "no form that cannot work");
    assert!(used.text.contains("page <em>Team</em>") && !used.text.contains('`'), "{}", used.text);
    let late = invitation(&server).await;
    clock.advance(7 * 86_400 + 1);
    let fields = [&[("token", late.as_str())], form(PASSWORD, PASSWORD).as_slice()].concat();
    assert_eq!(browser.post("/set-password", &fields).await.status, StatusCode::GONE);
}

#[sqlx::test]
async fn guessing_passwords_is_limited_per_address(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    let mut browser = Browser::signed_in(&server).await;
    browser.cookie = None;
    for _ in 0..8 {
        let page = browser.post("/sign-in", &[("email", "ada@example.org"), ("password", "guess")]).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED);
        assert!(page.text.contains("The e-mail address or the password is wrong"));
    }
    let right = [("email", "ada@example.org"), ("password", PASSWORD)];
    assert_eq!(browser.post("/sign-in", &right).await.status, StatusCode::TOO_MANY_REQUESTS);
    let page = browser.post("/sign-in", &[("email", "eve@example.org"), ("password", "guess")]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED, "other addresses are not limited");
    clock.advance(15 * 60 + 1);
    assert_eq!(browser.post("/sign-in", &right).await.location, "/lab");
}

#[sqlx::test]
async fn every_page_of_the_lab_needs_a_session(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut browser = Browser::new(&server);
    for path in [
        "/lab",
        "/lab/live",
        "/lab/studies/demo",
        "/lab/studies/demo/live",
        "/lab/studies/demo/export",
        "/lab/studies/demo/export/trials.csv",
    ] {
        assert_eq!(browser.get(path).await.location, "/sign-in", "{path}");
    }
    browser.cookie = Some("weber=guess".into());
    assert_eq!(browser.post("/lab/studies/demo/state", &[("state", "closed")]).await.location, "/sign-in");
    assert_eq!(server.count("select count(*) from studies where state = 'live'").await, 1);
}

#[sqlx::test]
async fn forms_of_other_sites_are_refused(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let browser = Browser::signed_in(&server).await;
    let response = browser
        .client
        .post(format!("{}/lab/studies/demo/state", server.url))
        .header("cookie", browser.cookie.unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://evil.example")
        .body("state=closed")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(server.count("select count(*) from studies where state = 'live'").await, 1);
}

#[sqlx::test]
async fn a_study_is_started_paused_and_closed(pool: PgPool) {
    let server = Server::empty(pool).await;
    server.import(&TinyStudy::new(1)).await;
    let mut browser = Browser::signed_in(&server).await;
    let path = "/lab/studies/demo";
    assert_eq!(browser.get(path).await.texts(".buttons button"), ["Begin the pilot", "Start"]);
    for (state, buttons) in [
        ("pilot", vec!["Back to draft", "Start"]),
        ("live", vec!["Pause", "Close"]),
        ("paused", vec!["Resume", "Close"]),
        ("live", vec!["Pause", "Close"]),
        ("closed", vec!["Open again"]),
    ] {
        assert_eq!(browser.post(&format!("{path}/state"), &[("state", state)]).await.location, path);
        assert_eq!(browser.get(path).await.texts(".buttons button"), buttons);
    }
    let page = browser.post(&format!("{path}/state"), &[("state", "draft")]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(browser.get(path).await.texts(".meta")[0].ends_with("policy as-posted, pinned"));
    assert_eq!(
        server.count("select count(*) from studies where pinned_policy->>'name' = 'as-posted'").await,
        1
    );
    assert_eq!(browser.get("/lab/studies/nothing").await.status, StatusCode::NOT_FOUND);
}

#[sqlx::test]
async fn links_are_switched_off_and_on(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut browser = Browser::signed_in(&server).await;
    let id = server.count("select id from links").await;
    let switch = format!("/lab/studies/demo/links/{id}");
    browser.post(&switch, &[("enabled", "false")]).await;
    assert_eq!(server.enrol(&server.link("Volunteers").await, &[]).await.1["code"], "closed");
    browser.post(&switch, &[("enabled", "true")]).await;
    assert_eq!(server.enrol(&server.link("Volunteers").await, &[]).await.0, 201);
    assert_eq!(
        browser.post("/lab/studies/demo/links/999", &[("enabled", "true")]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[sqlx::test]
async fn the_study_page_shows_enrolment_and_where_participants_are(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    Person::go_through(&server, &link, true).await;
    Person::go_through(&server, &link, false).await;
    let mut person = Person::arrive(&server, &link).await;
    person.reach_main().await;
    person.tell(serde_json::json!({ "screen": "main:1" })).await;
    let mut browser = Browser::signed_in(&server).await;
    let page = browser.get("/lab/studies/demo").await;
    // Kept, running, open, exhausted, excluded, surplus, left.
    assert_eq!(page.texts("#enrolment tfoot td")[1..], ["1/5", "1", "3", "0", "1", "0", "0"]);
    assert_eq!(page.texts("#running tbody th"), [person.pseudonym()]);
    assert_eq!(page.texts("#running tbody td")[1..4], ["running", "main:1", "0/21"]);
}

#[sqlx::test]
async fn open_pages_receive_changes(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let browser = Browser::signed_in(&server).await;
    let mut study = OpenPage::at(&browser, "/lab/studies/demo/live").await;
    let mut studies = OpenPage::at(&browser, "/lab/live").await;
    study.hears("No one is taking part").await;
    studies.hears("of 5 kept").await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    study.hears(person.pseudonym()).await;
    studies.hears("1 running").await;
}

#[sqlx::test]
async fn downloads_are_the_same_as_exports_by_the_command_line(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    Person::go_through(&server, &server.link("Volunteers").await, true).await;
    let mut browser = Browser::signed_in(&server).await;
    let page = browser.get("/lab/studies/demo/export/trials_cleaned.csv?policy=as-analysed").await;
    assert_eq!(page.headers["content-disposition"], "attachment; filename=\"demo-trials_cleaned.csv\"");
    assert_eq!(page.text.lines().count(), 19);
    let page = browser.get("/lab/studies/demo/export/manifest.json?policy=as-analysed").await;
    assert!(page.text.contains("\"name\": \"as-analysed\""));
    let page = browser.get("/lab/studies/demo/export?simulated=true").await;
    assert_eq!(page.headers["content-type"], "application/zip");
    for wrong in ["/export/..%2Fsecret", "/export/nothing.csv", "/export?policy=strict"] {
        assert_eq!(
            browser.get(&format!("/lab/studies/demo{wrong}")).await.status,
            StatusCode::NOT_FOUND,
            "{wrong}"
        );
    }
}

#[sqlx::test]
async fn every_reply_has_the_security_headers(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let mut browser = Browser::signed_in(&server).await;
    for path in
        ["/lab", "/sign-in", "/set-password", "/run", &format!("/enter/{link}"), "/nothing", "/healthz"]
    {
        let page = browser.get(path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert_eq!(page.headers["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(page.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
        assert!(
            !page.text.contains(" style=")
                && !page.text.contains("<style")
                && !page.text.contains(" onclick"),
            "{path}"
        );
    }
}

#[sqlx::test]
async fn health_and_readiness_have_addresses(pool: PgPool) {
    let server = Server::empty(pool).await;
    assert_eq!(server.get("/healthz").await.0, 200);
    assert_eq!(server.get("/readyz").await.0, 200);
    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(&server.app.pool)
        .await
        .unwrap();
    assert_eq!(server.get("/readyz").await.0, 503);
    server.app.pool.close().await;
    assert_eq!(server.get("/readyz").await.0, 503);
    assert_eq!(server.get("/healthz").await.0, 200);
}
