//! The store: the only module that contains SQL.
//!
//! It consists of functions on a connection or transaction. They turn rows into domain types, and return an error that names the value
//! if that is not possible.
//!
//! Queries read the data of a person in a subquery of its own, `cross join lateral (... where participant_id = p.id offset 0)`, and a
//! single value in a subquery among the columns. So PostgreSQL can only look up each person by key. It never joins with a whole table,
//! even if its statistics are wrong about a new study.

pub mod answers;
pub mod api_tokens;
pub mod arrivals;
pub(crate) mod assignments;
pub mod audit_log;
pub mod backup;
pub(crate) mod batches;
mod connections;
pub(crate) mod enrolments;
mod error;
pub mod exports;
pub(crate) mod health;
pub mod identities;
pub(crate) mod images;
pub mod installation;
pub mod links;
pub(crate) mod metrics;
pub(crate) mod notifications;
pub(crate) mod overrides;
pub mod overview;
pub mod participants;
pub mod policies;
pub(crate) mod pooler;
pub mod record_connection;
pub mod researchers;
pub mod results;
pub(crate) mod second_factor;
pub mod slots;
pub mod studies;
pub mod tallies;

use std::str::FromStr;

use sqlx::{PgConnection, PgPool, migrate::Migrator};

pub use connections::{PROGRAM, keep_ready, pool, wait_for_locks};
pub use error::{Result, StoreError};

/// The migrations that define the schema.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Applies all migrations that the database lacks.
pub async fn migrate(pool: &PgPool) -> Result<()> {
    Ok(MIGRATOR.run(pool).await?)
}

/// Applies the migrations up to this version, within the caller's transaction.
pub async fn migrate_to(conn: &mut PgConnection, version: i64) -> Result<()> {
    Ok(MIGRATOR.run_to(version, conn).await?)
}

/// The version of this program's newest migration.
pub fn newest_migration() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// The version of the database's newest migration. None if it has no schema yet.
pub async fn schema_version(conn: &mut PgConnection) -> Result<Option<i64>> {
    let there = sqlx::query_scalar!(r#"select to_regclass('_sqlx_migrations') is not null as "there!""#);
    if !there.fetch_one(&mut *conn).await? {
        return Ok(None);
    }
    // This query is not checked at compile time, because the table belongs to sqlx and is missing in the database of that check.
    Ok(sqlx::query_scalar("select max(version) from _sqlx_migrations where success").fetch_one(conn).await?)
}

/// Whether the database answers and has this program's schema.
pub async fn ready(pool: &PgPool) -> Result<bool> {
    Ok(schema_version(&mut *pool.acquire().await?).await? == Some(newest_migration()))
}

/// Parses a word from the database into an enum of the domain.
fn word<T: FromStr<Err = crate::domain::UnknownWord>>(text: &str) -> Result<T> {
    text.parse().map_err(|error: crate::domain::UnknownWord| StoreError::Corrupt(error.to_string()))
}

/// Converts a number of the database, which has no unsigned types, into one of the domain, or the other way.
fn number<T: TryFrom<N>, N: Copy + std::fmt::Display>(value: N) -> Result<T> {
    T::try_from(value).map_err(|_| StoreError::Corrupt(format!("{value} is out of range")))
}

/// Collects a number of each row into an array of another number type.
macro_rules! numbers {
    ($number:ty, $list:expr, $row:pat => $value:expr) => {
        &$list
            .iter()
            .map(|$row| $crate::store::number($value))
            .collect::<$crate::store::Result<Vec<$number>>>()?
    };
}
use numbers;

/// Reads a JSON document from the database into a type of the domain.
fn document<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> Result<T> {
    serde_json::from_value(json).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Turns a type of the domain into a JSON document.
fn to_document<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).expect("domain types can be written as JSON")
}
