//! Signing in: passwords, sessions, and a limit on guessing.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use chrono::TimeDelta;
use sqlx::PgConnection;
use tokio::sync::Semaphore;

use super::guessing::{Guess, WINDOW};
use super::journal::{self, Actor, Deed};
use super::secrets::token_sha256;
use super::{App, Refused, Result, second_factor};
use crate::domain::journal::Action;
use crate::store;
use crate::store::researchers::Researcher;

/// How long a session lasts.
pub const SESSION: TimeDelta = TimeDelta::days(14);

/// Shortest password, in characters.
pub const SHORTEST_PASSWORD: usize = 10;

/// Longest password, in bytes: hashing takes time.
const LONGEST_PASSWORD: usize = 1000;

/// Passwords that are hashed at the same time, at most: each takes 19 MiB.
static HASHING: Semaphore = Semaphore::const_new(4);

/// A session that was begun.
pub struct Begun {
    /// Its token.
    pub token: String,
    /// Whether it is good for nothing until the second factor's code has come.
    pub awaits_code: bool,
}

/// Sets a password by a one-time link, and signs in.
pub async fn set_password(app: &App, link_token: &str, password: &str) -> Result<Begun> {
    if password.chars().count() < SHORTEST_PASSWORD || password.len() > LONGEST_PASSWORD {
        return Err(Refused::PasswordUnfit.into());
    }
    let hash = hash(app, password.to_owned()).await;
    let mut tx = app.pool.begin().await?;
    let id = store::researchers::use_password_link(&mut tx, &token_sha256(link_token), app.now()).await?;
    let id = id.ok_or(Refused::LinkUsedUp)?;
    store::researchers::set_password(&mut tx, id, &hash).await?;
    let session = begin(app, &mut tx, id, Action::PasswordSet).await?;
    tx.commit().await?;
    Ok(session)
}

/// Signs in; whoever has a second factor is then asked for its code. The network is the keyed hash of its address.
pub async fn sign_in(app: &App, email: &str, password: &str, network: &[u8]) -> Result<Begun> {
    let guess = Guess::password(app, email, network);
    guess.count(app).await?;
    let mut conn = app.pool.acquire().await?;
    let credentials = store::researchers::credentials(&mut conn, email.trim()).await?;
    drop(conn);
    let (id, stored) = credentials.map_or((None, None), |found| (Some(found.id), found.password_hash));
    let right = verify(password.chars().take(LONGEST_PASSWORD).collect(), stored).await;
    let id = id.filter(|_| right).ok_or(Refused::WrongPassword)?;
    let mut tx = app.pool.begin().await?;
    let session = begin(app, &mut tx, id, Action::SignedIn).await?;
    guess.was_right(&mut tx).await?;
    tx.commit().await?;
    Ok(session)
}

/// Finishes signing in with a code of the second factor, or a recovery code. The session gets a new token.
pub async fn enter_code(app: &App, token: &str, code: &str, network: &[u8]) -> Result<Begun> {
    let hash = token_sha256(token);
    let mut conn = app.pool.acquire().await?;
    let owner = store::researchers::session_owner(&mut conn, &hash, true, app.now()).await?;
    drop(conn);
    let owner = owner.ok_or(Refused::LinkUsedUp)?;
    let guess = Guess::code(app, &owner.email, network);
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
    Ok(Begun { token, awaits_code: false })
}

/// Begins a session, which is noted once it is good.
async fn begin(app: &App, conn: &mut PgConnection, id: i64, action: Action) -> Result<Begun> {
    let awaits_code = second_factor::is_on(&mut *conn, id).await?;
    let token = start_session(app, &mut *conn, id, awaits_code).await?;
    if !awaits_code || action == Action::PasswordSet {
        let hash = token_sha256(&token);
        let owner = store::researchers::session_owner(&mut *conn, &hash, awaits_code, app.now()).await?;
        note(app, conn, &owner.ok_or(Refused::LinkUsedUp)?, action).await?;
    }
    Ok(Begun { token, awaits_code })
}

async fn note(app: &App, conn: &mut PgConnection, owner: &Researcher, action: Action) -> Result<()> {
    let deed = Deed { action, study: None, participant: None };
    journal::write(app, conn, &Actor::researcher(owner), deed, serde_json::json!({})).await
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
    Ok(store::researchers::end_session(&mut conn, &token_sha256(token)).await?)
}

async fn hash(app: &App, password: String) -> String {
    use rand::Rng;
    let mut salt = [0; 16];
    app.rng().fill_bytes(&mut salt);
    let _place = HASHING.acquire().await;
    tokio::task::spawn_blocking(move || hash_with(&password, &salt)).await.expect("hashing does not panic")
}

/// As a PHC string, with Argon2's recommended parameters.
fn hash_with(password: &str, salt: &[u8]) -> String {
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), salt);
    hash.expect("salt and password are within Argon2's bounds").to_string()
}

/// Takes as long for an address that is not known as for one that is.
async fn verify(password: String, stored: Option<String>) -> bool {
    static NOBODY: LazyLock<String> = LazyLock::new(|| hash_with("nobody", &[0; 16]));
    let verified = move || {
        let known = stored.is_some();
        let phc = stored.unwrap_or_else(|| NOBODY.clone());
        let parsed = PasswordHash::new(&phc);
        let right =
            parsed.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        known && right
    };
    let _place = HASHING.acquire().await;
    tokio::task::spawn_blocking(verified).await.unwrap_or(false)
}
