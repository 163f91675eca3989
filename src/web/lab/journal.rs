//! The page of the journal: who did what, when.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::audit_log::{Entry, first_broken};
use crate::flow::audit::log::Actor;
use crate::store;
use crate::store::researchers::Researcher;
use crate::web::http::error::PageError;
use crate::web::http::page;
use crate::web::lab::session::SignedIn;
use crate::web::lab::urls;
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

/// Which entries are shown.
#[derive(Debug, Deserialize)]
pub struct JournalFilter {
    #[serde(default)]
    study: String,
}

/// Shows the newest entries first, and checks the whole chain.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    Query(filter): Query<JournalFilter>,
) -> Result<Response, PageError> {
    Actor::researcher(&me).must_steer()?;
    let entries = store::audit_log::all(&mut *state.app.pool.acquire().await?).await?;
    let broken = first_broken(&entries);
    let head = entries.last().map_or_else(String::new, |(_, hash)| hex::encode(hash));
    let all = entries.len();
    let of_study = |entry: &Entry| filter.study.is_empty() || entry.study.as_deref() == Some(&*filter.study);
    let found: Vec<Entry> = entries.into_iter().rev().map(|(entry, _)| entry).filter(of_study).collect();
    let count = found.len();
    let entries = found.into_iter().take(MOST_ENTRIES).collect();
    Ok(page::html(&JournalPage { me, study: filter.study, entries, found: count, all, broken, head }))
}

/// Puts an entry's detail, which is JSON, into words: names with their values. None if it is empty.
fn in_words(detail: &str) -> Option<String> {
    let words = match serde_json::from_str(detail) {
        Ok(Value::Object(fields)) => named(&fields, " · "),
        Ok(value) => plain(&value),
        Err(_) => detail.to_owned(),
    };
    (!words.is_empty()).then_some(words)
}

fn named(fields: &Map<String, Value>, separator: &str) -> String {
    let field = |(name, value): (&String, &Value)| format!("{} {}", name.replace('_', " "), plain(value));
    fields.iter().map(field).collect::<Vec<_>>().join(separator)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => named(fields, ", "),
        Value::Number(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_put_into_words() {
        let said = |detail: &str| in_words(detail).unwrap_or_default();
        assert_eq!(said("{}"), "");
        assert_eq!(said(r#"{"from":"live","to":"paused"}"#), "from live · to paused");
        assert_eq!(said(r#"{"sees_identities":true,"role":null}"#), "role – · sees identities yes");
        assert_eq!(said(r#"{"slots":[1,22],"at":{"x":1.5,"on":false}}"#), "at on no, x 1.5 · slots 1, 22");
        assert_eq!(said("no JSON"), "no JSON");
    }
}
