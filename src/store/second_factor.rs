//! The second factor: the nonce from which its secret is derived, and keyed hashes of recovery codes.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Result;

/// The state of a second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The secret is derived from this and the installation key.
    pub nonce: Vec<u8>,
    /// The time when a first code showed that the phone has the secret. Until then, signing in needs no code.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// The newest time step whose code was used.
    pub used_step: Option<i64>,
}

/// A researcher's second factor. The row stays locked until the transaction ends, so that no code is accepted twice.
pub async fn lock(conn: &mut PgConnection, researcher_id: i64) -> Result<Option<SecondFactor>> {
    let row = sqlx::query!(
        "select totp_nonce, totp_confirmed_at, totp_used_step from researchers where id = $1 for update",
        researcher_id,
    )
    .fetch_one(conn)
    .await?;
    Ok(row.totp_nonce.map(|nonce| SecondFactor {
        nonce,
        confirmed_at: row.totp_confirmed_at,
        used_step: row.totp_used_step,
    }))
}

/// Stores the state of a second factor. None removes it and its recovery codes.
pub async fn set(conn: &mut PgConnection, researcher_id: i64, factor: Option<&SecondFactor>) -> Result<()> {
    sqlx::query!(
        "update researchers set totp_nonce = $2, totp_confirmed_at = $3, totp_used_step = $4 where id = $1",
        researcher_id,
        factor.map(|factor| factor.nonce.as_slice()),
        factor.and_then(|factor| factor.confirmed_at),
        factor.and_then(|factor| factor.used_step),
    )
    .execute(&mut *conn)
    .await?;
    if factor.is_none() {
        sqlx::query!("delete from recovery_codes where researcher_id = $1", researcher_id)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Replaces the recovery codes.
pub async fn set_recovery_codes(
    conn: &mut PgConnection,
    researcher_id: i64,
    hmacs: &[Vec<u8>],
) -> Result<()> {
    sqlx::query!("delete from recovery_codes where researcher_id = $1", researcher_id)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "insert into recovery_codes (researcher_id, hmac) select $1, unnest($2::bytea[])",
        researcher_id,
        hmacs,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses up a recovery code. Returns false if the researcher has no such code.
pub async fn use_recovery_code(conn: &mut PgConnection, researcher_id: i64, hmac: &[u8]) -> Result<bool> {
    let done = sqlx::query!(
        "delete from recovery_codes where researcher_id = $1 and hmac = $2",
        researcher_id,
        hmac,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The number of unused recovery codes.
pub async fn recovery_codes_left(conn: &mut PgConnection, researcher_id: i64) -> Result<i64> {
    let left = sqlx::query_scalar!(
        r#"select count(*) as "left!" from recovery_codes where researcher_id = $1"#,
        researcher_id,
    )
    .fetch_one(conn)
    .await?;
    Ok(left)
}
