//! Signing in: passwords, one-time links to set them, sessions, and a limit on guessing.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use chrono::TimeDelta;

use super::secrets::token_sha256;
use super::{App, Refused, Result};
use crate::store;
use crate::store::researchers::Researcher;

/// How long a session lasts.
pub const SESSION: TimeDelta = TimeDelta::days(14);

/// Shortest password, in characters.
pub const SHORTEST_PASSWORD: usize = 10;

/// Longest password, in bytes: hashing takes time.
const LONGEST_PASSWORD: usize = 1000;

/// Failed sign-ins are counted for so long.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Failed sign-ins of one address within the window until it has to wait.
const MOST_FAILURES: i64 = 8;

/// Failed sign-ins of all addresses within the window until everybody has to wait: somebody tries one password on many.
const MOST_FAILURES_OVERALL: i64 = 300;

/// Adds a researcher if need be and makes a one-time link to set the password. Returns the link's path; the token
/// stands in its fragment, which no server log sees. A right that somebody has is not taken from them.
pub async fn invite(app: &App, email: &str, sees_identities: bool, lifetime: TimeDelta) -> Result<String> {
    let mut tx = app.pool.begin().await?;
    let now = app.now();
    let id = store::researchers::add(&mut tx, email.trim(), now).await?;
    if sees_identities {
        store::researchers::let_see_identities(&mut tx, id).await?;
    }
    let token = app.token();
    store::researchers::add_password_link(&mut tx, id, &token_sha256(&token), now + lifetime).await?;
    tx.commit().await?;
    Ok(format!("/set-password#{token}"))
}

/// Sets a password by a one-time link, and signs in.
pub async fn set_password(app: &App, link_token: &str, password: &str) -> Result<String> {
    if password.chars().count() < SHORTEST_PASSWORD || password.len() > LONGEST_PASSWORD {
        return Err(Refused::PasswordUnfit.into());
    }
    let hash = hash(app, password.to_owned()).await;
    let mut tx = app.pool.begin().await?;
    let id = store::researchers::use_password_link(&mut tx, &token_sha256(link_token), app.now()).await?;
    let id = id.ok_or(Refused::LinkUsedUp)?;
    store::researchers::set_password(&mut tx, id, &hash).await?;
    let session = start_session(app, &mut tx, id).await?;
    tx.commit().await?;
    Ok(session)
}

/// Signs in and returns the session's token.
pub async fn sign_in(app: &App, email: &str, password: &str) -> Result<String> {
    let mut conn = app.pool.acquire().await?;
    let now = app.now();
    let hmac = app.secrets.email_hmac(email);
    let (own, all) = store::researchers::failures(&mut conn, &hmac, now - WINDOW).await?;
    if own >= MOST_FAILURES || all >= MOST_FAILURES_OVERALL {
        return Err(Refused::TooManyFailures.into());
    }
    let credentials = store::researchers::credentials(&mut conn, email.trim()).await?;
    drop(conn);
    let (id, stored) = credentials.map_or((None, None), |found| (Some(found.id), found.password_hash));
    let right = verify(password.chars().take(LONGEST_PASSWORD).collect(), stored).await;
    let mut tx = app.pool.begin().await?;
    let Some(id) = id.filter(|_| right) else {
        store::researchers::count_failure(&mut tx, &hmac, now, now - WINDOW).await?;
        tx.commit().await?;
        return Err(Refused::WrongPassword.into());
    };
    store::researchers::clear_failures(&mut tx, &hmac).await?;
    let session = start_session(app, &mut tx, id).await?;
    tx.commit().await?;
    Ok(session)
}

async fn start_session(app: &App, conn: &mut sqlx::PgConnection, id: i64) -> Result<String> {
    let token = app.token();
    let now = app.now();
    store::researchers::add_session(conn, id, &token_sha256(&token), now, now + SESSION).await?;
    Ok(token)
}

/// Who is signed in.
pub async fn session_owner(app: &App, token: &str) -> Result<Option<Researcher>> {
    let mut conn = app.pool.acquire().await?;
    Ok(store::researchers::session_owner(&mut conn, &token_sha256(token), app.now()).await?)
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
    tokio::task::spawn_blocking(verified).await.unwrap_or(false)
}
