//! The audit log. The database refuses to change or delete an entry.

use sqlx::PgConnection;

use super::Result;
use crate::domain::audit_log::Entry;

/// The number of the advisory lock that a writer of the audit log holds until its transaction ends, so that the chain has no fork.
const LOCK: i64 = 0x77_65_62_65_72_6a;

/// Locks the audit log for other writers until the transaction ends. Returns the number and hash of the newest entry, if there is one.
pub async fn lock_head(conn: &mut PgConnection) -> Result<Option<(i64, Vec<u8>)>> {
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).execute(&mut *conn).await?;
    head(conn).await
}

/// The number and hash of the newest entry, if there is one.
pub async fn head(conn: &mut PgConnection) -> Result<Option<(i64, Vec<u8>)>> {
    let row = sqlx::query!("select number, sha256 from journal order by number desc limit 1")
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| (row.number, row.sha256)))
}

pub async fn append(conn: &mut PgConnection, entry: &Entry) -> Result<()> {
    sqlx::query!(
        "insert into journal (number, at, actor, action, study, participant, detail, previous_sha256, sha256)
         values ($1, $2, $3, $4, $5, $6, $7::text::json, $8, $9)",
        entry.number,
        entry.at,
        entry.actor,
        entry.action,
        entry.study,
        entry.participant,
        entry.detail,
        entry.previous_sha256,
        entry.sha256(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// All entries, oldest first, each with its stored hash.
pub async fn all(conn: &mut PgConnection) -> Result<Vec<(Entry, Vec<u8>)>> {
    let rows = sqlx::query!(
        r#"select number, at, actor, action, study, participant, detail::text as "detail!", previous_sha256, sha256
           from journal order by number"#
    )
    .fetch_all(conn)
    .await?;
    let entry = rows.into_iter().map(|row| {
        let entry = Entry {
            number: row.number,
            at: row.at,
            actor: row.actor,
            action: row.action,
            study: row.study,
            participant: row.participant,
            detail: row.detail,
            previous_sha256: row.previous_sha256,
        };
        (entry, row.sha256)
    });
    Ok(entry.collect())
}
