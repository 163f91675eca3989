//! Counts people for `/metrics`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, word};
use crate::domain::participant::Stage;

/// The number of people of a study who are in a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleInStage {
    /// The study's short name.
    pub study: String,
    pub mode: String,
    pub group: String,
    /// The stage at the given time.
    pub stage: Stage,
    pub people: i64,
}

/// Counts all participants, by study, mode, group and stage.
pub async fn people(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<PeopleInStage>> {
    let rows = sqlx::query!(
        r#"select s.slug, p.mode, p.crowd_group, p.stage, max(p.lease_until) as "lease_until!", count(*) as "people!"
           from participants p join studies s on s.id = p.study_id
           group by s.slug, p.mode, p.crowd_group, p.stage, p.lease_until < $1"#,
        now,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let stage: Stage = word(&row.stage)?;
            // The latest lease decides for all of them: either all leases in a row have lapsed, or none has.
            let stage = stage.at(row.lease_until, now);
            Ok(PeopleInStage {
                study: row.slug,
                mode: row.mode,
                group: row.crowd_group,
                stage,
                people: row.people,
            })
        })
        .collect()
}
