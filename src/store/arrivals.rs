//! Anonymous counts of people who came to a link and did not consent, by how far they came.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::{Result, number, word};
use crate::domain::gate::Arrival;
use crate::domain::study::{Group, Mode};

/// Adds arrivals to the counts of their links, of today.
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
        // All transactions count in one order, so that none of them deadlock.
        "insert into arrivals (link_id, kind, day, n)
         select link_id, kind, $3, count(*) from unnest($1::bigint[], $2::text[]) as new (link_id, kind)
         group by link_id, kind order by link_id, kind
         on conflict (link_id, kind, day) do update set n = arrivals.n + excluded.n",
        &links,
        &kinds as &[&str],
        now.date_naive(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The number of visits by group, and by how they ended.
pub type VisitCounts = BTreeMap<Group, BTreeMap<Arrival, u64>>;

/// Counts the visits by the links of a mode.
pub async fn visits(conn: &mut PgConnection, study_id: i64, mode: Mode) -> Result<VisitCounts> {
    let rows = sqlx::query!(
        r#"select l.crowd_group, a.kind, sum(a.n)::bigint as "n!" from links l
           cross join lateral (select kind, n from arrivals where link_id = l.id offset 0) a
           where l.study_id = $1 and l.mode = $2 group by l.crowd_group, a.kind"#,
        study_id,
        mode.as_str(),
    )
    .fetch_all(conn)
    .await?;
    let mut visits = VisitCounts::new();
    for row in rows {
        visits.entry(word(&row.crowd_group)?).or_default().insert(word(&row.kind)?, number(row.n)?);
    }
    Ok(visits)
}

/// The number of arrivals of one kind by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivalCount {
    pub link: String,
    pub kind: Arrival,
    /// The number of arrivals.
    pub n: u64,
    /// The newest day with such an arrival, in UTC.
    pub last: NaiveDate,
}

/// Counts the arrivals since a day by the links of a mode, by link and kind.
pub async fn since(
    conn: &mut PgConnection,
    study_id: i64,
    mode: Mode,
    day: NaiveDate,
) -> Result<Vec<ArrivalCount>> {
    let rows = sqlx::query!(
        r#"select l.name, a.kind, sum(a.n)::bigint as "n!", max(a.day) as "last!"
           from links l
           cross join lateral (select kind, n, day from arrivals where link_id = l.id offset 0) a
           where l.study_id = $1 and l.mode = $2 and a.day >= $3 group by l.id, a.kind order by l.id, a.kind"#,
        study_id,
        mode.as_str(),
        day,
    )
    .fetch_all(conn)
    .await?;
    let count = |(link, kind, n, last): (String, String, i64, NaiveDate)| {
        Ok(ArrivalCount { link, kind: word(&kind)?, n: number(n)?, last })
    };
    rows.into_iter().map(|row| count((row.name, row.kind, row.n, row.last))).collect()
}
