//! The page of the team: the researchers and their rights, and tokens for scripts.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use serde::Deserialize;

use crate::domain::rights::{Role, Scope};
use crate::flow::audit::log::Actor;
use crate::flow::lab::team;
use crate::flow::lab::team::Invitation;
use crate::store;
use crate::store::api_tokens::ApiToken;
use crate::store::researchers::Researcher;
use crate::web::http::error::PageError;
use crate::web::http::page;
use crate::web::lab::session::SignedIn;
use crate::web::lab::urls;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/team.html")]
struct TeamPage {
    me: Researcher,
    people: Vec<Researcher>,
    tokens: Vec<ApiToken>,
    /// A link or token that was just made: what it is, and the secret itself.
    made: Option<(String, String)>,
}

async fn show(
    state: &WebState,
    me: Researcher,
    made: Option<(String, String)>,
) -> Result<Response, PageError> {
    Actor::researcher(&me).must_administer()?;
    let mut tx = state.app.pool.begin().await?;
    let people = store::researchers::all_locked(&mut tx).await?;
    let tokens = store::api_tokens::all(&mut tx).await?;
    Ok(page::html(&TeamPage { me, people, tokens, made }))
}

/// The page.
pub async fn page(State(state): State<WebState>, SignedIn(me): SignedIn) -> Result<Response, PageError> {
    show(&state, me, None).await
}

/// The person to invite, and their rights.
#[derive(Debug, Deserialize)]
pub struct InviteForm {
    email: String,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    sees_identities: bool,
    #[serde(default)]
    resets_second_factor: bool,
}

/// Makes a one-time link for a new researcher, or for one who forgot the password.
pub async fn invite(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    Form(form): Form<InviteForm>,
) -> Result<Response, PageError> {
    let InviteForm { email, role, sees_identities, resets_second_factor } = form;
    let invitation = Invitation { role, sees_identities, resets_second_factor };
    let path = team::invite(&state.app, &Actor::researcher(&me), &email, invitation).await?;
    let link = format!("{}{path}", state.site.public_url);
    show(&state, me, Some((format!("A link for {}, valid once within 7 days", email.trim()), link))).await
}

/// The new rights of a researcher.
#[derive(Debug, Deserialize)]
pub struct RightsForm {
    role: Role,
    #[serde(default)]
    sees_identities: bool,
}

/// Changes the rights of a researcher.
pub async fn set_rights(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    Path(id): Path<i64>,
    Form(form): Form<RightsForm>,
) -> Result<Redirect, PageError> {
    team::set_rights(&state.app, &Actor::researcher(&me), id, form.role, form.sees_identities).await?;
    Ok(Redirect::to(urls::TEAM))
}

/// Removes a researcher's access.
pub async fn remove(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    Path(id): Path<i64>,
) -> Result<Redirect, PageError> {
    team::remove(&state.app, &Actor::researcher(&me), id).await?;
    Ok(Redirect::to(urls::TEAM))
}

/// A new token.
#[derive(Debug, Deserialize)]
pub struct TokenForm {
    name: String,
    #[serde(default)]
    simulate: bool,
    #[serde(default)]
    export: bool,
    #[serde(default)]
    metrics: bool,
}

/// Makes a token.
pub async fn make_token(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    Form(form): Form<TokenForm>,
) -> Result<Response, PageError> {
    let asked =
        [(form.simulate, Scope::Simulate), (form.export, Scope::Export), (form.metrics, Scope::Metrics)];
    let scopes: Vec<Scope> = asked.into_iter().filter(|(asked, _)| *asked).map(|(_, scope)| scope).collect();
    let token = team::make_token(&state.app, &Actor::researcher(&me), &form.name, &scopes).await?;
    show(&state, me, Some((format!("The token “{}”", form.name.trim()), token))).await
}

#[derive(Debug, Deserialize)]
pub struct TokenName {
    name: String,
}

/// Removes a token.
pub async fn remove_token(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    Form(form): Form<TokenName>,
) -> Result<Redirect, PageError> {
    team::remove_token(&state.app, &Actor::researcher(&me), &form.name).await?;
    Ok(Redirect::to(urls::TEAM))
}
