//! The HTTP interface: the table of all routes.

#[cfg(test)]
mod captured_log;
pub mod http;
pub(crate) mod image_addresses;
pub mod lab;
pub(crate) mod live;
pub(crate) mod participant;
pub(crate) mod site;
pub(crate) mod state;

use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;
use tower_http::cors::{self, CorsLayer};

use crate::flow::readiness::NotReady;
use http::{assets, metrics, metrics_page, request_span, security_headers};
use participant::{api, entry, simulation};
pub use site::Site;
pub use state::WebState;

/// The routes of all pages and of the API.
pub fn router(state: WebState) -> Router {
    let pages = Router::new()
        .route("/enter/{link}", get(entry::enter))
        .route("/enter/{link}/", get(entry::enter))
        .route("/enter/{link}/window", get(entry::window))
        .route("/run", get(entry::run));
    // The page of a task may be in a frame that has no origin of its own. Nothing here depends on cookies, so every
    // origin may send requests, and all get the same response.
    let anywhere = CorsLayer::new()
        .allow_origin(cors::Any)
        .vary([])
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION])
        .max_age(Duration::from_secs(3600));
    let api = Router::new()
        .route("/api/v1/task", post(api::task))
        .route("/api/v1/enrolments", post(api::enroll))
        .route("/api/v1/declines", post(api::decline))
        .route("/api/v1/open", post(api::open))
        .route("/api/v1/complete", post(api::complete))
        .route("/api/v1/leave", post(api::leave))
        .route("/api/v1/simulation/link", post(simulation::link))
        .route("/api/v1/simulation/answer-key", post(simulation::answer_key))
        .layer(anywhere.clone());
    // Responses that are not compressed: some are too short, and images are compressed already.
    let as_they_are = Router::new()
        .route("/api/v1/records", post(api::record))
        .route("/static/{version}/{*name}", get(assets::file))
        .route("/images/{address}", get(assets::image))
        .layer(anywhere);
    let health = Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics_page::page));
    pages
        .merge(api)
        .merge(lab::routes())
        .merge(health)
        .fallback(entry::not_found)
        .layer(from_fn(lab::problem::in_the_labs_look))
        .layer(CompressionLayer::new())
        .merge(as_they_are)
        .layer(from_fn(request_span::catch_panics))
        .layer(from_fn_with_state(state.clone(), observe))
        .layer(from_fn(request_span::enter))
        .with_state(state)
}

/// Counts every request by its route, adds the security headers, and ends requests that take too long.
async fn observe(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let method = metrics::method(request.method());
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("none", |route| route.as_str()).to_owned();
    let for_participants = security_headers::is_for_participants(request.uri().path());
    let (headers, longest) = (&state.headers, state.site.longest_request);
    let protected = security_headers::protect(headers, longest, for_participants, next.run(request));
    state.metrics.count(method, route, protected).await
}

/// Says that the program runs.
async fn alive() -> &'static str {
    "alive\n"
}

/// Says whether people can be let in: the database can be reached and is migrated, and answers can be stored.
async fn ready(State(state): State<WebState>) -> (StatusCode, &'static str) {
    let not_ready = match crate::store::ready(&state.app.pool).await {
        Ok(true) => match state.app.readiness.check(&state.app.pool, state.app.now().timestamp()).await {
            Ok(()) => return (StatusCode::OK, "ready\n"),
            Err(why) => why.words(),
        },
        Ok(false) => "the database's schema is not this program's\n",
        Err(_) => NotReady::Unreachable.words(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, not_ready)
}
