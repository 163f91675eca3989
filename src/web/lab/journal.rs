//! The journal: who did what, when.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::domain::journal::{Entry, first_broken};
use crate::flow::journal::Actor;
use crate::store;
use crate::store::researchers::Researcher;
use crate::web::error::PageError;
use crate::web::page;
use crate::web::session::SignedIn;
use crate::web::state::WebState;

/// Most entries on one page.
const MOST_ENTRIES: usize = 500;

#[derive(Template)]
#[template(path = "lab/journal.html")]
struct JournalPage {
    me: Researcher,
    study: String,
    entries: Vec<Entry>,
    found: usize,
    all: usize,
    broken: Option<i64>,
    head: String,
}

/// Which entries.
#[derive(Debug, Deserialize)]
pub struct Filter {
    #[serde(default)]
    study: String,
}

/// The newest entries first; the whole chain is checked.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    Query(filter): Query<Filter>,
) -> Result<Response, PageError> {
    Actor::researcher(&me).must_steer()?;
    let entries = store::journal::all(&mut *state.app.pool.acquire().await?).await?;
    let broken = first_broken(&entries);
    let head = entries.last().map_or_else(String::new, |(_, hash)| hex::encode(hash));
    let all = entries.len();
    let of_study = |entry: &Entry| filter.study.is_empty() || entry.study.as_deref() == Some(&*filter.study);
    let found: Vec<Entry> = entries.into_iter().rev().map(|(entry, _)| entry).filter(of_study).collect();
    let count = found.len();
    let entries = found.into_iter().take(MOST_ENTRIES).collect();
    Ok(page::html(&JournalPage { me, study: filter.study, entries, found: count, all, broken, head }))
}
