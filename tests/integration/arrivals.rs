//! How an arriving person is identified: a placeholder is no id, all spellings of an id are one person, and replies tell
//! strangers nothing about ids.

use serde_json::{Value, json};
use sqlx::PgPool;
use weber::domain::study::{Platform, StudyState};
use weber::flow::audit::log::Actor;
use weber::flow::study::identities;
use weber::recruitment::reconciliation::Discrepancy;

use crate::platforms::{MTURK, finish, study, task, with_links, worker};
use crate::support::browser::Browser;
use crate::support::server::Server;

const PID: &str = "5f00aa11bb22cc33dd44ee55";
const STUDY: &str = "60d9aadeb86739de712faee0";
const SESSION: &str = "60aca280709ee40ec37d4885";

const EVERY_PLATFORM: &str = "
[[links]]
name = \"Workers\"
platform = \"mturk\"
conditions = [\"none\"]
[[links]]
name = \"Prolific\"
platform = \"prolific\"
conditions = [\"none\"]
codes = { complete = \"DONE1\" }
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
generic = { parameter = \"who\", return_url = \"https://panel.example/{outcome}?id={id}\" }
[[links]]
name = \"Personal\"
personal = true
conditions = [\"none\"]
";

/// The parameters of an arrival from each platform.
const WHOLE: [(&str, &[(&str, &str)]); 6] = [
    ("Workers", &[("workerId", "A1"), ("assignmentId", "3A"), ("hitId", "3H")]),
    ("Prolific", &[("PROLIFIC_PID", PID), ("STUDY_ID", STUDY), ("SESSION_ID", SESSION)]),
    ("Connect", &[("participantId", "P1"), ("assignmentId", "AS1"), ("projectId", "PR1")]),
    ("Sona", &[("survey_code", "4711")]),
    ("Panel", &[("who", "x7")]),
    ("Personal", &[("person", "1-abc")]),
];

fn query(parameters: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

async fn counted(server: &Server, kind: &str) -> i64 {
    sqlx::query_scalar("select coalesce(sum(n), 0)::bigint from arrivals where kind = $1")
        .bind(kind)
        .fetch_one(&server.app.pool)
        .await
        .unwrap()
}

#[sqlx::test]
async fn a_placeholder_enrols_no_one_and_is_explained_and_counted(pool: PgPool) {
    let server = study(pool, 3, EVERY_PLATFORM).await;
    let mut refused = 0;
    for (name, whole) in WHOLE {
        let link = server.link(name).await;
        for (n, (parameter, _)) in whole.iter().enumerate() {
            for value in
                ["{{%PROLIFIC_PID%}}", "{%X%}", "${x}", "[[x]]", "%X%", parameter, "undefined", " ", "a\u{7}"]
            {
                let mut arrived = whole.to_vec();
                arrived[n].1 = value;
                let (status, page) = server.get(&format!("/enter/{link}?{}", query(&arrived))).await;
                assert_eq!(status, 400, "{name}: {parameter}={value}");
                assert!(page.contains("This link is not complete"), "{page}");
                assert!(page.contains(&format!("The parameter {parameter} ")), "{page}");
                assert!(page.contains("mailto:") && !page.contains("I agree"), "{page}");
                let (status, problem) = server.enrol(&link, &arrived).await;
                assert_eq!(
                    (status, &problem["code"]),
                    (400, &json!("platform_parameter")),
                    "{parameter}={value}"
                );
                assert_eq!(problem["parameter"], *parameter);
                refused += 2;
            }
        }
    }
    assert_eq!(counted(&server, "incomplete").await, refused);
    assert_eq!(server.count("select count(*) from participants").await, 0);
    assert_eq!(
        server.count("select count(*) from arrivals").await,
        WHOLE.len() as i64,
        "there is one row per link"
    );
    let mut browser = Browser::signed_in(&server).await;
    let notices = browser.get("/lab/studies/demo").await.texts("#arrivals .notice");
    assert_eq!(notices.len(), WHOLE.len());
    assert!(
        notices[1].starts_with("54 visits were turned away at “Prolific” in the last 7 days"),
        "{notices:?}"
    );
}

#[sqlx::test]
async fn one_person_has_one_spelling_wherever_ids_are_used(pool: PgPool) {
    let server = study(pool, 6, EVERY_PLATFORM).await;
    let link = server.link("Prolific").await;
    let of = |pid: &str| vec![("PROLIFIC_PID", pid.to_owned()), ("SESSION_ID", SESSION.to_owned())];
    let upper = PID.to_uppercase();
    let spellings = [
        PID.to_owned(),
        upper.clone(),
        format!(" {PID}"),
        format!("{PID}\n"),
        format!("\u{feff}{PID}\u{200b}\u{3000}"),
        format!("{PID}@email.prolific.com"),
    ];
    for (n, spelling) in spellings.iter().enumerate() {
        let parameters = of(spelling);
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (status, _) = server.enrol(&link, &parameters).await;
        assert_eq!(status, if n == 0 { 201 } else { 200 }, "{spelling:?}");
    }
    for (name, spellings) in [
        ("Workers", [("workerId", "A1B"), ("workerId", " a1b\n")]),
        ("Connect", [("participantId", "AB1"), ("participantId", "ab1 ")]),
        ("Panel", [("who", "Ada-1"), ("who", "\tAda-1")]),
        ("Sona", [("survey_code", "4711"), ("survey_code", "4711 ")]),
    ] {
        let link = server.link(name).await;
        let statuses = futures::future::join_all(
            spellings.map(async |person| server.enrol(&link, &[person, ("assignmentId", "3A")]).await.0),
        );
        let mut statuses = statuses.await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 201], "{name}");
    }
    assert_eq!(server.count("select count(*) from participants").await, 5);
    let actor = Actor::command_line();
    for spelling in &spellings {
        assert!(
            identities::seek(&server.app, &actor, "demo", spelling).await.unwrap().is_some(),
            "{spelling:?}"
        );
    }
    let list = "\u{feff}\"A7\" \r\na7\n A8\u{a0}\n";
    assert_eq!(identities::bar(&server.app, &actor, "demo", Platform::Mturk, list).await.unwrap(), 2);
    let workers = server.link("Workers").await;
    for barred in ["A7", "a7", " A8"] {
        assert_eq!(server.enrol(&workers, &worker(barred, "3B", "3H")).await.1["code"], "already_took_part");
    }
    let wrong = identities::bar(&server.app, &actor, "demo", Platform::Prolific, &format!("{PID}\nA7")).await;
    assert!(wrong.unwrap_err().to_string().contains("Line 2 is not an id of prolific"));
    let file = format!(
        "Submission id,Participant id,Status,Completion code\n{SESSION}, {upper} ,Awaiting review,x\n"
    );
    let (_, lines) = identities::reconcile(&server.app, &actor, "demo", &file).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.finding).collect::<Vec<_>>(), [Discrepancy::Unfinished]);
}

#[sqlx::test]
async fn earlier_hashes_still_bar_people_and_personal_codes_have_one_spelling(pool: PgPool) {
    let server = study(pool, 3, EVERY_PLATFORM).await;
    // Earlier versions stored the hash of the id as it was spelled.
    let hmac = server.app.secrets.worker_hmac(Platform::Prolific, PID);
    sqlx::query(
        "insert into not_admitted (study_id, platform, worker_hmac) select id, 'prolific', $1 from studies",
    )
    .bind(hmac)
    .execute(&server.app.pool)
    .await
    .unwrap();
    let link = server.link("Prolific").await;
    let arrival = [("PROLIFIC_PID", PID), ("SESSION_ID", SESSION)];
    assert_eq!(server.enrol(&link, &arrival).await.1["code"], "already_took_part");
    let link = server.link("Personal").await;
    let id = server.count("select id from links where name = 'Personal'").await;
    identities::make_personal_links(&server.app, &Actor::command_line(), "demo", id, 1).await.unwrap();
    let code = server.app.secrets.personal_code(&link, 1);
    assert_eq!(server.enrol(&link, &[("person", &code)]).await.0, 201);
    assert_eq!(server.enrol(&link, &[("person", &format!(" {}\n", code.to_uppercase()))]).await.0, 200);
}

#[sqlx::test]
async fn addresses_with_slips_are_understood_or_explained(pool: PgPool) {
    let server = study(pool, 3, EVERY_PLATFORM).await;
    let link = server.link("Prolific").await;
    let whole = format!("PROLIFIC_PID={PID}&STUDY_ID={STUDY}&SESSION_ID={SESSION}");
    let held = "PROLIFIC_PID=%7B%7B%25PROLIFIC_PID%25%7D%7D";
    for path in [
        format!("{link}?{whole}"),
        format!("{link}/?{whole}"),
        format!("{}?{whole}", link.to_uppercase()),
        format!("{link}%20?{whole}"),
        format!("{link}?{}", whole.replace('&', "?")),
        format!("{link}?{}", whole.replace('&', "&amp;")),
        format!("{link}?{whole}&{whole}"),
        format!("{link}?{held}&{whole}"),
        format!("{link}?{whole}&{held}"),
    ] {
        let (status, page) = server.get(&format!("/enter/{path}")).await;
        assert_eq!(status, 200, "{path}");
        // The page sends these parameters at consent.
        assert!(page.contains(&format!("PROLIFIC_PID&#34;:&#34;{PID}&#34;")), "{path}: {page}");
        assert!(page.contains(&format!("SESSION_ID&#34;:&#34;{SESSION}&#34;")), "{path}");
    }
    let other = PID.replace('5', "6");
    for (query, words) in [
        (format!("{whole}&PROLIFIC_PID={other}"), "not an id of the platform"),
        (whole.replace(PID, &"a".repeat(300)), "too long for an id"),
        (whole.to_lowercase(), "is missing from the address"),
        (whole.replace(PID, &PID[1..]), "not an id of the platform"),
        (String::new(), "is missing from the address"),
    ] {
        let (status, page) = server.get(&format!("/enter/{link}?{query}")).await;
        assert_eq!(status, 400, "{query}");
        assert!(page.contains(words) && page.contains("mailto:"), "{query}: {page}");
    }
    assert_eq!(server.get("/enter/nosuchlink").await.0, 404);
}

#[sqlx::test]
async fn refused_arrivals_of_every_kind_are_counted_in_a_bounded_number_of_rows(pool: PgPool) {
    let server = study(pool, 1, EVERY_PLATFORM).await;
    let workers = server.link("Workers").await;
    finish(&server, &workers, &worker("A1", "3A", "3H")).await;
    let actor = Actor::command_line();
    identities::bar(&server.app, &actor, "demo", Platform::Mturk, "A2").await.unwrap();
    let personal = server.link("Personal").await;
    let came = async |times: usize| {
        for path in [
            format!("{workers}?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE"),
            format!("{workers}?workerId=A1&assignmentId=3B&hitId=3I"),
            format!("{workers}?workerId=A2&assignmentId=3B&hitId=3I"),
            format!("{workers}?workerId=undefined&assignmentId=3B"),
            format!("{personal}?person=1-00000000000000000000"),
        ] {
            let path = format!("/enter/{path}");
            futures::future::join_all((0..times).map(|_| server.get(&path))).await;
        }
    };
    came(1).await;
    let rows = server.count("select count(*) from arrivals").await;
    came(30).await;
    assert_eq!(
        server.count("select count(*) from arrivals").await,
        rows,
        "arrivals of strangers add no rows"
    );
    for kind in ["preview", "already_took_part", "barred", "incomplete", "unknown_person"] {
        assert_eq!(counted(&server, kind).await, 31, "{kind}");
    }
    server.set_state(StudyState::Paused).await;
    server.get(&format!("/enter/{workers}?workerId=A9&assignmentId=3B")).await;
    assert_eq!(counted(&server, "paused").await, 1);
    let mut browser = Browser::signed_in(&server).await;
    let page = browser.get("/lab/studies/demo").await;
    let shown = page.texts("#arrivals .count");
    for words in ["31 previewed the task", "31 not to be admitted", "31 came by an incomplete address"] {
        assert!(shown.iter().any(|line| line == words), "{words}: {shown:?}");
    }
    assert_eq!(
        page.texts("#arrivals .notice").len(),
        2,
        "an incomplete address and an unknown personal link are counted"
    );
}

#[sqlx::test]
async fn people_who_are_asked_to_wait_are_counted(pool: PgPool) {
    let server = study(pool, 50, "").await;
    let link = server.link("Volunteers").await;
    let consent = weber::domain::study::text_sha256(&server.definition().await.pages.consent);
    let body = json!({ "link": link, "consent_sha256": hex::encode(consent) });
    let mut crowded = 0;
    for _ in 0..45 {
        let request = server.client.post(format!("{}/api/v1/enrolments", server.url)).json(&body);
        let answer = request.header("X-Forwarded-For", "203.0.113.5").send().await.unwrap();
        crowded += i64::from(answer.status() == 429);
    }
    assert!(crowded > 0);
    assert_eq!(counted(&server, "crowded").await, crowded);
}

/// Pages and replies are the same for an id that is known and for one that is not, except for the id itself.
#[sqlx::test]
async fn guessing_ids_does_not_tell_who_took_part(pool: PgPool) {
    let server = study(pool, 3, MTURK).await;
    let link = server.link("Workers").await;
    finish(&server, &link, &worker("AKNOWN", "3A", "3H")).await;
    server.enrol(&link, &worker("AWORKS", "3B", "3H")).await;
    let actor = Actor::command_line();
    identities::bar(&server.app, &actor, "demo", Platform::Mturk, "ABARRD").await.unwrap();
    let seen = async |id: &str| {
        let mut seen = Vec::new();
        for page in ["", "/window"] {
            let path = format!("/enter/{link}{page}?workerId={id}&assignmentId=3Z&hitId=3OTHER");
            let (status, page) = server.get(&path).await;
            seen.push((status, page.replace(id, "-")));
        }
        let (status, answer) = task(&server, &link, &worker(id, "3Z", "3OTHER")).await;
        seen.push((status, answer.to_string()));
        seen
    };
    let unknown = seen("ANOONE").await;
    for id in ["AKNOWN", "AWORKS", "ABARRD"] {
        assert_eq!(seen(id).await, unknown, "{id}");
    }
    server.set_state(StudyState::Closed).await;
    assert_eq!(seen("AKNOWN").await, seen("ANOONE").await);
    server.set_state(StudyState::Live).await;
    // With their own assignment, people are told how far they are.
    assert_eq!(task(&server, &link, &worker("AKNOWN", "3A", "3H")).await.1["state"], "done");
    assert_eq!(task(&server, &link, &worker("AWORKS", "3B", "3H")).await.1["state"], "under_way");
    let refused: Value = server.enrol(&link, &worker("AKNOWN", "3Z", "3OTHER")).await.1;
    assert_eq!(refused["code"], "already_took_part", "the refusal comes at consent");
}

#[sqlx::test]
async fn not_after_excludes_every_spelling_of_an_id(pool: PgPool) {
    let server = study(pool, 2, MTURK).await;
    finish(&server, &server.link("Workers").await, &worker("A1B", "3A", "3H")).await;
    let later = with_links(2, MTURK);
    later.edit("study.toml", |text| {
        text.replace("slug = \"demo\"", "slug = \"later\"")
            .replace("[recruitment]", "[recruitment]\nnot_after = [\"demo\"]")
    });
    server.import(&later).await;
    sqlx::query("update studies set state = 'live'").execute(&server.app.pool).await.unwrap();
    let code: String = sqlx::query_scalar(
        "select l.code from links l join studies s on s.id = l.study_id where s.slug = 'later' and l.name = 'Workers'",
    )
    .fetch_one(&server.app.pool)
    .await
    .unwrap();
    assert_eq!(server.enrol(&code, &worker("a1b ", "3B", "3H")).await.1["code"], "already_took_part");
}

#[sqlx::test]
async fn all_spellings_of_an_email_address_are_one_researcher(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let invitation = weber::flow::lab::team::Invitation::default();
    for email in ["Eve@Example.org", " eve@example.ORG\u{a0}", "\u{feff}eve@example.org\u{200b}"] {
        weber::flow::lab::team::invite(&server.app, &Actor::command_line(), email, invitation).await.unwrap();
    }
    assert_eq!(server.count("select count(*) from researchers where email = 'eve@example.org'").await, 1);
    assert_eq!(server.count("select count(*) from researchers").await, 1);
}
