//! Connections to the database: their settings, their number, and how many stay open while no request needs them.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

use super::Result;

/// The settings of every new connection. They are set by statements, because poolers refuse settings in the startup message.
const SETTINGS: &str = "
    -- Nearly all rows are looked up by key and are in memory: random reads cost hardly more than sequential reads, and
    -- compiling a query takes longer than it saves.
    set random_page_cost = 1.1;
    set jit = off;
    -- If a server hangs or its computer fails, PostgreSQL releases its locks within seconds, because other servers wait for
    -- them. Transactions wait only for the database, except those that read a whole study (`exports::take_snapshot`).
    set idle_in_transaction_session_timeout = '5s';
    set tcp_keepalives_idle = 30;
    set tcp_keepalives_interval = 10;
    set tcp_keepalives_count = 3;
    -- Floating-point numbers are read exactly as they were written.
    set extra_float_digits = 1;
    -- A commit is on disk before it is acknowledged, even if the database's or the user's settings turn that off. Stricter
    -- settings of theirs stay.
    select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";

/// The application name of the connections.
pub const PROGRAM: &str = concat!("weber ", env!("CARGO_PKG_VERSION"));

/// A connection that was idle for longer is tested before it is used. A test before each use would cost as much as a small query.
pub(super) const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Makes a pool. It opens connections when they are needed.
pub fn pool(options: PgConnectOptions, max_connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .after_connect(|conn, _| Box::pin(prepare(conn)))
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_FOR {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options.application_name(PROGRAM).extra_float_digits(None))
}

/// Applies the settings to a new connection.
pub(super) async fn prepare(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql(SETTINGS).execute(conn).await?;
    Ok(())
}

/// Limits how long statements of this transaction wait for a lock.
pub async fn wait_for_locks(conn: &mut PgConnection, longest: Duration) -> Result<()> {
    let longest = format!("{}ms", longest.as_millis());
    sqlx::query!("select set_config('lock_timeout', $1, true)", longest).fetch_one(conn).await?;
    Ok(())
}

/// The number of connections that a server keeps open while no request needs them.
const READY: u32 = 8;

/// Keeps some connections open and tested, until it is dropped. Many people may come within a second. They would wait until the
/// connections are open, which costs the database more than their queries.
pub async fn keep_ready(pool: &PgPool) {
    let most = pool.options().get_max_connections();
    let ready = READY.min(most / 2);
    loop {
        let used = pool.size().saturating_sub(u32::try_from(pool.num_idle()).unwrap_or(u32::MAX));
        if used + ready <= most {
            // All are held at the same time, so that the pool opens new ones. The next request that needs one reports a failure.
            drop(futures::future::join_all((0..ready).map(|_| pool.acquire())).await);
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}
