//! One's own account: the second factor.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{Redirect, Response};

use super::account::CodeForm;
use crate::flow::second_factor::{self, Setup};
use crate::store;
use crate::store::researchers::Researcher;
use crate::web::crowd::ClientAddress;
use crate::web::error::PageError;
use crate::web::page;
use crate::web::session::SignedIn;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/settings.html")]
struct SettingsPage {
    me: Researcher,
    codes_left: i64,
    setup: Option<(Setup, String)>,
    recovery_codes: Vec<String>,
}

/// The page.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
) -> Result<Response, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let codes_left = store::second_factor::recovery_codes_left(&mut conn, researcher.id).await?;
    Ok(page::html(&SettingsPage { me: researcher, codes_left, setup: None, recovery_codes: Vec::new() }))
}

/// Shows the secret to the phone.
pub async fn begin(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
) -> Result<Response, PageError> {
    let setup = second_factor::begin(&state.app, &researcher).await?;
    let picture = picture(&setup.url);
    let setup = Some((setup, picture));
    Ok(page::html(&SettingsPage { me: researcher, codes_left: 0, setup, recovery_codes: Vec::new() }))
}

/// A picture of a text for a phone's camera, as SVG.
fn picture(text: &str) -> String {
    let code = qrcode::QrCode::new(text).expect("the address is short enough");
    code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(200, 200).build()
}

/// Turns the second factor on, and shows the recovery codes once.
pub async fn confirm(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Form(form): Form<CodeForm>,
) -> Result<Response, PageError> {
    let recovery_codes = second_factor::confirm(&state.app, &researcher, &form.code).await?;
    let me = Researcher { second_factor: true, ..researcher };
    let codes_left = recovery_codes.len() as i64;
    Ok(page::html(&SettingsPage { me, codes_left, setup: None, recovery_codes }))
}

/// Turns it off.
pub async fn turn_off(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    client: ClientAddress,
    Form(form): Form<CodeForm>,
) -> Result<Redirect, PageError> {
    second_factor::turn_off(&state.app, &researcher, &form.code, client.hmac()).await?;
    Ok(Redirect::to("/lab/account"))
}
