//! The server's log: it has failed requests by their reference, and the events that an operator looks for, without names.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::PgPool;
use weber::domain::rights::Scope;
use weber::simulate::{Client, run};

use crate::operations::{live, token};
use crate::simulation::plan;
use crate::support::browser::{Browser, PASSWORD, Page};
use crate::support::program::Program;

/// The lines of a log that is written as JSON.
pub fn lines(log: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    log.lines().map(read).collect()
}

/// The reference that a page shows, which is also in its header.
fn reference_on(page: &Page) -> String {
    assert_eq!(page.status.as_u16(), 500);
    let [shown] = &page.texts("p.small code, p.legend code, p.problem code")[..] else {
        panic!("no reference: {}", page.text)
    };
    assert_eq!(page.headers["x-request-id"], shown);
    shown.clone()
}

#[sqlx::test]
async fn a_failed_request_is_found_by_the_reference_that_the_person_sees(pool: PgPool) {
    let program = Program::on(&pool);
    let (serving, server) = live(&pool, &program, 1, "info").await;
    let link = server.link("Workers").await;
    let mut researcher = Browser::signed_in(&server).await;
    sqlx::query("alter table links rename to elsewhere").execute(&pool).await.unwrap();
    let arrival = format!("/enter/{link}?workerId=A1WORKERSECRET");
    let on_page = reference_on(&Browser::new(&server).get(&arrival).await);
    let in_lab = reference_on(&researcher.get("/lab/studies/demo").await);
    // A page that shows its form again.
    sqlx::query("alter table researchers rename to others").execute(&pool).await.unwrap();
    let form = [("email", "ada@example.org"), ("password", "WRONGSECRET")];
    let on_form = reference_on(&Browser::new(&server).post("/sign-in", &form).await);
    let body = json!({ "link": link, "consent_sha256": "", "parameters": {} });
    let (status, document) = server.post("/api/v1/enrolments", None, body).await;
    assert_eq!(status, 500, "{document}");

    serving.terminate();
    let log = serving.log();
    for secret in [&*link, "SECRET"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    let in_document = document["reference"].as_str().unwrap();
    for (reference, method, route, table) in [
        (&*on_page, "GET", "/enter/{link}", "links"),
        (&*in_lab, "GET", "/lab/studies/{slug}", "links"),
        (&*on_form, "POST", "/sign-in", "researchers"),
        (in_document, "POST", "/api/v1/enrolments", "links"),
    ] {
        let failure: Vec<Value> =
            lines(&log).into_iter().filter(|line| line["span"]["reference"] == reference).collect();
        let [failure] = &failure[..] else { panic!("one line for {reference}:\n{log}") };
        assert_eq!((&failure["level"], &failure["status"]), (&json!("ERROR"), &json!(500)), "{failure}");
        assert_eq!((&failure["span"]["method"], &failure["span"]["route"]), (&json!(method), &json!(route)));
        let cause = failure["cause"].as_str().unwrap();
        assert!(cause.contains(&format!("\"{table}\" does not exist")), "{failure}");
    }
}

/// Values that must not be in a log: all that the database has of who took part and what they answered.
async fn secrets(pool: &PgPool) -> Vec<String> {
    let sql = "select pseudonym from participants
        union select unnest(array[worker_id, assignment_id, hit_id, receipt]) from identities
        union select rt::text from responses";
    let secrets: Vec<Option<String>> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
    secrets.into_iter().flatten().filter(|secret| !secret.is_empty()).collect()
}

/// Words that look like a token and are as long.
fn tokens(log: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    log.split(|c| !is_part(c)).filter(|word| word.len() >= 40).collect()
}

#[sqlx::test]
async fn what_happens_is_logged_once_and_nothing_about_who(pool: PgPool) {
    let program = Program::on(&pool);
    let (serving, server) = live(&pool, &program, 2, "info").await;
    let mut browser = Browser::signed_in(&server).await;
    browser.post("/sign-out", &[]).await;
    let sign_in = |password| [("email", "ada@example.org"), ("password", password)];
    browser.post("/sign-in", &sign_in("WRONGSECRET")).await;
    browser.post("/sign-in", &sign_in(PASSWORD)).await;
    browser.post("/lab/studies/demo/state", &[("state", "paused")]).await;
    browser.get("/lab/studies/demo/export").await;
    let link = server.count("select id from links where name = 'Workers'").await;
    browser.post(&format!("/lab/studies/demo/links/{link}"), &[("enabled", "false")]).await;
    let token = token(&server, "a script", Scope::Simulate).await;
    let report = run(&Client::new(&[&server.url], &token).unwrap(), &plan(20, "honest=1"), |_| ()).await;
    assert_eq!(report.unwrap().troubles, Default::default());
    let sql = "select pseudonym from participants where stage = 'complete'";
    let pseudonym: String = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
    let decision = format!("/lab/studies/demo/participants/{pseudonym}/decision");
    browser.post(&decision, &[("decision", "exclude"), ("reason", "REASONSECRET")]).await;

    serving.terminate();
    let log = serving.log();
    let mut happened = BTreeMap::<String, u32>::new();
    // Events of the server's start belong to no request.
    for line in lines(&log).iter().filter(|line| line["level"] == "INFO" && line["span"].is_object()) {
        let name = line["action"].as_str().or(line["message"].as_str()).unwrap();
        *happened.entry(name.to_owned()).or_default() += 1;
    }
    let once = [
        "A researcher signed out",
        "A sign-in was refused",
        "A simulation begins",
        "exported",
        "link_switched",
        "overridden",
        "password_set",
        "signed_in",
        "state_changed",
    ];
    assert_eq!(happened, once.map(|name| (name.to_owned(), 1)).into(), "{log}");
    let state = lines(&log).into_iter().find(|line| line["action"] == "state_changed").unwrap();
    assert_eq!((&state["study"], &state["by"]), (&json!("demo"), &json!("researcher")));
    assert_eq!(state["detail"], r#"{"from":"live","to":"paused"}"#);
    assert_eq!(state["span"]["route"], "/lab/studies/{slug}/state");

    let mut secrets = secrets(&pool).await;
    assert!(secrets.len() > 200, "participants came and answered");
    secrets.extend(["SECRET", "@example.org", PASSWORD, "a script", &token].map(str::to_owned));
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} is in the log:\n{log}");
    }
    assert_eq!(tokens(&log), [""; 0]);
}
