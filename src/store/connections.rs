//! Connections to the database: what each asks for, how many there are, and which stay ready.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

use super::Result;

/// What every connection asks of PostgreSQL once it is made: by a statement, since poolers refuse settings at the start of a
/// connection.
const SETTINGS: &str = "
    -- Nearly everything is looked up by key and in memory: pages out of order cost hardly more than pages in order, and no
    -- query is worth compiling.
    set random_page_cost = 1.1;
    set jit = off;
    -- A server that hangs, or whose computer is gone, lets go of what it has locked within seconds: others wait for it. No
    -- transaction waits for anything but the database, except those that read everything (`exports::take_snapshot`).
    set idle_in_transaction_session_timeout = '5s';
    set tcp_keepalives_idle = 30;
    set tcp_keepalives_interval = 10;
    set tcp_keepalives_count = 3;
    -- Numbers come back as they were written.
    set extra_float_digits = 1;
    -- What is acknowledged is on disk, whatever is set for the database or the user; what they set beyond that stays.
    select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";

/// How connections call themselves to the database.
pub const PROGRAM: &str = concat!("weber ", env!("CARGO_PKG_VERSION"));

/// How long a connection may stand idle before it is asked whether it is still good. One that was used just now is: the
/// question costs as much as a small query.
pub(super) const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// Opens a pool of connections; they are made when they are needed.
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

/// Asks a new connection for what Weber needs of it.
pub(super) async fn prepare(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql(SETTINGS).execute(conn).await?;
    Ok(())
}

/// Waits for locks that long at most, until the transaction ends.
pub async fn wait_for_locks(conn: &mut PgConnection, longest: Duration) -> Result<()> {
    let longest = format!("{}ms", longest.as_millis());
    sqlx::query!("select set_config('lock_timeout', $1, true)", longest).fetch_one(conn).await?;
    Ok(())
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
