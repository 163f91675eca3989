//! The page with the list of all studies.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::domain::study::StudyState;
use crate::flow::study::overview;
use crate::store::researchers::Researcher;
use crate::web::http::error::PageError;
use crate::web::http::page;
use crate::web::lab::session::SignedIn;
use crate::web::lab::study::EnrolmentFragment;
use crate::web::lab::urls;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/studies.html")]
struct StudiesPage {
    me: Researcher,
    none: bool,
    list: String,
}

/// The list, which open pages replace.
#[derive(Template)]
#[template(path = "lab/_studies.html")]
pub struct Studies {
    studies: Vec<StudyLine>,
}

struct StudyLine {
    slug: String,
    title: String,
    state: StudyState,
    enrolment: EnrolmentFragment,
}

/// The page.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
) -> Result<Response, PageError> {
    let list = list(&state).await?;
    let none = list.studies.is_empty();
    Ok(page::html(&StudiesPage { me: researcher, none, list: page::text(&list) }))
}

/// Every study, with how full it is.
pub async fn list(state: &WebState) -> Result<Studies, PageError> {
    let studies = overview::all_studies(&state.app).await?.into_iter().map(|(study, version, enrolment)| {
        let enrolment = EnrolmentFragment::new(&version, enrolment);
        let title = version.definition.title.clone();
        StudyLine { slug: study.slug, title, state: study.state, enrolment }
    });
    Ok(Studies { studies: studies.collect() })
}
