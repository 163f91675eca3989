//! Anonymous counts of who came to a link, and how far, before consent.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Result;
use crate::domain::gate::Arrival;

/// Counts an arrival.
pub async fn count(conn: &mut PgConnection, link_id: i64, kind: Arrival, now: DateTime<Utc>) -> Result<()> {
    count_all(conn, &[(link_id, kind)], now).await
}

/// Counts arrivals, each by its link.
pub async fn count_all(
    conn: &mut PgConnection,
    arrivals: &[(i64, Arrival)],
    now: DateTime<Utc>,
) -> Result<()> {
    if arrivals.is_empty() {
        return Ok(());
    }
    let (links, kinds): (Vec<i64>, Vec<&str>) =
        arrivals.iter().map(|(link_id, kind)| (*link_id, kind.as_str())).unzip();
    sqlx::query!(
        "insert into arrivals (link_id, kind, at) select link_id, kind, $3
         from unnest($1::bigint[], $2::text[]) as new (link_id, kind)",
        &links,
        &kinds as &[&str],
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
