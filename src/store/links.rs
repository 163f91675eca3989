//! Entry links of a study.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, word};
use crate::domain::study::{Group, LinkDefinition, Mode, Platform};

/// An entry link.
#[derive(Debug, Clone)]
pub struct Link {
    /// Number in the database.
    pub id: i64,
    /// Its study.
    pub study_id: i64,
    /// What stands in its address.
    pub code: String,
    /// Name for the researcher.
    pub name: String,
    /// What its participations count for.
    pub mode: Mode,
    /// Where its people come from.
    pub platform: Platform,
    /// Who takes part.
    pub group: Group,
    /// Conditions that it may lead to; all if empty.
    pub conditions: Vec<String>,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Code for people who completed.
    pub completion_code: Option<String>,
}

impl Link {
    /// Whether it may lead to a condition.
    pub fn allows(&self, condition: &str) -> bool {
        self.conditions.is_empty() || self.conditions.iter().any(|allowed| allowed == condition)
    }
}

struct LinkRow {
    id: i64,
    study_id: i64,
    code: String,
    name: String,
    mode: String,
    platform: String,
    crowd_group: String,
    conditions: Vec<String>,
    enabled: bool,
    completion_code: Option<String>,
}

impl TryFrom<LinkRow> for Link {
    type Error = super::StoreError;

    fn try_from(row: LinkRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            study_id: row.study_id,
            code: row.code,
            name: row.name,
            mode: word(&row.mode)?,
            platform: word(&row.platform)?,
            group: word(&row.crowd_group)?,
            conditions: row.conditions,
            enabled: row.enabled,
            completion_code: row.completion_code,
        })
    }
}

/// Makes a link unless the study has one of that name; an import never changes a link that is there.
pub async fn create(
    conn: &mut PgConnection,
    study_id: i64,
    link: &LinkDefinition,
    code: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into links (study_id, code, name, mode, platform, crowd_group, conditions, completion_code, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (study_id, name) do nothing",
        study_id,
        code,
        link.name,
        link.mode.as_str(),
        link.platform.as_str(),
        link.group.as_str(),
        &link.conditions,
        link.completion_code,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The link of that code.
pub async fn by_code(conn: &mut PgConnection, code: &str) -> Result<Option<Link>> {
    let row = sqlx::query_as!(
        LinkRow,
        "select id, study_id, code, name, mode, platform, crowd_group, conditions, enabled, completion_code
         from links where code = $1",
        code,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Link::try_from).transpose()
}

/// The link of that number.
pub async fn by_id(conn: &mut PgConnection, id: i64) -> Result<Link> {
    let row = sqlx::query_as!(
        LinkRow,
        "select id, study_id, code, name, mode, platform, crowd_group, conditions, enabled, completion_code
         from links where id = $1",
        id,
    )
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// All links of a study, in the order in which they were made.
pub async fn all(conn: &mut PgConnection, study_id: i64) -> Result<Vec<Link>> {
    let rows = sqlx::query_as!(
        LinkRow,
        "select id, study_id, code, name, mode, platform, crowd_group, conditions, enabled, completion_code
         from links where study_id = $1 order by id",
        study_id,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Link::try_from).collect()
}

/// Switches a link on or off.
pub async fn enable(conn: &mut PgConnection, study_id: i64, link_id: i64, enabled: bool) -> Result<bool> {
    let done = sqlx::query!(
        "update links set enabled = $3 where id = $2 and study_id = $1",
        study_id,
        link_id,
        enabled
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
