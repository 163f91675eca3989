//! Every request has a span in the log with its method, its route and a reference. All that is logged about a request can be
//! found by the reference that its page shows. The route is the pattern that matched, since addresses hold tokens and links.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tracing::Instrument;

use crate::web::http::error::{Cause, PageError, ProblemDocument};
use crate::web::http::{metrics, request_reference};

/// Holds the reference of a failed request, for programs that do not read the response's body.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Answers a request inside a span of its own, and logs it if the server fails. The span is on at every log level.
pub async fn enter(request: Request, next: Next) -> Response {
    let reference = request_reference::new();
    let method = metrics::method(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = tracing::error_span!("request", %method, %route, %reference);
    let logged = async {
        let began = Instant::now();
        let response = next.run(request).await;
        if response.status().is_server_error() {
            log_failure(&response, began);
        }
        response
    };
    let mut response = request_reference::scope(reference.clone(), logged.instrument(span)).await;
    if response.status().is_server_error()
        && let Ok(reference) = HeaderValue::from_str(&reference)
    {
        response.headers_mut().insert(REQUEST_ID, reference);
    }
    response
}

fn log_failure(response: &Response, began: Instant) {
    let status = response.status().as_u16();
    let ms = began.elapsed().as_secs_f64() * 1e3;
    match response.extensions().get::<Cause>() {
        Some(Cause(cause)) => tracing::error!(status, ms, cause, "A request failed"),
        // A refusal for a while, such as a server that cannot store anything now.
        None => tracing::warn!(status, ms, "A request failed"),
    }
}

/// Answers with a problem where a panic would otherwise close the connection without an answer.
pub async fn catch_panics(request: Request, next: Next) -> Response {
    let is_for_programs = request.uri().path().starts_with("/api/");
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let problem = ProblemDocument::internal().because(message(&*panic));
            if is_for_programs { problem.into_response() } else { PageError(problem).into_response() }
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a panic: {}", text.unwrap_or("without a message"))
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::web::captured_log::CapturedLog;

    /// Replies with the reference at one address, and panics at all others.
    async fn answer(path: MatchedPath) -> String {
        assert_eq!(path.as_str(), "/fine", "the program is wrong");
        request_reference::current().unwrap()
    }

    /// Requests a path. Returns the response, its text, and what was logged.
    async fn ask(path: &str) -> (Response, String, String) {
        let (log, logging) = CapturedLog::begin();
        let mut router = Router::new();
        for path in ["/api/{token}", "/enter/{link}", "/fine"] {
            router = router.route(path, get(answer));
        }
        let router = router.layer(from_fn(catch_panics)).layer(from_fn(enter));
        let Ok(mut response) = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await;
        drop(logging);
        let body = to_bytes(std::mem::take(response.body_mut()), 1 << 20).await.unwrap();
        (response, String::from_utf8(body.to_vec()).unwrap(), log.text())
    }

    #[tokio::test]
    async fn a_panic_is_answered_and_logged_with_one_reference() {
        for (path, route) in [("/api/secret", "/api/{token}"), ("/enter/secret", "/enter/{link}")] {
            let (response, text, log) = ask(path).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
            let reference = response.headers()[REQUEST_ID].to_str().unwrap();
            assert!(text.contains(reference) && !text.contains("the program is wrong"), "{text}");
            let span = format!("request{{method=GET route={route} reference={reference}}}");
            assert!(log.contains(&span) && log.contains("the program is wrong"), "{log}");
            assert!(!log.contains("secret") && log.lines().count() == 1, "{log}");
        }
    }

    #[tokio::test]
    async fn a_request_that_succeeds_is_not_logged() {
        let (response, reference, log) = ask("/fine").await;
        assert_eq!((reference.len(), &*log), (8, ""));
        assert!(!response.headers().contains_key(REQUEST_ID));
    }
}
