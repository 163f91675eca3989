//! Studies, their versions and trials.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, StoreError, document, number, to_document, word};
use crate::domain::exclusion::Policy;
use crate::domain::study::{StoredTrial, StudyDefinition, StudyState, StudyVersion};
use crate::domain::trial::{ImageId, ImageOnFile, KnownActivations, Trial};

/// A study without its versions.
#[derive(Debug, Clone)]
pub struct Study {
    pub id: i64,
    /// The short name.
    pub slug: String,
    /// Studies of a family share the once-only rule.
    pub family: String,
    pub state: StudyState,
    /// The enrolment policy, pinned when the study went live.
    pub pinned_policy: Option<Policy>,
    /// The time when it went live for the first time.
    pub went_live_at: Option<DateTime<Utc>>,
    /// The time when a researcher made the results show the names of conditions.
    pub unblinded_at: Option<DateTime<Utc>>,
    /// The number of slots per condition, if a researcher changed the design's number.
    pub slots_per_condition: Option<u32>,
}

struct StudyRow {
    id: i64,
    slug: String,
    family: String,
    state: String,
    pinned_policy: Option<serde_json::Value>,
    went_live_at: Option<DateTime<Utc>>,
    unblinded_at: Option<DateTime<Utc>>,
    slots_per_condition: Option<i32>,
}

impl TryFrom<StudyRow> for Study {
    type Error = super::StoreError;

    fn try_from(row: StudyRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            slug: row.slug,
            family: row.family,
            state: word(&row.state)?,
            pinned_policy: row.pinned_policy.map(document).transpose()?,
            went_live_at: row.went_live_at,
            unblinded_at: row.unblinded_at,
            slots_per_condition: row.slots_per_condition.map(number).transpose()?,
        })
    }
}

/// All studies, by name.
pub async fn all(conn: &mut PgConnection) -> Result<Vec<Study>> {
    let rows = sqlx::query_as!(
        StudyRow,
        "select id, slug, family, state, pinned_policy, went_live_at, unblinded_at, slots_per_condition
         from studies order by slug"
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Study::try_from).collect()
}

/// The study of that name.
pub async fn by_slug(conn: &mut PgConnection, slug: &str) -> Result<Option<Study>> {
    let row = sqlx::query_as!(
        StudyRow,
        "select id, slug, family, state, pinned_policy, went_live_at, unblinded_at, slots_per_condition
         from studies where slug = $1",
        slug
    )
    .fetch_optional(conn)
    .await?;
    row.map(Study::try_from).transpose()
}

/// The study of that number.
pub async fn by_id(conn: &mut PgConnection, id: i64) -> Result<Study> {
    let row = sqlx::query_as!(
        StudyRow,
        "select id, slug, family, state, pinned_policy, went_live_at, unblinded_at, slots_per_condition
         from studies where id = $1",
        id
    )
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// Makes a study as a draft, or locks the study of that name. Returns its number.
pub async fn create_or_lock(
    conn: &mut PgConnection,
    slug: &str,
    family: &str,
    now: DateTime<Utc>,
) -> Result<i64> {
    // The empty update takes the row's lock, so that two imports of one study wait for each other.
    let id = sqlx::query_scalar!(
        "insert into studies (slug, family, state, created_at) values ($1, $2, 'draft', $3)
         on conflict (slug) do update set slug = excluded.slug returning id",
        slug,
        family,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(id)
}

/// Locks a study. Transactions take this lock first if they make a decision that can be made only once.
pub async fn lock(conn: &mut PgConnection, study_id: i64) -> Result<()> {
    sqlx::query!("select id from studies where id = $1 for no key update", study_id).fetch_one(conn).await?;
    Ok(())
}

/// Sets the family of a study.
pub async fn set_family(conn: &mut PgConnection, study_id: i64, family: &str) -> Result<()> {
    sqlx::query!("update studies set family = $2 where id = $1", study_id, family).execute(conn).await?;
    Ok(())
}

/// Sets a study's state. When it goes live for the first time, the enrolment policy is pinned.
pub async fn set_state(
    conn: &mut PgConnection,
    study_id: i64,
    state: StudyState,
    enrolment_policy: &Policy,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "update studies set state = $2,
            pinned_policy = case when $2 = 'live' then coalesce(pinned_policy, $3) else pinned_policy end,
            went_live_at = case when $2 = 'live' then coalesce(went_live_at, $4) else went_live_at end
         where id = $1",
        study_id,
        state.as_str(),
        to_document(enrolment_policy),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets the number of slots per condition.
pub async fn set_quota(conn: &mut PgConnection, study_id: i64, per_condition: u32) -> Result<()> {
    let per_condition: i32 = number(per_condition)?;
    sqlx::query!("update studies set slots_per_condition = $2 where id = $1", study_id, per_condition)
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes the results show the names of conditions. Returns false if they did before.
pub async fn unblind(conn: &mut PgConnection, study_id: i64, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "update studies set unblinded_at = $2 where id = $1 and unblinded_at is null",
        study_id,
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether a study has live participants.
pub async fn has_live_data(conn: &mut PgConnection, study_id: i64) -> Result<bool> {
    let any = sqlx::query_scalar!(
        r#"select exists (select from participants where study_id = $1 and mode = 'live') as "any!""#,
        study_id,
    )
    .fetch_one(conn)
    .await?;
    Ok(any)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionHashes {
    /// The version's number within the study.
    pub number: i32,
    /// The hash of the whole version.
    pub sha256: Vec<u8>,
    /// The hash of the parts that may not change once there are live data.
    pub structure_sha256: Vec<u8>,
}

/// The hashes of the newest version.
pub async fn newest_hashes(conn: &mut PgConnection, study_id: i64) -> Result<Option<VersionHashes>> {
    let row = sqlx::query_as!(
        VersionHashes,
        "select number, sha256, structure_sha256 from study_versions where study_id = $1
         order by number desc limit 1",
        study_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Stores a version without its trials, and returns its number in the database.
pub async fn insert_version(
    conn: &mut PgConnection,
    study_id: i64,
    hashes: &VersionHashes,
    definition: &StudyDefinition,
    now: DateTime<Utc>,
) -> Result<i64> {
    let id = sqlx::query_scalar!(
        "insert into study_versions (study_id, number, sha256, structure_sha256, definition, imported_at)
         values ($1, $2, $3, $4, $5, $6) returning id",
        study_id,
        hashes.number,
        hashes.sha256,
        hashes.structure_sha256,
        to_document(definition),
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(id)
}

/// Stores a row of a version's table of trials.
pub async fn insert_trial(
    conn: &mut PgConnection,
    version_id: i64,
    position: i32,
    trial: &Trial,
) -> Result<()> {
    sqlx::query!(
        "insert into trials (version_id, position, condition, kind, difficulty, image_set, unit, layer, branch,
            base, max_query, min_query, reference_groups, base_activation, max_activation, min_activation,
            center_correct, variance_correct, saliency_correct, object_correct)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, decode($10, 'hex'), decode($11, 'hex'), decode($12, 'hex'),
            $13, $14, $15, $16, $17, $18, $19, $20)",
        version_id,
        position,
        trial.condition,
        trial.kind.as_str(),
        trial.difficulty.map(|difficulty| difficulty.as_str()),
        trial.image_set.map(number::<i32, _>).transpose()?,
        trial.unit,
        trial.layer,
        trial.branch,
        trial.base.0,
        trial.max_query.0,
        trial.min_query.0,
        to_document(&trial.references),
        trial.known.base_activation,
        trial.known.max_activation,
        trial.known.min_activation,
        trial.known.center_correct,
        trial.known.variance_correct,
        trial.known.saliency_correct,
        trial.known.object_correct,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The number in the database of a study's newest version.
pub async fn newest_version_id(conn: &mut PgConnection, study_id: i64) -> Result<i64> {
    let id = sqlx::query_scalar!(
        "select id from study_versions where study_id = $1 order by number desc limit 1",
        study_id,
    )
    .fetch_one(conn)
    .await?;
    Ok(id)
}

/// A version with its trials.
pub async fn version(conn: &mut PgConnection, version_id: i64) -> Result<StudyVersion> {
    let row =
        sqlx::query!("select study_id, number, definition from study_versions where id = $1", version_id)
            .fetch_one(&mut *conn)
            .await?;
    let trials = trials(&mut *conn, version_id).await?;
    Ok(StudyVersion {
        id: version_id,
        study_id: row.study_id,
        number: row.number,
        definition: document(row.definition)?,
        images: images(conn, &trials).await?,
        trials,
    })
}

/// All images of these trials.
async fn images(conn: &mut PgConnection, trials: &[StoredTrial]) -> Result<HashMap<ImageId, ImageOnFile>> {
    let ids: BTreeSet<&ImageId> = trials.iter().flat_map(|row| row.trial.images()).collect();
    let ids: Vec<String> = ids.into_iter().map(|id| id.0.clone()).collect();
    let images = super::images::on_file(conn, &ids).await?;
    match ids.into_iter().find(|id| !images.contains_key(&ImageId(id.clone()))) {
        Some(missing) => {
            Err(StoreError::Corrupt(format!("a trial names the image {missing}, which is not stored")))
        }
        None => Ok(images),
    }
}

async fn trials(conn: &mut PgConnection, version_id: i64) -> Result<Vec<StoredTrial>> {
    let rows = sqlx::query!(
        r#"select id, condition, kind, difficulty, image_set, unit, layer, branch,
                  encode(base, 'hex') as "base!", encode(max_query, 'hex') as "max_query!",
                  encode(min_query, 'hex') as "min_query!", reference_groups,
                  base_activation, max_activation, min_activation,
                  center_correct, variance_correct, saliency_correct, object_correct
           from trials where version_id = $1 order by position"#,
        version_id,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let known = KnownActivations {
                base_activation: row.base_activation,
                max_activation: row.max_activation,
                min_activation: row.min_activation,
                center_correct: row.center_correct,
                variance_correct: row.variance_correct,
                saliency_correct: row.saliency_correct,
                object_correct: row.object_correct,
            };
            let trial = Trial {
                condition: row.condition,
                kind: word(&row.kind)?,
                difficulty: row.difficulty.as_deref().map(word).transpose()?,
                image_set: row.image_set.map(number).transpose()?,
                unit: row.unit,
                layer: row.layer,
                branch: row.branch,
                base: ImageId(row.base),
                max_query: ImageId(row.max_query),
                min_query: ImageId(row.min_query),
                references: document(row.reference_groups)?,
                known,
            };
            Ok(StoredTrial { id: row.id, trial })
        })
        .collect()
}
