//! Crowds of simulated people, by real HTTP.

use sqlx::PgPool;
use weber::domain::rights::Scope;
use weber::domain::study::Mode;
use weber::flow::secrets::token_sha256;
use weber::flow::study::export::PolicyChoice;
use weber::simulate::{Client, Ending, Plan, SimulationReport, run};
use weber::store;

use crate::export::Exported;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

/// A plan of simulated people with the published accuracy, who answer as fast as possible.
pub fn plan(participants: u32, mix: &str) -> Plan {
    Plan {
        study: "demo".into(),
        participants,
        concurrency: 20,
        seed: 5,
        mix: mix.parse().unwrap(),
        abilities: Default::default(),
        think_time: 0.0,
    }
}

/// A client with an API token. It can be made once per server.
pub async fn client(server: &Server) -> Client {
    let mut conn = server.app.pool.acquire().await.unwrap();
    let hash = token_sha256("t");
    store::api_tokens::add(&mut conn, "t", &[Scope::Simulate], &hash, server.app.now()).await.unwrap();
    Client::new(&[&server.url], "t").unwrap()
}

/// Runs a simulation, which must succeed.
pub async fn simulate(server: &Server, plan: &Plan) -> SimulationReport {
    let report = run(&client(server).await, plan, |_| ()).await.unwrap();
    assert_eq!(report.troubles, Default::default());
    report
}

/// The numbers of slots (kept, exhausted, open, running) per condition.
pub fn slots(exported: &Exported) -> Vec<[u64; 4]> {
    let conditions = exported.manifest["slots_by_mode"]["simulated"].as_object().unwrap();
    let count = |slots: &serde_json::Value, state: &str| slots[state].as_u64().unwrap();
    conditions
        .values()
        .map(|s| ["kept", "exhausted", "open", "running"].map(|state| count(s, state)))
        .collect()
}

#[sqlx::test]
async fn with_unlimited_postings_every_slot_is_kept(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(6);
    study.edit("study.toml", |text| {
        text.replace("postings_per_slot = 3", "postings_per_slot = \"unlimited\"")
    });
    server.import(&study).await;
    let report = simulate(&server, &plan(120, "honest=0.6,careless=0.2,left=0.2")).await;
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[Mode::Simulated]).await;
    assert_eq!(slots(&exported), [[6, 0, 0, 0]; 5]);
    assert!(report.endings[&Ending::Full] > 0);
    let kept = exported.rows("participants.csv").iter().filter(|row| row["kept"] == "true").count();
    assert_eq!((kept, exported.manifest["counts"]["kept"].as_u64()), (30, Some(30)));
    assert_eq!(exported.rows("trials_cleaned.csv").len(), 30 * 18);
    assert_eq!(
        exported.rows("trials.csv").len() as i64,
        server.count("select count(*) from responses").await
    );
    assert_eq!(
        exported.rows("participants.csv").len() as i64,
        server.count("select count(*) from participants").await
    );
    for row in exported.rows("trials.csv") {
        let known = |name: &str| row[name].parse::<f64>().unwrap_or_else(|_| panic!("{name}: {row:?}"));
        assert!(known("device_scale") >= 1.0 && known("frame_ms") > 1.0);
        assert!(known("pointerdown_rt") < known("rt"));
        assert_eq!(row["continue_rt"].is_empty(), row["continue_hidden_ms"].is_empty());
    }
    let others = Exported::of(&server, PolicyChoice::Enrolment, &[]).await;
    assert!(others.rows("participants.csv").is_empty(), "simulated people are exported only on request");
}

#[sqlx::test]
async fn with_bounded_postings_slots_are_kept_or_exhausted(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = TinyStudy::new(6);
    study.edit("study.toml", |text| text.replace("postings_per_slot = 3", "postings_per_slot = 2"));
    server.import(&study).await;
    simulate(&server, &plan(120, "honest=0.4,left=0.6")).await;
    let exported = Exported::of(&server, PolicyChoice::Enrolment, &[Mode::Simulated]).await;
    for [kept, exhausted, open, running] in slots(&exported) {
        assert_eq!((kept + exhausted, open, running), (6, 0, 0));
    }
    assert!(slots(&exported).iter().any(|[_, exhausted, ..]| *exhausted > 0));
    assert_eq!(server.count("select count(*) from participants where posting > 2").await, 0);
    let twice = "select count(*) from (select slot_id from participants where claim = 'kept' group by 1 having count(*) > 1) s";
    assert_eq!(server.count(twice).await, 0);
    let failed = exported.manifest["counts"]["criterion"]["answer_variability"].as_u64().unwrap();
    assert!(failed > 5);
}

#[sqlx::test]
async fn the_answer_key_is_for_simulated_people_only(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let person = crate::support::person::Person::arrive(&server, &server.link("Volunteers").await).await;
    let mut conn = server.app.pool.acquire().await.unwrap();
    store::api_tokens::add(&mut conn, "t", &[Scope::Simulate], &token_sha256("t"), server.app.now())
        .await
        .unwrap();
    let body = serde_json::json!({ "participant_token": person.token });
    let key = "/api/v1/simulation/answer-key";
    assert_eq!(server.post(key, Some("t"), body.clone()).await.1["code"], "unknown_token");
    assert_eq!(server.post(key, Some("x"), body.clone()).await.1["code"], "api_token_needed");
    assert_eq!(server.post(key, None, body).await.0, 401);
    let link = serde_json::json!({ "study": "demo" });
    assert_eq!(server.post("/api/v1/simulation/link", Some("x"), link).await.0, 401);
}
