//! Importing a study folder: all problems are reported at once, and nothing is stored in part.

use sqlx::PgPool;
use weber::domain::study::StudyState;
use weber::flow::audit::log::Actor;
use weber::flow::study::import::ImportError;
use weber::study_folder;

use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

/// All problems that reading the folder finds, as one text.
fn problems(study: &TinyStudy) -> String {
    study_folder::read(study.path()).unwrap_err().to_string()
}

#[track_caller]
fn assert_says(study: &TinyStudy, expected: &[&str]) {
    let said = problems(study);
    for words in expected {
        assert!(said.contains(words), "expected {words:?} in:\n{said}");
    }
}

/// A study with one row of its table changed, and that row's line.
fn with_row(find: &str, change: impl Fn(&str) -> String) -> (TinyStudy, usize) {
    let study = TinyStudy::new(1);
    let mut line = 0;
    study.edit("trials.csv", |text| {
        let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
        line = rows.iter().position(|row| row.contains(find)).unwrap();
        rows[line] = change(&rows[line]);
        rows.join("\n") + "\n"
    });
    (study, line + 1)
}

#[track_caller]
fn assert_row_says(find: &str, from: &str, to: &str, expected: &str) {
    let (study, line) = with_row(find, |row| row.replacen(from, to, 1));
    assert_says(&study, &[&format!("trials.csv:{line}: "), expected]);
}

#[test]
fn a_valid_folder_has_no_problems() {
    let folder = study_folder::read(TinyStudy::new(1).path()).unwrap();
    assert_eq!(folder.definition.pages.instructions.len(), 5);
    assert_eq!(folder.trials.len(), 5 * (36 + 3 + 3) + 4 * 10);
}

#[test]
fn all_problems_are_reported_at_once_with_file_line_and_remedy() {
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| {
        text.replace("catch_trials = 3", "catch_trils = 3").replace(
            "total_time = { min = 90, max = 900 }       #",
            "total_time = { min = 950, max = 900 } #",
        )
    });
    study.edit("trials.csv", |text| text.replacen("unit-03-0-max.png", "missing.png", 1));
    std::fs::remove_file(study.path().join("debrief.md")).unwrap();
    let said = problems(&study);
    let count: usize = said.split_whitespace().nth(4).unwrap().parse().unwrap();
    assert!(count >= 4, "{said}");
    for expected in [
        "`design.catch_trils` is not a known key",
        "debrief.md: cannot be read",
        "`images/missing.png` cannot be read",
        "bounds for total_time that nothing can meet",
    ] {
        assert!(said.contains(expected), "expected {expected:?} in:\n{said}");
    }
    let toml = std::fs::read_to_string(study.path().join("study.toml")).unwrap();
    let line = toml.lines().position(|line| line.contains("catch_trils")).unwrap() + 1;
    assert!(said.contains(&format!("study.toml:{line}: `design.catch_trils`")), "{said}");
}

#[test]
fn images_are_checked() {
    let study = TinyStudy::new(1);
    let image = |name: &str| study.path().join("images").join(name);
    std::fs::write(image("unit-00-0-base.png"), b"not an image").unwrap();
    let bytes = std::fs::read(image("unit-01-0-base.png")).unwrap();
    std::fs::write(image("unit-01-0-base.png"), &bytes[..bytes.len() / 2]).unwrap();
    image::RgbImage::new(17, 16).save(image("unit-02-0-base.png")).unwrap();
    std::fs::remove_file(image("unit-03-0-base.png")).unwrap();
    assert_says(
        &study,
        &["unit-00-0-base.png", "unit-01-0-base.png", "unit-02-0-base.png", "unit-03-0-base.png", "17"],
    );
}

#[test]
fn rows_are_checked() {
    let row = "natural,main,,0,unit-05";
    assert_row_says(row, "unit-05-0-min.png", "unit-05-0-max.png", "the same image");
    assert_row_says(row, ",0,unit-05", ",2,unit-05", "`design.image_sets` is 2");
    assert_row_says(row, ",0,unit-05", ",,unit-05", "without `image_set`");
    assert_row_says(row, ",0,unit-05", ",x,unit-05", "`image_set` is `x`");
    assert_row_says(row, "natural", "naturl", "the condition `naturl` is not in study.toml");
    assert_row_says(row, ",main,", ",mian,", "`mian` is not one of");
    assert_row_says(row, ",main,,", ",main,easy,", "`difficulty` is for practice trials");
    assert_row_says("practice,obvious", "obvious", "", "`difficulty` is for practice trials");
    assert_row_says(row, ";images/unit-05-0-reference-8.png", "", "in groups of [8]");
    assert_row_says(row, "2,1.5,0.5", "2,0.5,1.5", "is not above");
    assert_row_says(row, "2,1.5,0.5", "2,NaN,0.5", "not a finite number");
    assert_row_says(row, "images/unit-05-0-base.png", "../secret.png", "outside the study folder");
    assert_row_says(row, "images/unit-05-0-base.png", "/etc/passwd", "outside the study folder");
    assert_row_says(row, "images/unit-05-0-base.png", "", "`base` is empty");
    assert_row_says(row, "true,false", "yes,false", "not true or false");
    assert_row_says(row, "unit-05", "unit-04", "repeats the trial of line");
}

#[test]
fn a_design_that_the_table_does_not_fill_is_refused() {
    let without = |find: &str| {
        let study = TinyStudy::new(1);
        study.edit("trials.csv", |text| {
            text.lines().filter(|row| !row.contains(find)).map(|row| format!("{row}\n")).collect()
        });
        study
    };
    assert_says(
        &without("natural,main,,1,unit-07"),
        &["image set 1 of `natural` has no main trial for the unit `unit-07`"],
    );
    assert_says(&without("blur,catch,,,catch-1"), &["`blur` has 2 catch trials"]);
    assert_says(
        &without("mixed,practice,obvious"),
        &["`mixed` has too few practice trials (0 obvious, 7 easy)"],
    );
    assert_says(&without("none,instruction"), &["the instructions of `none` show example 3"]);
}

#[test]
fn settings_are_checked() {
    for (from, to, expected) in [
        ("slug = \"demo\"", "slug = \"My Study\"", "`My Study` is not a short name"),
        ("slug = \"demo\"", "", "`slug` is missing"),
        ("contact = \"weber-demo@example.org\"", "contact = \"me\"", "`contact` is `me`"),
        ("enrolment_policy = \"as-posted\"", "enrolment_policy = \"strict\"", "`strict` is not there"),
        ("main_trials = 18", "main_trials = \"many\"", "study.toml"),
        ("main_trials = 18", "main_trials = 17", "18 units, but `design.main_trials` is 17"),
        ("postings_per_slot = 3", "postings_per_slot = 0", "`design.postings_per_slot` is 0"),
        ("pay_usd = 0.70", "pay_usd = 0.705", "at most two decimals"),
        ("colour = \"#47789e\"", "colour = \"blue\"", "`blue` is not a colour"),
        ("[policies.conditions.none]", "[policies.conditions.missing]", "an unknown condition `missing`"),
        ("practice_blocks = \"off\"", "practice_blocks = \"of\"", "study.toml"),
        ("name = \"Volunteers\"", "name = \"V\"\nconditions = [\"x\"]", "leads to a condition `x`"),
        ("name = \"Volunteers\"", "name = \"V\"\nplatform = \"mturk\"", "mixes conditions of unequal pay"),
        ("name = \"Volunteers\"", "name = \"V\"\nmode = \"simulated\"", "is for simulated people"),
        ("instructions/alone.md", "instructions/missing.md", "instructions/missing.md: cannot be read"),
        ("[design]", "[design", "study.toml:"),
        (
            "[design]",
            "[trial]\nkeys = [\"s\", \"s\", \"f\", \"j\", \"k\", \"l\"]\n[design]",
            "do not fit the buttons",
        ),
    ] {
        let study = TinyStudy::new(1);
        study.edit("study.toml", |text| text.replacen(from, to, 1));
        assert_says(&study, &[expected]);
    }
    let study = TinyStudy::new(1);
    study.edit("instructions/alone.md", |text| text.replacen("figure:base", "figure:bass", 1));
    assert_says(&study, &["instructions/alone.md:", "`bass` is not one of"]);
    let study = TinyStudy::new(1);
    std::fs::remove_file(study.path().join("trials.csv")).unwrap();
    std::fs::remove_file(study.path().join("study.toml")).unwrap();
    assert_says(&study, &["trials.csv: cannot be read", "study.toml: cannot be read"]);
}

/// Says what is wrong with one more link that has these settings.
fn problems_of_a_link(settings: &str) -> String {
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| {
        format!("{text}\n[[links]]\nname = \"One more\"\nconditions = [\"natural\"]\n{settings}\n")
    });
    study_folder::read(study.path()).map_or_else(|problems| problems.to_string(), |_| String::new())
}

#[test]
fn links_are_checked_by_the_rules_of_their_platform() {
    let sona = r#"sona = { school = "uni", experiment_id = 1, credit_token = "t" }"#;
    let generic = r#"generic = { parameter = "who" }"#;
    let code = r#"codes = { complete = "C1" }"#;
    for (platform, settings, expected) in [
        (
            "prolific",
            "",
            "lacks the code of completion. Add `codes = { complete = \"...\" }`, as Prolific shows it",
        ),
        ("mturk", code, "has codes"),
        ("sona", &format!("{sona}\n{code}"), "has codes"),
        ("sona", "", "lacks its experiment"),
        ("generic", "", "lacks the person's parameter"),
        ("connect", generic, "has settings for generic, which is not its platform"),
        ("direct", sona, "has settings for sona, which is not its platform"),
        ("connect", "mturk = {}", "has settings for mturk, which is not its platform"),
        ("connect", "prolific = {}", "has settings for prolific, which is not its platform"),
    ] {
        let said = problems_of_a_link(&format!("platform = \"{platform}\"\n{settings}"));
        assert!(said.contains(&format!("the link `One more` {expected}")), "{platform}: {said}");
    }
    for (platform, settings) in [
        ("direct", code),
        ("mturk", ""),
        ("prolific", code),
        ("connect", ""),
        ("connect", code),
        ("sona", sona),
        ("generic", generic),
    ] {
        let said = problems_of_a_link(&format!("platform = \"{platform}\"\n{settings}"));
        assert_eq!(said, "", "{platform}");
    }
}

#[sqlx::test]
async fn importing_again_changes_nothing(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(2);
    let first = server.import(&study).await;
    assert!(first.changed && first.version == 1);
    let again = server.import(&study).await;
    assert!(!again.changed && again.version == 1);
    assert_eq!(server.count("select count(*) from study_versions").await, 1);
    assert_eq!(server.count("select count(*) from slots").await, 5 * 2 * 3);
    assert_eq!(server.count("select count(*) from links").await, 1);
}

#[sqlx::test]
async fn a_faulty_folder_writes_nothing(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    study.edit("trials.csv", |text| text.replacen("unit-03-0-max.png", "missing.png", 1));
    let error = weber::flow::study::import::import(&server.app, &Actor::command_line(), study.path())
        .await
        .unwrap_err();
    assert!(matches!(error, ImportError::Folder(_)));
    for table in ["select count(*) from studies", "select count(*) from images", "select count(*) from slots"]
    {
        assert_eq!(server.count(table).await, 0);
    }
}

#[sqlx::test]
async fn texts_may_change_with_live_data_and_participants_keep_their_version(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(2);
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    let mut early = Person::arrive(&server, &link).await;
    study
        .edit("study.toml", |text| text.replace("title = \"Which image", "title = \"Once more: which image"));
    assert_eq!(server.import(&study).await.version, 2);
    let late = Person::arrive(&server, &link).await;
    assert!(late.opened["study"]["title"].as_str().unwrap().starts_with("Once more"));
    assert!(early.open().await["study"]["title"].as_str().unwrap().starts_with("Which"));
}

#[sqlx::test]
async fn the_structure_may_not_change_with_live_data(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(2);
    server.import(&study).await;
    study.edit("study.toml", |text| text.replace("slots_per_condition = 2", "slots_per_condition = 3"));
    assert_eq!(server.import(&study).await.version, 2, "a draft's structure may change");
    assert_eq!(server.count("select count(*) from slots where in_design").await, 5 * 3 * 3);
    server.set_state(StudyState::Live).await;
    Person::arrive(&server, &server.link("Volunteers").await).await;
    study.edit("study.toml", |text| text.replace("slots_per_condition = 3", "slots_per_condition = 4"));
    let error = weber::flow::study::import::import(&server.app, &Actor::command_line(), study.path())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("another `slug`"), "{error}");
    assert_eq!(server.count("select count(*) from study_versions").await, 2);
    study.edit("study.toml", |text| text.replace("slug = \"demo\"", "slug = \"demo-2\""));
    assert_eq!(server.import(&study).await.version, 1);
}
