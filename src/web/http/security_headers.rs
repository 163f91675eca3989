//! The headers of every response, and the time limit of requests.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::web::http::error::ProblemDocument;
use crate::web::site::Site;

/// Marks a page that MTurk may show in a frame, and whose form posts to MTurk.
#[derive(Clone)]
struct InFrame;

/// Lets MTurk show a page in a frame, and lets the page post to MTurk.
pub fn in_frame(mut response: Response) -> Response {
    response.extensions_mut().insert(InFrame);
    response
}

/// Headers whose values are the same for every response, or for every page in a frame; made once.
pub struct FixedHeaders {
    always: Vec<(HeaderName, HeaderValue)>,
    policy: HeaderValue,
    policy_in_frame: HeaderValue,
}

impl FixedHeaders {
    pub fn new(site: &Site) -> Self {
        let mut always = vec![
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (
                HeaderName::from_static("permissions-policy"),
                HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
            ),
        ];
        if site.is_secure() {
            always.push((header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")));
        }
        // If the policy cannot be written, the server must not start: no page may be sent without it.
        let policy = |sites: Option<&str>| {
            HeaderValue::from_str(&content_security_policy(sites)).expect("origins are plain text")
        };
        let sites = site.mturk_origins.join(" ");
        Self { always, policy: policy(None), policy_in_frame: policy(Some(&sites)) }
    }
}

/// Adds the headers, and ends a request that takes longer than `longest`.
pub async fn protect(
    fixed: &FixedHeaders,
    longest: Duration,
    for_participants: bool,
    response: impl Future<Output = Response>,
) -> Response {
    let answer = tokio::time::timeout(longest, response).await;
    let mut response = answer.unwrap_or_else(|_| {
        ProblemDocument::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "timeout",
            "That took too long.",
            "Try again in a moment.",
        )
        .because(format!("no answer within {} s", longest.as_secs()))
        .into_response()
    });
    let framed = response.extensions_mut().remove::<InFrame>().is_some();
    let FixedHeaders { always, policy, policy_in_frame } = fixed;
    let headers = response.headers_mut();
    headers.reserve(always.len() + 3);
    for (name, value) in always {
        headers.insert(name, value.clone());
    }
    // Browsers refuse to open a page with this header from a sandboxed frame.
    if !for_participants {
        let name = HeaderName::from_static("cross-origin-opener-policy");
        headers.insert(name, HeaderValue::from_static("same-origin"));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let policy = if framed { policy_in_frame } else { policy };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    response
}

/// Whether participants see this page.
pub fn is_for_participants(path: &str) -> bool {
    path.starts_with("/enter/") || path == "/run"
}

/// Allows content from this server only, and nothing inline. Only `sites` may show a page in a frame, and its form posts to them.
fn content_security_policy(sites: Option<&str>) -> String {
    let (form_action, frame_ancestors) = sites.map_or(("'self'", "'none'"), |sites| (sites, sites));
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action {form_action}; frame-ancestors {frame_ancestors}"
    )
}

#[cfg(test)]
mod tests {
    use crate::web::http::security_headers::*;

    #[test]
    fn the_policy_of_a_page_in_a_frame_names_the_sites_that_may_show_it() {
        let policy = content_security_policy(Some("https://a.example https://b.example"));
        assert!(policy.ends_with(
            "form-action https://a.example https://b.example; frame-ancestors https://a.example https://b.example"
        ));
    }

    #[test]
    fn other_pages_are_never_framed_and_nothing_inline_is_allowed() {
        let policy = content_security_policy(None);
        assert!(policy.ends_with("form-action 'self'; frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"));
    }
}
