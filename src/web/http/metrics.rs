//! What a server counts since its start, for Prometheus. Labels hold no ids of people.

use std::sync::Arc;
use std::time::Instant;

use axum::http::Method;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::flow::App;

/// Upper bounds of the histogram's buckets, in seconds.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// The counters of this server. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
}

/// Each label has few values: a route is a pattern, not an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: &'static str,
}

impl Metrics {
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

    /// Awaits the response to a request, and counts it. At level `debug` it is also logged.
    pub async fn count(
        &self,
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
        self.requests.get_or_create(&labels).observe(seconds);
        response
    }

    /// These counters and those of another registry, in the format of Prometheus.
    pub fn text(&self, now: &Registry) -> String {
        let mut text = String::new();
        for registry in [&*self.registry, now] {
            prometheus_text::encode(&mut text, registry).expect("a string takes everything");
        }
        text
    }
}

/// The method as a label. Clients can invent methods, and each would make a series of its own: unusual ones count together.
pub fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
