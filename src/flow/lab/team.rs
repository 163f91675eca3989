//! The researchers of the lab, their rights, and API tokens for scripts.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::domain::audit_log::Action;
use crate::domain::identity::email as normal_email;
use crate::domain::rights::{Role, Scope};
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::lab::second_factor;
use crate::flow::secrets::token_sha256;
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::researchers::Researcher;

/// How long a one-time link to set a password is valid.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::days(7);

/// Longest e-mail address, in bytes.
const LONGEST_EMAIL: usize = 200;

/// What an invitation changes, besides making a link.
#[derive(Debug, Clone, Copy, Default)]
pub struct Invitation {
    /// Their role; none leaves it as it is. By default the first person is an administrator, and later ones are researchers.
    pub role: Option<Role>,
    /// Gives the right to see who participants are. Without it, a right that the person has stays.
    pub sees_identities: bool,
    /// Turns their second factor off, because they lost it.
    pub resets_second_factor: bool,
}

/// Adds a researcher if they are new, and makes a one-time link to set the password. Returns the link's path. The token is in
/// its fragment, which no server logs.
pub async fn invite(app: &App, actor: &Actor, email: &str, invitation: Invitation) -> Result<String> {
    actor.must_administer()?;
    let email = &normal_email(email);
    if !email.contains('@') || email.len() > LONGEST_EMAIL || email.chars().any(char::is_control) {
        return Err(Refused::BadEmail(email.clone()).into());
    }
    let mut tx = app.pool.begin().await?;
    let now = app.now();
    let known = store::researchers::all_locked(&mut tx).await?;
    let before = known.iter().find(|known| known.email.eq_ignore_ascii_case(email));
    let id = store::researchers::add(&mut tx, email, now).await?;
    let usual = if known.is_empty() { Role::Administrator } else { Role::Researcher };
    let role = invitation.role.or(before.map(|before| before.role)).unwrap_or(usual);
    let sees_identities = invitation.sees_identities || before.is_some_and(|before| before.sees_identities);
    keep_an_administrator(&known, id, Some(role))?;
    store::researchers::set_rights(&mut tx, id, role, sees_identities).await?;
    if invitation.resets_second_factor {
        second_factor::reset(app, &mut tx, actor, id, email).await?;
    }
    let token = app.token();
    store::researchers::add_password_link(&mut tx, id, &token_sha256(&token), now + LINK_LIFETIME).await?;
    let detail = json!({ "researcher": email, "role": role, "sees_identities": sees_identities });
    note(app, &mut tx, actor, Action::Invited, detail).await?;
    tx.commit().await?;
    Ok(format!("/set-password#{token}"))
}

/// Changes the rights of a researcher.
pub async fn set_rights(app: &App, actor: &Actor, id: i64, role: Role, sees_identities: bool) -> Result<()> {
    actor.must_administer()?;
    let mut tx = app.pool.begin().await?;
    let all = store::researchers::all_locked(&mut tx).await?;
    let researcher = all.iter().find(|researcher| researcher.id == id).ok_or(Refused::NoSuchResearcher)?;
    keep_an_administrator(&all, id, Some(role))?;
    store::researchers::set_rights(&mut tx, id, role, sees_identities).await?;
    let detail = json!({ "researcher": researcher.email, "role": role, "sees_identities": sees_identities });
    note(app, &mut tx, actor, Action::RoleChanged, detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes a researcher's access.
pub async fn remove(app: &App, actor: &Actor, id: i64) -> Result<()> {
    actor.must_administer()?;
    let mut tx = app.pool.begin().await?;
    let all = store::researchers::all_locked(&mut tx).await?;
    let researcher = all.iter().find(|researcher| researcher.id == id).ok_or(Refused::NoSuchResearcher)?;
    keep_an_administrator(&all, id, None)?;
    store::researchers::remove(&mut tx, id).await?;
    note(app, &mut tx, actor, Action::ResearcherRemoved, json!({ "researcher": researcher.email })).await?;
    tx.commit().await?;
    Ok(())
}

/// Refuses a change that would leave the lab without an administrator.
fn keep_an_administrator(all: &[Researcher], id: i64, role: Option<Role>) -> Result<()> {
    let administers = |researcher: &&Researcher| researcher.role == Role::Administrator;
    let others = all.iter().filter(administers).any(|researcher| researcher.id != id);
    let is_one = all.iter().filter(administers).any(|researcher| researcher.id == id);
    if is_one && !others && role != Some(Role::Administrator) {
        return Err(Refused::LastAdministrator.into());
    }
    Ok(())
}

/// Makes an API token and returns it. It is never shown again.
pub async fn make_token(app: &App, actor: &Actor, name: &str, scopes: &[Scope]) -> Result<String> {
    actor.must_administer()?;
    let name = name.trim();
    if name.is_empty() || name.len() > 100 || scopes.is_empty() {
        return Err(Refused::TokenName.into());
    }
    let token = app.token();
    let mut tx = app.pool.begin().await?;
    if !store::api_tokens::add(&mut tx, name, scopes, &token_sha256(&token), app.now()).await? {
        return Err(Refused::TokenName.into());
    }
    note(app, &mut tx, actor, Action::TokenMade, json!({ "token": name, "scopes": scopes })).await?;
    tx.commit().await?;
    Ok(token)
}

/// Removes an API token, which gives no access from then on.
pub async fn remove_token(app: &App, actor: &Actor, name: &str) -> Result<()> {
    actor.must_administer()?;
    let mut tx = app.pool.begin().await?;
    if store::api_tokens::remove(&mut tx, name).await? {
        note(app, &mut tx, actor, Action::TokenRemoved, json!({ "token": name })).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The name of an API token; refused if it does not have the scope.
pub async fn check_token(conn: &mut PgConnection, token: Option<&str>, scope: Scope) -> Result<String> {
    let hash = token_sha256(token.ok_or(Refused::ApiTokenNeeded)?);
    Ok(store::api_tokens::holder(conn, &hash, scope).await?.ok_or(Refused::ApiTokenNeeded)?)
}

async fn note(
    app: &App,
    conn: &mut PgConnection,
    actor: &Actor,
    action: Action,
    detail: Value,
) -> Result<()> {
    log::write(app, conn, actor, AuditEvent { action, study: None, participant: None }, detail).await
}
