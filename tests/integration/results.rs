//! Results: blinded until the study is full, the same numbers on the page, in the files and in the report.

use sqlx::PgPool;
use weber::domain::study::Mode;
use weber::flow::export::PolicyChoice;
use weber::flow::journal::Actor;
use weber::flow::{results, steer};
use weber::web::lab::results::report;

use crate::export::Exported;
use crate::lab::Browser;
use crate::support::person::Person;
use crate::support::server::Server;

const PATH: &str = "/lab/studies/demo/results";

#[sqlx::test]
async fn conditions_stay_hidden_until_somebody_shows_them(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    Person::go_through(&server, &link, true).await;
    let mut ada = Browser::signed_in(&server).await;
    for path in
        [PATH, "/lab/studies/demo/flow", "/lab/studies/demo/report", "/lab/studies/demo/figures/accuracy.csv"]
    {
        let page = ada.get(path).await;
        assert_eq!(page.status.as_u16(), 200, "{path}");
        for title in ["Synthetic", "Natural", "#47789e"] {
            assert!(!page.text.contains(title), "{title} on {path}");
        }
    }
    for (path, hidden) in [("participants", "Accuracy"), ("exclusion", "Accuracy of all")] {
        assert!(!ada.get(&format!("/lab/studies/demo/{path}")).await.text.contains(hidden), "{path}");
    }
    assert!(ada.get("/lab/studies/demo/figures/accuracy.csv").await.text.contains("\nA,crowd,"));
    assert_eq!(ada.post("/lab/studies/demo/unblind", &[]).await.location, PATH);
    assert!(ada.get(PATH).await.text.contains("Synthetic"));
    ada.post("/lab/studies/demo/unblind", &[]).await;
    assert_eq!(server.count("select count(*) from journal where action = 'unblinded'").await, 1, "once");
}

#[sqlx::test]
async fn a_full_study_is_not_blinded(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    for _ in 0..5 {
        Person::go_through(&server, &link, true).await;
    }
    let material = results::load(&server.app, "demo", Mode::Live, None).await.unwrap();
    assert!(!material.blinded);
    assert_eq!(material.conditions, ["synthetic", "natural", "mixed", "blur", "none"]);
}

#[sqlx::test]
async fn results_count_the_kept_of_the_policy_that_is_asked_for(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let link = server.link("Volunteers").await;
    for pass in [true, true, false, true] {
        Person::go_through(&server, &link, pass).await;
    }
    steer::unblind(&server.app, &Actor::command_line(), "demo").await.unwrap();
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    let rows = exported.rows("trials_cleaned.csv");
    let correct = rows.iter().filter(|row| row["correct"] == "true").count();
    let material = results::load(&server.app, "demo", Mode::Live, Some("as-posted")).await.unwrap();
    let computed = material.compute();
    let sum = |of: fn(&weber::domain::results::ConditionResults) -> f64| {
        computed.results.crowd.iter().map(of).sum::<f64>()
    };
    assert_eq!((computed.kept, rows.len()), (3, 54));
    assert_eq!(sum(|c| c.accuracy.trials as f64) as usize, rows.len());
    let right = sum(|c| c.accuracy.value.unwrap_or(0.0) * c.accuracy.trials as f64).round() as usize;
    assert_eq!(right, correct, "the same trials as in the cleaned file");
    assert!(results::load(&server.app, "demo", Mode::Live, Some("nothing")).await.is_err());
    assert!(results::load(&server.app, "nothing", Mode::Live, None).await.is_err());
    let flow = material.flow();
    assert_eq!(
        (flow.consented, flow.completed, flow.analysed_in_all(), flow.excluded_in_all()),
        (4, 4, 3, 1)
    );
}

#[sqlx::test]
async fn figures_and_the_report_are_files_of_their_own(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    Person::go_through(&server, &link, true).await;
    let mut ada = Browser::signed_in(&server).await;
    let page = ada.get(PATH).await;
    let selector = scraper::Selector::parse(".figure .files a").unwrap();
    let html = scraper::Html::parse_document(&page.text);
    let links: Vec<String> =
        html.select(&selector).map(|a| a.value().attr("href").unwrap().to_owned()).collect();
    assert!(links.len() > 20, "{links:?}");
    for link in links {
        let file = ada.get(&link).await;
        assert_eq!(file.status.as_u16(), 200, "{link}");
        assert_eq!(file.text.starts_with("<svg "), link.contains(".svg?"), "{link}");
    }
    for missing in ["nothing.csv", "tests.svg", "accuracy.exe", "accuracy"] {
        let status = ada.get(&format!("/lab/studies/demo/figures/{missing}")).await.status;
        assert_eq!(status.as_u16(), 404, "{missing}");
    }
    let material = results::load(&server.app, "demo", Mode::Live, None).await.unwrap();
    let report = report(&material);
    for needed in ["Conditions are hidden", "Cohen", "<svg ", "<style>", "Flow of participants"] {
        assert!(report.contains(needed), "{needed}");
    }
    for outside in ["src=", "<link", "<script", "@import", "url("] {
        assert!(!report.contains(outside), "the report needs nothing else: {outside}");
    }
    assert_eq!(report.matches("<h2").count(), 15);
}
