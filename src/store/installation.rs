//! The fingerprint of the installation key to which this database belongs.

use sqlx::PgConnection;

use super::Result;

/// Stores the fingerprint of the installation key if none is stored, and returns the stored one.
pub async fn claim_key(conn: &mut PgConnection, fingerprint: &[u8]) -> Result<Vec<u8>> {
    sqlx::query!(
        "insert into installation (key_fingerprint) values ($1) on conflict do nothing",
        fingerprint
    )
    .execute(&mut *conn)
    .await?;
    Ok(sqlx::query_scalar!("select key_fingerprint from installation").fetch_one(conn).await?)
}

/// The stored fingerprint, if there is one.
pub async fn key_fingerprint(conn: &mut PgConnection) -> Result<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar!("select key_fingerprint from installation").fetch_optional(conn).await?)
}
