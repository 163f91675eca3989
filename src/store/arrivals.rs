//! Anonymous counts of who came to a link, and how far, before consent.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::{Result, number, word};
use crate::domain::gate::Arrival;
use crate::domain::study::{Group, Mode};

/// Counts arrivals, each by its link, with those of the same day.
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
        // In one order everywhere, so that no two who count wait for each other in a circle.
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

/// Visits by group and how they ended.
pub type VisitCounts = BTreeMap<Group, BTreeMap<Arrival, u64>>;

/// Visits by the links of a mode: whose links they are, and how the visits ended.
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

/// How often people came by a link in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivalCount {
    /// The link's name.
    pub link: String,
    /// How they came.
    pub kind: Arrival,
    /// How many.
    pub n: u64,
    /// The newest day, in UTC.
    pub last: NaiveDate,
}

/// Arrivals since a day by the links of a mode, by link and kind.
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
