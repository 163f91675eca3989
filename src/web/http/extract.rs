//! Reading requests: tokens, JSON bodies and the client's address, with errors that say what was wrong.

use std::borrow::Cow;
use std::convert::Infallible;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{header, request::Parts};
use axum::response::Response;
use serde::de::DeserializeOwned;

use crate::flow::{FlowError, Refused};
use crate::web::http::client_address::ClientAddress;
use crate::web::http::error::ProblemDocument;
use crate::web::state::WebState;

/// Largest JSON body, in bytes.
pub const LARGEST_BODY: usize = 256 * 1024;

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ProblemDocument;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ProblemDocument> {
        let bytes = axum::body::to_bytes(request.into_body(), LARGEST_BODY).await.map_err(|_| {
            ProblemDocument::malformed(format!("A body may have at most {LARGEST_BODY} bytes."))
        })?;
        // Where in the body the fault lies is part of serde's message; the values that were sent are not logged.
        let json = with_text_that_can_be_kept(&bytes);
        serde_json::from_slice(&json).map(Self).map_err(|error| ProblemDocument::malformed(error.to_string()))
    }
}

/// A character as it is written in a JSON text: a backslash, `u`, and four hexadecimal digits.
const ESCAPE: usize = 6;

/// JSON can hold text that cannot be stored: half a surrogate pair (from a text that was cut within an emoji), and NUL, which
/// PostgreSQL does not store. Each is replaced by U+FFFD, so that the rest of the message is not lost.
fn with_text_that_can_be_kept(json: &[u8]) -> Cow<'_, [u8]> {
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
        match (escaped(&json[at..]), json.get(at + ESCAPE..).and_then(escaped)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => at += 2 * ESCAPE,
            (Some(0 | 0xd800..0xe000), _) => {
                json[at + 2..at + ESCAPE].copy_from_slice(b"fffd");
                at += ESCAPE;
            }
            // The character after a backslash belongs to it; so does a second backslash.
            _ => at += 2,
        }
    }
    Cow::Owned(json)
}

/// The UTF-16 unit of an escape at the beginning of `json`.
fn escaped(json: &[u8]) -> Option<u16> {
    let digits = json.get(..ESCAPE)?.strip_prefix(b"\\u")?;
    // `from_str_radix` would also accept a sign.
    let digits = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?;
    u16::from_str_radix(digits, 16).ok()
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
    type Rejection = ProblemDocument;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemDocument> {
        let Ok(MaybeBearer(token)) = MaybeBearer::from_request_parts(parts, state).await;
        token.map(Self).ok_or_else(|| FlowError::Refused(Refused::UnknownToken).into())
    }
}

impl FromRequestParts<WebState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Infallible> {
        Ok(Self::of(parts, &state.site.trusted_proxies, &state.app.secrets))
    }
}

#[cfg(test)]
mod tests {
    use crate::web::http::extract::*;

    #[test]
    fn only_characters_that_cannot_be_stored_are_replaced() {
        for (sent, kept) in [
            (r#"["a\u0000b\u0000"]"#, "[\"a\u{fffd}b\u{fffd}\"]"),
            (r#"["\\u0000"]"#, r#"["\\u0000"]"#),
            (r#"["\\\u0000","\n"]"#, "[\"\\\\\u{fffd}\",\"\\n\"]"),
            (r#"["\u0001 \"u0000"]"#, r#"["\u0001 \"u0000"]"#),
            (r#"["cut \ud83d"]"#, "[\"cut \u{fffd}\"]"),
            (r#"["\uD83D\uDE00 \ude00\ud83d"]"#, "[\"\u{1f600} \u{fffd}\u{fffd}\"]"),
            (r#"["\ud83d\ud83d\ude00"]"#, "[\"\u{fffd}\u{1f600}\"]"),
            (r#"["\ud83d\u0041\\ud83d"]"#, "[\"\u{fffd}A\\\\ud83d\"]"),
            (r#"{"\udead":1}"#, "{\"\u{fffd}\":1}"),
            (r#"["\ud7ff\ue000"]"#, "[\"\u{d7ff}\u{e000}\"]"),
        ] {
            let json = with_text_that_can_be_kept(sent.as_bytes());
            let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
            assert_eq!(value.to_string(), kept, "{sent}");
        }
        for not_json in [r#"["\"#, r#"["\u+000"]"#, r#"["\ud83d"#, r#"["\ud83d\"#, r#"["\u00"#] {
            let json = with_text_that_can_be_kept(not_json.as_bytes());
            assert!(serde_json::from_slice::<serde_json::Value>(&json).is_err(), "{not_json}");
        }
    }
}
