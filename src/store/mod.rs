//! Remembers: the only place that speaks SQL.
//!
//! Free functions on a connection or transaction; rows become domain types here, and a row that cannot is an error that
//! says which.
//!
//! What belongs to a person is read in a subquery of its own, `cross join lateral (... where participant_id = p.id offset 0)`, and a
//! single value in one of its kind in the list of columns. PostgreSQL does not join either with everything that is there, whatever
//! it believes about a study that came just now: it can only look each person up by the key.

pub mod answers;
pub mod api_tokens;
pub mod arrivals;
pub mod assignments;
pub mod audit_log;
pub mod backup;
pub mod batches;
mod connections;
pub mod enrolments;
mod error;
pub mod exports;
pub mod health;
pub mod identities;
pub mod images;
pub mod installation;
pub mod links;
pub mod metrics;
pub mod notifications;
pub mod overrides;
pub mod overview;
pub mod participants;
pub mod policies;
pub mod pooler;
pub mod record_connection;
pub mod researchers;
pub mod results;
pub mod second_factor;
pub mod slots;
pub mod studies;
pub mod tallies;

use std::str::FromStr;

use sqlx::{PgConnection, PgPool, migrate::Migrator};

pub use connections::{PROGRAM, keep_ready, pool, wait_for_locks};
pub use error::{Result, StoreError};

/// The migrations that make up the schema.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Brings the schema up to date.
pub async fn migrate(pool: &PgPool) -> Result<()> {
    Ok(MIGRATOR.run(pool).await?)
}

/// Brings the schema to that of a migration, within the caller's transaction.
pub async fn migrate_to(conn: &mut PgConnection, version: i64) -> Result<()> {
    Ok(MIGRATOR.run_to(version, conn).await?)
}

/// The number of this program's schema.
pub fn newest_migration() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// The newest migration of the database; none if it has no schema yet.
pub async fn schema_version(conn: &mut PgConnection) -> Result<Option<i64>> {
    let there = sqlx::query_scalar!(r#"select to_regclass('_sqlx_migrations') is not null as "there!""#);
    if !there.fetch_one(&mut *conn).await? {
        return Ok(None);
    }
    // The table belongs to sqlx, and is not there where queries are checked.
    Ok(sqlx::query_scalar("select max(version) from _sqlx_migrations where success").fetch_one(conn).await?)
}

/// Whether the database answers and its schema is this program's.
pub async fn ready(pool: &PgPool) -> Result<bool> {
    Ok(schema_version(&mut *pool.acquire().await?).await? == Some(newest_migration()))
}

/// A word of the database as a word of the domain.
fn word<T: FromStr<Err = crate::domain::UnknownWord>>(text: &str) -> Result<T> {
    text.parse().map_err(|error: crate::domain::UnknownWord| StoreError::Corrupt(error.to_string()))
}

/// A number of the database (which knows no unsigned ones) as a number of the domain, or the other way.
fn number<T: TryFrom<N>, N: Copy + std::fmt::Display>(value: N) -> Result<T> {
    T::try_from(value).map_err(|_| StoreError::Corrupt(format!("{value} is out of range")))
}

/// One column of a list of rows, as an array of another type of numbers.
macro_rules! numbers {
    ($number:ty, $list:expr, $row:pat => $value:expr) => {
        &$list
            .iter()
            .map(|$row| $crate::store::number($value))
            .collect::<$crate::store::Result<Vec<$number>>>()?
    };
}
use numbers;

/// A JSON document of the database as a type of the domain.
fn document<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> Result<T> {
    serde_json::from_value(json).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// A type of the domain as a JSON document.
fn to_document<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).expect("domain types are plain data")
}
