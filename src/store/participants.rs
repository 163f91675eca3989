//! Participations and their tokens.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, number, word};
use crate::domain::participant::Participant;

pub(super) struct ParticipantRow {
    id: Uuid,
    study_id: i64,
    version_id: i64,
    link_id: i64,
    pseudonym: String,
    mode: String,
    crowd_group: String,
    platform: String,
    condition: String,
    image_set: i32,
    slot_id: Option<i64>,
    claim: String,
    stage: String,
    end_reason: Option<String>,
    screen: Option<String>,
    seed: i64,
    tab: i32,
    practice_attempt: i16,
    enrolled_at: DateTime<Utc>,
    leased_at: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    instructed_at: Option<DateTime<Utc>>,
    practised_at: Option<DateTime<Utc>>,
    running_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    clock_ms: Option<f64>,
    clock_at: Option<DateTime<Utc>>,
    clock_discrepancy_s: Option<f64>,
    seen_ms: f64,
    instruction_ms: Option<f64>,
    instruction_bound_ms: Option<f64>,
    instruction_load_wait_ms: f64,
    total_ms: Option<f64>,
    total_bound_ms: Option<f64>,
    events_dropped: i32,
    posting: Option<i32>,
    passed: Option<bool>,
    late: bool,
}

impl TryFrom<ParticipantRow> for Participant {
    type Error = super::StoreError;

    fn try_from(row: ParticipantRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            study_id: row.study_id,
            version_id: row.version_id,
            link_id: row.link_id,
            pseudonym: row.pseudonym,
            mode: word(&row.mode)?,
            group: word(&row.crowd_group)?,
            platform: word(&row.platform)?,
            condition: row.condition,
            image_set: number(row.image_set)?,
            slot_id: row.slot_id,
            claim: word(&row.claim)?,
            stage: word(&row.stage)?,
            end_reason: row.end_reason.as_deref().map(word).transpose()?,
            screen: row.screen,
            seed: row.seed.cast_unsigned(),
            tab: row.tab,
            practice_attempt: number(row.practice_attempt)?,
            enrolled_at: row.enrolled_at,
            leased_at: row.leased_at,
            lease_until: row.lease_until,
            last_seen_at: row.last_seen_at,
            started_at: row.started_at,
            instructed_at: row.instructed_at,
            practised_at: row.practised_at,
            running_at: row.running_at,
            ended_at: row.ended_at,
            clock_ms: row.clock_ms,
            clock_at: row.clock_at,
            clock_discrepancy_s: row.clock_discrepancy_s,
            seen_ms: row.seen_ms,
            instruction_ms: row.instruction_ms,
            instruction_bound_ms: row.instruction_bound_ms,
            instruction_load_wait_ms: row.instruction_load_wait_ms,
            total_ms: row.total_ms,
            total_bound_ms: row.total_bound_ms,
            events_dropped: number(row.events_dropped)?,
            posting: row.posting.map(number).transpose()?,
            passed: row.passed,
            late: row.late,
        })
    }
}

/// Selects the columns of participants, so that all queries read the same columns.
macro_rules! select_participant {
    ($rest:literal $(, $args:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::store::participants::ParticipantRow,
            "select p.id, p.study_id, p.version_id, p.link_id, p.pseudonym, p.mode, p.crowd_group, p.platform,
                p.condition, p.image_set, p.slot_id, p.claim, p.stage, p.end_reason, p.screen, p.seed, p.tab,
                p.practice_attempt, p.enrolled_at, p.leased_at, p.lease_until, p.last_seen_at, p.started_at,
                p.instructed_at, p.practised_at, p.running_at, p.ended_at, p.clock_ms, p.clock_at,
                p.clock_discrepancy_s, p.seen_ms, p.instruction_ms, p.instruction_bound_ms,
                p.instruction_load_wait_ms, p.total_ms, p.total_bound_ms, p.events_dropped, p.posting,
                p.passed, p.late " + $rest
            $(, $args)*
        )
    };
}

/// What a browser reports about itself at consent. Lengths are in px.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Device {
    /// The browser and its major version.
    pub browser: Option<String>,
    pub system: Option<String>,
    pub screen_width: Option<i32>,
    pub screen_height: Option<i32>,
    pub window_width: Option<i32>,
    pub window_height: Option<i32>,
    /// Device pixels per CSS px.
    pub pixel_ratio: Option<f64>,
}

/// Stores the current state of a participation. It does not write values that never change after consent, nor `events_dropped`, which
/// the functions that store events count.
pub async fn update(conn: &mut PgConnection, person: &Participant) -> Result<()> {
    sqlx::query!(
        "update participants set slot_id = $2, claim = $3, stage = $4, end_reason = $5, screen = $6, tab = $7,
            practice_attempt = $8, leased_at = $9, lease_until = $10, last_seen_at = $11, started_at = $12,
            instructed_at = $13, practised_at = $14, running_at = $15, ended_at = $16, clock_ms = $17,
            clock_at = $18, clock_discrepancy_s = $19, instruction_ms = $20, instruction_load_wait_ms = $21,
            total_ms = $22, posting = $23, passed = $24, late = $25, seen_ms = $26, instruction_bound_ms = $27,
            total_bound_ms = $28
         where id = $1",
        person.id,
        person.slot_id,
        person.claim.as_str(),
        person.stage.as_str(),
        person.end_reason.map(|reason| reason.as_str()),
        person.screen,
        person.tab,
        number::<i16, _>(person.practice_attempt)?,
        person.leased_at,
        person.lease_until,
        person.last_seen_at,
        person.started_at,
        person.instructed_at,
        person.practised_at,
        person.running_at,
        person.ended_at,
        person.clock_ms,
        person.clock_at,
        person.clock_discrepancy_s,
        person.instruction_ms,
        person.instruction_load_wait_ms,
        person.total_ms,
        person.posting.map(number::<i32, _>).transpose()?,
        person.passed,
        person.late,
        person.seen_ms,
        person.instruction_bound_ms,
        person.total_bound_ms,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores the free text that a participant wrote at the end.
pub async fn set_feedback(conn: &mut PgConnection, id: Uuid, feedback: &str) -> Result<()> {
    sqlx::query!("update participants set feedback = $2 where id = $1", id, feedback).execute(conn).await?;
    Ok(())
}

/// The participation of that number.
pub async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Participant> {
    select_participant!("from participants p where p.id = $1", id).fetch_one(conn).await?.try_into()
}

/// Locks and loads the participation of that number. From then on, statements of the transaction wait at most a second for a lock that
/// another session holds, because others may wait for the caller's locks.
pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Participant> {
    select_participant!(
        "from participants p where p.id = $1 and set_config('lock_timeout', '1s', true) <> '' for no key update of p",
        id
    )
        .fetch_one(conn)
        .await?
        .try_into()
}

/// Locks and loads the participation of that number. None if another session has locked it.
pub async fn lock_if_free(conn: &mut PgConnection, id: Uuid) -> Result<Option<Participant>> {
    let row =
        select_participant!("from participants p where p.id = $1 for no key update of p skip locked", id)
            .fetch_optional(conn)
            .await?;
    row.map(Participant::try_from).transpose()
}

/// The participation to which a token belongs.
pub async fn by_token(conn: &mut PgConnection, token_sha256: &[u8]) -> Result<Option<Participant>> {
    let row = select_participant!(
        "from participant_tokens t join participants p on p.id = t.participant_id where t.sha256 = $1",
        token_sha256,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Participant::try_from).transpose()
}

/// The participations of these numbers.
pub async fn get_all(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Participant>> {
    let rows = select_participant!("from participants p where p.id = any($1)", ids).fetch_all(conn).await?;
    rows.into_iter().map(Participant::try_from).collect()
}

/// The owners of tokens. Unknown tokens are left out.
pub async fn owners(conn: &mut PgConnection, tokens_sha256: &[Vec<u8>]) -> Result<Vec<(Vec<u8>, Uuid)>> {
    let rows = sqlx::query!(
        "select sha256, participant_id from participant_tokens where sha256 = any($1)",
        tokens_sha256
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.sha256, row.participant_id)).collect())
}

/// The participation of that pseudonym in a study.
pub async fn by_pseudonym(
    conn: &mut PgConnection,
    study_id: i64,
    pseudonym: &str,
) -> Result<Option<Participant>> {
    let row = select_participant!(
        "from participants p where p.study_id = $1 and p.pseudonym = $2",
        study_id,
        pseudonym
    )
    .fetch_optional(conn)
    .await?;
    row.map(Participant::try_from).transpose()
}

/// The participants of a study whose ids are known, in the order of consent, without simulated people.
pub(super) async fn with_identities(conn: &mut PgConnection, study_id: i64) -> Result<Vec<Participant>> {
    let rows = select_participant!(
        "from participants p
         cross join lateral (select from identities where participant_id = p.id offset 0) i
         where p.study_id = $1 and p.mode <> 'simulated' order by p.enrolled_at, p.id",
        study_id,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Participant::try_from).collect()
}

/// Deletes the answers, schedule, events and tokens of a participation, and in its row what the person wrote and what their browser
/// reported about itself.
pub async fn delete_data(conn: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query!("delete from responses where participant_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from tallies where participant_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from schedule where participant_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from events where participant_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("delete from participant_tokens where participant_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!(
        "update participants set feedback = null, events_dropped = 0, browser = null, system = null, screen_width = null,
            screen_height = null, window_width = null, window_height = null, pixel_ratio = null
         where id = $1",
        id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The number of a participation's tokens.
pub async fn tokens(conn: &mut PgConnection, id: Uuid) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from participant_tokens where participant_id = $1"#,
        id
    );
    Ok(count.fetch_one(conn).await?)
}

/// Adds a token to a participation, unless it has that token. `assignment` is the number of the assignment with which the person came.
pub async fn add_token(
    conn: &mut PgConnection,
    id: Uuid,
    token_sha256: &[u8],
    assignment: Option<i16>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into participant_tokens (sha256, participant_id, assignment, issued_at) values ($1, $2, $3, $4)
         on conflict do nothing",
        token_sha256,
        id,
        assignment,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
