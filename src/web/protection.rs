//! Headers that every answer carries, and bounds on time.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Problem;
use super::state::WebState;

/// Marks a page that may stand in MTurk's frame, and whose form goes there.
#[derive(Clone)]
struct InFrame;

/// Lets a page stand in MTurk's frame and post to it.
pub fn in_frame(mut response: Response) -> Response {
    response.extensions_mut().insert(InFrame);
    response
}

/// Adds the headers, and ends requests that take too long.
pub async fn protect(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let longest = state.site.longest_request;
    let answer = tokio::time::timeout(longest, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| {
        tracing::error!(seconds = longest.as_secs(), "A request took too long and was given up");
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "timeout",
            "That took too long.",
            "Try again in a moment.",
        )
        .into_response()
    });
    let framed = response.extensions_mut().remove::<InFrame>().is_some();
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Browsers refuse to open a page with this header from a sandboxed frame.
    if !is_for_participants(&path) {
        let name = HeaderName::from_static("cross-origin-opener-policy");
        headers.insert(name, HeaderValue::from_static("same-origin"));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let sites = framed.then(|| state.site.mturk_origins.join(" "));
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(sites.as_deref())) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if state.site.is_secure() {
        let hsts = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
    response
}

fn is_for_participants(path: &str) -> bool {
    path.starts_with("/enter/") || path == "/run"
}

/// Everything from this server only, nothing inline. A page in a frame may be held by these sites, and posts to them.
fn content_security_policy(sites: Option<&str>) -> String {
    let (form_action, frame_ancestors) = sites.map_or(("'self'", "'none'"), |sites| (sites, sites));
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action {form_action}; frame-ancestors {frame_ancestors}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_in_a_frame_names_who_may_hold_it_and_where_it_posts() {
        let policy = content_security_policy(Some("https://a.example https://b.example"));
        assert!(policy.ends_with(
            "form-action https://a.example https://b.example; frame-ancestors https://a.example https://b.example"
        ));
    }

    #[test]
    fn other_pages_stand_in_no_frame_and_nothing_inline_is_allowed() {
        let policy = content_security_policy(None);
        assert!(policy.ends_with("form-action 'self'; frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
    }
}
