//! The table of participants, and the page of one participant.

use serde_json::json;
use sqlx::{Executor, PgPool};
use weber::domain::analysis::{Decision, Override};
use weber::flow::audit::log::Actor;
use weber::flow::study::decisions;

use crate::support::browser::Browser;
use crate::support::person::Person;
use crate::support::server::Server;

const TABLE: &str = "/lab/studies/demo/participants";

async fn exclude(server: &Server, person: &Person<'_>) {
    let decided = Override { decision: Decision::Exclude, reason: "a bot".into() };
    let actor = Actor::command_line();
    decisions::decide(&server.app, &actor, "demo", person.pseudonym(), &decided, false).await.unwrap();
}

#[sqlx::test]
async fn rows_are_sorted_by_any_column_in_either_direction(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    Person::arrive(&server, &link).await;
    for pass in [true, false] {
        Person::go_through(&server, &link, pass).await;
    }
    let mut ada = Browser::signed_in(&server).await;
    let mut column = async |query: &str, n: usize| {
        let page = ada.get(&format!("{TABLE}?{query}")).await;
        page.texts(&format!(".people tbody tr :nth-child({n})"))
    };
    let up = column("sort=catch", 5).await;
    assert_eq!(up.len(), 3);
    let down = column("sort=name&descending=true", 1).await;
    let mut names = down.clone();
    names.sort();
    names.reverse();
    assert_eq!(down, names);
    // Participants without a total time come last in both directions.
    let total = |rows: &[String]| rows.last().cloned();
    assert_eq!(total(&column("sort=total", 7).await), Some(String::new()));
    assert_eq!(total(&column("sort=total&descending=true", 7).await), Some(String::new()));
    let page = ada.get(&format!("{TABLE}?sort=total&descending=true")).await;
    assert!(page.text.contains("aria-sort=\"descending\""));
}

#[sqlx::test]
async fn the_table_of_many_participants_has_pages(pool: PgPool) {
    let server = Server::live(pool.clone(), 1).await;
    Person::go_through(&server, &server.link("Volunteers").await, true).await;
    pool.execute(include_str!("support/copied_studies.sql")).await.unwrap();
    let study: i64 = sqlx::query_scalar("select id from studies").fetch_one(&pool).await.unwrap();
    sqlx::query("call copy_study($1, 1, 250)").bind(study).execute(&pool).await.unwrap();
    let copy: String =
        sqlx::query_scalar("select slug from studies order by id desc").fetch_one(&pool).await.unwrap();
    let mut ada = Browser::signed_in(&server).await;
    let mut seen = Vec::new();
    let mut address = format!("/lab/studies/{copy}/participants?sort=name");
    for said in ["People 1 to 100 of 250", "People 101 to 200 of 250", "People 201 to 250 of 250"] {
        let page = ada.get(&address).await;
        assert_eq!(page.texts(".pages span"), [said, said], "the range is shown above and below the table");
        seen.extend(page.texts(".people tbody th"));
        let ways = page.links(".pages a");
        if let Some((_, next)) = ways.iter().find(|(words, _)| words == "Next") {
            address = format!("/lab/studies/{copy}/participants{next}");
        }
    }
    assert_eq!(seen.len(), 250);
    assert!(seen.is_sorted(), "the order holds over all pages");
    let found = ada.get(&format!("/lab/studies/{copy}/participants?search={}&page=3", seen[170])).await;
    assert_eq!(found.texts(".people tbody th"), [seen[170].clone()], "the search covers all pages");
    assert_eq!(found.texts(".pages span").len(), 0);
}

#[sqlx::test]
async fn the_search_ignores_case(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    let mut ada = Browser::signed_in(&server).await;
    let typed = person.pseudonym().to_uppercase();
    assert!(ada.get(&format!("{TABLE}?search={typed}")).await.text.contains("1 of 1"));
    assert!(ada.get(&format!("{TABLE}?search=unknown")).await.text.contains("0 of 1"));
}

#[sqlx::test]
async fn a_verdict_shows_the_rule_and_the_researcher_s_decision(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let passing = Person::go_through(&server, &link, true).await;
    let failing = Person::go_through(&server, &link, false).await;
    let mut ada = Browser::signed_in(&server).await;
    let mut verdict = async |person: &Person<'_>| {
        let page = ada.get(&format!("{TABLE}/{}", person.pseudonym())).await;
        page.texts(".title .state").concat()
    };
    assert_eq!(verdict(&passing).await, "complete: kept");
    assert_eq!(verdict(&failing).await, "complete: excluded: catch trials");
    exclude(&server, &passing).await;
    exclude(&server, &failing).await;
    assert_eq!(verdict(&passing).await, "complete: excluded by decision (rule: passes)");
    assert_eq!(verdict(&failing).await, "complete: excluded by decision (rule: catch trials)");
}

#[sqlx::test]
async fn the_timeline_places_events_among_the_answers(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    let button = person.button("main", 1, 1, true).await;
    person.clock_ms = 103_000.0;
    person.answer("main", 1, 1, button).await;
    let lost = json!({ "seq": 1, "kind": "focus_loss", "at": 104_000.0, "detail": { "screen": "main:2" } });
    person.tell(json!({ "events": [lost] })).await;
    let button = person.button("main", 1, 2, true).await;
    person.clock_ms = 105_000.0;
    person.answer("main", 1, 2, button).await;
    let mut ada = Browser::signed_in(&server).await;
    let page = ada.get(&format!("{TABLE}/{}", person.pseudonym())).await;
    let what = page.texts("#timeline tbody td:nth-child(3)");
    assert_eq!(what[what.len() - 3..], ["answer to trial 1", "focus loss", "answer to trial 2"]);
    assert!(page.texts("#timeline tbody td:nth-child(4)").contains(&"screen: main:2".to_owned()));
    assert!(page.text.contains("19 trials are scheduled and not answered"));
}
