//! Rendering pages.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};

use crate::web::http::static_files;

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

/// The address of a static file. It changes with the content of the files, so that browsers may cache it.
pub fn asset(name: &str) -> String {
    static_files::address(name)
}
