//! Answers requests while the server starts, since the first start makes the demo's images, which takes a minute. Afterwards the
//! router answers.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::http::header::TRANSFER_ENCODING;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use crate::web::http::error::{PageError, ProblemDocument};

/// Answers requests as soon as the server listens. Cheap to clone.
#[derive(Clone, Default)]
pub struct Startup(Arc<OnceLock<Router>>);

impl From<Router> for Startup {
    fn from(router: Router) -> Self {
        Self(Arc::new(OnceLock::from(router)))
    }
}

impl Startup {
    /// Lets the router answer from now on.
    pub fn open(&self, router: Router) {
        // This is called once, so the cell is empty.
        let _ = self.0.set(router);
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request) -> Response {
        if is_chunked_twice(request.headers()) {
            return refused();
        }
        let Some(router) = self.0.get() else { return starting(request.uri().path()) };
        let Ok(response) = router.clone().oneshot(request).await;
        response
    }
}

/// Whether the headers name more than one transfer encoding. Proxies and servers read such a body differently, so that a part of
/// it could be taken for another request.
fn is_chunked_twice(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TRANSFER_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).count() > 1
}

fn refused() -> Response {
    let mut response =
        ProblemDocument::malformed("`Transfer-Encoding` must be `chunked`, once, or absent.").into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The response while the server starts.
fn starting(path: &str) -> Response {
    let problem = || {
        ProblemDocument::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "starting",
            "The server is starting.",
            "Try again in about a minute. The first start takes longer, since it makes the images of the demo.",
        )
    };
    let mut response = match path {
        "/healthz" => "alive\n".into_response(),
        "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, "the server is starting\n").into_response(),
        _ if path.starts_with("/api/") => problem().into_response(),
        _ => PageError(problem()).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if path != "/healthz" {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    }
    response
}

#[cfg(test)]
mod tests {
    use crate::web::http::startup::*;
    use axum::body::Body;

    async fn ask(path: &str) -> Response {
        Startup::default().answer(Request::get(path).body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn a_starting_server_is_alive_and_not_ready() {
        assert_eq!(ask("/healthz").await.status(), StatusCode::OK);
        for path in ["/readyz", "/enter/abc", "/api/v1/records", "/lab"] {
            let response = ask(path).await;
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(response.headers()[header::RETRY_AFTER], "10", "{path}");
        }
    }

    #[tokio::test]
    async fn more_than_one_transfer_encoding_is_refused() {
        for (values, refused) in [
            (&["chunked"][..], false),
            (&["chunked, chunked"], true),
            (&["chunked", "chunked"], true),
            (&["gzip, chunked"], true),
        ] {
            let mut request = Request::get("/healthz").body(Body::empty()).unwrap();
            for value in values {
                request.headers_mut().append(TRANSFER_ENCODING, HeaderValue::from_static(value));
            }
            let status = Startup::default().answer(request).await.status();
            assert_eq!(status == StatusCode::BAD_REQUEST, refused, "{values:?}");
        }
    }
}
