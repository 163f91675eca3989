//! The connection on which the batch queue of records stores, apart from the pool: all batches then run in one PostgreSQL process,
//! which has their plans and the tables' pages at hand, and other requests cannot use it up.
//!
//! A batch takes the connection out and puts it back when it is done. A batch that fails or takes too long drops it instead, since
//! the connection may still run a statement, and the next batch opens a new one.

use std::time::Instant;

use parking_lot::Mutex;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::Result;
use super::connections::{TRUSTED_FOR, prepare};

/// The number of connections that a server opens for this, besides those of the pool.
pub const CONNECTIONS: u32 = 1;

/// Settings besides those of all connections. A statement is planned once, because planning it takes longer than running it, and
/// always by index, because a plan that is made while a table is empty would read the whole table later, too.
const SETTINGS: &str = "set plan_cache_mode = force_generic_plan; set enable_seqscan = off";

/// The connection, while no batch uses it.
#[derive(Debug)]
pub struct RecordConnection {
    options: PgConnectOptions,
    idle: Mutex<Option<(PgConnection, Instant)>>,
}

impl RecordConnection {
    /// A connection to the database of a pool. It is opened when it is needed.
    pub fn new(pool: &PgPool) -> Self {
        Self { options: (*pool.connect_options()).clone(), idle: Mutex::default() }
    }

    /// Takes the connection out, or opens one. A connection that was idle for long is tested first.
    pub async fn take_out(&self) -> Result<PgConnection> {
        let idle = self.idle.lock().take();
        if let Some((mut conn, used)) = idle
            && (used.elapsed() < TRUSTED_FOR || conn.ping().await.is_ok())
        {
            return Ok(conn);
        }
        let mut conn = self.options.connect().await?;
        prepare(&mut conn).await?;
        sqlx::raw_sql(SETTINGS).execute(&mut conn).await?;
        Ok(conn)
    }

    /// Puts back a connection whose batch is done.
    pub fn put_back(&self, conn: PgConnection) {
        *self.idle.lock() = Some((conn, Instant::now()));
    }
}
