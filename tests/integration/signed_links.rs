//! Prolific's signed links, with a key set that the test serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sqlx::PgPool;
use weber::domain::study::StudyState;
use weber::flow::app::SystemClock;

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
}

impl Platform {
    async fn start(pool: PgPool) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let mut key = Jwk::from_encoding_key(&EncodingKey::from_rsa_der(KEY), Algorithm::RS256).unwrap();
        key.common.key_id = Some("k1".into());
        let (keys, count) = (JwkSet { keys: vec![key] }, asked.clone());
        let answer = axum::routing::get(move || {
            count.fetch_add(1, Ordering::SeqCst);
            let keys = keys.clone();
            async move { axum::Json(keys) }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        tokio::spawn(async move {
            axum::serve(listener, axum::Router::new().route("/jwks.json", answer)).await.unwrap()
        });
        let server = Server::with(pool, Arc::new(SystemClock), |site| site.prolific_keys_url = url).await;
        let study = TinyStudy::new(1);
        study.edit("study.toml", |text| text + LINK);
        server.import(&study).await;
        server.set_state(StudyState::Live).await;
        let link = server.link("Prolific").await;
        Self { server, link, asked }
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
    assert_eq!(platform.asked.load(Ordering::SeqCst), 1, "the keys are remembered");
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
        assert!(page.contains("open the study from there once more"), "{what}");
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
