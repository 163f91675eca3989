//! Entry links of a study.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;

use super::{Result, number};
use crate::domain::study::{LinkDefinition, Mode};

#[derive(Debug, Clone)]
pub struct Link {
    pub id: i64,
    pub study_id: i64,
    /// The code in its address.
    pub code: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// The number of personal links that were given out.
    pub personal_links: u32,
    pub definition: LinkDefinition,
}

impl Link {
    pub const fn mode(&self) -> Mode {
        self.definition.mode
    }
}

struct LinkRow {
    id: i64,
    study_id: i64,
    code: String,
    enabled: bool,
    personal_links: i32,
    definition: Json<LinkDefinition>,
}

impl TryFrom<LinkRow> for Link {
    type Error = super::StoreError;

    fn try_from(row: LinkRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            study_id: row.study_id,
            code: row.code,
            enabled: row.enabled,
            personal_links: number(row.personal_links)?,
            definition: row.definition.0,
        })
    }
}

/// Selects the columns of links, so that all queries read the same columns.
macro_rules! select_link {
    ($rest:literal, $($args:expr),*) => {
        sqlx::query_as!(
            LinkRow,
            r#"select id, study_id, code, enabled, personal_links, definition as "definition: Json<LinkDefinition>"
               from links "# + $rest,
            $($args),*
        )
    };
}

/// Makes a link, or updates the settings of the study's link of that name. An update never changes the link's platform, group and mode,
/// its address, or whether it is switched on.
pub async fn create(
    conn: &mut PgConnection,
    study_id: i64,
    link: &LinkDefinition,
    code: &str,
    enabled: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into links (study_id, code, name, mode, platform, crowd_group, definition, enabled, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (study_id, name) do update set definition = excluded.definition
         where (links.mode, links.platform, links.crowd_group)
             = (excluded.mode, excluded.platform, excluded.crowd_group)",
        study_id,
        code,
        link.name,
        link.mode.as_str(),
        link.platform.as_str(),
        link.group.as_str(),
        Json(link) as _,
        enabled,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The link of that code.
pub async fn by_code(conn: &mut PgConnection, code: &str) -> Result<Option<Link>> {
    let row = select_link!("where code = $1", code).fetch_optional(conn).await?;
    row.map(Link::try_from).transpose()
}

/// The link of that number.
pub async fn by_id(conn: &mut PgConnection, id: i64) -> Result<Link> {
    select_link!("where id = $1", id).fetch_one(conn).await?.try_into()
}

/// All links of a study, oldest first.
pub async fn all(conn: &mut PgConnection, study_id: i64) -> Result<Vec<Link>> {
    let rows = select_link!("where study_id = $1 order by id", study_id).fetch_all(conn).await?;
    rows.into_iter().map(Link::try_from).collect()
}

/// Gives out more personal links. Returns false, and changes nothing, if the link would have more than `most`.
pub async fn add_personal(conn: &mut PgConnection, link_id: i64, more: u32, most: u32) -> Result<bool> {
    let done = sqlx::query!(
        "update links set personal_links = personal_links + $2::bigint where id = $1 and personal_links + $2::bigint <= $3",
        link_id,
        i64::from(more),
        i64::from(most),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Switches a link on or off. Returns false if the study has no such link.
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
