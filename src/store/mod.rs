//! Remembers: the only place that speaks SQL.
//!
//! Free functions on a connection or transaction; rows become domain types here, and a row that cannot is an error that
//! says which.

pub mod api_tokens;
pub mod arrivals;
pub mod backup;
pub mod batches;
pub mod enrolments;
pub mod exports;
pub mod health;
pub mod identities;
pub mod images;
pub mod installation;
pub mod journal;
pub mod links;
pub mod metrics;
pub mod notifications;
pub mod overrides;
pub mod overview;
pub mod participants;
pub mod policies;
pub mod records;
pub mod researchers;
pub mod results;
pub mod second_factor;
pub mod slots;
pub mod studies;
pub mod tallies;
pub mod writer;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, migrate::Migrator};

/// What every connection asks of PostgreSQL.
const SETTINGS: [(&str, &str); 6] = [
    // Nearly everything is looked up by key and in memory: pages out of order cost hardly more than pages in order, and no
    // query is worth compiling.
    ("random_page_cost", "1.1"),
    ("jit", "off"),
    // A server that hangs, or whose computer is gone, lets go of what it has locked within a minute: others wait for it.
    ("idle_in_transaction_session_timeout", "60s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

/// How connections call themselves to the database.
pub const PROGRAM: &str = concat!("weber ", env!("CARGO_PKG_VERSION"));

/// The migrations that make up the schema.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// What can go wrong while remembering.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row holds what this program does not understand, for instance because a newer program wrote it.
    #[error("a row in the database is not understood: {0}")]
    Corrupt(String),
    /// A row was written by others at the same time, so that nothing could be decided on it.
    #[error("others wrote the same row at the same time")]
    Overtaken,
    /// One failure of many that were written together.
    #[error(transparent)]
    Shared(Arc<StoreError>),
}

/// Short for what stores return.
pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    /// Whether a text held a character that the database cannot keep (NUL), so that the fault lies with who sent it.
    pub fn is_unstorable_text(&self) -> bool {
        match self {
            Self::Shared(error) => error.is_unstorable_text(),
            Self::Database(sqlx::Error::Database(error)) => {
                // character_not_in_repertoire, untranslatable_character
                matches!(error.code().as_deref(), Some("22021" | "22P05"))
            }
            _ => false,
        }
    }

    /// Whether of many that were written together the others may succeed without the one who is at fault.
    pub fn may_lie_in_one(&self) -> bool {
        matches!(self, Self::Overtaken) || !self.is_transient()
    }

    /// Whether the same may succeed later: the database was away or overloaded.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Shared(error) => error.is_transient(),
            Self::Overtaken => true,
            Self::Database(sqlx::Error::Database(error)) => {
                // Class 08 connection, 40 rollback, 53 resources, 57 operator intervention, 58 system; 25006 a replica that
                // is not the primary yet, 25P03 a transaction that idled for too long.
                let code = error.code().unwrap_or_default();
                ["08", "40", "53", "57", "58", "25006", "25P03"].iter().any(|class| code.starts_with(class))
            }
            Self::Database(
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed,
            ) => true,
            _ => false,
        }
    }
}

/// How long a connection may stand idle before it is asked whether it is still good. One that was used just now is: the
/// question costs as much as a small query.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Opens a pool of connections; they are made when they are needed.
pub fn pool(options: PgConnectOptions, max_connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_FOR {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options.application_name(PROGRAM).options(SETTINGS))
}

/// Connections that a server has ready while nobody is there.
const READY: u32 = 8;

/// Keeps some connections open and known to be good, so that a crowd that comes within a second does not wait until they are
/// made: that costs the database more than what they are then used for. Goes on until it is dropped.
pub async fn keep_ready(pool: &PgPool) {
    let most = pool.options().get_max_connections();
    let ready = READY.min(most / 2);
    loop {
        let used = pool.size().saturating_sub(u32::try_from(pool.num_idle()).unwrap_or(u32::MAX));
        if used + ready <= most {
            // Held until all are there. What fails now, whoever needs it will hear of.
            drop(futures::future::join_all((0..ready).map(|_| pool.acquire())).await);
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

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

/// Numbers of a list of rows as a column of another type of numbers.
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
