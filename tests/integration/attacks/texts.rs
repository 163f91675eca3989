//! Texts from participants and addresses are stored unchanged, shown as text, and cause no error of the server.

use axum::body::Body;
use axum::http::Request;
use scraper::{Html, Selector};
use serde_json::{Value, json};
use sqlx::PgPool;
use weber::flow::study::export::{PolicyChoice, export, prepare};

use super::world::{EVIL, EVIL_ID, World, ask};
use crate::support::browser::Browser;
use crate::support::person::Person;
use crate::support::server::Server;

/// The text of a page, as a reader sees it.
fn shown(html: &str) -> String {
    let body = Selector::parse("body").unwrap();
    Html::parse_document(html).select(&body).flat_map(|body| body.text()).collect()
}

#[sqlx::test]
async fn texts_of_participants_are_shown_unchanged(pool: PgPool) {
    let world = World::new(pool).await;
    let person = format!("/lab/studies/demo/participants/{}", world.writer);
    for (page, text) in [
        (person.as_str(), EVIL),
        (&person, "Title '\"><x-evil onx=1>"),
        ("/lab/studies/demo", &EVIL[4..40]),
        ("/lab/studies/demo", "None '\"><x-evil onx=1>"),
        ("/lab/studies/demo", "Panel <x-evil onx=1>"),
        ("/lab/team", EVIL),
        ("/lab/team", "'\"><x-evil onx=1>@x.org"),
        ("/lab/journal", "'\"><x-evil onx=1>@x.org"),
        ("/lab/studies/demo/recruiting", "Panel <x-evil onx=1>"),
        ("/lab/studies/demo/people?done=found&participant=%3Cb%3E", "This person is <b>."),
        ("/lab/studies/demo/exclusion?total_time.min=%3Cb%3E", "“<b>” is not a number"),
    ] {
        let answer = world.get(page).await;
        assert!(shown(&answer.text).contains(text), "{page} does not show {text:?}");
    }
    let search = world.get("/lab/studies/demo/participants?search=%22%3E%3Cb%3E").await;
    let field = Selector::parse("input[name=search]").unwrap();
    let value =
        Html::parse_document(&search.text).select(&field).next().unwrap().attr("value").map(str::to_owned);
    assert_eq!(value.as_deref(), Some("\"><b>"));
}

#[sqlx::test]
async fn texts_of_participants_are_exported_unchanged_and_run_in_no_spreadsheet(pool: PgPool) {
    let world = World::new(pool).await;
    let request = prepare(&world.server.app, "demo", PolicyChoice::Enrolment, &[]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    export(&world.server.app, &request, folder.path()).await.unwrap();
    let mut people = csv::Reader::from_path(folder.path().join("participants.csv")).unwrap();
    let header = people.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = people.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2, "no text adds a row");
    let row = rows.iter().find(|row| row.iter().any(|field| field == world.writer)).unwrap();
    for column in ["browser", "system", "feedback", "override_reason"] {
        let at = header.iter().position(|name| name == column).unwrap();
        assert_eq!(row[at].strip_prefix('\''), Some(EVIL), "{column}");
    }
    for file in ["participants.csv", "trials.csv", "trials_cleaned.csv", "events.csv", "codebook.csv"] {
        let mut table = csv::Reader::from_path(folder.path().join(file)).unwrap();
        for field in
            table.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
        {
            let runs = field.starts_with(['=', '+', '-', '@', '\t', '\r']) && field.parse::<f64>().is_err();
            assert!(!runs, "{file}: {field}");
        }
    }
    let mut browser = Browser::new(&world.server);
    browser.cookie = Some(world.cookie.clone());
    let payments = browser.post("/lab/studies/demo/people/pay/payments.csv", &[]).await;
    assert!(payments.text.contains(",\"'='\"\"x-evil/onx"), "{}", payments.text);
    let file = browser.post("/lab/studies/demo/people/pay/payments.csv%0d%0aset-cookie:a=b", &[]).await;
    assert_eq!(file.status.as_u16(), 404);
}

#[sqlx::test]
async fn links_back_lead_only_to_the_configured_address(pool: PgPool) {
    let world = World::new(pool).await;
    let opened = world.server.post("/api/v1/open", Some(&world.token), json!({})).await.1;
    let address = opened["return"]["url"].as_str().unwrap();
    assert!(
        address.starts_with("https://panel.example/back?id=%3D%27%22x-evil%2Fonx%3D1%26amp%3B"),
        "{address}"
    );
    let id = url::Url::parse(address).unwrap().query_pairs().next().unwrap().1.into_owned();
    assert_eq!(id, format!("{EVIL_ID}1"));
    for path in ["/sign-in?next=https://evil.example", "/?next=//evil.example", "/lab?return=//evil.example"]
    {
        let answer = world.get(path).await;
        assert!(["/lab", ""].contains(&answer.header("location")), "{path}");
    }
}

/// Numbers and texts that JSON allows and a study does not.
fn extremes() -> Vec<Value> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let numbers =
        ["-1", "0", "1e308", "-1e308", "4294967295", "2147483647", "65535", "32768", "1e-320", "0.5"];
    let mut values: Vec<Value> = numbers.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    values.extend([
        json!(null),
        json!("a\0b"),
        json!("\u{202e}\u{feff}"),
        json!("x".repeat(5000)),
        json!(EVIL),
        deep,
    ]);
    values
}

/// The paths of all values in a document.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, inner)| paths(inner, &format!("{path}/{name}"), found));
        }
        Value::Array(items) => {
            (0..).zip(items).for_each(|(n, inner): (usize, _)| paths(inner, &format!("{path}/{n}"), found));
        }
        _ => {}
    }
}

#[sqlx::test]
async fn no_value_in_a_request_causes_an_error_of_the_server(pool: PgPool) {
    let server = Server::live(pool, 60).await;
    let link = server.link("Volunteers").await;
    let mut person = Person::arrive(&server, &link).await;
    person.reach_main().await;
    let consent = hex::encode(weber::domain::study::text_sha256(&server.definition().await.pages.consent));
    let record = json!({
        "tab": 1, "clock_ms": 1.0, "screen": "main:1", "steps": [{ "step": "main", "clock_ms": 1.0, "load_wait": 0 }],
        "answers": [person.answer_json("main", 1, 1, 0)],
        "events": [{ "seq": 1, "kind": "screen", "at": 1.0, "detail": { "screen": "x" } }],
    });
    let device = json!({
        "browser": "b", "system": "s", "screen_width": 1, "screen_height": 1, "window_width": 1, "window_height": 1,
        "pixel_ratio": 1.0,
    });
    for (path, body) in [
        ("/api/v1/records", record),
        ("/api/v1/open", json!({ "navigation": "reload" })),
        ("/api/v1/complete", json!({ "tab": 1, "clock_ms": 1.0, "feedback": "f" })),
        (
            "/api/v1/enrolments",
            json!({ "link": link, "consent_sha256": consent, "parameters": { "a": "b" }, "device": device }),
        ),
        ("/api/v1/task", json!({ "link": link, "parameters": { "a": "b" } })),
        ("/api/v1/declines", json!({ "link": link, "reason": "declined" })),
    ] {
        let mut places = Vec::new();
        paths(&body, "", &mut places);
        for place in places {
            for extreme in extremes() {
                let mut changed = body.clone();
                *changed.pointer_mut(&place).unwrap() = extreme;
                let sent = changed.to_string();
                let (status, reply) = server.post(path, Some(&person.token), changed).await;
                assert!(status < 500, "{path} {place}: {status} {reply}\n{}", &sent[..sent.len().min(600)]);
                if place.starts_with("/answers/") {
                    // Accepted data can be read, and are deleted before the next try.
                    person.open().await;
                    sqlx::query("delete from responses").execute(&server.app.pool).await.unwrap();
                }
            }
        }
    }
    // Researchers can read all accepted data.
    for index in 1..=21 {
        person.answer("main", 1, index, 0).await;
    }
    let body = json!({ "tab": 1, "clock_ms": 1e300, "feedback": "a\0b" });
    assert_eq!(server.post("/api/v1/complete", Some(&person.token), body).await.0, 200);
    let mut browser = Browser::signed_in(&server).await;
    let one = format!("/participants/{}", person.pseudonym());
    for page in
        ["", &one, "/participants", "/results", "/flow", "/exclusion", "/report", "/export", "/people"]
    {
        let page = browser.get(&format!("/lab/studies/demo{page}")).await;
        assert_eq!(page.status.as_u16(), 200, "{}", page.text);
    }
    assert_eq!(person.column("feedback").await, "a\u{fffd}b");
}

#[sqlx::test]
async fn no_character_in_an_address_or_form_causes_an_error_of_the_server(pool: PgPool) {
    let world = World::new(pool).await;
    let code = world.server.link("Workers").await;
    for path in [
        "/enter/%00",
        "/enter/%ff",
        &format!("/enter/{code}?workerId=%00&assignmentId=%00"),
        &format!("/enter/{code}/window?workerId=%ff&assignmentId=a%00b"),
        "/images/%00",
        "/static/%00/%00",
        "/static/1/..%2f..%2fCargo.toml",
        "/lab/studies/%00",
        "/lab/studies/demo/participants/%00",
        "/lab/studies/demo/export/%00?policy=%00",
        "/lab/studies/demo/results?policy=%00",
        "/lab/studies/demo/exclusion?policy=%00",
        "/lab/studies/demo/figures/%00.svg",
        "/lab/journal?study=%00",
        "/lab/studies/demo/participants?search=%00&sort=%00",
    ] {
        let answer = world.get(path).await;
        assert!(!answer.status.is_server_error(), "{path}: {}", answer.text);
        assert!(!answer.text.contains("default-run"), "{path}");
    }
    for path in [
        "/sign-in",
        "/set-password",
        "/sign-in/code",
        "/lab/team",
        "/lab/team/tokens",
        "/lab/studies/demo/people/seek",
    ] {
        for value in ["%00", "%ff", "%E2%80%AE", "a%0d%0ab"] {
            let fields = ["email", "password", "again", "token", "code", "name", "id", "role=viewer&export"];
            let body: Vec<String> = fields.iter().map(|field| format!("{field}={value}")).collect();
            let request = Request::post(path)
                .header("cookie", &world.cookie)
                .header("sec-fetch-site", "same-origin")
                .header("content-type", "application/x-www-form-urlencoded");
            let answer = ask(&world.server, request.body(Body::from(body.join("&"))).unwrap()).await;
            assert!(!answer.status.is_server_error(), "{path} {value}: {}", answer.text);
        }
    }
}
