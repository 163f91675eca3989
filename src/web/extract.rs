//! Reading requests: tokens and JSON bodies, with errors that say what was wrong.

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
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Problem::malformed(error.to_string()))
    }
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
