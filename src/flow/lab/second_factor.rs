//! The second factor: codes of a phone app by RFC 6238 (6 digits, 30 s), and recovery codes.

use rand::Rng;
use serde_json::json;
use sqlx::PgConnection;
use totp_rs::{Builder, Secret, Totp};

use crate::domain::audit_log::Action;
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::lab::sign_in_throttle::{Guess, Whence};
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::researchers::Researcher;
use crate::store::second_factor::SecondFactor;

/// The number of recovery codes.
const RECOVERY_CODES: usize = 10;

/// The data that a phone needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The address in the QR code.
    pub url: String,
    /// The secret, for typing if the QR code cannot be read.
    pub secret: String,
    /// Whether a secret that was shown before is no longer valid.
    pub replaces_another: bool,
}

impl Setup {
    fn of(app: &App, researcher: &Researcher, nonce: &[u8]) -> Self {
        let secret = Secret::new(app.secrets.totp_secret(nonce).into_boxed_slice()).to_base32();
        let email: String = url::form_urlencoded::byte_serialize(researcher.email.as_bytes()).collect();
        let url = format!("otpauth://totp/Weber:{email}?secret={secret}&issuer=Weber");
        Self { url, secret, replaces_another: false }
    }
}

/// Begins to set up a second factor. Signing in needs it only after a first code has confirmed it. Beginning again before that
/// makes a new secret, since another person may have seen the old one.
pub async fn begin(app: &App, researcher: &Researcher) -> Result<Setup> {
    let mut nonce = [0; 16];
    app.rng().fill_bytes(&mut nonce);
    let mut tx = app.pool.begin().await?;
    let before = lock_unconfirmed(&mut tx, researcher.id).await?;
    let factor = SecondFactor { nonce: nonce.to_vec(), confirmed_at: None, used_step: None };
    store::second_factor::set(&mut tx, researcher.id, Some(&factor)).await?;
    tx.commit().await?;
    Ok(Setup { replaces_another: before.is_some(), ..Setup::of(app, researcher, &nonce) })
}

/// The second factor that was begun and is not confirmed yet.
pub async fn pending(app: &App, researcher: &Researcher) -> Result<Option<Setup>> {
    let mut conn = app.pool.acquire().await?;
    let factor = store::second_factor::lock(&mut conn, researcher.id).await?;
    let unconfirmed = factor.filter(|factor| factor.confirmed_at.is_none());
    Ok(unconfirmed.map(|factor| Setup::of(app, researcher, &factor.nonce)))
}

/// Turns the second factor on with a first code. Returns recovery codes, which are never shown again.
pub async fn confirm(app: &App, researcher: &Researcher, code: &str, whence: &Whence) -> Result<Vec<String>> {
    let guess = Guess::code(app, &researcher.email, whence);
    guess.count(app).await?;
    let mut tx = app.pool.begin().await?;
    let factor = lock_unconfirmed(&mut tx, researcher.id).await?.ok_or(Refused::WrongFirstCode)?;
    let step = step_of(app, &factor, &as_meant(code)).ok_or(Refused::WrongFirstCode)?;
    guess.was_right(&mut tx).await?;
    let confirmed = SecondFactor { confirmed_at: Some(app.now()), used_step: Some(step), ..factor };
    store::second_factor::set(&mut tx, researcher.id, Some(&confirmed)).await?;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| app.short_name()).collect();
    let hmacs: Vec<Vec<u8>> =
        codes.iter().map(|code| app.secrets.recovery_hmac(researcher.id, code)).collect();
    store::second_factor::set_recovery_codes(&mut tx, researcher.id, &hmacs).await?;
    note(app, &mut tx, &Actor::researcher(researcher), json!({ "on": true })).await?;
    tx.commit().await?;
    Ok(codes)
}

/// The second factor if one was begun. It is refused if it is on: otherwise a stolen session could replace it.
async fn lock_unconfirmed(conn: &mut PgConnection, researcher_id: i64) -> Result<Option<SecondFactor>> {
    let factor = store::second_factor::lock(conn, researcher_id).await?;
    match factor {
        Some(factor) if factor.confirmed_at.is_some() => Err(Refused::SecondFactorIsOn.into()),
        factor => Ok(factor),
    }
}

/// Turns a researcher's own second factor off. This needs a code.
pub async fn turn_off(app: &App, researcher: &Researcher, code: &str, whence: &Whence) -> Result<()> {
    let guess = Guess::code(app, &researcher.email, whence);
    guess.count(app).await?;
    let mut tx = app.pool.begin().await?;
    if !accepts(app, &mut tx, researcher.id, code).await? {
        return Err(Refused::WrongCode.into());
    }
    guess.was_right(&mut tx).await?;
    store::second_factor::set(&mut tx, researcher.id, None).await?;
    note(app, &mut tx, &Actor::researcher(researcher), json!({ "on": false })).await?;
    tx.commit().await?;
    Ok(())
}

/// Turns the second factor off for a researcher who has lost the phone and the recovery codes.
pub async fn reset(
    app: &App,
    conn: &mut PgConnection,
    actor: &Actor,
    researcher_id: i64,
    email: &str,
) -> Result<()> {
    store::second_factor::set(&mut *conn, researcher_id, None).await?;
    note(app, conn, actor, json!({ "on": false, "researcher": email })).await
}

/// Whether signing in needs a code.
pub async fn is_on(conn: &mut PgConnection, researcher_id: i64) -> Result<bool> {
    let factor = store::second_factor::lock(conn, researcher_id).await?;
    Ok(factor.is_some_and(|factor| factor.confirmed_at.is_some()))
}

/// Whether a code or a recovery code is valid now. A valid code is used up.
pub async fn accepts(app: &App, conn: &mut PgConnection, researcher_id: i64, code: &str) -> Result<bool> {
    let Some(factor) = store::second_factor::lock(&mut *conn, researcher_id).await? else { return Ok(false) };
    if factor.confirmed_at.is_none() {
        return Ok(false);
    }
    let code = as_meant(code);
    match step_of(app, &factor, &code) {
        Some(step) => {
            let used = SecondFactor { used_step: Some(step), ..factor };
            store::second_factor::set(conn, researcher_id, Some(&used)).await?;
            Ok(true)
        }
        None => {
            let hmac = app.secrets.recovery_hmac(researcher_id, &code);
            Ok(store::second_factor::use_recovery_code(conn, researcher_id, &hmac).await?)
        }
    }
}

/// A code in lower case, without spaces and hyphens.
fn as_meant(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_lowercase()
}

/// The time step of a code, if it is the present one or a neighbour of it, and later than the newest that was used.
fn step_of(app: &App, factor: &SecondFactor, code: &str) -> Option<i64> {
    let now = u64::try_from(app.now().timestamp()).unwrap_or_default();
    let step = i64::try_from(totp(app, factor).check(code, now)?).ok()?;
    factor.used_step.is_none_or(|used| step > used).then_some(step)
}

fn totp(app: &App, factor: &SecondFactor) -> Totp {
    let secret = app.secrets.totp_secret(&factor.nonce);
    Builder::new()
        .with_secret(Secret::new(secret.into_boxed_slice()))
        .build()
        .expect("the secret is long enough")
}

async fn note(app: &App, conn: &mut PgConnection, actor: &Actor, detail: serde_json::Value) -> Result<()> {
    let deed = AuditEvent { action: Action::SecondFactorChanged, study: None, participant: None };
    log::write(app, conn, actor, deed, detail).await
}
