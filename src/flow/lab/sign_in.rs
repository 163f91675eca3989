//! Signing in: passwords, sessions, and a limit on guessing.

use chrono::TimeDelta;
use sqlx::PgConnection;

use crate::domain::audit_log::Action;
use crate::domain::identity::email as normal_email;
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::lab::sign_in_throttle;
use crate::flow::lab::sign_in_throttle::{Guess, WINDOW, Whence};
use crate::flow::lab::{passwords, second_factor};
use crate::flow::secrets::token_sha256;
use crate::flow::{App, FlowError, Refused, Result};
use crate::store;
use crate::store::researchers::Researcher;

/// How long a session lasts.
pub const SESSION: TimeDelta = TimeDelta::days(14);

/// Shortest password, in characters.
pub const SHORTEST_PASSWORD: usize = 10;

/// Longest password, in bytes: hashing takes time.
const LONGEST_PASSWORD: usize = 1000;

/// A session that was begun.
pub struct Begun {
    /// Its token.
    pub token: String,
    /// Whether it is good for nothing until the second factor's code has come.
    pub awaits_code: bool,
    /// Lets the browser be known from now on; none until the second factor's code has come.
    pub mark: Option<String>,
}

/// Sets a password by a one-time link, and signs in. Nothing is hashed for a link that is not good, and tries at such are counted.
pub async fn set_password(app: &App, link_token: &str, password: &str, whence: &Whence) -> Result<Begun> {
    if password.chars().count() < SHORTEST_PASSWORD || password.len() > LONGEST_PASSWORD {
        return Err(Refused::PasswordUnfit.into());
    }
    let link = token_sha256(link_token);
    let mut conn = app.pool.acquire().await?;
    let owner = store::researchers::password_link_owner(&mut conn, &link, app.now()).await?;
    drop(conn);
    if owner.is_none() {
        tracing::info!(why = %Refused::LinkUsedUp, "A sign-in was refused");
        Guess::link(app, whence).count(app).await?;
        return Err(Refused::LinkUsedUp.into());
    }
    let hash = passwords::hash(app, password.to_owned()).await?;
    let mut tx = app.pool.begin().await?;
    let id = store::researchers::use_password_link(&mut tx, &link, app.now()).await?;
    let id = id.ok_or(Refused::LinkUsedUp)?;
    store::researchers::set_password(&mut tx, id, &hash).await?;
    let session = begin(app, &mut tx, id, Action::PasswordSet).await?;
    tx.commit().await?;
    Ok(session)
}

/// Signs in; whoever has a second factor is then asked for its code.
pub async fn sign_in(app: &App, email: &str, password: &str, whence: &Whence) -> Result<Begun> {
    let begun = try_password(app, email, password, whence).await;
    begun.inspect_err(tell_refusal)
}

async fn try_password(app: &App, email: &str, password: &str, whence: &Whence) -> Result<Begun> {
    let guess = Guess::password(app, email, whence);
    guess.count(app).await?;
    let mut conn = app.pool.acquire().await?;
    let credentials = store::researchers::credentials(&mut conn, &normal_email(email)).await?;
    drop(conn);
    let (id, stored) = credentials.map_or((None, None), |found| (Some(found.id), found.password_hash));
    let right = passwords::verify(password.chars().take(LONGEST_PASSWORD).collect(), stored).await?;
    let id = id.filter(|_| right).ok_or(Refused::WrongPassword)?;
    let mut tx = app.pool.begin().await?;
    let session = begin(app, &mut tx, id, Action::SignedIn).await?;
    guess.was_right(&mut tx).await?;
    tx.commit().await?;
    Ok(session)
}

/// Finishes signing in with a code of the second factor, or a recovery code. The session gets a new token.
pub async fn enter_code(app: &App, token: &str, code: &str, whence: &Whence) -> Result<Begun> {
    let begun = try_code(app, token, code, whence).await;
    begun.inspect_err(tell_refusal)
}

/// Writes a refused sign-in to the server's log, without the address.
fn tell_refusal(error: &FlowError) {
    if let FlowError::Refused(why) = error {
        tracing::info!(%why, "A sign-in was refused");
    }
}

async fn try_code(app: &App, token: &str, code: &str, whence: &Whence) -> Result<Begun> {
    let hash = token_sha256(token);
    let mut conn = app.pool.acquire().await?;
    let owner = store::researchers::session_owner(&mut conn, &hash, true, app.now()).await?;
    drop(conn);
    let owner = owner.ok_or(Refused::LinkUsedUp)?;
    let guess = Guess::code(app, &owner.email, whence);
    guess.count(app).await?;
    let mut tx = app.pool.begin().await?;
    if !second_factor::accepts(app, &mut tx, owner.id, code).await? {
        return Err(Refused::WrongCode.into());
    }
    guess.was_right(&mut tx).await?;
    store::researchers::end_session(&mut tx, &hash).await?;
    let token = start_session(app, &mut tx, owner.id, false).await?;
    note(app, &mut tx, &owner, Action::SignedIn).await?;
    tx.commit().await?;
    Ok(Begun { token, awaits_code: false, mark: Some(sign_in_throttle::mark(app, &owner.email)) })
}

/// Begins a session, which is noted once it is good.
async fn begin(app: &App, conn: &mut PgConnection, id: i64, action: Action) -> Result<Begun> {
    let awaits_code = second_factor::is_on(&mut *conn, id).await?;
    let token = start_session(app, &mut *conn, id, awaits_code).await?;
    let owner =
        store::researchers::session_owner(&mut *conn, &token_sha256(&token), awaits_code, app.now()).await?;
    let owner = owner.ok_or(Refused::LinkUsedUp)?;
    if !awaits_code || action == Action::PasswordSet {
        note(app, conn, &owner, action).await?;
    }
    let mark = (!awaits_code).then(|| sign_in_throttle::mark(app, &owner.email));
    Ok(Begun { token, awaits_code, mark })
}

async fn note(app: &App, conn: &mut PgConnection, owner: &Researcher, action: Action) -> Result<()> {
    let deed = AuditEvent { action, study: None, participant: None };
    log::write(app, conn, &Actor::researcher(owner), deed, serde_json::json!({})).await
}

async fn start_session(app: &App, conn: &mut PgConnection, id: i64, awaits_code: bool) -> Result<String> {
    let token = app.token();
    let now = app.now();
    let until = now + if awaits_code { WINDOW } else { SESSION };
    store::researchers::add_session(conn, id, &token_sha256(&token), awaits_code, now, until).await?;
    Ok(token)
}

/// Who is signed in.
pub async fn session_owner(app: &App, token: &str) -> Result<Option<Researcher>> {
    let mut conn = app.pool.acquire().await?;
    Ok(store::researchers::session_owner(&mut conn, &token_sha256(token), false, app.now()).await?)
}

/// Ends a session.
pub async fn sign_out(app: &App, token: &str) -> Result<()> {
    let mut conn = app.pool.acquire().await?;
    store::researchers::end_session(&mut conn, &token_sha256(token)).await?;
    tracing::info!("A researcher signed out");
    Ok(())
}
