//! Researchers' decisions about single participations.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::analysis::Override;

/// Stores a decision in place of the previous one, which stays in the audit log.
pub async fn set(
    conn: &mut PgConnection,
    id: Uuid,
    decided: &Override,
    author: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into overrides (participant_id, decision, reason, author, decided_at) values ($1, $2, $3, $4, $5)
         on conflict (participant_id) do update
         set decision = excluded.decision, reason = excluded.reason, author = excluded.author,
             decided_at = excluded.decided_at",
        id,
        decided.decision.as_str(),
        decided.reason,
        author,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a decision. Returns false if there is none.
pub async fn lift(conn: &mut PgConnection, id: Uuid) -> Result<bool> {
    let done = sqlx::query!("delete from overrides where participant_id = $1", id).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// The author and the time of a decision.
pub async fn author(conn: &mut PgConnection, id: Uuid) -> Result<Option<(String, DateTime<Utc>)>> {
    let row = sqlx::query!("select author, decided_at from overrides where participant_id = $1", id)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| (row.author, row.decided_at)))
}
