//! How the database itself is doing, for `weber doctor`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Result;

/// What the doctor asks a database.
#[derive(Debug, Clone)]
pub struct Health {
    /// PostgreSQL's version as a number, such as 150006.
    pub version: i32,
    /// Whether a commit is on disk before it is acknowledged.
    pub durable: bool,
    /// Connections that it takes at most.
    pub max_connections: i32,
    /// The database's clock.
    pub now: DateTime<Utc>,
}

/// Asks a database how it is doing.
pub async fn examine(conn: &mut PgConnection) -> Result<Health> {
    let row = sqlx::query!(
        r#"select current_setting('server_version_num')::integer as "version!",
                  current_setting('fsync')::boolean and current_setting('full_page_writes')::boolean
                      and current_setting('synchronous_commit') <> 'off' as "durable!",
                  current_setting('max_connections')::integer as "max_connections!",
                  clock_timestamp() as "now!""#
    )
    .fetch_one(conn)
    .await?;
    Ok(Health {
        version: row.version,
        durable: row.durable,
        max_connections: row.max_connections,
        now: row.now,
    })
}

/// Whether a database takes writes: it is no replica, nobody made it read-only, and a commit reaches its disk. Nothing is stored.
pub async fn is_writable(conn: &mut PgConnection) -> Result<bool> {
    let row = sqlx::query!(
        r#"select case when current_setting('transaction_read_only')::boolean then null
                       else pg_logical_emit_message(true, 'weber', 'writable') end is not null as "writable!""#
    );
    Ok(row.fetch_one(conn).await?.writable)
}

/// Webers of other versions that are connected to this database, by their names; those of other users are not seen.
pub async fn other_programs(conn: &mut PgConnection) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        r#"select distinct application_name as "name!" from pg_stat_activity
           where datname = current_database() and application_name like 'weber %' and application_name <> $1 order by 1"#,
        super::PROGRAM,
    );
    Ok(names.fetch_all(conn).await?)
}
