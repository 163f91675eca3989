//! Participants of each platform, from arrival to return.

use serde_json::{Value, json};
use sqlx::PgPool;
use weber::domain::study::StudyState;

use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

/// Ids as Prolific gives them out.
const PID: &str = "5f00aa11bb22cc33dd44ee55";
const OTHER_PID: &str = "5f00aa11bb22cc33dd44ee56";
const STUDY: &str = "60d9aadeb86739de712faee0";
const SESSION: &str = "60aca280709ee40ec37d4885";
const OTHER_SESSION: &str = "60aca280709ee40ec37d4886";

/// A live study with these links.
pub async fn study(pool: PgPool, slots: u32, links: &str) -> Server {
    let server = Server::empty(pool).await;
    server.import(&with_links(slots, links)).await;
    server.set_state(StudyState::Live).await;
    server
}

pub fn with_links(slots: u32, links: &str) -> TinyStudy {
    let study = TinyStudy::new(slots);
    if !links.is_empty() {
        study.edit("study.toml", |text| text + links);
    }
    study
}

/// Takes part from consent to the end. Returns the server's reply to Submit.
pub async fn finish(server: &Server, link: &str, parameters: &[(&str, &str)]) -> Value {
    let (status, reply) = server.enrol(link, parameters).await;
    assert_eq!(status, 201, "{reply}");
    let mut person = Person::with_token(server, reply["token"].as_str().unwrap()).await;
    person.reach_main().await;
    person.answer_main(true).await;
    person.complete().await.1
}

pub const MTURK: &str = "
[[links]]
name = \"Workers\"
platform = \"mturk\"
conditions = [\"none\"]
";

pub fn worker<'a>(worker: &'a str, assignment: &'a str, hit: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("workerId", worker),
        ("assignmentId", assignment),
        ("hitId", hit),
        ("turkSubmitTo", "https://workersandbox.mturk.com/"),
    ]
}

/// The server's reply to the task page.
pub async fn task(server: &Server, link: &str, parameters: &[(&str, &str)]) -> (u16, Value) {
    let parameters: serde_json::Map<_, _> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    server.post("/api/v1/task", None, json!({ "link": link, "parameters": parameters })).await
}

#[sqlx::test]
async fn mturk_from_the_frame_to_the_form(pool: PgPool) {
    let server = study(pool, 2, MTURK).await;
    let link = server.link("Workers").await;
    let page = server
        .get(&format!(
            "/enter/{link}?workerId=W1&assignmentId=A1&hitId=H1&turkSubmitTo=https%3A%2F%2Fevil.example"
        ))
        .await;
    assert!(page.1.contains("Open the study") && page.1.contains("value=\"unverified\""));
    assert!(
        page.1.contains("action=\"https://www.mturk.com/mturk/externalSubmit\""),
        "a forged address is not used"
    );
    assert!(page.1.contains(&format!("/enter/{link}/window?assignmentId=A1")) && !page.1.contains("evil"));
    assert!(
        server.get(&format!("/enter/{link}/window?workerId=W1&assignmentId=A1")).await.1.contains("I agree")
    );
    assert_eq!(
        task(&server, &link, &worker("W1", "A1", "H1")).await.1,
        json!({ "state": "not_begun", "form": null })
    );

    let (_, reply) = server.enrol(&link, &worker("W1", "A1", "H1")).await;
    let mut person = Person::with_token(&server, reply["token"].as_str().unwrap()).await;
    assert_eq!(task(&server, &link, &worker("W1", "A1", "H1")).await.1["state"], "under_way");
    let (status, again) = server.enrol(&link, &worker("W1", "A2", "H1")).await;
    assert_eq!(
        (status, &again["resumed"]),
        (200, &json!(true)),
        "a new assignment continues the participation"
    );
    assert_eq!(server.count("select count(*) from events where kind = 'new_assignment'").await, 1);
    person.reach_main().await;
    person.answer_main(true).await;
    assert_eq!(person.complete().await.1["return"], json!({ "kind": "task_page" }));

    let standing = task(&server, &link, &worker("W1", "A3", "H1")).await.1;
    assert_eq!(standing["state"], "done", "the same task was accepted again");
    assert_eq!(standing["form"]["action"], "https://workersandbox.mturk.com/mturk/externalSubmit");
    assert_eq!(standing["form"]["fields"]["assignmentId"], "A3", "the form has the assignment of the frame");
    assert_eq!(standing["form"]["fields"]["receipt"].as_str().unwrap().len(), 43);
    assert_eq!(
        task(&server, &link, &worker("W1", "A3", "H1")).await.1,
        standing,
        "a repetition gets the same reply"
    );
    let known = task(&server, &link, &worker("W1", "A9", "H2")).await;
    assert_eq!(
        known,
        task(&server, &link, &worker("W9", "A9", "H2")).await,
        "the reply does not tell whether an id is known"
    );
    let (status, problem) = server.enrol(&link, &worker("W1", "A9", "H2")).await;
    assert_eq!((status, &problem["code"]), (409, &json!("already_took_part")), "another task");
}

#[sqlx::test]
async fn a_participant_who_left_has_nothing_to_hand_in(pool: PgPool) {
    let server = study(pool, 2, MTURK).await;
    let link = server.link("Workers").await;
    let (_, reply) = server.enrol(&link, &worker("W1", "A1", "H1")).await;
    server.post("/api/v1/leave", reply["token"].as_str(), json!({ "reason": "left" })).await;
    assert_eq!(
        task(&server, &link, &worker("W1", "A1", "H1")).await.1,
        json!({ "state": "left", "form": null })
    );
}

#[sqlx::test]
async fn only_the_task_page_may_be_framed_and_only_by_mturk(pool: PgPool) {
    let server = study(pool, 1, MTURK).await;
    let policy = async |path: String| {
        let response = server.client.get(format!("{}{path}", server.url)).send().await.unwrap();
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (header("content-security-policy").unwrap(), header("x-frame-options"))
    };
    let workers = server.link("Workers").await;
    for parameters in ["workerId=W1&assignmentId=A1", "assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE"] {
        let (csp, frame_options) = policy(format!("/enter/{workers}?{parameters}")).await;
        assert!(csp.contains(
            "frame-ancestors https://www.mturk.com https://worker.mturk.com https://workersandbox.mturk.com"
        ));
        assert!(csp.contains("form-action https://www.mturk.com") && !csp.contains("unsafe"));
        assert_eq!(frame_options, None);
    }
    let volunteers = server.link("Volunteers").await;
    for path in [
        format!("/enter/{workers}/window?workerId=W1&assignmentId=A1"),
        format!("/enter/{volunteers}"),
        "/run".into(),
        "/sign-in".into(),
    ] {
        let (csp, _) = policy(path.clone()).await;
        assert!(csp.contains("frame-ancestors 'none'") && csp.contains("form-action 'self'"), "{path}");
    }
}

#[sqlx::test]
async fn prolific_with_a_code_per_outcome(pool: PgPool) {
    let links = "
[[links]]
name = \"Prolific\"
platform = \"prolific\"
conditions = [\"none\"]
codes = { complete = \"DONE1\", no_consent = \"NO1\", already_took_part = \"AGAIN1\", unsuitable = \"SMALL1\", full = \"FULL1\" }
";
    let server = study(pool, 1, links).await;
    let link = server.link("Prolific").await;
    let arrival = [("PROLIFIC_PID", PID), ("STUDY_ID", STUDY), ("SESSION_ID", SESSION)];
    let page = server
        .get(&format!("/enter/{link}?PROLIFIC_PID={PID}&STUDY_ID={STUDY}&SESSION_ID={SESSION}"))
        .await
        .1;
    for code in ["NO1", "SMALL1", "FULL1", "AGAIN1"] {
        assert!(page.contains(&format!("complete?cc={code}")), "{code}");
    }
    let reply = finish(&server, &link, &arrival).await;
    let url = "https://app.prolific.com/submissions/complete?cc=DONE1";
    assert_eq!(reply, json!({ "outcome": "complete", "return": { "kind": "link", "url": url } }));
    let other = [("PROLIFIC_PID", PID), ("STUDY_ID", OTHER_PID), ("SESSION_ID", OTHER_SESSION)];
    let (status, problem) = server.enrol(&link, &other).await;
    assert_eq!((status, &problem["code"]), (409, &json!("already_took_part")), "another submission");
    let (status, problem) = server.enrol(&link, &[("PROLIFIC_PID", OTHER_PID)]).await;
    assert_eq!((status, &problem["parameter"]), (400, &json!("SESSION_ID")));
}

#[sqlx::test]
async fn connect_sona_and_a_panel(pool: PgPool) {
    let links = "
[[links]]
name = \"Connect\"
platform = \"connect\"
conditions = [\"none\"]
[[links]]
name = \"Sona\"
platform = \"sona\"
conditions = [\"none\"]
sona = { school = \"uni\", experiment_id = 7, credit_token = \"tok\" }
[[links]]
name = \"Panel\"
platform = \"generic\"
conditions = [\"none\"]
codes = { complete = \"C\" }
generic = { parameter = \"pid\", return_url = \"https://panel.example/{outcome}?id={id}&c={code}\" }
";
    let server = study(pool, 3, links).await;
    let bots = [
        (
            "Connect",
            vec![("participantId", "P1"), ("assignmentId", "AS1"), ("projectId", "PR1")],
            "https://connect.cloudresearch.com/participant/project/PR1/complete",
        ),
        (
            "Sona",
            vec![("survey_code", "4711")],
            "https://uni.sona-systems.com/webstudy_credit.aspx?experiment_id=7&credit_token=tok&survey_code=4711",
        ),
        ("Panel", vec![("pid", "X+9")], "https://panel.example/complete?id=X%2B9&c=C"),
    ];
    for (name, parameters, url) in bots {
        let link = server.link(name).await;
        let reply = finish(&server, &link, &parameters).await;
        assert_eq!(reply["return"], json!({ "kind": "link", "url": url }), "{name}");
        assert_eq!(server.enrol(&link, &parameters).await.0, 200, "{name}: the end is shown again");
    }
}

#[sqlx::test]
async fn personal_links_allow_one_participation_and_cannot_be_invented(pool: PgPool) {
    let server =
        study(pool, 2, "\n[[links]]\nname = \"Personal\"\npersonal = true\nconditions = [\"none\"]\n").await;
    let link = server.link("Personal").await;
    let first = server.app.secrets.personal_code(&link, 1);
    assert_eq!(server.enrol(&link, &[("person", &first)]).await.0, 404, "the code was not given out yet");
    let id = server.count("select id from links where name = 'Personal'").await;
    let actor = weber::flow::audit::log::Actor::command_line();
    weber::flow::study::identities::make_personal_links(&server.app, &actor, "demo", id, 2).await.unwrap();
    for _ in 0..3 {
        let page = server.get(&format!("/enter/{link}?person={first}")).await;
        assert!(page.1.contains("I agree"), "a mail scanner that opens the link does not use it up");
    }
    finish(&server, &link, &[("person", &first)]).await;
    assert_eq!(
        server.enrol(&link, &[("person", &first)]).await.0,
        200,
        "the end is shown again to the same person"
    );
    assert_eq!(server.count("select count(*) from participants").await, 1);
    for wrong in ["2-00000000000000000000", "1", "", &server.app.secrets.personal_code(&link, 3)] {
        let (status, _) = server.enrol(&link, &[("person", wrong)]).await;
        assert!(matches!(status, 400 | 404), "{wrong}");
    }
}

#[sqlx::test]
async fn links_for_experts_set_condition_and_image_set_and_can_be_used_again(pool: PgPool) {
    let links = "
[[links]]
name = \"Experts\"
group = \"expert\"
conditions = [\"none\"]
image_set = 1
";
    let server = study(pool, 1, links).await;
    let link = server.link("Experts").await;
    for _ in 0..3 {
        let reply = finish(&server, &link, &[]).await;
        assert_eq!(reply["outcome"], "complete");
    }
    let experts = "select count(*) from participants where crowd_group = 'expert' and condition = 'none'
        and image_set = 1 and slot_id is null and claim = 'without'";
    assert_eq!(server.count(experts).await, 3);
}

#[sqlx::test]
async fn an_open_live_link_is_off_until_it_is_switched_on(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| text.replace("open_links = true", "open_links = false"));
    server.import(&study).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Volunteers").await;
    assert_eq!(server.enrol(&link, &[]).await.1["code"], "closed");
}

#[sqlx::test]
async fn people_of_an_earlier_study_and_barred_people_cannot_take_part(pool: PgPool) {
    let server = study(pool, 2, MTURK).await;
    finish(&server, &server.link("Workers").await, &worker("W1", "A1", "H1")).await;
    let later = with_links(2, MTURK);
    later.edit("study.toml", |text| {
        text.replace("slug = \"demo\"", "slug = \"later\"")
            .replace("[recruitment]", "[recruitment]\nnot_after = [\"demo\"]")
    });
    server.import(&later).await;
    let actor = weber::flow::audit::log::Actor::command_line();
    let mturk = weber::domain::study::Platform::Mturk;
    let list = "W7\n\nW8\r\nW7\n";
    let added = weber::flow::study::identities::bar(&server.app, &actor, "later", mturk, list).await.unwrap();
    assert_eq!(added, 2);
    assert!(weber::flow::study::identities::bar(&server.app, &actor, "later", mturk, "a,b").await.is_err());
    sqlx::query("update studies set state = 'live'").execute(&server.app.pool).await.unwrap();
    let sql = "select l.id from links l join studies s on s.id = l.study_id where s.slug = 'later' and l.name = 'Workers'";
    let id = server.count(sql).await;
    let mut conn = server.app.pool.acquire().await.unwrap();
    let link = weber::store::links::by_id(&mut conn, id).await.unwrap().code;
    for barred in ["W1", "W7", "W8"] {
        let (_, problem) = server.enrol(&link, &worker(barred, "B1", "H5")).await;
        assert_eq!(problem["code"], "already_took_part", "{barred}");
    }
    assert_eq!(server.enrol(&link, &worker("W2", "B2", "H5")).await.0, 201);
}

#[sqlx::test]
async fn a_participant_who_finishes_late_is_told_so_and_paid(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    let links = "
[[links]]
name = \"Prolific\"
platform = \"prolific\"
conditions = [\"none\"]
codes = { complete = \"DONE1\" }
";
    server.import(&with_links(1, links)).await;
    server.set_state(StudyState::Live).await;
    let link = server.link("Prolific").await;
    let (_, reply) = server.enrol(&link, &[("PROLIFIC_PID", PID), ("SESSION_ID", SESSION)]).await;
    let mut late = Person::with_token(&server, reply["token"].as_str().unwrap()).await;
    late.reach_main().await;
    clock.advance(2000);
    finish(&server, &link, &[("PROLIFIC_PID", OTHER_PID), ("SESSION_ID", OTHER_SESSION)]).await;
    late.answer_main(true).await;
    let reply = late.complete().await.1;
    assert_eq!(reply["outcome"], "timed_out");
    assert_eq!(reply["return"]["url"], "https://app.prolific.com/submissions/complete?cc=DONE1");
    assert_eq!(late.column("late").await, "true");
}
