//! Headers that every answer carries, and bounds on time.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Problem;
use super::state::WebState;
use crate::recruitment::mturk;

/// Longest time that a request may take; live pages stream for longer.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// Adds the headers, and ends requests that take too long.
pub async fn protect(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let answer = tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "timeout",
            "That took too long.",
            "Try again in a moment.",
        )
        .into_response()
    });
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(&path)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if state.site.is_secure() {
        let hsts = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
    response
}

/// Everything from this server only, nothing inline. Participants' pages may stand in MTurk's frame and post to it.
fn content_security_policy(path: &str) -> String {
    let participants = path.starts_with("/enter/") || path == "/run";
    let (form_action, frame_ancestors) = if participants {
        let mturk = mturk::ORIGINS.join(" ");
        (format!("'self' {mturk}"), mturk)
    } else {
        ("'self'".to_owned(), "'none'".to_owned())
    };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action {form_action}; frame-ancestors {frame_ancestors}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_participants_pages_may_stand_in_mturks_frame() {
        for path in ["/enter/abc", "/run"] {
            let policy = content_security_policy(path);
            assert!(policy.contains("frame-ancestors https://www.mturk.com https://worker.mturk.com"));
            assert!(policy.contains("form-action 'self' https://www.mturk.com"));
        }
        for path in ["/lab", "/sign-in", "/images/a", "/"] {
            let policy = content_security_policy(path);
            assert!(policy.contains("frame-ancestors 'none'") && policy.ends_with("'none'"));
        }
    }

    #[test]
    fn nothing_inline_is_allowed() {
        assert!(!content_security_policy("/run").contains("unsafe"));
    }
}
