//! Prolific's signed links, against a key set that is served by the test.

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

/// Made for these tests; it protects nothing.
const KEY: &[u8] = include_bytes!("keys/platform-for-tests.der");

const LINK: &str = "
[[links]]
name = \"Prolific\"
platform = \"prolific\"
conditions = [\"none\"]
codes = { complete = \"DONE1\" }
prolific = { signed = true }
";

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

    /// What Prolific would sign, with some of it changed.
    fn token(&self, key_id: &str, change: Value) -> String {
        let now = self.server.app.now().timestamp();
        let mut claims = json!({
            "iss": "https://www.prolific.com", "sub": "SE1", "iat": now, "exp": now + 120,
            "aud": format!("{}/enter/{}?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}", self.server.url, self.link),
        });
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let header = Header { kid: Some(key_id.into()), ..Header::new(Algorithm::RS256) };
        encode(&header, &claims, &EncodingKey::from_rsa_der(KEY)).unwrap()
    }

    async fn arrive(&self, token: &str) -> (u16, String) {
        let parameters = format!("PROLIFIC_PID=P1&STUDY_ID=ST1&SESSION_ID=SE1&prolific_token={token}");
        self.server.get(&format!("/enter/{}?{parameters}", self.link)).await
    }
}

/// What the consent page hands on.
fn proof(page: &str) -> &str {
    page.split("data-proof=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[sqlx::test]
async fn a_signed_link_lets_in_and_vouches_for_the_consent(pool: PgPool) {
    let platform = Platform::start(pool).await;
    let (status, page) = platform.arrive(&platform.token("k1", json!({}))).await;
    assert_eq!(status, 200, "{page}");
    let session = [("PROLIFIC_PID", "P1"), ("STUDY_ID", "ST1"), ("SESSION_ID", "SE1")];
    let enrol = async |proof: &str, person: &str| {
        let mut parameters = session.to_vec();
        parameters[0].1 = person;
        parameters.push(("weber_proof", proof));
        platform.server.enrol(&platform.link, &parameters).await
    };
    assert_eq!(enrol("", "P1").await.1["code"], "not_signed");
    assert_eq!(enrol(proof(&page), "P2").await.1["code"], "not_signed", "somebody else");
    let later = proof(&page).replace(proof(&page).split('.').next().unwrap(), "99999999999");
    assert_eq!(enrol(&later, "P1").await.1["code"], "not_signed", "a longer life");
    assert_eq!(enrol(proof(&page), "P1").await.0, 201);
    platform.arrive(&platform.token("k1", json!({}))).await;
    assert_eq!(platform.asked.load(Ordering::SeqCst), 1, "the keys are remembered");
}

#[sqlx::test]
async fn whatever_prolific_did_not_sign_for_this_session_is_refused(pool: PgPool) {
    let platform = Platform::start(pool).await;
    let hour_ago = json!({ "exp": 1_000_000_000 });
    let foreign = json!({ "aud": "https://other.example/enter/x" });
    for (what, token) in [
        ("none", String::new()),
        ("nonsense", "a.b.c".into()),
        ("an unknown key", platform.token("k2", json!({}))),
        ("too old", platform.token("k1", hour_ago)),
        ("another issuer", platform.token("k1", json!({ "iss": "https://evil.example" }))),
        ("another session", platform.token("k1", json!({ "sub": "SE2" }))),
        ("another address", platform.token("k1", foreign)),
        ("no expiry", platform.token("k1", json!({ "exp": null }))),
        ("changed after signing", platform.token("k1", json!({})).replace("ey", "eZ")),
    ] {
        let (status, page) = platform.arrive(&token).await;
        assert_eq!(status, 403, "{what}: {page}");
        assert!(page.contains("open the study from there once more"), "{what}");
    }
}
