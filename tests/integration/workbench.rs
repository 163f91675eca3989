//! The exclusion workbench: looking changes nothing; saved policies serve exports, and never change.

use serde_json::json;
use sqlx::PgPool;
use weber::domain::exclusion::Policy;
use weber::domain::study::StudyState;
use weber::flow::export::PolicyChoice;
use weber::flow::journal::Actor;
use weber::flow::policies;

use crate::export::Exported;
use crate::lab::Browser;
use crate::support::person::Person;
use crate::support::server::Server;

/// Lets nobody pass who took longer than that, in s.
fn at_most(name: &str, total_time: f64) -> Policy {
    serde_json::from_value(json!({ "name": name, "criteria": { "total_time": { "max": total_time } } }))
        .unwrap()
}

#[sqlx::test]
async fn a_saved_policy_serves_exports_is_frozen_once_and_never_changes(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    Person::go_through(&server, &link, true).await;
    let actor = Actor::command_line();
    policies::save(&server.app, &actor, "demo", &at_most("quick", 10.0)).await.unwrap();
    for taken in ["quick", "as-posted", "", "Quick!"] {
        let again = policies::save(&server.app, &actor, "demo", &at_most(taken, 20.0)).await;
        assert!(again.is_err(), "{taken}");
    }
    let exported = Exported::of(&server, PolicyChoice::Named("quick".into()), &[]).await;
    assert_eq!(exported.manifest["counts"]["kept"], 0);
    assert_eq!(exported.manifest["policy"]["document"]["criteria"]["total_time"]["max"], 10.0);
    assert_eq!(server.count("select count(*) from participants where claim = 'kept'").await, 1, "slots stay");
    policies::freeze(&server.app, &actor, "demo", "quick").await.unwrap();
    assert!(policies::freeze(&server.app, &actor, "demo", "quick").await.is_err(), "once");
    assert!(policies::freeze(&server.app, &actor, "demo", "as-posted").await.is_err(), "not a saved one");
    let journal = "select count(*) from journal where action in ('policy_saved', 'policy_frozen')";
    assert_eq!(server.count(journal).await, 2);
}

#[sqlx::test]
async fn the_pages_show_who_would_leave(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let passing = Person::go_through(&server, &link, true).await;
    let failing = Person::go_through(&server, &link, false).await;
    server.set_state(StudyState::Paused).await;
    let mut ada = Browser::signed_in(&server).await;
    let mut page = async |path: &str| {
        let page = ada.get(&format!("/lab/studies/demo/{path}")).await;
        (page.status.as_u16(), page.text)
    };
    assert!(page("exclusion").await.1.contains("1 of 2 people who completed pass"));
    let off = "exclusion?policy=as-posted&catch_trials.min=&catch_trials.max=";
    assert!(page(off).await.1.contains("2 of 2 people who completed pass · changed, not saved"));
    assert_eq!(page("exclusion?total_time.min=much").await.0, 422);
    assert_eq!(page("exclusion?policy=nothing").await.0, 404);
    let excluded = page("participants?verdict=excluded").await.1;
    assert!(excluded.contains(failing.pseudonym()) && !excluded.contains(passing.pseudonym()));
    assert!(excluded.contains("catch trials"));
    let one = page(&format!("participants/{}", failing.pseudonym())).await.1;
    assert!(one.contains("fails") && one.contains("the max query") && one.contains("Timeline"));
    assert_eq!(page("participants/p-nobody").await.0, 404);
    let search = page(&format!("participants?search={}", passing.pseudonym())).await.1;
    assert!(search.contains("1 of 2"));
    let form = [("policy", "as-posted"), ("total_time.max", "10"), ("name", "quick")];
    let saved = ada.post("/lab/studies/demo/exclusion", &form).await;
    assert_eq!(saved.status.as_u16(), 303, "{}", saved.text);
    assert!(ada.get("/lab/studies/demo/exclusion?policy=quick").await.text.contains("0 of 2 people"));
    assert!(
        ada.get("/lab/studies/demo").await.text.contains("<option value=\"quick\">"),
        "for downloads, too"
    );
}
