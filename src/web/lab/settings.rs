//! The page of a researcher's own account: the second factor.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use crate::flow::FlowError;
use crate::flow::lab::second_factor;
use crate::flow::lab::second_factor::Setup;
use crate::store;
use crate::store::researchers::Researcher;
use crate::web::http::error::{PageError, ProblemDocument};
use crate::web::http::page;
use crate::web::lab::account::CodeForm;
use crate::web::lab::browser_mark::AskedFrom;
use crate::web::lab::session::SignedIn;
use crate::web::lab::urls;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/settings.html")]
struct SettingsPage {
    me: Researcher,
    codes_left: i64,
    setup: Option<(Setup, String)>,
    recovery_codes: Vec<String>,
    problem: Option<ProblemDocument>,
}

impl SettingsPage {
    fn new(me: Researcher, codes_left: i64) -> Self {
        Self { me, codes_left, setup: None, recovery_codes: Vec::new(), problem: None }
    }
}

/// The page.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
) -> Result<Response, PageError> {
    Ok(page::html(&standing(&state, researcher).await?))
}

async fn standing(state: &WebState, me: Researcher) -> Result<SettingsPage, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let codes_left = store::second_factor::recovery_codes_left(&mut conn, me.id).await?;
    Ok(SettingsPage::new(me, codes_left))
}

/// Shows the page again, with the problem, and with the secret that the phone may already have.
async fn again(state: &WebState, me: Researcher, error: FlowError) -> Result<Response, PageError> {
    let pending = second_factor::pending(&state.app, &me).await?;
    let problem = ProblemDocument::from(error);
    let setup = pending.map(with_picture);
    let page = SettingsPage { setup, problem: Some(problem.clone()), ..standing(state, me).await? };
    Ok(problem.with_page(page::html(&page)))
}

/// Makes a secret, and shows it for the phone to read.
pub async fn begin(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
) -> Result<Response, PageError> {
    let setup = Some(with_picture(second_factor::begin(&state.app, &researcher).await?));
    Ok(page::html(&SettingsPage { setup, ..SettingsPage::new(researcher, 0) }))
}

fn with_picture(setup: Setup) -> (Setup, String) {
    let picture = picture(&setup.url);
    (setup, picture)
}

/// A QR code of a text, as SVG.
fn picture(text: &str) -> String {
    let code = qrcode::QrCode::new(text).expect("the address is short enough");
    code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(200, 200).build()
}

/// Turns the second factor on, and shows the recovery codes once.
pub async fn confirm(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    AskedFrom(whence): AskedFrom,
    Form(form): Form<CodeForm>,
) -> Result<Response, PageError> {
    match second_factor::confirm(&state.app, &me, &form.code, &whence).await {
        Ok(recovery_codes) => {
            let me = Researcher { second_factor: true, ..me };
            Ok(page::html(&SettingsPage { recovery_codes, ..SettingsPage::new(me, 0) }))
        }
        Err(error) => again(&state, me, error).await,
    }
}

/// Turns the second factor off.
pub async fn turn_off(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    AskedFrom(whence): AskedFrom,
    Form(form): Form<CodeForm>,
) -> Result<Response, PageError> {
    match second_factor::turn_off(&state.app, &me, &form.code, &whence).await {
        Ok(()) => Ok(Redirect::to(urls::ACCOUNT).into_response()),
        Err(error) => again(&state, me, error).await,
    }
}
