//! Shows problems to researchers who are signed in, in the layout of the lab and with a link back.

use askama::Template;
use axum::Extension;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::store::researchers::Researcher;
use crate::web::http::error::{Cause, ProblemDocument};
use crate::web::http::page;
use crate::web::lab::session::Asker;
use crate::web::lab::urls;

#[derive(Template)]
#[template(path = "lab/problem.html")]
struct ProblemPage<'a> {
    me: &'a Researcher,
    problem: &'a ProblemDocument,
    way_back: (String, &'static str),
}

/// Shows problems at the lab's addresses as pages of the lab, if the researcher is signed in.
pub async fn in_the_labs_look(mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if path != urls::LAB && !path.starts_with("/lab/") {
        return next.run(request).await;
    }
    let asker = Asker::default();
    request.extensions_mut().insert(asker.clone());
    let response = next.run(request).await;
    let (Some(me), Some(problem)) = (asker.known(), problem_of(&response)) else { return response };
    let way_back = way_back(&path, &problem);
    let cause = response.extensions().get::<Cause>().cloned().map(Extension);
    (response.status(), cause, page::html(&ProblemPage { me, problem: &problem, way_back })).into_response()
}

/// The problem of a response. axum refuses a request that it cannot read with plain text.
fn problem_of(response: &Response) -> Option<ProblemDocument> {
    let told = response.extensions().get::<ProblemDocument>().cloned();
    told.or_else(|| is_bare_refusal(response).then(|| unread(response.status())))
}

fn is_bare_refusal(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    response.status().is_client_error() && kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

fn unread(status: StatusCode) -> ProblemDocument {
    let (title, detail) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ("That is too much at once.", "Go back and send less."),
        _ => ("The request could not be read.", "Go back and check what you typed or chose."),
    };
    ProblemDocument::new(status, "malformed", title, detail)
}

/// The link back: to the page that the address belongs to, if that page can be shown.
fn way_back(path: &str, problem: &ProblemDocument) -> (String, &'static str) {
    let mut parts = path.trim_start_matches(urls::LAB).split('/').skip(1);
    match (parts.next(), parts.next(), problem.code()) {
        (Some("studies"), Some(slug), code) if !slug.is_empty() && code != "no_such_study" => {
            (urls::study(slug), "The study")
        }
        (Some("team"), _, code) if code != "role_needed" => (urls::TEAM.into(), "Team"),
        (Some("account"), ..) => (urls::ACCOUNT.into(), "Your account"),
        _ => (urls::LAB.into(), "Studies"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_back_leads_to_a_page_that_can_be_shown() {
        let back = |path, code| way_back(path, &ProblemDocument::new(StatusCode::CONFLICT, code, "", "")).0;
        assert_eq!(back("/lab/studies/demo/people/seek", "right_needed"), "/lab/studies/demo");
        assert_eq!(back("/lab/studies/dmeo/people", "no_such_study"), "/lab");
        assert_eq!(back("/lab/studies/", "not_found"), "/lab");
        assert_eq!(back("/lab/team/7/remove", "last_administrator"), "/lab/team");
        assert_eq!(back("/lab/team", "role_needed"), "/lab");
        assert_eq!(back("/lab/account/second-factor", "second_factor_is_on"), "/lab/account");
        assert_eq!(back("/lab/nowhere", "not_found"), "/lab");
    }
}
