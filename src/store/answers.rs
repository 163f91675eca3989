//! Reads schedules, answers and events. `batches` writes what browsers send.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, number, numbers, word};
use crate::domain::record::{Answer, EventKind, MOST_EVENTS};
use crate::domain::schedule::{Place, ScheduledTrial};
use crate::domain::trial::Block;

/// An order as text, which the query casts to an array, because PostgreSQL has no arrays of arrays of different lengths.
pub(super) fn order_literal(order: &[u16]) -> String {
    let numbers: Vec<String> = order.iter().map(u16::to_string).collect();
    format!("{{{}}}", numbers.join(","))
}

/// A scheduled trial and the answer to it, if there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialOnFile {
    pub participant_id: Uuid,
    pub scheduled: ScheduledTrial,
    pub answer: Option<Answer>,
    /// Whether the answer is correct.
    pub correct: Option<bool>,
}

struct ScheduledTrialRow {
    participant_id: Uuid,
    block: String,
    attempt: i16,
    trial_index: i16,
    trial_id: i64,
    max_side: String,
    reference_order: Vec<i16>,
    response: Option<i16>,
    correct: Option<bool>,
    rt: Option<f64>,
    continue_rt: Option<f64>,
    time_elapsed: Option<f64>,
    input: Option<String>,
    presentations: Option<i32>,
    hidden_ms: Option<f64>,
    load_wait: Option<f64>,
    display_scale: Option<f64>,
    device_scale: Option<f64>,
    frame_ms: Option<f64>,
    pointerdown_rt: Option<f64>,
    continue_hidden_ms: Option<f64>,
}

impl TryFrom<ScheduledTrialRow> for TrialOnFile {
    type Error = super::StoreError;

    fn try_from(row: ScheduledTrialRow) -> Result<Self> {
        let place = Place {
            block: word(&row.block)?,
            attempt: number(row.attempt)?,
            trial_index: number(row.trial_index)?,
        };
        let answer = row.response.map(|response| -> Result<Answer> {
            Ok(Answer {
                block: place.block,
                attempt: place.attempt,
                trial_index: place.trial_index,
                response: number(response)?,
                rt: row.rt,
                continue_rt: row.continue_rt,
                time_elapsed: row.time_elapsed.unwrap_or_default(),
                input: word(row.input.as_deref().unwrap_or_default())?,
                presentations: number(row.presentations.unwrap_or_default())?,
                hidden_ms: row.hidden_ms.unwrap_or_default(),
                load_wait: row.load_wait.unwrap_or_default(),
                display_scale: row.display_scale.unwrap_or_default(),
                device_scale: row.device_scale,
                frame_ms: row.frame_ms,
                pointerdown_rt: row.pointerdown_rt,
                continue_hidden_ms: row.continue_hidden_ms,
            })
        });
        let scheduled = ScheduledTrial {
            block: place.block,
            attempt: place.attempt,
            trial_index: place.trial_index,
            trial_id: row.trial_id,
            max_side: word(&row.max_side)?,
            reference_order: row.reference_order.into_iter().map(number).collect::<Result<_>>()?,
        };
        Ok(Self {
            participant_id: row.participant_id,
            scheduled,
            answer: answer.transpose()?,
            correct: row.correct,
        })
    }
}

/// `offset 0` makes PostgreSQL look up each answer by its key. The tables grow every second, and a plan made from statistics that are
/// a minute old would read them as a whole.
macro_rules! select_trials {
    ($rest:literal $(, $args:expr)* $(,)?) => {
        sqlx::query_as!(
            ScheduledTrialRow,
            r#"select s.participant_id as "participant_id!", s.block as "block!", s.attempt as "attempt!",
                s.trial_index as "trial_index!", s.trial_id as "trial_id!", s.max_side as "max_side!",
                s.reference_order as "reference_order!",
                r.response as "response?", r.correct as "correct?", r.rt, r.continue_rt,
                r.time_elapsed as "time_elapsed?", r.input as "input?", r.presentations as "presentations?",
                r.hidden_ms as "hidden_ms?", r.load_wait as "load_wait?", r.display_scale as "display_scale?",
                r.device_scale, r.frame_ms, r.pointerdown_rt, r.continue_hidden_ms
               from schedule s left join lateral (
                 select * from responses r where r.participant_id = s.participant_id and r.block = s.block
                   and r.attempt = s.attempt and r.trial_index = s.trial_index offset 0) r on true "# + $rest
            $(, $args)*
        )
    };
}

/// All trials that were drawn for a participant, in order.
pub async fn trials_of(conn: &mut PgConnection, id: Uuid) -> Result<Vec<TrialOnFile>> {
    let rows =
        select_trials!("where s.participant_id = $1 order by s.block desc, s.attempt, s.trial_index", id)
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(TrialOnFile::try_from).collect()
}

/// A block of trials: its participant, its kind, and its attempt.
pub type BlockOf = (Uuid, Block, u16);

/// The trials of these blocks. Those of one participant follow each other, in order.
pub async fn trials_in(conn: &mut PgConnection, blocks: &[BlockOf]) -> Result<Vec<TrialOnFile>> {
    let ids: Vec<Uuid> = blocks.iter().map(|(id, ..)| *id).collect();
    let runs: Vec<&str> = blocks.iter().map(|(_, block, _)| block.as_str()).collect();
    let rows = select_trials!(
        "where (s.participant_id, s.block, s.attempt) in (select * from unnest($1::uuid[], $2::text[], $3::smallint[]))
         order by s.participant_id, s.block desc, s.attempt, s.trial_index",
        &ids,
        &runs as &[&str],
        numbers!(i16, blocks, (.., attempt) => *attempt)
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(TrialOnFile::try_from).collect()
}

/// The positions of a block's trials that have no answer.
pub async fn unanswered(conn: &mut PgConnection, id: Uuid, block: Block, attempt: u16) -> Result<Vec<u16>> {
    let indices = sqlx::query_scalar!(
        r#"select s.trial_index from schedule s left join responses r using (participant_id, block, attempt, trial_index)
           where s.participant_id = $1 and s.block = $2 and s.attempt = $3 and r.participant_id is null order by 1"#,
        id,
        block.as_str(),
        number::<i16, _>(attempt)?,
    )
    .fetch_all(conn)
    .await?;
    indices.into_iter().map(number).collect()
}

/// The names of up to 10 participants who have an answer to a trial that was not scheduled for them. The database does not refuse such
/// an answer (see `flow::records`). `offset 0` makes PostgreSQL look up the schedule by its key.
pub async fn unscheduled(conn: &mut PgConnection) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        r#"select distinct coalesce(p.pseudonym, r.participant_id::text) as "name!"
           from responses r left join participants p on p.id = r.participant_id
           where not exists (
             select from schedule s where s.participant_id = r.participant_id and s.block = r.block
               and s.attempt = r.attempt and s.trial_index = r.trial_index offset 0)
           order by 1 limit 10"#,
    )
    .fetch_all(conn)
    .await?;
    Ok(names)
}

/// An event as it is stored.
#[derive(Debug, Clone)]
pub struct EventOnFile {
    pub kind: String,
    /// The experiment clock when it happened, in ms since Welcome.
    pub at_ms: Option<f64>,
    /// The time when the server received it.
    pub server_at: DateTime<Utc>,
    pub detail: serde_json::Value,
}

/// The events of a participation, in the order in which the server received them.
pub async fn events_of(conn: &mut PgConnection, id: Uuid) -> Result<Vec<EventOnFile>> {
    let events = sqlx::query_as!(
        EventOnFile,
        "select kind, at_ms, server_at, detail from events where participant_id = $1 order by server_at, id",
        id,
    )
    .fetch_all(conn)
    .await?;
    Ok(events)
}

/// The number of stored events of each of these participants. Those without events are left out.
pub async fn events_stored(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, u32)>> {
    let rows = sqlx::query!(
        r#"select participant_id, count(*) as "events!" from events where participant_id = any($1) group by 1"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((row.participant_id, number(row.events)?))).collect()
}

/// Stores one event that the server noticed, or only counts it if the participant has the most events that are stored. The caller has
/// locked the participant's row.
pub async fn insert_event(
    conn: &mut PgConnection,
    id: Uuid,
    kind: EventKind,
    at_ms: Option<f64>,
    detail: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "with room as (select where (select count(*) from events where participant_id = $1) < $6),
              noted as (insert into events (participant_id, kind, at_ms, server_at, detail)
                        select $1, $2::text, $3::float8, $4::timestamptz, $5::jsonb from room)
         update participants set events_dropped = events_dropped + 1 where id = $1 and not exists (select from room)",
        id,
        kind.as_str(),
        at_ms,
        now,
        detail,
        i64::from(MOST_EVENTS),
    )
    .execute(conn)
    .await?;
    Ok(())
}
