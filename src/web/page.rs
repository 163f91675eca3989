//! Rendering pages.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use super::assets;

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
pub struct Message {
    /// In one sentence.
    pub title: String,
    /// What to do.
    pub words: String,
    /// What to tell the people who run the server.
    pub reference: Option<String>,
}

/// Renders a page.
pub fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "A page could not be rendered");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Renders a part of a page.
pub fn text(part: &impl Template) -> String {
    part.render().unwrap_or_else(|error| {
        tracing::error!(%error, "A part of a page could not be rendered");
        String::new()
    })
}

/// The address of a static file: it changes with the files' content, so that browsers may keep it.
pub fn asset(name: &str) -> String {
    assets::address(name)
}
