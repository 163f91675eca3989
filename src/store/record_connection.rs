//! A connection of its own for whoever writes records, so that the database has what that takes at hand in one process.
//!
//! It is used again only after it did what it was asked: one that failed, or that nobody could wait for any longer, is given up
//! with whatever it still does.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::Result;
use super::connections::{TRUSTED_FOR, prepare};

/// How many connections a server opens for this.
pub const CONNECTIONS: u32 = 1;

/// What it asks for besides what all connections do: everything is found by key, and planned once, as it takes longer to plan
/// than to do.
const SETTINGS: &str = "set plan_cache_mode = force_generic_plan; set enable_seqscan = off";

/// The writer's connection.
#[derive(Debug)]
pub struct Writer {
    options: PgConnectOptions,
    idle: Mutex<Option<(PgConnection, Instant)>>,
}

impl Writer {
    /// One to the database of a pool, made when it is needed.
    pub fn to_database_of(pool: &PgPool) -> Self {
        Self { options: (*pool.connect_options()).clone(), idle: Mutex::default() }
    }

    /// A connection that is good.
    pub async fn take(&self) -> Result<PgConnection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
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

    /// Takes back a connection that did what it was asked.
    pub fn give_back(&self, conn: PgConnection) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some((conn, Instant::now()));
    }
}
