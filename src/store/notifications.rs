//! Telling every server that something changed in a study.

use sqlx::postgres::PgListener;
use sqlx::{PgConnection, PgPool};

use super::Result;

const CHANNEL: &str = "weber_changes";

/// Tells every server on this database that something changed in these studies.
pub async fn tell(conn: &mut PgConnection, study_ids: &[i64]) -> Result<()> {
    sqlx::query!("select pg_notify($1, id::text) from unnest($2::bigint[]) as id", CHANNEL, study_ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Hears what servers tell.
pub struct Listener(PgListener);

impl Listener {
    /// Begins to listen, on a connection of its own.
    pub async fn new(pool: &PgPool) -> Result<Self> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self(listener))
    }

    /// The next study in which something changed; none after the connection was lost, when some may have been missed.
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
