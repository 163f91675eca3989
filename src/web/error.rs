//! Errors as meanings: one place that chooses status, code, words, and what the person can do next.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::gate::Shut;
use crate::flow::{FlowError, Refused};
use crate::store::StoreError;

/// An RFC 9457 problem document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// A stable URI for the kind of problem: `urn:weber:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status, again.
    status: u16,
    /// A stable word for programs.
    code: &'static str,
    /// One sentence.
    title: String,
    /// What to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Problem {
    /// A problem by status, code, title and what to do.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("urn:weber:problem:{code}"),
            status: status.as_u16(),
            code,
            title: title.into(),
            detail: detail.into(),
            more: Map::new(),
        }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.into(), value);
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The stable word.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// One sentence.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What to do.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// A body that could not be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request could not be read.", detail)
    }

    /// A signed link cannot be checked now.
    pub fn keys_unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "keys_unavailable",
            "Your link cannot be checked at the moment.",
            "Nothing is lost: try again in a minute.",
        )
    }

    /// Something that is not there.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.", "")
    }

    fn refused(refused: &Refused) -> Self {
        use StatusCode as S;
        match refused {
            Refused::NoSuchLink => Self::new(
                S::NOT_FOUND,
                "no_such_link",
                "There is no such link.",
                "Check the address that you were given.",
            ),
            Refused::Shut(Shut::NotOpenYet) => Self::new(
                S::FORBIDDEN,
                "not_open_yet",
                "The study has not started yet.",
                "Please come back later.",
            ),
            Refused::Shut(Shut::Paused) => {
                Self::new(S::FORBIDDEN, "paused", "The study is paused.", "Please come back later.")
            }
            Refused::Shut(Shut::Closed) => {
                Self::new(S::FORBIDDEN, "closed", "The study is closed.", "Thank you for your interest.")
            }
            Refused::Full => Self::new(
                S::CONFLICT,
                "full",
                "All places are taken at the moment.",
                "Somebody may leave: try again later.",
            ),
            Refused::AlreadyTookPart => Self::new(
                S::CONFLICT,
                "already_took_part",
                "You have already taken part.",
                "Everybody can take part only once. Thank you.",
            ),
            Refused::ConsentChanged => Self::new(
                S::CONFLICT,
                "consent_changed",
                "The consent page has changed since you opened it.",
                "Open the link again and read the new text.",
            ),
            Refused::ApiTokenNeeded => Self::new(
                S::UNAUTHORIZED,
                "api_token_needed",
                "This link is for simulated people.",
                "Send an API token (see `weber token create`) in the Authorization header.",
            ),
            Refused::PlatformParameter(name) => Self::new(
                S::BAD_REQUEST,
                "platform_parameter",
                format!("The parameter {name} is missing from the address."),
                "Open the task again from the platform that sent you here.",
            )
            .with("parameter", json!(name)),
            Refused::NotSigned => Self::new(
                S::FORBIDDEN,
                "not_signed",
                "This link is no longer good.",
                "Go back to the platform and open the study from there once more.",
            ),
            Refused::Crowded => Self::new(
                S::TOO_MANY_REQUESTS,
                "crowded",
                "Many people are beginning at this moment.",
                "It is your turn in a minute.",
            ),
            Refused::RightNeeded => Self::new(
                S::FORBIDDEN,
                "right_needed",
                "This needs the right to see who participants are.",
                "An administrator can give it: `weber researcher add EMAIL --identities`.",
            ),
            Refused::PolicyName => Self::new(
                S::CONFLICT,
                "policy_name",
                "A policy cannot have this name.",
                "Give it one of 1 to 40 of a-z, 0-9 and hyphens that is not taken: saved policies never change.",
            ),
            Refused::NoSuchPolicy => Self::new(
                S::NOT_FOUND,
                "no_such_policy",
                "There is no such policy, or it is frozen already.",
                "Look at the study's policies again.",
            ),
            Refused::BadBound(text) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "bad_bound",
                format!("“{text}” is not a number."),
                "Go back and write the bound as a number, such as 0.6, or leave it empty.",
            ),
            Refused::NoSuchParticipant => Self::new(
                S::NOT_FOUND,
                "no_such_participant",
                "There is no such participant in this study.",
                "Check the name or the id.",
            ),
            Refused::TooManyPersonalLinks(most) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "too_many_personal_links",
                format!("A link can have at most {most} personal links."),
                "Ask for fewer, or add another link to study.toml.",
            ),
            Refused::BadList(why) => {
                Self::new(S::UNPROCESSABLE_ENTITY, "bad_list", "The list cannot be used.", why.clone())
            }
            Refused::PreviewOnly => Self::new(
                S::FORBIDDEN,
                "preview",
                "This is a preview.",
                "Accept the task first, then open it again.",
            ),
            Refused::UnknownToken => Self::new(
                S::UNAUTHORIZED,
                "unknown_token",
                "This participation is not known.",
                "Open the link again that you were given.",
            ),
            Refused::Ended => Self::new(S::CONFLICT, "ended", "The participation has ended.", ""),
            Refused::TooEarly => {
                Self::new(S::CONFLICT, "too_early", "The participation is not so far yet.", "")
            }
            Refused::NoSuchTransition { from, to } => Self::new(
                S::CONFLICT,
                "no_such_transition",
                format!("A study that is {from} cannot become {to}."),
                "Somebody else may have changed it: look at its page again.",
            ),
            Refused::NoSuchStudy => Self::new(S::NOT_FOUND, "no_such_study", "There is no such study.", ""),
            Refused::WrongPassword => Self::new(
                S::UNAUTHORIZED,
                "wrong_password",
                "Address or password are not right.",
                "Try again, or ask for a new link to set the password.",
            ),
            Refused::TooManyFailures => Self::new(
                S::TOO_MANY_REQUESTS,
                "too_many_failures",
                "Too many sign-ins failed.",
                "Wait a quarter of an hour, then try again.",
            ),
            Refused::LinkUsedUp => Self::new(
                S::GONE,
                "link_used_up",
                "This link is no longer good.",
                "It can be used once, and for a limited time. Ask for a new one (`weber researcher add`).",
            ),
            Refused::PasswordUnfit => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "password_unfit",
                format!("A password needs at least {} characters.", crate::flow::sign_in::SHORTEST_PASSWORD),
                "A few words that only you would put together are good.",
            ),
            Refused::AnswersMissing(missing) => Self::new(
                S::CONFLICT,
                "answers_missing",
                "Some answers have not arrived.",
                "Send the answers to these trials of the main block, then complete again.",
            )
            .with("missing", json!(missing)),
        }
    }

    fn store(error: &StoreError) -> Self {
        let reference = uuid::Uuid::new_v4().simple().to_string()[..8].to_owned();
        let transient = error.is_transient();
        tracing::error!(%error, %reference, transient, "A request failed because of the database");
        let (status, code, title) = if transient {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The server cannot answer at the moment.")
        } else {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on the server.")
        };
        Self::new(status, code, title, "Nothing is lost: try again in a moment.")
            .with("reference", json!(reference))
    }
}

impl From<FlowError> for Problem {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Refused(refused) => Self::refused(&refused),
            FlowError::Store(error) => Self::store(&error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::store(&error)
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::store(&error.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// A problem, shown as a page.
#[derive(Debug)]
pub struct PageError(pub Problem);

impl<E: Into<Problem>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let Problem { title, detail, more, .. } = &self.0;
        let reference = more.get("reference").and_then(Value::as_str).map(str::to_owned);
        let page = super::page::Message { title: title.clone(), words: detail.clone(), reference };
        (self.0.status(), super::page::html(&page)).into_response()
    }
}
