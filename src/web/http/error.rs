//! Problem documents: the one place that gives each error its status, code and words, and says what the person can do next.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::flow::FlowError;
use crate::store::StoreError;
use crate::web::http::{page, request_reference};

/// An RFC 9457 problem document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProblemDocument {
    /// A stable URI for the kind of problem: `urn:weber:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status, as in the status line.
    status: u16,
    /// A stable word for programs.
    code: &'static str,
    /// What went wrong, in one sentence.
    title: String,
    /// What the person can do.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(flatten)]
    more: Map<String, Value>,
    /// Why the server failed: for its log only.
    #[serde(skip)]
    cause: Option<Cause>,
}

/// Why the server failed. It is attached to the response until the failure is logged, and is never sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause(pub String);

impl ProblemDocument {
    /// Makes a problem. A failure of the server also gets the reference by which it can be found in the log.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        let reference = request_reference::current().filter(|_| status.is_server_error());
        Self {
            kind: format!("urn:weber:problem:{code}"),
            status: status.as_u16(),
            code,
            title: title.into(),
            detail: detail.into(),
            more: reference.map(|reference| ("reference".to_owned(), json!(reference))).into_iter().collect(),
            cause: None,
        }
    }

    /// Adds the cause of a failure, for the log.
    pub fn because(self, cause: impl ToString) -> Self {
        Self { cause: Some(Cause(cause.to_string())), ..self }
    }

    /// Why the server failed, for its log.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_ref().map(|Cause(cause)| cause.as_str())
    }

    /// The response with a page that shows this problem beside other things, such as a form to try again.
    pub fn with_page(&self, page: Response) -> Response {
        (self.status(), self.cause.clone().map(Extension), page).into_response()
    }

    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.into(), value);
        self
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub const fn code(&self) -> &'static str {
        self.code
    }

    pub fn title(&self) -> &str {
        &self.title
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The reference that a person can give to the people who run the server.
    pub fn reference(&self) -> Option<&str> {
        self.more.get("reference").and_then(Value::as_str)
    }

    /// A body that could not be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request could not be read.", detail)
    }

    /// Work that was interrupted, because the server stops or has a fault.
    pub fn interrupted(cause: impl ToString) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "interrupted",
            "The page could not be made.",
            "Try again. If it happens again, look into the server’s log.",
        )
        .because(cause)
    }

    /// A fault of the program or of a service that it needs.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on the server.",
            "Nothing is lost. Please try again in a moment.",
        )
    }

    /// A temporary failure of the server.
    fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The server cannot answer at the moment.",
            "Nothing is lost. Please try again in a moment.",
        )
    }

    /// An address without a page.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.", "")
    }

    fn store(error: &StoreError) -> Self {
        if error.is_unstorable_text() {
            return Self::malformed("A text contains a character that cannot be stored (NUL).");
        }
        let problem = if error.is_transient() { Self::unavailable() } else { Self::internal() };
        problem.because(error)
    }
}

impl From<FlowError> for ProblemDocument {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Refused(refused) => Self::refused(&refused),
            FlowError::Store(error) => Self::store(&error),
        }
    }
}

impl From<StoreError> for ProblemDocument {
    fn from(error: StoreError) -> Self {
        Self::store(&error)
    }
}

impl From<sqlx::Error> for ProblemDocument {
    fn from(error: sqlx::Error) -> Self {
        Self::store(&error.into())
    }
}

impl IntoResponse for ProblemDocument {
    fn into_response(mut self) -> Response {
        let (status, cause) = (self.status(), self.cause.take());
        let mut response = (status, cause.map(Extension), Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// A page that says what went wrong.
#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    problem: &'a ProblemDocument,
}

/// A problem, shown as a page. It is attached to the response, so that the lab can show it in its own layout.
#[derive(Debug)]
pub struct PageError(pub ProblemDocument);

impl<E: Into<ProblemDocument>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let Self(mut problem) = self;
        let cause = problem.cause.take();
        let page = page::html(&MessagePage { problem: &problem });
        (problem.status(), cause.map(Extension), Extension(problem), page).into_response()
    }
}
