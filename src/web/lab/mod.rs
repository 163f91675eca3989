//! The researchers' pages: one file per page.

pub mod account;
pub mod download;
pub mod studies;
pub mod study;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};
use tower_http::csrf::CsrfLayer;

use super::state::WebState;

/// Every address of the researchers' pages. Forms are taken from this site's own pages only.
pub fn routes() -> Router<WebState> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/lab") }))
        .route("/sign-in", get(account::sign_in_page).post(account::sign_in))
        .route("/sign-out", post(account::sign_out))
        .route("/set-password", get(account::password_page).post(account::set_password))
        .route("/lab", get(studies::page))
        .route("/lab/studies/{slug}", get(study::page))
        .route("/lab/studies/{slug}/state", post(study::set_state))
        .route("/lab/studies/{slug}/links/{id}", post(study::switch_link))
        .route("/lab/studies/{slug}/live", get(study::live))
        .route("/lab/studies/{slug}/export", get(download::all))
        .route("/lab/studies/{slug}/export/{file}", get(download::one))
        .layer(CsrfLayer::new())
}
