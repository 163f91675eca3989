//! Reading requests: tokens and JSON bodies, with errors that say what was wrong.

use std::borrow::Cow;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{header, request::Parts};
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::error::Problem;
use crate::flow::{FlowError, Refused};

/// Largest JSON body, in bytes.
pub const LARGEST_BODY: usize = 256 * 1024;

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let bytes = axum::body::to_bytes(request.into_body(), LARGEST_BODY)
            .await
            .map_err(|_| Problem::malformed(format!("A body may have at most {LARGEST_BODY} bytes.")))?;
        // Where in the body the fault lies is part of serde's message; the values that were sent are not logged.
        let json = without_nul(&bytes);
        serde_json::from_slice(&json).map(Self).map_err(|error| Problem::malformed(error.to_string()))
    }
}

/// PostgreSQL keeps every character but NUL. One that is written in a JSON text becomes the mark for what cannot be shown,
/// so that nothing that came with it is lost.
fn without_nul(json: &[u8]) -> Cow<'_, [u8]> {
    if !json.contains(&b'\\') {
        return Cow::Borrowed(json);
    }
    let mut json = json.to_vec();
    let mut at = 0;
    while at < json.len() {
        if json[at] != b'\\' {
            at += 1;
            continue;
        }
        if json[at..].starts_with(b"\\u0000") {
            json[at + 2..at + 6].copy_from_slice(b"fffd");
        }
        // What follows a backslash belongs to it, another backslash, too.
        at += 2;
    }
    Cow::Owned(json)
}

impl<T: serde::Serialize> axum::response::IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The token of the Authorization header, if there is one.
pub struct MaybeBearer(pub Option<String>);

/// The token of the Authorization header.
pub struct Bearer(pub String);

impl<S: Send + Sync> FromRequestParts<S> for MaybeBearer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
        Ok(Self(token.filter(|token| !token.is_empty()).map(str::to_owned)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(MaybeBearer(token)) = MaybeBearer::from_request_parts(parts, state).await;
        token.map(Self).ok_or_else(|| FlowError::Refused(Refused::UnknownToken).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_replaced_and_nothing_else() {
        for (sent, kept) in [
            (r#"["a\u0000b\u0000"]"#, "[\"a\u{fffd}b\u{fffd}\"]"),
            (r#"["\\u0000"]"#, r#"["\\u0000"]"#),
            (r#"["\\\u0000","\n"]"#, "[\"\\\\\u{fffd}\",\"\\n\"]"),
            (r#"["\u0001 \"u0000"]"#, r#"["\u0001 \"u0000"]"#),
        ] {
            let value: serde_json::Value = serde_json::from_slice(&without_nul(sent.as_bytes())).unwrap();
            assert_eq!(value.to_string(), kept, "{sent}");
        }
        let cut_off = br#"["\"#;
        assert_eq!(*without_nul(cut_off), *cut_off);
    }
}
