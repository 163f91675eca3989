//! The assignments with which a person came. Each counts as theirs, and one of them as the one that they finished.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;

/// An assignment with which a person came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its number among the person's assignments, from 1.
    pub number: i16,
    /// The platform's id of the assignment or submission.
    pub assignment_id: String,
    /// The platform's id of the task.
    pub hit_id: Option<String>,
}

/// All assignments with which a person came, in order.
pub async fn of(conn: &mut PgConnection, id: Uuid) -> Result<Vec<Seen>> {
    let seen = sqlx::query_as!(
        Seen,
        "select number, assignment_id, hit_id from assignments where participant_id = $1 order by number",
        id,
    )
    .fetch_all(conn)
    .await?;
    Ok(seen)
}

/// Stores an assignment with which a person came. The caller has locked the person's row.
pub async fn add(conn: &mut PgConnection, id: Uuid, seen: &Seen, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into assignments (participant_id, number, assignment_id, hit_id, seen_at) values ($1, $2, $3, $4, $5)",
        id,
        seen.number,
        seen.assignment_id,
        seen.hit_id,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks as finished the assignment with which the person came when they got this token.
pub async fn finish(conn: &mut PgConnection, id: Uuid, token_sha256: &[u8]) -> Result<()> {
    sqlx::query!(
        "update identities i set assignment_id = a.assignment_id, hit_id = a.hit_id
         from participant_tokens t join assignments a on (a.participant_id, a.number) = (t.participant_id, t.assignment)
         where t.sha256 = $2 and t.participant_id = $1 and i.participant_id = $1",
        id,
        token_sha256,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks as finished the assignment that the platform says the person handed in.
pub async fn handed_in(conn: &mut PgConnection, id: Uuid, assignment_id: &str) -> Result<()> {
    sqlx::query!(
        "update identities i set assignment_id = a.assignment_id, hit_id = a.hit_id from assignments a
         where a.participant_id = $1 and a.assignment_id = $2 and i.participant_id = $1",
        id,
        assignment_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}
