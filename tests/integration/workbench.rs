//! The exclusion workbench: trying bounds changes nothing; saved policies can be used for exports and never change.

use serde_json::json;
use sqlx::PgPool;
use weber::domain::analysis::{Decision, Override};
use weber::domain::exclusion::Policy;
use weber::domain::study::StudyState;
use weber::flow::audit::log::Actor;
use weber::flow::study::export::PolicyChoice;
use weber::flow::study::{decisions, policies};

use crate::export::Exported;
use crate::support::browser::Browser;
use crate::support::person::Person;
use crate::support::server::Server;

/// A policy that excludes participants whose total time, in s, is longer.
fn at_most(name: &str, total_time: f64) -> Policy {
    serde_json::from_value(json!({ "name": name, "criteria": { "total_time": { "max": total_time } } }))
        .unwrap()
}

#[sqlx::test]
async fn a_saved_policy_is_used_by_exports_frozen_once_and_never_changed(pool: PgPool) {
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
    assert_eq!(
        server.count("select count(*) from participants where claim = 'kept'").await,
        1,
        "slots are unchanged"
    );
    policies::freeze(&server.app, &actor, "demo", "quick").await.unwrap();
    assert!(policies::freeze(&server.app, &actor, "demo", "quick").await.is_err(), "a policy is frozen once");
    assert!(
        policies::freeze(&server.app, &actor, "demo", "as-posted").await.is_err(),
        "only a saved policy can be frozen"
    );
    let journal = "select count(*) from journal where action in ('policy_saved', 'policy_frozen')";
    assert_eq!(server.count(journal).await, 2);
}

#[sqlx::test]
async fn the_pages_show_who_would_be_excluded(pool: PgPool) {
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
    let changed = page(off).await.1;
    assert!(changed.contains("2 of 2 people who completed pass · 2 kept · changed, not saved"));
    assert!(changed.contains("compared with as-posted: 0 leave, 1 come in"));
    assert!(
        changed.contains(&format!("participants/{}\"", failing.pseudonym())),
        "participants who would be kept are named"
    );
    let (status, refused) = page("exclusion?total_time.min=much").await;
    assert_eq!(status, 422);
    assert!(refused.contains("“much” is not a number") && refused.contains("value=\"much\""));
    assert!(refused.contains("bounds not applied"));
    assert_eq!(page("exclusion?policy=nothing").await.0, 404);
    let excluded = page("participants?verdict=excluded").await.1;
    assert!(excluded.contains(failing.pseudonym()) && !excluded.contains(passing.pseudonym()));
    assert!(excluded.contains("catch trials"));
    let one = page(&format!("participants/{}", failing.pseudonym())).await.1;
    assert!(one.contains("fails") && one.contains("the max query") && one.contains("Timeline"));
    assert_eq!(page("participants/p-unknown").await.0, 404);
    let search = page(&format!("participants?search={}", passing.pseudonym())).await.1;
    assert!(search.contains("1 of 2"));
    let form = [("policy", "as-posted"), ("total_time.max", "10"), ("name", "quick")];
    let saved = ada.post("/lab/studies/demo/exclusion", &form).await;
    assert_eq!(saved.status.as_u16(), 303, "{}", saved.text);
    assert!(ada.get("/lab/studies/demo/exclusion?policy=quick").await.text.contains("0 of 2 people"));
    assert!(
        ada.get("/lab/studies/demo").await.text.contains("<option value=\"quick\">"),
        "the policy can be chosen for downloads"
    );
}

#[sqlx::test]
async fn a_study_pre_registers_one_policy_once(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let actor = Actor::command_line();
    for (name, bound) in [("first", 900.0), ("second", 800.0), ("third", 700.0)] {
        policies::save(&server.app, &actor, "demo", &at_most(name, bound)).await.unwrap();
    }
    let freeze = async |name: &str| policies::freeze(&server.app, &actor, "demo", name).await;
    let both = tokio::join!(freeze("first"), freeze("second"));
    assert!(both.0.is_ok() != both.1.is_ok(), "one of two freezes at the same time succeeds: {both:?}");
    let (promised, other) = if both.0.is_ok() { ("first", "second") } else { ("second", "first") };
    policies::save(&server.app, &actor, "demo", &at_most("later", 600.0)).await.unwrap();
    for name in [promised, other, "third", "later"] {
        let refused = freeze(name).await.unwrap_err().to_string();
        assert_eq!(refused, format!("the study has pre-registered the policy `{promised}`"), "{name}");
    }
    let by_hand = sqlx::query("update policies set frozen_at = now() where name = 'later'");
    assert!(by_hand.execute(&server.app.pool).await.is_err(), "the database refuses a second one, too");
    let deed = "select detail ->> 'sha256' = (select sha256 from policies where frozen_at is not null)
                from journal where action = 'policy_frozen'";
    let hashes: Vec<bool> = sqlx::query_scalar(deed).fetch_all(&server.app.pool).await.unwrap();
    assert_eq!(hashes, [true], "the entry holds the policy's hash");
    let mut ada = Browser::signed_in(&server).await;
    let page = ada.get("/lab/studies/demo/exclusion").await;
    assert!(!page.text.contains("Freeze as pre-registered"), "the page has no button to freeze another one");
    let status = page.texts("#saved td:last-child");
    assert_eq!(status.iter().filter(|status| status.starts_with("pre-registered 20")).count(), 1);
    assert_eq!(status.iter().filter(|status| **status == format!("deviates from {promised}")).count(), 3);
    let refused = ada.post("/lab/studies/demo/exclusion/freeze", &[("name", "later")]).await;
    assert_eq!(refused.status.as_u16(), 409);
    assert!(refused.text.contains(&format!("has pre-registered the policy “{promised}”")));
}

#[sqlx::test]
async fn each_use_of_a_policy_says_whether_it_is_the_pre_registered_one(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let actor = Actor::command_line();
    let manifest = Exported::of(&server, PolicyChoice::Enrolment, &[]).await.manifest;
    let posted: Policy = serde_json::from_value(manifest["policy"]["document"].clone()).unwrap();
    let promised = Policy { name: "promised".into(), ..posted };
    policies::save(&server.app, &actor, "demo", &promised).await.unwrap();
    policies::save(&server.app, &actor, "demo", &at_most("later", 10.0)).await.unwrap();
    let mut ada = Browser::signed_in(&server).await;
    let study = "/lab/studies/demo";
    for page in ["/results", "/flow", "/report", "/exclusion", "/participants", ""] {
        let page = ada.get(&format!("{study}{page}")).await.text;
        assert!(
            !page.contains("pre-registered 20") && !page.contains("deviates from"),
            "no policy is pre-registered"
        );
    }
    policies::freeze(&server.app, &actor, "demo", "promised").await.unwrap();
    for page in ["results", "flow", "report", "participants"] {
        for (policy, said) in [
            ("later", "deviates from promised"),
            ("as-analysed", "deviates from promised"),
            ("promised", "pre-registered 20"),
            ("", "pre-registered as promised 20"),
        ] {
            let shown = ada.get(&format!("{study}/{page}?policy={policy}")).await;
            let beside = shown.texts("h1 + .meta, header .legend").join(" ");
            assert!(beside.contains(said), "{page}, {policy}: {beside}");
        }
    }
    for page in ["", "/results", "/flow", "/exclusion", "/participants"] {
        let options = ada.get(&format!("{study}{page}")).await.texts("select[name=policy] option").join("; ");
        for label in
            ["later · deviates from promised", "as-analysed · deviates", "promised · pre-registered 20"]
        {
            assert!(options.contains(label), "{page}: {options}");
        }
    }
    let manifest = async |choice| {
        let policy = Exported::of(&server, choice, &[]).await.manifest["policy"].clone();
        let at = policy["preregistered_at"].as_str().map(str::to_owned);
        (at.is_some(), policy["deviates_from"].as_str().map(str::to_owned), policy["sha256"].clone())
    };
    assert_eq!(
        manifest(PolicyChoice::Named("promised".into())).await,
        (true, None, promised.sha256().into())
    );
    assert!(
        manifest(PolicyChoice::Enrolment).await.0,
        "the enrolment policy judges like the pre-registered one"
    );
    for choice in [PolicyChoice::Named("as-analysed".into()), PolicyChoice::Given(at_most("promised", 1.0))] {
        let (preregistered, deviates, _) = manifest(choice).await;
        assert_eq!((preregistered, deviates.as_deref()), (false, Some("promised")));
    }
}

#[sqlx::test]
async fn a_policy_that_cannot_be_passed_is_refused_with_criterion_and_bounds(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut ada = Browser::signed_in(&server).await;
    let crossed = [
        ("policy", "as-posted"),
        ("name", "impossible"),
        ("total_time.min", "900"),
        ("total_time.max", "100"),
    ];
    let refused = ada.post("/lab/studies/demo/exclusion", &crossed).await;
    assert_eq!(refused.status.as_u16(), 422);
    let said = refused.texts(".problem").join(" ");
    assert!(said.contains("Total time (s) cannot be at least 900 and at most 100"), "{said}");
    let percent = ada.get("/lab/studies/demo/exclusion?catch_trials.min=60").await;
    assert!(percent.texts(".problem").join(" ").contains("Its values go from 0 to 1"), "{}", percent.text);
    let past_the_form = serde_json::from_value(json!({
        "name": "impossible", "criteria": {}, "conditions": { "none": { "catch_trials": { "min": 60.0 } } }
    }));
    let saved = policies::save(&server.app, &Actor::command_line(), "demo", &past_the_form.unwrap()).await;
    assert!(
        saved.unwrap_err().to_string().contains("catch_trials in none that nothing can meet: at least 60")
    );
    assert_eq!(server.count("select count(*) from policies").await, 0);
}

#[sqlx::test]
async fn a_refused_policy_can_be_corrected_on_the_page(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut ada = Browser::signed_in(&server).await;
    let exclusion = "/lab/studies/demo/exclusion";
    for (name, bound, status) in
        [("as-posted", "450", 409), ("Not a name", "450", 409), ("fine", "soon", 422)]
    {
        let form =
            [("policy", "as-posted"), ("from", "as-posted"), ("name", name), ("total_time.max", bound)];
        let refused = ada.post(exclusion, &form).await;
        assert_eq!(refused.status.as_u16(), status, "{name}");
        assert_eq!(refused.texts(".problem").len(), 1);
        for (field, value) in [("total_time.max", bound), ("name", name)] {
            let field = format!("name=\"{field}\" value=\"{value}\"");
            assert!(refused.text.contains(&field), "{field} keeps its value");
        }
    }
}

#[sqlx::test]
async fn saving_and_freezing_lead_back_to_the_same_view(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut ada = Browser::signed_in(&server).await;
    let exclusion = "/lab/studies/demo/exclusion";
    let form = [("policy", "as-posted"), ("mode", "simulated"), ("name", "mine"), ("total_time.max", "450")];
    let saved = ada.post(exclusion, &form).await;
    assert_eq!(saved.location, format!("{exclusion}?policy=mine&mode=simulated#saved"));
    let page = ada.get(&format!("{exclusion}?policy=as-analysed&mode=simulated")).await;
    let field =
        |name: &str, value: &str| format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
    let form = [field("name", "mine"), field("policy", "as-analysed"), field("mode", "simulated")].join(" ");
    assert!(page.text.contains(&form), "{}", page.text);
    let form = [("name", "mine"), ("policy", "as-analysed"), ("mode", "simulated")];
    let frozen = ada.post(&format!("{exclusion}/freeze"), &form).await;
    assert_eq!(frozen.location, format!("{exclusion}?policy=as-analysed&mode=simulated#saved"));
}

#[sqlx::test]
async fn a_criterion_without_bounds_is_off_and_not_a_change(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    policies::save(&server.app, &Actor::command_line(), "demo", &at_most("quick", 900.0)).await.unwrap();
    let mut ada = Browser::signed_in(&server).await;
    let look = "/lab/studies/demo/exclusion?policy=quick&from=quick&catch_trials.min=&catch_trials.max=";
    let unchanged = ada.get(&format!("{look}&total_time.max=900")).await.text;
    assert!(!unchanged.contains("changed, not saved"));
    assert!(ada.get(&format!("{look}&total_time.max=901")).await.text.contains("changed, not saved"));
}

#[sqlx::test]
async fn the_workbench_keeps_the_same_participants_as_results_and_links_to_them(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let passing = Person::go_through(&server, &link, true).await;
    let thrown_out = Person::go_through(&server, &link, true).await;
    let failing = Person::go_through(&server, &link, false).await;
    let actor = Actor::command_line();
    for (person, decision) in [(&thrown_out, Decision::Exclude), (&failing, Decision::Include)] {
        let decided = Override { decision, reason: "because".into() };
        let name = person.pseudonym();
        decisions::decide(&server.app, &actor, "demo", name, &decided, false).await.unwrap();
    }
    let mut ada = Browser::signed_in(&server).await;
    let page = ada.get("/lab/studies/demo/exclusion").await;
    assert_eq!(
        page.texts("#summary"),
        ["2 of 3 people who completed pass · decided by hand: +1 in, −1 out · 2 kept"]
    );
    let total = page.texts("[data-part=effect] tfoot td");
    assert_eq!(total[..6], ["3", "2", "1", "0", "+1 in, −1 out", "2"]);
    assert!(ada.get("/lab/studies/demo/results").await.text.contains("2 people kept"));
    // Under a policy with the total time only, no participant fails catch trials.
    policies::save(&server.app, &actor, "demo", &at_most("quick", 10.0)).await.unwrap();
    for (address, found) in [
        ("policy=&failed=catch_trials", vec![&failing]),
        ("policy=&failed=none", vec![&passing, &thrown_out]),
        ("policy=&verdict=kept", vec![&passing, &failing]),
        ("policy=quick&failed=catch_trials", vec![]),
        ("policy=quick&failed=first-total_time", vec![&passing, &thrown_out, &failing]),
    ] {
        let list = ada.get(&format!("/lab/studies/demo/participants?{address}")).await.text;
        for person in [&passing, &thrown_out, &failing] {
            let wanted = found.iter().any(|found| found.pseudonym() == person.pseudonym());
            assert_eq!(list.contains(person.pseudonym()), wanted, "{address}");
        }
    }
    let link = "/lab/studies/demo/participants?mode=live&#38;policy=as-posted&#38;group=crowd&#38;failed=catch_trials&#38;condition=\">1</a>";
    assert!(page.text.contains(link), "{}", page.text);
    let changed = ada.get("/lab/studies/demo/exclusion?total_time.max=899").await.text;
    assert!(!changed.contains("failed=catch_trials"), "bounds that are not saved have no link");
    assert_eq!(ada.get("/lab/studies/demo/participants?policy=nothing").await.status.as_u16(), 404);
}
