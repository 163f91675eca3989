//! A real server on a real database.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::PgPool;
use weber::domain::study::StudyState;
use weber::flow::app::{Clock, SystemClock};
use weber::flow::audit::log::Actor;
use weber::flow::image_addresses::{SentImage, Viewer};
use weber::flow::secrets::Secrets;
use weber::flow::{self, App};
use weber::store;
use weber::web::http::serve;
use weber::web::http::serve::ConnectionLimits;
use weber::web::{Site, WebState, router};

use super::tiny_study::TinyStudy;

/// A server that ends with the test.
pub struct Server {
    pub app: App,
    pub url: String,
    /// The same server without a socket.
    pub router: axum::Router,
    pub client: reqwest::Client,
}

/// A reply: status and JSON.
pub type Reply = (u16, Value);

impl Server {
    /// A server without a study.
    pub async fn empty(pool: PgPool) -> Self {
        Self::with_clock(pool, Arc::new(SystemClock)).await
    }

    pub async fn with_clock(pool: PgPool, clock: Arc<dyn Clock>) -> Self {
        Self::with(pool, clock, |_| {}).await
    }

    /// A server with changed settings of its site, such as its address.
    pub async fn with(pool: PgPool, clock: Arc<dyn Clock>, change: impl FnOnce(&mut Site)) -> Self {
        Self::start(pool, clock, change, ConnectionLimits::default()).await
    }

    /// A server with changed limits for its clients.
    pub async fn start(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        change: impl FnOnce(&mut Site),
        bounds: ConnectionLimits,
    ) -> Self {
        Self::with_chance(pool, clock, change, bounds, [9; 32]).await
    }

    /// A server whose ids and tokens are drawn from the given seed.
    async fn with_chance(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        change: impl FnOnce(&mut Site),
        bounds: ConnectionLimits,
        seed: [u8; 32],
    ) -> Self {
        let (app, changes) = App::new(pool, Secrets::new([7; 32]), clock, seed);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut site = Site::at(url.clone());
        change(&mut site);
        let state = WebState::new(app.clone(), changes, site);
        let router = router(state);
        tokio::spawn(serve::serve(listener, router.clone(), bounds, std::future::pending()));
        Self { app, url, router, client: client() }
    }

    /// A server that runs as a process, on the same database.
    pub fn elsewhere(pool: PgPool, url: &str) -> Self {
        let (app, changes) = App::new(pool, Secrets::new([7; 32]), Arc::new(SystemClock), [9; 32]);
        let router = router(WebState::new(app.clone(), changes, Site::at(url.to_owned())));
        Self { app, url: url.to_owned(), router, client: client() }
    }

    /// A server with a live study of so many slots per condition.
    pub async fn live(pool: PgPool, slots: u32) -> Self {
        let server = Self::empty(pool).await;
        server.import(&TinyStudy::new(slots)).await;
        server.set_state(StudyState::Live).await;
        server
    }

    /// Two servers on one empty database.
    pub async fn two_empty(pool: PgPool, clock: Arc<TestClock>) -> (Self, Self) {
        let one = Self::with_clock(pool.clone(), clock.clone()).await;
        (one, Self::with_chance(pool, clock, |_| {}, ConnectionLimits::default(), [10; 32]).await)
    }

    /// Two servers on one database with a live study of so many slots per condition, and the clock that both use.
    pub async fn two(pool: PgPool, slots: u32) -> (Self, Self, Arc<TestClock>) {
        let clock = TestClock::new();
        let (one, other) = Self::two_empty(pool, clock.clone()).await;
        one.import(&TinyStudy::new(slots)).await;
        one.set_state(StudyState::Live).await;
        (one, other, clock)
    }

    pub async fn import(&self, study: &TinyStudy) -> flow::study::import::Imported {
        flow::study::import::import(&self.app, &Actor::command_line(), study.path()).await.unwrap()
    }

    pub async fn set_state(&self, state: StudyState) {
        let mut conn = self.app.pool.acquire().await.unwrap();
        let study = store::studies::by_slug(&mut conn, "demo").await.unwrap().unwrap();
        let version = self.app.newest_version(&mut conn, study.id).await.unwrap();
        let policy = version.definition.policy("as-posted").unwrap();
        store::studies::set_state(&mut conn, study.id, state, policy, self.app.now()).await.unwrap();
    }

    /// The code of the link with this name.
    pub async fn link(&self, name: &str) -> String {
        sqlx::query_scalar("select code from links where name = $1")
            .bind(name)
            .fetch_one(&self.app.pool)
            .await
            .unwrap()
    }

    pub async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Reply {
        let request = self.client.post(format!("{}{path}", self.url)).json(&body);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let response = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Posts an enrolment as the consent page would.
    pub async fn enrol(&self, link: &str, parameters: &[(&str, &str)]) -> Reply {
        let definition = self.definition().await;
        let consent = hex::encode(weber::domain::study::text_sha256(&definition.pages.consent));
        let parameters: serde_json::Map<_, _> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let body = json!({ "link": link, "consent_sha256": consent, "parameters": parameters });
        self.post("/api/v1/enrolments", None, body).await
    }

    pub async fn definition(&self) -> weber::domain::study::StudyDefinition {
        let mut conn = self.app.pool.acquire().await.unwrap();
        let study = store::studies::by_slug(&mut conn, "demo").await.unwrap().unwrap();
        self.app.newest_version(&mut conn, study.id).await.unwrap().definition.clone()
    }

    /// The address of an image for researchers, by its number.
    pub fn image(&self, number: i64) -> String {
        let secrets = &self.app.secrets;
        let address = secrets.addresses().of(secrets.viewer_mark(Viewer::Lab), SentImage { number, size: 0 });
        format!("/images/{address}")
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.app.pool).await.unwrap()
    }
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// A clock that tests set.
pub struct TestClock(std::sync::Mutex<chrono::DateTime<chrono::Utc>>);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(std::sync::Mutex::new(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000))))
    }

    pub fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += chrono::TimeDelta::seconds(seconds);
    }
}

impl Clock for TestClock {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        *self.0.lock().unwrap()
    }
}
