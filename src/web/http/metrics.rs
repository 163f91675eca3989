//! `/metrics`, for Prometheus: with an API token, and without anybody's ids.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use sqlx::PgConnection;

use crate::domain::allocation::{SlotCounts, count_by_condition};
use crate::domain::rights::Scope;
use crate::domain::study::Mode;
use crate::flow::App;
use crate::flow::lab::team;
use crate::store::{self, StoreError};
use crate::web::http::error::ProblemDocument;
use crate::web::http::extract::MaybeBearer;
use crate::web::http::security_headers;
use crate::web::state::WebState;

/// From what nobody notices to what nobody waits for, s.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// What this server counts. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
}

/// Few values each: a route is a pattern, not an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeopleLabels {
    study: String,
    mode: String,
    stage: &'static str,
    group: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotLabels {
    study: String,
    condition: String,
    state: &'static str,
}

impl Metrics {
    /// Begins to count.
    pub fn new(app: &App) -> Self {
        let requests = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        let mut registry = Registry::default();
        registry.register(
            "weber_http_request_duration_seconds",
            "Requests by route and kind of answer; a live page counts until it begins",
            requests.clone(),
        );
        registry.register(
            "weber_answers_stored",
            "Answers stored, after their commit",
            app.work.answers.clone(),
        );
        registry.register(
            "weber_record_batch_size",
            "Records taken in by one transaction",
            app.work.batch.clone(),
        );
        registry.register(
            "weber_turned_away",
            "People who were asked to come back later, as their answers could not have been stored",
            app.work.not_now.clone(),
        );
        let started = ConstGauge::new(app.now().timestamp());
        registry.register("process_start_time_seconds", "When this server started, since 1970", started);
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("weber_build", "Which Weber this is", version);
        Self { registry: Arc::new(registry), requests }
    }
}

/// Counts the requests of the table of routes. Whatever comes out is protected.
pub async fn observe(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let method = method(request.method());
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("none", |route| route.as_str()).to_owned();
    let for_participants = security_headers::is_for_participants(request.uri().path());
    count(&state, method, route, security_headers::protect(&state, for_participants, next.run(request))).await
}

/// Counts one request, and says it in the log for those who ask for that.
pub async fn count(
    state: &WebState,
    method: &'static str,
    route: String,
    response: impl Future<Output = Response>,
) -> Response {
    let began = Instant::now();
    let response = response.await;
    let (status, seconds) = (response.status(), began.elapsed().as_secs_f64());
    tracing::debug!(method, route, status = status.as_u16(), ms = seconds * 1e3, "Answered a request");
    let status = match status.as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    };
    let labels = RequestLabels { method, route, status };
    state.metrics.requests.get_or_create(&labels).observe(seconds);
    response
}

/// Anybody can invent methods; each would be a series of its own.
pub fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Everything, as it stands.
pub async fn page(
    State(state): State<WebState>,
    MaybeBearer(token): MaybeBearer,
) -> Result<Response, ProblemDocument> {
    let mut conn = state.app.pool.acquire().await?;
    team::check_token(&mut conn, token.as_deref(), Scope::Metrics).await?;
    let mut now = Registry::default();
    register_server(&mut now, &state);
    register_studies(&mut now, &mut conn, &state.app).await?;
    let mut text = String::new();
    for registry in [&*state.metrics.registry, &now] {
        prometheus_text::encode(&mut text, registry).expect("a string takes everything");
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn register_server(registry: &mut Registry, state: &WebState) {
    let connections = Family::<ConnectionLabels, Gauge>::default();
    let (all, idle) = (i64::from(state.app.pool.size()), whole(state.app.pool.num_idle()));
    connections.get_or_create(&ConnectionLabels { state: "idle" }).set(idle);
    connections.get_or_create(&ConnectionLabels { state: "used" }).set(all.saturating_sub(idle));
    registry.register("weber_database_connections", "Connections to the database", connections);
    let most = ConstGauge::new(i64::from(state.app.pool.options().get_max_connections()));
    registry.register("weber_database_connections_max", "Connections to the database, at most", most);
    let open = ConstGauge::new(whole(state.live.open_pages()));
    registry.register("weber_live_pages", "Researchers' pages that are open and follow what happens", open);
}

async fn register_studies(
    registry: &mut Registry,
    conn: &mut PgConnection,
    app: &App,
) -> Result<(), StoreError> {
    let now = app.now();
    let people = Family::<PeopleLabels, Gauge>::default();
    for count in store::metrics::people(conn, now).await? {
        let (stage, group) = (count.stage.as_str(), count.group);
        let labels = PeopleLabels { study: count.study, mode: count.mode, stage, group };
        people.get_or_create(&labels).set(count.people);
    }
    registry.register("weber_participants", "People by the stage that they are in", people);
    let slots = Family::<SlotLabels, Gauge>::default();
    for study in store::studies::all(conn).await? {
        let version = app.newest_version(conn, study.id).await?;
        let all = store::slots::all(conn, study.id, Mode::Live, now).await?;
        let postings = version.definition.design.postings_per_slot;
        for (condition, SlotCounts { kept, open, running, exhausted }) in count_by_condition(&all, postings) {
            let counts = [("kept", kept), ("open", open), ("running", running), ("exhausted", exhausted)];
            for (state, count) in counts {
                let (study, condition) = (study.slug.clone(), condition.clone());
                let labels = SlotLabels { study, condition, state };
                slots.get_or_create(&labels).set(i64::from(count));
            }
        }
    }
    registry.register("weber_slots", "Slots of live studies by condition and state", slots);
    Ok(())
}
