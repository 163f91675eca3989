//! Exported files.

use std::collections::HashMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use weber::domain::study::Mode;
use weber::flow::study::export::{ExportError, FILES, PolicyChoice, export, prepare};

use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

const TRIALS: &str = "study study_version participant mode condition slot posting group image_set block attempt \
    trial_index trial_kind unit layer branch max_side response choice_side choice correct confidence rt continue_rt \
    time_elapsed answered_at input presentations hidden_ms load_wait display_scale reference_order base_activation \
    max_activation min_activation relative_activation_difference center_correct variance_correct saliency_correct \
    object_correct override device_scale frame_ms pointerdown_rt continue_hidden_ms";

const PEOPLE: &str = "study study_version participant mode condition slot posting platform stage last_screen answers \
    group late clock_discrepancy enrolled_at started_at completed_at instruction_time total_time catch_correct \
    catch_total catch_share left_answers right_answers practice_blocks main_correct main_total pass_instruction_time \
    pass_total_time pass_catch_trials pass_answer_variability pass_practice_blocks kept exclusion_reasons override \
    override_reason fullscreen_exits focus_losses reloads image_failures browser system screen_width screen_height \
    window_width window_height pixel_ratio feedback";

type Row = HashMap<String, String>;

/// An export, read again.
pub struct Exported {
    pub folder: tempfile::TempDir,
    pub manifest: serde_json::Value,
}

impl Exported {
    pub async fn of(server: &Server, policy: PolicyChoice, include: &[Mode]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let request = prepare(&server.app, "demo", policy, include).await.unwrap();
        export(&server.app, &request, folder.path()).await.unwrap();
        let manifest = std::fs::read(folder.path().join("manifest.json")).unwrap();
        Self { folder, manifest: serde_json::from_slice(&manifest).unwrap() }
    }

    pub fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(file)).unwrap()
    }

    pub fn header(&self, file: &str) -> String {
        String::from_utf8(self.bytes(file)).unwrap().lines().next().unwrap().replace(',', " ")
    }

    pub fn rows(&self, file: &str) -> Vec<Row> {
        let bytes = self.bytes(file);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        reader.deserialize().map(|row| row.unwrap()).collect()
    }

    /// A participant's row in participants.csv.
    pub fn person(&self, person: &Person<'_>) -> Row {
        self.rows("participants.csv")
            .into_iter()
            .find(|row| row["participant"] == person.pseudonym())
            .unwrap()
    }
}

#[sqlx::test]
async fn the_columns_are_the_public_interface(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    assert_eq!(exported.header("trials.csv"), TRIALS);
    assert_eq!(exported.header("trials_cleaned.csv"), TRIALS);
    assert!(exported.header("participants.csv").starts_with(&format!("{PEOPLE} ")));
    assert_eq!(exported.header("events.csv"), "participant at server_at kind detail");
    assert_eq!(exported.header("codebook.csv"), "file column type unit allowed description");
    let described = exported.rows("codebook.csv");
    for file in ["trials.csv", "trials_cleaned.csv", "participants.csv", "events.csv", "codebook.csv"] {
        let columns: Vec<_> =
            described.iter().filter(|row| row["file"] == file).map(|row| row["column"].clone()).collect();
        assert_eq!(columns.join(" "), exported.header(file));
    }
}

#[sqlx::test]
async fn an_answer_is_exported_as_it_was_given(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    for (index, response) in (1..=6).zip(0..6) {
        person.answer("main", 1, index, response).await;
    }
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    let rows = exported.rows("trials.csv");
    let main: Vec<_> = rows.iter().filter(|row| row["block"] == "main").collect();
    let column = |name: &str| main.iter().map(|row| row[name].as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(column("trial_index"), "1 2 3 4 5 6");
    assert_eq!(column("response"), "0 1 2 3 4 5");
    assert_eq!(column("confidence"), "3 2 1 1 2 3", "the label that was shown");
    assert_eq!(column("choice_side"), "left left left right right right");
    for row in &main {
        assert_eq!(row["correct"] == "true", row["choice_side"] == row["max_side"]);
        assert_eq!(row["choice"], if row["correct"] == "true" { "max" } else { "min" });
        assert_eq!(row["rt"], "1500.5");
        assert_eq!(row["relative_activation_difference"], "0.5");
        assert_eq!((row["center_correct"].as_str(), row["object_correct"].as_str()), ("true", ""));
    }
    assert!(exported.rows("trials_cleaned.csv").is_empty(), "no participant is kept yet");
    assert_eq!(exported.person(&person)["exclusion_reasons"], "incomplete");
    assert_eq!(exported.person(&person)["kept"], "false");
    assert_eq!(exported.person(&person)["pass_total_time"], "");
}

#[sqlx::test]
async fn measures_of_the_screen_are_exported_with_each_answer(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut person = Person::arrive(&server, &server.link("Volunteers").await).await;
    person.reach_main().await;
    let told = |index: u64, more: Value| {
        let mut answer = person.answer_json("main", 1, index, 4);
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        answer
    };
    let pressed = json!({ "device_scale": 1.875, "frame_ms": 33.3, "pointerdown_rt": 1400.1 });
    let continued = json!({ "device_scale": 0.5, "frame_ms": 6.9, "pointerdown_rt": null, "continue_rt": 900.5,
                            "continue_hidden_ms": 120.2 });
    let mut again = told(1, pressed.clone());
    again["continue_rt"] = json!(800.5);
    again["continue_hidden_ms"] = json!(250.4);
    let answers = [told(1, pressed), told(2, continued), told(3, json!({}))];
    for answers in [json!([answers[0], answers[1]]), json!([answers[2], again])] {
        let reply = person.tell(json!({ "answers": answers })).await;
        assert!(reply["answers"].as_array().unwrap().iter().all(|one| one["status"] != "refused"), "{reply}");
    }
    let early = json!({ "screen": "main:4", "input": "key", "button": 2, "shown": false });
    let event = json!({ "seq": 1, "kind": "early_press", "at": 61_000.5, "detail": early });
    person.tell(json!({ "events": [event] })).await;

    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    let rows = exported.rows("trials.csv");
    let main: Vec<_> = rows.iter().filter(|row| row["block"] == "main").collect();
    let columns = ["device_scale", "frame_ms", "pointerdown_rt", "continue_rt", "continue_hidden_ms"];
    let values = |n: usize| columns.map(|name| main[n][name].as_str());
    assert_eq!(values(0), ["1.875", "33.3", "1400.1", "800.5", "250.4"]);
    assert_eq!(values(1), ["0.5", "6.9", "", "900.5", "120.2"]);
    assert_eq!(values(2), ["", "", "", "", ""], "a client that does not report them");
    let events = exported.rows("events.csv");
    let event = events.iter().find(|row| row["kind"] == "early_press").unwrap();
    assert_eq!(
        (event["at"].as_str(), serde_json::from_str::<Value>(&event["detail"]).unwrap()),
        ("61000.5", early)
    );

    let wrong = told(4, json!({ "frame_ms": 0 }));
    let reply = person.tell(json!({ "answers": [wrong] })).await;
    assert_eq!(
        (&reply["answers"][0]["code"], reply["answers"][0]["detail"].as_str().unwrap().contains("frame_ms")),
        (&json!("invalid"), true)
    );
    let right = json!({ "answers": [told(4, json!({ "frame_ms": 16.7, "device_scale": 1 }))] });
    assert_eq!(person.tell(right.clone()).await["answers"][0]["status"], "stored");
    assert_eq!(person.tell(right).await["answers"][0]["status"], "same");
}

#[sqlx::test]
async fn cleaned_rows_are_the_main_trials_of_kept_participants(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    let kept = Person::go_through(&server, &link, true).await;
    let excluded = Person::go_through(&server, &link, false).await;
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    let cleaned = exported.rows("trials_cleaned.csv");
    assert_eq!(cleaned.len(), 18);
    assert!(cleaned.iter().all(|row| row["trial_kind"] == "main" && row["participant"] == kept.pseudonym()));
    assert_eq!(exported.rows("trials.csv").iter().filter(|row| row["block"] == "main").count(), 42);
    let (kept, excluded) = (exported.person(&kept), exported.person(&excluded));
    assert_eq!((kept["kept"].as_str(), kept["exclusion_reasons"].as_str()), ("true", ""));
    assert_eq!(
        (excluded["kept"].as_str(), excluded["exclusion_reasons"].as_str()),
        ("false", "catch_trials")
    );
    assert_eq!(
        (excluded["pass_catch_trials"].as_str(), excluded["pass_total_time"].as_str()),
        ("false", "true")
    );
    assert_eq!((kept["instruction_time"].as_str(), kept["total_time"].as_str()), ("60", "400"));
    assert_eq!((kept["catch_correct"].as_str(), kept["catch_share"].as_str()), ("3", "1"));
    assert_eq!(kept["main_correct"], "18");
    let counts = &exported.manifest["counts"];
    assert_eq!((&counts["kept"], &counts["excluded"], &counts["surplus"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(counts["stage"], serde_json::json!({ "complete": 2 }));
    assert_eq!(counts["criterion"], serde_json::json!({ "catch_trials": 1 }));
    let slots: u64 =
        exported.manifest["slots"].as_object().unwrap().values().map(|s| s["kept"].as_u64().unwrap()).sum();
    assert_eq!(slots, 1);
}

#[sqlx::test]
async fn another_policy_changes_the_verdict_and_never_the_data(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let person = Person::go_through(&server, &server.link("Volunteers").await, false).await;
    let lenient = toml::from_str("name = 'lenient'\n[criteria]\ntotal_time = { min = 1 }").unwrap();
    let given = Exported::of(&server, PolicyChoice::Given(lenient), &[]).await;
    assert_eq!(given.person(&person)["kept"], "true");
    assert_eq!(given.person(&person)["pass_catch_trials"], "", "the criterion is off");
    assert_eq!(given.manifest["policy"]["name"], "lenient");
    assert_eq!(given.manifest["policy"]["is_enrolment_policy"], false);
    let named = Exported::of(&server, PolicyChoice::Named("as-analysed".into()), &[]).await;
    assert_eq!(named.person(&person)["kept"], "false");
    let enrolment = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    assert_eq!(enrolment.manifest["policy"]["is_enrolment_policy"], true);
    assert_eq!(given.bytes("trials.csv"), enrolment.bytes("trials.csv"));
    let error = prepare(&server.app, "demo", PolicyChoice::Named("strict".into()), &[]).await.unwrap_err();
    assert!(
        matches!(error, ExportError::NoSuchPolicy { .. })
            && error.to_string().contains("as-posted, as-analysed")
    );
    assert!(prepare(&server.app, "nothing", PolicyChoice::Enrolment, &[]).await.is_err());
}

#[sqlx::test]
async fn files_are_complete_and_hashed_and_have_no_formulas_or_worker_ids(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| {
        text + "\n[[links]]\nname = \"MTurk\"\nplatform = \"mturk\"\nconditions = [\"none\"]\n"
    });
    server.import(&study).await;
    server.set_state(weber::domain::study::StudyState::Live).await;
    let link = server.link("MTurk").await;
    let (_, reply) = server.enrol(&link, &[("workerId", "WORKER1"), ("assignmentId", "ASSIGNMENT1")]).await;
    let mut person = Person::with_token(&server, reply["token"].as_str().unwrap()).await;
    person.reach_main().await;
    person.answer_main(true).await;
    let feedback = "=HYPERLINK(\"https://evil.example\"), a \"quote\",\r\nand a new line";
    let body = serde_json::json!({ "tab": 1, "clock_ms": 400_000.0, "feedback": feedback });
    assert_eq!(server.post("/api/v1/complete", Some(&person.token), body).await.0, 200);
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    assert_eq!(exported.person(&person)["feedback"], format!("'{feedback}"));
    for file in exported.manifest["files"].as_array().unwrap() {
        let bytes = exported.bytes(file["name"].as_str().unwrap());
        assert_eq!(file["sha256"], hex::encode(Sha256::digest(&bytes)));
        assert_eq!(file["rows"], exported.rows(file["name"].as_str().unwrap()).len());
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains("WORKER1") && !text.contains("ASSIGNMENT1"));
    }
    let written = std::fs::read_dir(exported.folder.path()).unwrap();
    let mut names: Vec<_> = written.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let mut known = FILES;
    names.sort();
    known.sort_unstable();
    assert_eq!(names, known, "each file can be downloaded, and no temporary file is left");
}

#[sqlx::test]
async fn an_error_names_the_folder_that_cannot_be_written(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let request = prepare(&server.app, "demo", PolicyChoice::Enrolment, &[]).await.unwrap();
    let error = export(&server.app, &request, std::path::Path::new("/proc/nowhere")).await.unwrap_err();
    assert!(error.to_string().contains("/proc/nowhere"), "{error}");
}
