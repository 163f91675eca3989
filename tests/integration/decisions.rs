//! Researchers' decisions about participants: they change the analysis, and neither verdicts nor slots.

use sqlx::PgPool;
use weber::domain::analysis::{Decision, Override};
use weber::flow::audit::log::Actor;
use weber::flow::study::decisions;
use weber::flow::study::export::PolicyChoice;

use crate::export::Exported;
use crate::support::browser::Browser;
use crate::support::person::Person;
use crate::support::server::Server;

async fn decide(server: &Server, person: &str, decision: Decision, reason: &str, reopen: bool) -> bool {
    let decided = Override { decision, reason: reason.into() };
    decisions::decide(&server.app, &Actor::command_line(), "demo", person, &decided, reopen).await.is_ok()
}

const KEPT: &str = "select count(*) from participants where claim = 'kept'";

#[sqlx::test]
async fn a_decision_changes_the_analysis_and_neither_verdict_nor_slots(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let passing = Person::go_through(&server, &link, true).await;
    let failing = Person::go_through(&server, &link, false).await;
    assert!(
        decide(&server, failing.pseudonym(), Decision::Include, "wrote that the keys stuck", false).await
    );
    assert!(
        decide(&server, passing.pseudonym(), Decision::Exclude, "told us it was their brother", false).await
    );
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    let (included, excluded) = (exported.person(&failing), exported.person(&passing));
    assert_eq!((included["kept"].as_str(), included["override"].as_str()), ("true", "include"));
    assert_eq!(included["override_reason"], "wrote that the keys stuck");
    assert!(included["exclusion_reasons"].contains("catch_trials"), "the rule's verdict is unchanged");
    assert_eq!((excluded["kept"].as_str(), excluded["exclusion_reasons"].as_str()), ("false", ""));
    let counts = &exported.manifest["counts"];
    assert_eq!(
        (counts["kept"].as_u64(), counts["excluded"].as_u64(), counts["overridden"].as_u64()),
        (Some(1), Some(1), Some(2))
    );
    assert_eq!(exported.rows("trials_cleaned.csv").len(), 18);
    assert!(exported.rows("trials_cleaned.csv").iter().all(|row| row["participant"] == failing.pseudonym()));
    let decisions = |file: &str, person: &Person<'_>| {
        let mut rows = exported.rows(file);
        rows.retain(|row| row["participant"] == person.pseudonym());
        assert!(rows.iter().all(|row| row["override"] == rows[0]["override"]));
        rows.first().map(|row| row["override"].clone())
    };
    assert_eq!(decisions("trials_cleaned.csv", &failing).as_deref(), Some("include"));
    assert_eq!(decisions("trials.csv", &passing).as_deref(), Some("exclude"), "each file has the decision");
    assert_eq!(server.count(KEPT).await, 1, "slots are unchanged");
    let head: (i64, String) =
        sqlx::query_as("select number, encode(sha256, 'hex') from journal order by number desc limit 1")
            .fetch_one(&server.app.pool)
            .await
            .unwrap();
    let journal = &exported.manifest["journal"];
    assert_eq!(
        (journal["entry"].as_i64(), journal["sha256"].as_str()),
        (Some(head.0), Some(head.1.as_str()))
    );
    decisions::lift(&server.app, &Actor::command_line(), "demo", passing.pseudonym()).await.unwrap();
    let lifted = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    assert_eq!(lifted.person(&passing)["kept"], "true");
    let rows = lifted.rows("trials_cleaned.csv");
    assert!(rows.iter().any(|row| row["participant"] == passing.pseudonym() && row["override"].is_empty()));
    let entries =
        server.count("select count(*) from journal where action in ('overridden', 'override_lifted')").await;
    assert_eq!(entries, 3);
}

#[sqlx::test]
async fn an_exclusion_that_opens_the_slot_again_frees_it_for_good(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let person = Person::go_through(&server, &link, true).await;
    assert!(decide(&server, person.pseudonym(), Decision::Exclude, "a bot", true).await);
    assert_eq!(server.count(KEPT).await, 0);
    // Five more people fill the five slots only if the excluded one's is open again.
    for _ in 0..5 {
        Person::go_through(&server, &link, true).await;
    }
    assert_eq!(server.count(KEPT).await, 5);
    assert_eq!(server.count("select count(*) from journal where action = 'slot_reopened'").await, 1);
    let again = "select count(*) from participants where claim = 'surplus'";
    assert_eq!(server.count(again).await, 1, "the excluded participant does not fill a slot again");
    let mut ada = Browser::signed_in(&server).await;
    let page = ada.get("/lab/studies/demo").await;
    // Kept, running, open, exhausted, excluded, surplus, left.
    assert_eq!(page.texts("#enrolment tfoot td")[1..], ["5/5", "0", "0", "0", "1", "0", "0"]);
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    assert_eq!(
        exported.person(&person)["exclusion_reasons"],
        "",
        "the participant passes the rule, and the decision is shown beside it"
    );
    assert_eq!(
        (&exported.manifest["counts"]["surplus"], &exported.manifest["counts"]["excluded"]),
        (&0.into(), &1.into())
    );
}

#[sqlx::test]
async fn a_decision_needs_a_reason_and_a_participant_who_completed(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let person = Person::go_through(&server, &link, true).await;
    let mut running = Person::arrive(&server, &link).await;
    running.open().await;
    assert!(!decide(&server, person.pseudonym(), Decision::Exclude, "  ", false).await);
    assert!(!decide(&server, person.pseudonym(), Decision::Exclude, &"x".repeat(1_001), false).await);
    assert!(!decide(&server, running.pseudonym(), Decision::Exclude, "too slow", false).await);
    assert!(!decide(&server, "p-unknown", Decision::Exclude, "?", false).await);
    assert_eq!(server.count("select count(*) from overrides").await, 0);
    assert_eq!(server.count("select count(*) from journal where action <> 'imported'").await, 0);
}

#[sqlx::test]
async fn the_page_of_a_participant_shows_decisions_and_has_a_form_for_them(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let person = Person::go_through(&server, &link, true).await;
    let mut ada = Browser::signed_in(&server).await;
    let path = format!("/lab/studies/demo/participants/{}", person.pseudonym());
    let form = [("decision", "exclude"), ("reason", "asked <us> to")];
    assert_eq!(ada.post(&format!("{path}/decision"), &form).await.status.as_u16(), 303);
    let page = ada.get(&path).await.text;
    assert!(page.contains("excluded by decision") && page.contains("asked &#60;us&#62; to"), "{page}");
    assert!(page.contains("ada@example.org"));
    assert!(ada.get("/lab/studies/demo/participants?verdict=decided").await.text.contains("1 of 1"));
    let no_reason = ada.post(&format!("{path}/decision"), &[("decision", "exclude"), ("reason", "")]).await;
    assert_eq!(no_reason.status.as_u16(), 422);
    ada.post(&format!("{path}/decision"), &[("decision", "")]).await;
    assert!(ada.get(&path).await.text.contains("None: the policy decides."));
}
