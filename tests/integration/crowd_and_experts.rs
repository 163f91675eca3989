//! Experts, who hold no slot, are counted apart from the crowd on every page and in every file.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::PgPool;
use weber::domain::exclusion::{ExpertsBy, Policy};
use weber::domain::study::{Mode, StudyState};
use weber::flow::audit::log::Actor;
use weber::flow::study::export::PolicyChoice;
use weber::flow::study::{control, policies, results};
use weber::web::lab::results::report;

use crate::export::Exported;
use crate::support::browser::{Browser, Page};
use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

const STUDY: &str = "/lab/studies/demo";

/// A policy that judges experts by the same criteria as the crowd.
const SAME: &str = "same-for-all";

/// Six people of the crowd, of whom one fails the catch trials, and five experts in Natural: three completed, of whom one fails the
/// catch trials; one left, one is at work.
async fn crowd_and_experts(pool: PgPool) -> Server {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(2);
    let link =
        "\n[[links]]\nname = \"Experts\"\ngroup = \"expert\"\nconditions = [\"natural\"]\nimage_set = 0\n";
    study.edit("study.toml", |text| text + link);
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let (crowd, experts) = (server.link("Volunteers").await, server.link("Experts").await);
    for pass in [true, true, true, true, true, false] {
        Person::go_through(&server, &crowd, pass).await;
    }
    for pass in [true, true, false] {
        Person::go_through(&server, &experts, pass).await;
    }
    let mut left = Person::arrive(&server, &experts).await;
    left.reach_main().await;
    left.tell(json!({ "screen": "main:4" })).await;
    let (status, reply) = server.post("/api/v1/leave", Some(&left.token), json!({ "reason": "left" })).await;
    assert!(status < 300, "{status} {reply}");
    Person::arrive(&server, &experts).await.reach_main().await;
    let actor = Actor::command_line();
    control::unblind(&server.app, &actor, "demo").await.unwrap();
    let posted = server.definition().await.policy("as-posted").unwrap().clone();
    assert_eq!(posted.experts_by(), ExpertsBy::Nothing);
    let same = Policy { name: SAME.into(), experts: None, ..posted };
    policies::save(&server.app, &actor, "demo", &same).await.unwrap();
    server
}

/// The lines of a figure's CSV file.
async fn csv(ada: &mut Browser<'_>, figure: &str, policy: &str) -> Vec<String> {
    let page = ada.get(&format!("{STUDY}/figures/{figure}.csv?policy={policy}")).await;
    assert_eq!(page.status.as_u16(), 200, "{figure}");
    page.text.lines().map(str::to_owned).collect()
}

/// The texts of some cells; empty cells are left out.
fn cells(page: &Page, selector: &str) -> String {
    let mut cells = page.texts(selector);
    cells.retain(|cell| !cell.is_empty());
    cells.join(" ")
}

#[track_caller]
fn has(lines: &[String], wanted: &[&str]) {
    for line in wanted {
        assert!(lines.iter().any(|each| each == line), "{line} in {lines:#?}");
    }
}

#[sqlx::test]
async fn the_pages_of_a_study_count_crowd_and_experts_apart(pool: PgPool) {
    let server = crowd_and_experts(pool).await;
    let mut ada = Browser::signed_in(&server).await;
    let page = ada.get(STUDY).await;
    // Kept, running, open, exhausted; excluded, surplus, left.
    assert_eq!(page.texts("#enrolment tfoot th"), ["All of the crowd", "Experts"]);
    assert_eq!(cells(&page, "#enrolment tfoot td"), "5/10 0 5 0 1 0 0 3 1 – – 0 – 1");
    assert_eq!(page.texts("#running tbody td:nth-child(2)"), ["Natural expert"]);
    let progress = page.texts("#progress tfoot td");
    assert_eq!(
        progress[2..4],
        ["3".to_owned(), "5.85".to_owned()],
        "the number of experts to pay, and the sum: {progress:?}"
    );
    assert_eq!(page.texts("#progress .columns .none"), ["No one left early."]);
    assert_eq!(
        page.texts("#progress .columns td"),
        ["5", "1"],
        "participants by the number of wrong catch trials"
    );
    let results = ada.get(&format!("{STUDY}/results")).await;
    let said = results.texts("h1 + .meta").join(" ");
    assert!(said.starts_with("5 people of the crowd kept, and 3 experts under as-posted"), "{said}");
    let captions = results.texts(".figure .legend");
    let apart = captions.iter().filter(|caption| {
        !caption.ends_with("Crowd only.") && !caption.contains("Experts are in the last column only")
    });
    assert_eq!(apart.count(), 2, "accuracy and reaction time have rows for experts: {captions:?}");
    let list = ada.get(&format!("{STUDY}/participants?group=expert&verdict=kept")).await;
    assert!(list.texts("h1 + .meta")[0].starts_with("3 of 11"), "{:?}", list.texts("h1 + .meta"));
    let material = results::load(&server.app, "demo", Mode::Live, None).await.unwrap();
    let report = report(&material);
    assert!(report.contains("5 people of the crowd kept, and 3 experts under the policy"));
    assert!(report.contains("Crowd only: experts are in the last column of the table."));
}

#[sqlx::test]
async fn the_workbench_counts_the_crowd_and_has_a_line_for_experts(pool: PgPool) {
    let server = crowd_and_experts(pool).await;
    let mut ada = Browser::signed_in(&server).await;
    for (experts, line) in [("none", "3 3 0 0 – 3"), ("crowd", "3 2 1 0 – 2")] {
        let page = ada.get(&format!("{STUDY}/exclusion?experts={experts}")).await;
        let summary = page.texts("#summary").join(" ");
        assert!(summary.starts_with("5 of 6 people of the crowd who completed pass · 5 kept"), "{summary}");
        assert_eq!(page.texts("[data-part=effect] tfoot th"), ["All of the crowd", "Experts"]);
        assert_eq!(cells(&page, "[data-part=effect] tfoot td"), format!("6 5 1 0 – 5 {line}"));
        let failing = page.texts("td[data-part='catch_trials.1']");
        assert_eq!(failing, ["1"], "only the crowd is counted");
    }
    let page = ada.get(&format!("{STUDY}/exclusion?experts=crowd")).await;
    let moved = page.texts("[data-part=moved] summary").join(" ");
    assert!(moved.contains("1 leave, 0 come in, experts among them"), "{moved}");
    let form = [("policy", "as-posted"), ("from", "as-posted"), ("experts", "crowd"), ("name", "again")];
    assert_eq!(ada.post(&format!("{STUDY}/exclusion"), &form).await.status.as_u16(), 303);
    let mut conn = server.app.pool.acquire().await.unwrap();
    let saved = weber::store::policies::all(&mut conn, 1).await.unwrap();
    let saved = saved.into_iter().find(|saved| saved.policy.name == "again").unwrap();
    assert_eq!(saved.policy.experts_by(), ExpertsBy::Crowd);
}

#[sqlx::test]
async fn every_table_of_figures_counts_crowd_and_experts_apart(pool: PgPool) {
    let server = crowd_and_experts(pool).await;
    let mut ada = Browser::signed_in(&server).await;
    let flow = csv(&mut ada, "flow", "as-posted").await;
    has(&flow, &["Step,Of these,Number,Experts", "visits,,6,5", "consented,,6,5", "started,at work,0,1"]);
    has(
        &flow,
        &["started,left in main trials,0,1", "completed,,6,3", "completed,excluded: catch trials,1,0"],
    );
    has(&flow, &["analysed,,5,3", "analysed,Natural,1,3", "analysed,None,1,0"]);
    let same = csv(&mut ada, "flow", SAME).await;
    has(&same, &["completed,excluded: catch trials,1,1", "analysed,,5,2", "analysed,Natural,1,2"]);
    for (policy, experts) in [("as-posted", ",0"), (SAME, ",1")] {
        let exclusion = csv(&mut ada, "exclusion", policy).await;
        assert!(exclusion[0].ends_with(",None,Experts who fail it"), "{exclusion:?}");
        let catch = exclusion.iter().find(|line| line.starts_with("Catch trials,1,1,")).unwrap();
        assert!(catch.ends_with(experts), "{policy}: {catch}");
    }
    let mut people = BTreeMap::<String, u32>::new();
    for line in &csv(&mut ada, "criteria", "as-posted").await[1..] {
        let cells: Vec<&str> = line.split(',').collect();
        let counts = cells[3..].iter().map(|cell| cell.parse::<u32>().unwrap());
        *people.entry(cells[0].to_owned()).or_default() += counts.sum::<u32>();
    }
    assert_eq!((people["Total time"], people["Catch trials"]), (6, 6), "{people:?}");
    let practice = csv(&mut ada, "practice", "as-posted").await;
    let practised = server
        .count("select count(*) from participants where crowd_group = 'crowd' and condition <> 'none'")
        .await;
    let counted = practice[1..].iter().flat_map(|line| line.split(',').skip(1));
    assert_eq!(counted.map(|cell| cell.parse::<i64>().unwrap()).sum::<i64>(), practised, "{practice:?}");
    let accuracy = csv(&mut ada, "accuracy", "as-posted").await;
    has(
        &accuracy,
        &["Natural,crowd,1,18,1,,,", "Natural,experts,3,54,0.6666666666666666,0.5443310539518174,,"],
    );
    has(&accuracy, &["None,experts,0,0,,,,"]);
}

#[sqlx::test]
async fn the_files_count_crowd_and_experts_apart_and_judge_each_by_their_own_rule(pool: PgPool) {
    let server = crowd_and_experts(pool).await;
    let enrolment = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    let counts = &enrolment.manifest["counts"];
    assert_eq!((&counts["kept"], &counts["excluded"]), (&json!(5), &json!(1)));
    assert_eq!(counts["stage"], json!({ "complete": 6 }));
    let by_mode = &enrolment.manifest["counts_by_mode"]["live"];
    assert_eq!(by_mode["crowd"], *counts);
    assert_eq!(by_mode["expert"]["stage"], json!({ "complete": 3, "running": 1, "abandoned": 1 }));
    assert_eq!((&by_mode["expert"]["kept"], &by_mode["expert"]["excluded"]), (&json!(3), &json!(0)));
    assert_eq!(
        enrolment.manifest["policy"]["document"]["experts"],
        json!({ "criteria": {}, "conditions": {} })
    );
    let completed = |row: &&std::collections::HashMap<String, String>| {
        row["group"] == "expert" && row["stage"] == "complete"
    };
    let rows = enrolment.rows("participants.csv");
    for expert in rows.iter().filter(completed) {
        assert_eq!((expert["kept"].as_str(), expert["pass_catch_trials"].as_str()), ("true", ""));
    }
    let stored = "select count(*) from participants where crowd_group = 'expert' and passed";
    assert_eq!(server.count(stored).await, 3, "the same rule was applied when they completed");
    let same = Exported::of(&server, PolicyChoice::Named(SAME.into()), &[]).await;
    let by_mode = &same.manifest["counts_by_mode"]["live"];
    assert_eq!((&by_mode["expert"]["kept"], &by_mode["expert"]["excluded"]), (&json!(2), &json!(1)));
    assert_eq!(same.manifest["counts"], *counts, "the crowd's verdicts are unchanged");
}
