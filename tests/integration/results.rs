//! Results: blinded until the study is full, the same numbers on the page, in the files and in the report.

use sqlx::{Executor, PgPool};
use weber::domain::study::{Mode, StudyState};
use weber::flow::audit::log::Actor;
use weber::flow::study::export::PolicyChoice;
use weber::flow::study::{control, results};
use weber::web::lab::results::report;

use crate::export::Exported;
use crate::support::browser::Browser;
use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

const PATH: &str = "/lab/studies/demo/results";

const NAMES: [&str; 5] = ["Synthetic", "Natural", "Mixed", "Blur", "None"];
const COLOURS: [&str; 5] = ["#47789e", "#ffac74", "#30881f", "#72529f", "#aca7a6"];

/// Names of columns that count people, their trials or their pairs.
const COUNTS: [&str; 8] =
    ["People", "Trials", "People without any", "Pairs", "Undefined pairs", "Points", "Left out", "people"];

/// The words of a page or a drawing: its text and all attributes except colours, without its style sheet.
fn words(text: &str) -> Vec<String> {
    let html = scraper::Html::parse_document(text);
    let mut words = Vec::new();
    for node in html.tree.nodes() {
        match node.value() {
            scraper::Node::Text(text) => {
                let within = node.parent().and_then(|parent| parent.value().as_element());
                if within.is_none_or(|element| element.name() != "style") {
                    words.push(text.to_lowercase());
                }
            }
            scraper::Node::Element(element) => {
                let said =
                    element.attrs().filter(|(name, _)| !["fill", "stroke", "action", "rel"].contains(name));
                words.extend(said.map(|(_, value)| value.to_lowercase()));
            }
            _ => {}
        }
    }
    words
}

/// The name of a condition that is among the words.
fn named(words: &[String]) -> Option<&'static str> {
    let is_said = |name: &&str| {
        let name = name.to_lowercase();
        words.iter().any(|said| said.split(|c: char| !c.is_alphanumeric()).any(|word| word == name))
    };
    NAMES.into_iter().find(|name| is_said(name))
}

/// Columns that count people in rows of a condition's letter; a blinded table has none.
fn counted_by_letter(csv: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let is_letter = |cell: &str| ["A", "B", "C", "D", "E"].contains(&cell);
    let by_letter = |name: &String| {
        let (first, last) = (name.split(':').next().unwrap(), name.split(": ").last().unwrap());
        // In this table the column counts people who fail a criterion; in others it holds accuracies.
        (is_letter(name) && header[0] == "Criterion") || (is_letter(first) && COUNTS.contains(&last))
    };
    let mut counted: Vec<String> = header.iter().filter(|name| by_letter(name)).cloned().collect();
    for row in reader.records().map(Result::unwrap) {
        let of_letter = row.iter().any(is_letter);
        let count = |name: &&String| {
            COUNTS.contains(&name.as_str()) || name.ends_with("postings") || *name == "Number"
        };
        counted.extend(header.iter().filter(|name| of_letter && count(name)).cloned());
    }
    counted
}

#[sqlx::test]
async fn results_of_many_people_are_computed_in_the_background(pool: PgPool) {
    let server = Server::live(pool.clone(), 3).await;
    let link = server.link("Volunteers").await;
    Person::go_through(&server, &link, true).await;
    Person::go_through(&server, &link, true).await;
    pool.execute(include_str!("support/copied_studies.sql")).await.unwrap();
    let study: i64 = sqlx::query_scalar("select id from studies").fetch_one(&pool).await.unwrap();
    sqlx::query("call copy_study($1, 1, 510)").bind(study).execute(&pool).await.unwrap();
    let copy: String =
        sqlx::query_scalar("select slug from studies order by id desc").fetch_one(&pool).await.unwrap();
    control::unblind(&server.app, &Actor::command_line(), &copy).await.unwrap();
    let mut ada = Browser::signed_in(&server).await;
    let mut page = ada.get(&format!("/lab/studies/{copy}/results")).await;
    assert!(page.text.contains("being computed (510 people kept)"), "{}", page.text);
    assert!(!page.text.contains("card figure"));
    while page.text.contains("being computed") {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        page = ada.get(&format!("/lab/studies/{copy}/results")).await;
    }
    assert!(page.text.contains("card figure"));
    // From then on pages, files and the report use the same results.
    let material = results::load(&server.app, &copy, Mode::Live, None).await.unwrap();
    assert_eq!(material.compute().results.crowd.iter().map(|of| of.people).sum::<usize>(), 510);
    assert_eq!(server.count("select count(*) from participants where stage = 'complete'").await, 512);
}

#[sqlx::test]
async fn conditions_are_hidden_until_a_researcher_shows_them(pool: PgPool) {
    let server = Server::live(pool, 3).await;
    let link = server.link("Volunteers").await;
    for _ in 0..10 {
        Person::go_through(&server, &link, true).await;
    }
    let mut ada = Browser::signed_in(&server).await;
    let pages = [PATH, "/lab/studies/demo/flow", "/lab/studies/demo/report"].map(str::to_owned);
    let mut links = Vec::new();
    for path in &pages {
        links.extend(links_of_figures(&ada.get(path).await.text));
    }
    assert!(links.len() > 25 && links.iter().any(|link| link.contains("flow.csv")), "{links:?}");
    for path in pages.iter().chain(&links) {
        let page = ada.get(path).await;
        assert_eq!(page.status.as_u16(), 200, "{path}");
        let is_table = path.contains(".csv?");
        let said = if is_table { vec![page.text.to_lowercase()] } else { words(&page.text) };
        assert_eq!(named(&said), None, "{path}");
        let lower = page.text.to_lowercase();
        assert!(COLOURS.iter().all(|colour| !lower.contains(colour)), "{path}");
        if is_table {
            assert_eq!(counted_by_letter(&page.text), Vec::<String>::new(), "{path}");
        }
    }
    for (path, hidden) in [("participants", "Accuracy"), ("exclusion", "Accuracy of all")] {
        assert!(!ada.get(&format!("/lab/studies/demo/{path}")).await.text.contains(hidden), "{path}");
    }
    let accuracy = "/lab/studies/demo/figures/accuracy.csv";
    let csv = ada.get(accuracy).await.text;
    let values =
        csv.lines().skip(1).filter(|line| line.split(',').nth(2).is_some_and(|value| !value.is_empty()));
    assert_eq!(values.count(), 5, "results are shown by letter: {csv}");
    assert!(!ada.get("/lab/studies/demo/flow").await.text.contains("\nA: "));
    assert_eq!(ada.post("/lab/studies/demo/unblind", &[]).await.location, PATH);
    let shown = ada.get(PATH).await.text;
    assert!(named(&words(&shown)).is_some());
    for file in ["accuracy", "units", "kappa", "rho", "exclusion"] {
        let csv = ada.get(&format!("/lab/studies/demo/figures/{file}.csv")).await.text;
        let csv = NAMES
            .iter()
            .zip("ABCDE".chars())
            .fold(csv, |csv, (name, letter)| csv.replace(name, &letter.to_string()));
        assert!(!counted_by_letter(&csv).is_empty(), "this test finds counts where there are some: {csv}");
    }
    ada.post("/lab/studies/demo/unblind", &[]).await;
    assert_eq!(
        server.count("select count(*) from journal where action = 'unblinded'").await,
        1,
        "the audit log has one entry"
    );
}

#[sqlx::test]
async fn results_by_letter_begin_when_every_condition_has_two_people(pool: PgPool) {
    let server = Server::live(pool, 3).await;
    let link = server.link("Volunteers").await;
    for _ in 0..9 {
        Person::go_through(&server, &link, true).await;
    }
    let values = async || {
        let material = results::load(&server.app, "demo", Mode::Live, None).await.unwrap();
        assert!(material.blinded);
        let computed = material.compute();
        (computed.kept(), computed.results.crowd.iter().filter(|of| of.accuracy.value.is_some()).count())
    };
    assert_eq!(
        values().await,
        (9, 0),
        "a letter without an error bar would be the condition with one person"
    );
    Person::go_through(&server, &link, true).await;
    assert_eq!(values().await, (10, 5));
}

#[sqlx::test]
async fn units_have_the_order_of_the_table_of_trials(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    study.edit("trials.csv", |text| text.replace(",unit-00,", ",zebra,").replace(",unit-17,", ",aardvark,"));
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    Person::go_through(&server, &link, true).await;
    control::unblind(&server.app, &Actor::command_line(), "demo").await.unwrap();
    let material = results::load(&server.app, "demo", Mode::Live, None).await.unwrap();
    let results = material.compute().results;
    let units: Vec<&str> = results.units.iter().map(|unit| unit.unit.as_str()).collect();
    let expected: Vec<String> = (1..17).map(|n| format!("unit-{n:02}")).collect();
    assert_eq!((units[0], units[17]), ("zebra", "aardvark"));
    assert_eq!(&units[1..17], expected);
}

/// Links to the files of figures.
fn links_of_figures(page: &str) -> Vec<String> {
    let selector = scraper::Selector::parse(".figure .files a").unwrap();
    let html = scraper::Html::parse_document(page);
    html.select(&selector).map(|a| a.value().attr("href").unwrap().to_owned()).collect()
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
async fn results_count_the_participants_that_the_chosen_policy_keeps(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let link = server.link("Volunteers").await;
    for pass in [true, true, false, true] {
        Person::go_through(&server, &link, pass).await;
    }
    control::unblind(&server.app, &Actor::command_line(), "demo").await.unwrap();
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    let rows = exported.rows("trials_cleaned.csv");
    let correct = rows.iter().filter(|row| row["correct"] == "true").count();
    let material = results::load(&server.app, "demo", Mode::Live, Some("as-posted")).await.unwrap();
    let computed = material.compute();
    let sum = |of: fn(&weber::domain::results::ConditionResults) -> f64| {
        computed.results.crowd.iter().map(of).sum::<f64>()
    };
    assert_eq!((computed.kept(), rows.len()), (3, 54));
    assert_eq!(sum(|c| c.accuracy.trials as f64) as usize, rows.len());
    let right = sum(|c| c.accuracy.value.unwrap_or(0.0) * c.accuracy.trials as f64).round() as usize;
    assert_eq!(right, correct, "results count the trials of the cleaned file");
    assert!(results::load(&server.app, "demo", Mode::Live, Some("nothing")).await.is_err());
    assert!(results::load(&server.app, "nothing", Mode::Live, None).await.is_err());
    let (flow, experts) = material.flow();
    assert!(experts.is_none());
    assert_eq!(
        (flow.consented, flow.completed, flow.analysed_in_all(), flow.excluded_in_all()),
        (4, 4, 3, 1)
    );
}

#[sqlx::test]
async fn a_catch_trial_without_baselines_changes_no_result(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    let without = |line: &str| match line.contains(",catch,") {
        true => line.replace(",true,false,,", ",,,,") + "\n",
        false => format!("{line}\n"),
    };
    study.edit("trials.csv", |text| text.lines().map(without).collect());
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    for _ in 0..5 {
        Person::go_through(&server, &link, true).await;
    }
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    for row in exported.rows("trials.csv") {
        assert_eq!(row["center_correct"].is_empty(), row["trial_kind"] == "catch", "{row:?}");
    }
    let mut ada = Browser::signed_in(&server).await;
    let kappa = ada.get("/lab/studies/demo/figures/kappa.csv").await.text;
    let with_center = kappa.lines().filter(|line| line.split(',').nth(1) == Some("Center"));
    assert_eq!(with_center.count(), 5, "every condition has a row with Center: {kappa}");
    assert_eq!(ada.get(PATH).await.status.as_u16(), 200);
}

#[sqlx::test]
async fn figures_and_the_report_can_be_downloaded_as_self_contained_files(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    Person::go_through(&server, &link, true).await;
    let mut ada = Browser::signed_in(&server).await;
    let links = links_of_figures(&ada.get(PATH).await.text);
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
        assert!(!report.contains(outside), "the report needs no other file: {outside}");
    }
    assert_eq!(report.matches("<h2").count(), 16);
    assert_eq!(
        report.matches("<details").count(),
        report.matches("<details open").count(),
        "all details are open in print"
    );
    assert!(report.contains("<details open") && ada.get(PATH).await.text.contains("<details>"));
}

#[sqlx::test]
async fn file_names_say_whose_data_they_hold(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut ada = Browser::signed_in(&server).await;
    for (path, name) in [
        ("figures/accuracy.csv", "demo-as-posted-accuracy.csv"),
        ("figures/kappa.svg?mode=pilot", "demo-pilot-as-posted-kappa.svg"),
        ("figures/flow.csv?mode=simulated&policy=as-analysed", "demo-simulated-as-analysed-flow.csv"),
        ("report?policy=as-analysed", "demo-as-analysed-report.html"),
        ("report?mode=simulated", "demo-simulated-as-posted-report.html"),
    ] {
        let file = ada.get(&format!("/lab/studies/demo/{path}")).await;
        let disposition = file.headers["content-disposition"].to_str().unwrap();
        assert_eq!(disposition, format!("attachment; filename=\"{name}\""), "{path}");
    }
}
