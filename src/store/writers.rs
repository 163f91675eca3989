//! Connections of their own for those who write records, so that the database has what they do at hand in few processes.
//!
//! A connection is used again only after it did what it was asked: one that failed, or that nobody could wait for any longer, is
//! given up with whatever it still does.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::{Result, TRUSTED_FOR};

/// What these connections ask for besides what all do: everything is found by key, and planned once, as it takes longer to plan
/// than to do.
const SETTINGS: [(&str, &str); 2] = [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off")];

/// Connections for writers, as many as are used at the same time.
#[derive(Debug)]
pub struct Connections {
    options: PgConnectOptions,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

impl Connections {
    /// Connections to the database of a pool.
    pub fn to_database_of(pool: &PgPool) -> Self {
        Self { options: (*pool.connect_options()).clone().options(SETTINGS), idle: Mutex::default() }
    }

    /// A connection that is good.
    pub async fn take(&self) -> Result<PgConnection> {
        while let Some((mut conn, used)) = self.idle_one() {
            if used.elapsed() < TRUSTED_FOR || conn.ping().await.is_ok() {
                return Ok(conn);
            }
        }
        Ok(self.options.connect().await?)
    }

    fn idle_one(&self) -> Option<(PgConnection, Instant)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Takes back a connection that did what it was asked.
    pub fn give_back(&self, conn: PgConnection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((conn, Instant::now()));
    }
}
