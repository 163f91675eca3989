//! The researchers' pages, each in a file of its own.

pub(crate) mod account;
pub(crate) mod arrivals;
pub(crate) mod browser_mark;
pub(crate) mod choice;
pub(crate) mod download;
pub(crate) mod exclusion;
pub(crate) mod journal;
mod paging;
pub(crate) mod participant;
pub(crate) mod participants;
pub(crate) mod people;
pub(crate) mod problem;
pub(crate) mod progress;
pub(crate) mod recruiting;
pub mod results;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod streams;
pub(crate) mod studies;
pub(crate) mod study;
pub(crate) mod team;
pub(crate) mod urls;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Redirect;
use axum::routing::{get, post};
use tower_http::csrf::CsrfLayer;

use crate::web::state::WebState;

/// Largest file that a researcher may upload, in bytes.
const LARGEST_UPLOAD: usize = 20 << 20;

/// Largest form, in bytes.
const LARGEST_FORM: usize = 64 << 10;

/// The routes of the researchers' pages. Forms are accepted from this site's own pages only.
pub fn routes() -> Router<WebState> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/lab") }))
        .route("/sign-in", get(account::sign_in_page).post(account::sign_in))
        .route("/sign-in/code", get(account::code_page).post(account::enter_code))
        .route("/sign-out", post(account::sign_out))
        .route("/set-password", get(account::password_page).post(account::set_password))
        .route("/lab", get(studies::page))
        .route("/lab/live", get(streams::of_studies))
        .route("/lab/account", get(settings::page))
        .route("/lab/account/second-factor", post(settings::begin))
        .route("/lab/account/second-factor/confirm", post(settings::confirm))
        .route("/lab/account/second-factor/off", post(settings::turn_off))
        .route("/lab/team", get(team::page).post(team::invite))
        .route("/lab/team/{id}", post(team::set_rights))
        .route("/lab/team/{id}/remove", post(team::remove))
        .route("/lab/team/tokens", post(team::make_token))
        .route("/lab/team/tokens/remove", post(team::remove_token))
        .route("/lab/journal", get(journal::page))
        .route("/lab/studies/{slug}", get(study::page))
        .route("/lab/studies/{slug}/state", post(study::set_state))
        .route("/lab/studies/{slug}/links/{id}", post(study::switch_link))
        .route("/lab/studies/{slug}/live", get(streams::of_study))
        .route("/lab/studies/{slug}/export", get(download::all))
        .route("/lab/studies/{slug}/export/{file}", get(download::one))
        .route("/lab/studies/{slug}/recruiting", get(recruiting::page))
        .route("/lab/studies/{slug}/links/{id}/personal", post(recruiting::make_personal))
        .route("/lab/studies/{slug}/links/{id}/personal.csv", get(recruiting::personal_csv))
        .route("/lab/studies/{slug}/participants", get(participants::table))
        .route("/lab/studies/{slug}/participants/{name}", get(participant::one))
        .route("/lab/studies/{slug}/participants/{name}/decision", post(participant::decide))
        .route("/lab/studies/{slug}/postings", post(study::one_more_posting))
        .route("/lab/studies/{slug}/quota", post(study::set_quota))
        .route("/lab/studies/{slug}/results", get(results::page))
        .route("/lab/studies/{slug}/flow", get(results::flow))
        .route("/lab/studies/{slug}/flow/live", get(streams::of_flow))
        .route("/lab/studies/{slug}/figures/{file}", get(results::figure))
        .route("/lab/studies/{slug}/report", get(results::report_file))
        .route("/lab/studies/{slug}/unblind", post(results::unblind))
        .route("/lab/studies/{slug}/exclusion", get(exclusion::page).post(exclusion::save))
        .route("/lab/studies/{slug}/exclusion/freeze", post(exclusion::freeze))
        .route("/lab/studies/{slug}/people", get(people::page))
        .route("/lab/studies/{slug}/people/pay/{file}", post(people::payments))
        .route("/lab/studies/{slug}/people/compare", post(people::reconcile).layer(uploads()))
        .route("/lab/studies/{slug}/people/seek", post(people::seek))
        .route("/lab/studies/{slug}/people/withdraw", post(people::withdraw))
        .route("/lab/studies/{slug}/people/forget", post(people::forget))
        .route("/lab/studies/{slug}/people/bar", post(people::bar).layer(uploads()))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(CsrfLayer::new())
}

/// The size limit for files of a platform.
fn uploads() -> DefaultBodyLimit {
    DefaultBodyLimit::max(LARGEST_UPLOAD)
}
