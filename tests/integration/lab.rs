//! The researchers' pages, by real HTTP.

use reqwest::StatusCode;
use scraper::{Html, Selector};
use sqlx::PgPool;
use weber::flow::audit::log::Actor;
use weber::flow::lab::team;
use weber::flow::lab::team::Invitation;

use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

pub const PASSWORD: &str = "a long password";

/// A researcher's browser.
pub struct Browser<'a> {
    server: &'a Server,
    client: reqwest::Client,
    pub cookie: Option<String>,
    /// The mark by which the server knows this browser. It is sent only if a test does so.
    pub mark: Option<String>,
}

pub struct Page {
    pub status: StatusCode,
    pub location: String,
    /// The body; of a page, with single spaces.
    pub text: String,
    pub headers: reqwest::header::HeaderMap,
}

/// A text with single spaces: a browser shows a line break of a template as one.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Page {
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        let page = Html::parse_document(&self.text);
        page.select(&selector).map(|element| squeezed(&element.text().collect::<String>())).collect()
    }

    /// The links: text and address of each.
    pub fn links(&self, selector: &str) -> Vec<(String, String)> {
        let selector = Selector::parse(selector).unwrap();
        let page = Html::parse_document(&self.text);
        let links = page.select(&selector);
        links.map(|link| (link.text().collect(), link.attr("href").unwrap().to_owned())).collect()
    }
}

impl<'a> Browser<'a> {
    pub fn new(server: &'a Server) -> Self {
        crate::support::server::client();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { server, client, cookie: None, mark: None }
    }

    /// Signed in as a new researcher.
    pub async fn signed_in(server: &'a Server) -> Self {
        let mut browser = Self::new(server);
        browser.set_password(&invitation(server).await).await;
        browser
    }

    /// Signs in by a one-time link's token.
    pub async fn set_password(&mut self, token: &str) {
        let form = [("token", token), ("password", PASSWORD), ("again", PASSWORD)];
        let page = self.post("/set-password", &form).await;
        assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/lab"));
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.server.url));
        self.send(request).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .client
            .post(format!("{}{path}", self.server.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(body);
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        for cookie in headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            assert!(text.contains("HttpOnly") && text.contains("Path=/"), "{text}");
            let pair = text.split(';').next().unwrap();
            if pair.starts_with("weber-browser=") {
                self.mark = Some(pair.to_owned());
            } else {
                self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
            }
        }
        let location = headers.get("location").map(|l| l.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = response.status();
        let is_page =
            headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let text = response.text().await.unwrap();
        Page { status, location, text: if is_page { squeezed(&text) } else { text }, headers }
    }
}

/// The token of a one-time link for a researcher.
async fn invitation(server: &Server) -> String {
    let rights = Invitation { sees_identities: true, ..Invitation::default() };
    let path = team::invite(&server.app, &Actor::command_line(), "ada@example.org", rights).await.unwrap();
    path.split_once('#').unwrap().1.to_owned()
}

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

/// An open page that receives a stream of changes.
pub struct OpenPage {
    response: reqwest::Response,
    pub heard: String,
    /// A test fails after this time.
    give_up_at: tokio::time::Instant,
}

impl OpenPage {
    pub async fn at(browser: &Browser<'_>, path: &str) -> Self {
        let request = browser.client.get(format!("{}{path}", browser.server.url));
        let response = request.header("cookie", browser.cookie.clone().unwrap()).send().await.unwrap();
        let give_up_at = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        Self { response, heard: String::new(), give_up_at }
    }

    pub async fn hears(&mut self, words: &str) {
        while !self.heard.contains(words) {
            assert!(self.listens().await, "the page did not receive {words}");
        }
    }

    /// Waits for the next part; false at the end of the stream.
    pub async fn listens(&mut self) -> bool {
        let next = tokio::time::timeout_at(self.give_up_at, self.response.chunk()).await;
        let chunk = next.expect("the page hears something, or its end").unwrap();
        let goes_on = chunk.is_some();
        self.heard.push_str(&String::from_utf8_lossy(&chunk.unwrap_or_default()));
        goes_on
    }
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
