//! Exclusion policies that researchers saved in the lab.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;

use super::Result;
use crate::domain::exclusion::Policy;
use crate::domain::preregistration::Preregistration;

#[derive(Debug, Clone)]
pub struct SavedPolicy {
    pub policy: Policy,
    /// The researcher who saved it.
    pub author: String,
    pub saved_at: DateTime<Utc>,
    /// The time when it was frozen as pre-registered.
    pub frozen_at: Option<DateTime<Utc>>,
}

/// Saves a policy. Returns false, and saves nothing, if there is one of that name.
pub async fn save(
    conn: &mut PgConnection,
    study_id: i64,
    policy: &Policy,
    author: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query!(
        "insert into policies (study_id, name, document, sha256, author, saved_at) values ($1, $2, $3, $4, $5, $6)
         on conflict do nothing",
        study_id,
        policy.name,
        Json(policy) as _,
        policy.sha256(),
        author,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Freezes a policy. The database allows a study only one frozen policy.
pub async fn freeze(conn: &mut PgConnection, study_id: i64, name: &str, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update policies set frozen_at = $3 where study_id = $1 and name = $2",
        study_id,
        name,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The pre-registered policy of a study, if there is one.
pub async fn preregistered(conn: &mut PgConnection, study_id: i64) -> Result<Option<Preregistration>> {
    let row = sqlx::query!(
        r#"select document as "document: Json<Policy>", frozen_at as "at!" from policies
           where study_id = $1 and frozen_at is not null"#,
        study_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Preregistration { policy: row.document.0, at: row.at }))
}

/// All saved policies of a study, oldest first.
pub async fn all(conn: &mut PgConnection, study_id: i64) -> Result<Vec<SavedPolicy>> {
    let rows = sqlx::query!(
        r#"select document as "document: Json<Policy>", author, saved_at, frozen_at from policies
           where study_id = $1 order by saved_at, name"#,
        study_id,
    )
    .fetch_all(conn)
    .await?;
    let saved = rows.into_iter().map(|row| SavedPolicy {
        policy: row.document.0,
        author: row.author,
        saved_at: row.saved_at,
        frozen_at: row.frozen_at,
    });
    Ok(saved.collect())
}
