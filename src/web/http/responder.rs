//! Answers requests: by the table of routes, and records, which come by thousands, by a shorter way to the same handler.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use tower::ServiceExt;

use crate::web::http::{metrics, request_span, security_headers};
use crate::web::participant::api;
use crate::web::router;
use crate::web::state::WebState;

/// Where browsers tell what happened.
const RECORDS: &str = "/api/v1/records";

/// What answers requests. Cheap to clone.
#[derive(Clone)]
pub struct Responder {
    state: WebState,
    routes: Router,
}

impl Responder {
    /// The responder of a server.
    pub fn new(state: WebState) -> Self {
        Self { routes: router(state.clone()), state }
    }

    /// Answers a request.
    pub async fn answer(self, request: Request) -> Response {
        if request.method() == Method::POST && request.uri().path() == RECORDS {
            return self.answer_record(request).await;
        }
        let Ok(response) = self.routes.oneshot(request).await;
        response
    }

    /// What the table of routes does for a record, without the boxes that a table needs: they take a tenth of all that a
    /// server does for an answer.
    async fn answer_record(self, request: Request) -> Response {
        let taken_in = api::record.call(request, self.state.clone());
        let protected = security_headers::protect(&self.state, false, taken_in);
        let counted = metrics::count(&self.state, "POST", RECORDS.to_owned(), protected);
        let mut response = request_span::within("POST", RECORDS, counted).await;
        // Who asks from another origin: see `router`.
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response
    }
}
