//! The state of the database server, for `weber doctor`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Result;

/// What `weber doctor` asks a database.
#[derive(Debug, Clone)]
pub struct Health {
    /// PostgreSQL's version as a number, such as 150006.
    pub version: i32,
    /// Whether a commit is on disk before it is acknowledged.
    pub durable: bool,
    /// The most connections that it accepts.
    pub max_connections: i32,
    /// The time by the database's clock.
    pub now: DateTime<Utc>,
}

/// Reads the state of a database.
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

/// Whether a database accepts writes: it is not a replica, it was not set to read-only, and its disk accepts a commit. Nothing is stored.
pub async fn is_writable(conn: &mut PgConnection) -> Result<bool> {
    let row = sqlx::query!(
        r#"select case when current_setting('transaction_read_only')::boolean then null
                       else pg_logical_emit_message(true, 'weber', 'writable') end is not null as "writable!""#
    );
    Ok(row.fetch_one(conn).await?.writable)
}

/// The application names of Weber programs of other versions that are connected to this database. Connections of other database users
/// cannot be seen.
pub async fn other_programs(conn: &mut PgConnection) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        r#"select distinct application_name as "name!" from pg_stat_activity
           where datname = current_database() and application_name like 'weber %' and application_name <> $1 order by 1"#,
        super::PROGRAM,
    );
    Ok(names.fetch_all(conn).await?)
}
