//! Which secret key this database belongs to.

use sqlx::PgConnection;

use super::Result;

/// Stores the fingerprint of the installation's key if there is none yet, and returns the one that stands.
pub async fn claim_key(conn: &mut PgConnection, fingerprint: &[u8]) -> Result<Vec<u8>> {
    sqlx::query!(
        "insert into installation (key_fingerprint) values ($1) on conflict do nothing",
        fingerprint
    )
    .execute(&mut *conn)
    .await?;
    Ok(sqlx::query_scalar!("select key_fingerprint from installation").fetch_one(conn).await?)
}

/// The fingerprint that stands, if there is one.
pub async fn key_fingerprint(conn: &mut PgConnection) -> Result<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar!("select key_fingerprint from installation").fetch_optional(conn).await?)
}
