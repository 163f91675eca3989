//! Anonymous counts of who came to a link, and how far, before consent.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Result;
use crate::domain::gate::Arrival;

/// Counts an arrival.
pub async fn count(conn: &mut PgConnection, link_id: i64, kind: Arrival, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!("insert into arrivals (link_id, kind, at) values ($1, $2, $3)", link_id, kind.as_str(), now)
        .execute(conn)
        .await?;
    Ok(())
}
