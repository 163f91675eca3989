//! Prolific's signed links, with a key set that the test serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::watch;
use weber::domain::study::StudyState;
use weber::flow::app::SystemClock;

use crate::support::browser::Browser;
use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

/// A key that was made for these tests and protects nothing.
const KEY: &[u8] = include_bytes!("keys/platform-for-tests.der");

const LINK: &str = "
[[links]]
name = \"Prolific\"
platform = \"prolific\"
conditions = [\"none\"]
codes = { complete = \"DONE1\" }
prolific = { signed = true }
";

/// Ids of the form that Prolific uses.
const PID: &str = "5f00aa11bb22cc33dd44ee55";
const STUDY: &str = "60d9aadeb86739de712faee0";
const SESSION: &str = "60aca280709ee40ec37d4885";
const OTHER: &str = "60aca280709ee40ec37d4886";

struct Platform {
    server: Server,
    link: String,
    asked: Arc<AtomicUsize>,
    mood: watch::Sender<Mood>,
}

/// How the server of the keys answers.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Answers,
    Fails,
    /// It answers only once it is in another mood.
    Hangs,
}

/// Arrivals at the same time, in tests about many.
const MANY: usize = 40;

impl Platform {
    async fn start(pool: PgPool) -> Self {
        Self::start_as(pool, Mood::Answers).await
    }

    async fn start_as(pool: PgPool, mood: Mood) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let mut key = Jwk::from_encoding_key(&EncodingKey::from_rsa_der(KEY), Algorithm::RS256).unwrap();
        key.common.key_id = Some("k1".into());
        let (mood, as_it_is) = watch::channel(mood);
        let (keys, count) = (JwkSet { keys: vec![key] }, asked.clone());
        let answer = axum::routing::get(move || {
            count.fetch_add(1, Ordering::SeqCst);
            let (keys, mut mood) = (keys.clone(), as_it_is.clone());
            async move {
                let mood = *mood.wait_for(|mood| *mood != Mood::Hangs).await.unwrap();
                if mood == Mood::Answers { Ok(axum::Json(keys)) } else { Err(StatusCode::BAD_GATEWAY) }
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        tokio::spawn(async move {
            axum::serve(listener, axum::Router::new().route("/jwks.json", answer)).await.unwrap()
        });
        let server = Server::with(pool, Arc::new(SystemClock), |site| site.prolific_keys_url = url).await;
        let study = TinyStudy::new(2);
        study.edit("study.toml", |text| text + LINK);
        server.import(&study).await;
        server.set_state(StudyState::Live).await;
        let link = server.link("Prolific").await;
        Self { server, link, asked, mood }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Many people who come at the same time, all with good links.
    fn many_arrive(&self) -> impl Future<Output = Vec<(u16, String)>> {
        let token = self.token("k1", json!({}));
        let arrivals = (0..MANY).map(move |_| {
            let token = token.clone();
            async move { self.arrive(&token).await }
        });
        futures::future::join_all(arrivals)
    }

    /// A token as Prolific would sign it, with some claims changed.
    fn token(&self, key_id: &str, change: Value) -> String {
        let now = self.server.app.now().timestamp();
        let mut claims = json!({
            "iss": "https://www.prolific.com", "sub": SESSION, "iat": now, "exp": now + 120,
            "prolific": { "PROLIFIC_PID": PID, "STUDY_ID": STUDY, "SESSION_ID": SESSION, "workspace_id": "w" },
            "aud": format!("{}/enter/{}?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}", self.server.url, self.link),
        });
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let header = Header { kid: Some(key_id.into()), ..Header::new(Algorithm::RS256) };
        encode(&header, &claims, &EncodingKey::from_rsa_der(KEY)).unwrap()
    }

    async fn arrive(&self, token: &str) -> (u16, String) {
        self.arrive_as([PID, STUDY, SESSION], token).await
    }

    async fn arrive_as(&self, [person, study, session]: [&str; 3], token: &str) -> (u16, String) {
        let parameters = format!("PROLIFIC_PID={person}&STUDY_ID={study}&SESSION_ID={session}");
        self.server.get(&format!("/enter/{}?{parameters}&prolific_token={token}", self.link)).await
    }
}

/// The proof of the signature that the consent page sends.
fn proof(page: &str) -> &str {
    page.split("data-proof=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[sqlx::test]
async fn a_signed_link_allows_arrival_and_consent(pool: PgPool) {
    let platform = Platform::start(pool).await;
    let (status, page) = platform.arrive(&platform.token("k1", json!({}))).await;
    assert_eq!(status, 200, "{page}");
    let session = [("PROLIFIC_PID", PID), ("STUDY_ID", STUDY), ("SESSION_ID", SESSION)];
    let enrol = async |proof: &str, person: &str| {
        let mut parameters = session.to_vec();
        parameters[0].1 = person;
        parameters.push(("weber_proof", proof));
        platform.server.enrol(&platform.link, &parameters).await
    };
    assert_eq!(enrol("", PID).await.1["code"], "not_signed");
    assert_eq!(enrol(proof(&page), OTHER).await.1["code"], "not_signed", "another person");
    let later = proof(&page).replace(proof(&page).split('.').next().unwrap(), "99999999999");
    assert_eq!(enrol(&later, PID).await.1["code"], "not_signed", "the proof cannot be given a longer life");
    assert_eq!(enrol(proof(&page), PID).await.0, 201);
    platform.arrive(&platform.token("k1", json!({}))).await;
    assert_eq!(platform.asked(), 1, "the keys are remembered");
}

#[sqlx::test]
async fn an_arrival_that_prolific_did_not_sign_for_this_session_is_refused(pool: PgPool) {
    let platform = Platform::start(pool).await;
    let hour_ago = json!({ "exp": 1_000_000_000 });
    let foreign = json!({ "aud": "https://other.example/enter/x" });
    for (what, token) in [
        ("none", String::new()),
        ("nonsense", "a.b.c".into()),
        ("an unknown key", platform.token("k2", json!({}))),
        ("too old", platform.token("k1", hour_ago)),
        ("another issuer", platform.token("k1", json!({ "iss": "https://evil.example" }))),
        ("another session", platform.token("k1", json!({ "sub": OTHER }))),
        ("another address", platform.token("k1", foreign)),
        ("another person", platform.token("k1", json!({ "prolific": { "PROLIFIC_PID": OTHER } }))),
        ("no person", platform.token("k1", json!({ "prolific": {} }))),
        ("no expiry", platform.token("k1", json!({ "exp": null }))),
        ("changed after signing", platform.token("k1", json!({})).replace("ey", "eZ")),
    ] {
        let (status, page) = platform.arrive(&token).await;
        assert_eq!(status, 403, "{what}: {page}");
        assert!(page.contains("open the study from there again"), "{what}");
    }
}

/// A valid signature for one's own submission does not allow an arrival as another person, whether new or taking part.
#[sqlx::test]
async fn a_signature_is_valid_only_for_the_person_it_names(pool: PgPool) {
    let platform = Platform::start(pool).await;
    let good = platform.token("k1", json!({}));
    let (_, page) = platform.arrive(&good).await;
    let own =
        [("PROLIFIC_PID", PID), ("STUDY_ID", STUDY), ("SESSION_ID", SESSION), ("weber_proof", proof(&page))];
    assert_eq!(platform.server.enrol(&platform.link, &own).await.0, 201);
    let thief = json!({ "sub": OTHER, "prolific": { "PROLIFIC_PID": OTHER, "STUDY_ID": STUDY, "SESSION_ID": OTHER } });
    let thiefs = platform.token("k1", thief);
    for (ids, token) in [
        ([OTHER, STUDY, SESSION], &good),
        ([PID, OTHER, SESSION], &good),
        ([PID, STUDY, OTHER], &good),
        ([PID, STUDY, OTHER], &thiefs),
        ([PID, STUDY, SESSION], &thiefs),
    ] {
        let (status, page) = platform.arrive_as(ids, token).await;
        assert_eq!(status, 403, "{ids:?}: {page}");
        assert!(!page.contains("data-proof"), "{ids:?}");
    }
    // The proof of one arrival is not valid for another.
    for n in 0..3 {
        let mut forged = own;
        forged[n].1 = OTHER;
        let (_, problem) = platform.server.enrol(&platform.link, &forged).await;
        assert_eq!(problem["code"], "not_signed", "{forged:?}");
    }
    assert_eq!(platform.server.count("select count(*) from participants").await, 1);
    let refused = "select sum(n)::bigint from arrivals where kind = 'not_signed'";
    assert_eq!(platform.server.count(refused).await, 5 + 3);
}

/// Experts may take part repeatedly, but a signed link needs a signature each time.
#[sqlx::test]
async fn experts_of_a_signed_link_need_a_signature_too(pool: PgPool) {
    let platform = Platform::start(pool).await;
    sqlx::query("update links set definition = jsonb_set(definition, '{group}', '\"expert\"') where name = 'Prolific'")
        .execute(&platform.server.app.pool)
        .await
        .unwrap();
    assert_eq!(platform.arrive("").await.0, 403);
    let ids = [("PROLIFIC_PID", PID), ("STUDY_ID", STUDY), ("SESSION_ID", SESSION)];
    assert_eq!(platform.server.enrol(&platform.link, &ids).await.1["code"], "not_signed");
    let (_, page) = platform.arrive(&platform.token("k1", json!({}))).await;
    let vouched_for = [ids[0], ids[1], ids[2], ("weber_proof", proof(&page))];
    assert_eq!(platform.server.enrol(&platform.link, &vouched_for).await.0, 201);
}

/// Prolific's servers hang, and many people come by its link. All others go on: none of the few connections is held meanwhile.
#[sqlx::test]
async fn while_the_keys_do_not_come_everything_else_goes_on(pool: PgPool) {
    let few = PgPoolOptions::new().max_connections(4).acquire_timeout(Duration::from_secs(2));
    let few = few.connect_with((*pool.connect_options()).clone()).await.unwrap();
    let platform = Platform::start_as(few, Mood::Hangs).await;
    let (server, volunteers) = (&platform.server, platform.server.link("Volunteers").await);
    let person = Person::arrive(server, &volunteers).await;
    let mut ada = Browser::signed_in(server).await;
    let meanwhile = async {
        while platform.asked() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for _ in 0..3 {
            person.step("welcome").await;
            assert_eq!(server.get(&format!("/enter/{volunteers}")).await.0, 200);
            assert_eq!(server.enrol(&volunteers, &[]).await.0, 201);
            assert_eq!(ada.get("/lab/studies/demo").await.status, 200);
        }
        platform.mood.send(Mood::Answers).unwrap();
    };
    let (arrivals, ()) = tokio::join!(platform.many_arrive(), meanwhile);
    // On a slow machine the fetch may have been given up before.
    assert!(arrivals.iter().all(|(status, _)| [200, 503].contains(status)), "{arrivals:?}");
}

#[sqlx::test]
async fn many_who_come_at_the_same_time_make_one_fetch(pool: PgPool) {
    let platform = Platform::start_as(pool, Mood::Hangs).await;
    let answer_later = async {
        // Longer than all of them need to come to the check.
        tokio::time::sleep(Duration::from_secs(2)).await;
        platform.mood.send(Mood::Answers).unwrap();
    };
    let (arrivals, ()) = tokio::join!(platform.many_arrive(), answer_later);
    assert!(arrivals.iter().all(|(status, page)| *status == 200 && page.contains("data-proof")));
    assert_eq!(platform.asked(), 1);
}

#[sqlx::test]
async fn a_failure_is_remembered_for_a_moment_and_not_for_good(pool: PgPool) {
    let platform = Platform::start_as(pool, Mood::Fails).await;
    for (status, page) in platform.many_arrive().await {
        assert_eq!(status, 503, "{page}");
        assert!(page.contains("cannot be checked at the moment"), "{page}");
    }
    assert_eq!(platform.asked(), 1, "none asks again what failed just now");
    assert_eq!(platform.server.count("select count(*) from arrivals").await, 0, "they are to come again");
    platform.mood.send(Mood::Answers).unwrap();
    let token = platform.token("k1", json!({}));
    let let_in = async {
        while platform.arrive(&token).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), let_in).await.expect("the keys are asked for again");
    assert_eq!(platform.asked(), 2);
}
