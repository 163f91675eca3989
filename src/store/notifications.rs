//! Notifies every server that data of a study changed.

use sqlx::postgres::PgListener;
use sqlx::{PgConnection, PgPool};

use super::Result;

const CHANNEL: &str = "weber_changes";

/// Notifies every server of this database that data of these studies changed.
pub async fn tell(conn: &mut PgConnection, study_ids: &[i64]) -> Result<()> {
    sqlx::query!("select pg_notify($1, id::text) from unnest($2::bigint[]) as id", CHANNEL, study_ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Receives the notifications.
pub struct Listener(PgListener);

impl Listener {
    /// Starts to listen on a connection of its own.
    pub async fn new(pool: &PgPool) -> Result<Self> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self(listener))
    }

    /// Waits for the next study whose data changed. None if the connection was lost, so that notifications may have been missed.
    pub async fn next(&mut self) -> Result<Option<i64>> {
        loop {
            match self.0.try_recv().await? {
                None => return Ok(None),
                Some(notification) => {
                    if let Ok(id) = notification.payload().parse() {
                        return Ok(Some(id));
                    }
                }
            }
        }
    }
}
