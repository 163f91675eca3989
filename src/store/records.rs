//! Schedules, answers and events: what a record of a browser reads and writes, for many people at once.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, number, word};
use crate::domain::record::{Answer, EventKind, NewEvent, Response};
use crate::domain::schedule::{Place, ScheduledTrial};
use crate::domain::trial::Block;

/// Stores a drawn schedule.
pub async fn insert_schedule(conn: &mut PgConnection, id: Uuid, trials: &[ScheduledTrial]) -> Result<()> {
    let blocks: Vec<String> = trials.iter().map(|trial| trial.block.to_string()).collect();
    let attempts: Vec<i16> = trials.iter().map(|trial| trial.attempt as i16).collect();
    let indices: Vec<i16> = trials.iter().map(|trial| trial.trial_index as i16).collect();
    let trial_ids: Vec<i64> = trials.iter().map(|trial| trial.trial_id).collect();
    let sides: Vec<String> = trials.iter().map(|trial| trial.max_side.to_string()).collect();
    // PostgreSQL has no arrays of unequal arrays: orders travel as text and are cast back.
    let orders: Vec<String> = trials.iter().map(|trial| order_literal(&trial.reference_order)).collect();
    sqlx::query!(
        "insert into schedule (participant_id, block, attempt, trial_index, trial_id, max_side, reference_order)
         select $1, block, attempt, trial_index, trial_id, max_side, reference_order::smallint[]
         from unnest($2::text[], $3::smallint[], $4::smallint[], $5::bigint[], $6::text[], $7::text[])
              as drawn (block, attempt, trial_index, trial_id, max_side, reference_order)",
        id,
        &blocks,
        &attempts,
        &indices,
        &trial_ids,
        &sides,
        &orders,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn order_literal(order: &[u16]) -> String {
    let numbers: Vec<String> = order.iter().map(u16::to_string).collect();
    format!("{{{}}}", numbers.join(","))
}

/// A scheduled trial and the answer to it, if there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialOnFile {
    /// Whose.
    pub participant_id: Uuid,
    /// What was drawn.
    pub scheduled: ScheduledTrial,
    /// What was answered.
    pub answer: Option<Answer>,
    /// Whether it was correct.
    pub correct: Option<bool>,
}

struct TrialRow {
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
}

impl TryFrom<TrialRow> for TrialOnFile {
    type Error = super::StoreError;

    fn try_from(row: TrialRow) -> Result<Self> {
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

macro_rules! select_trials {
    ($rest:literal $(, $args:expr)* $(,)?) => {
        sqlx::query_as!(
            TrialRow,
            r#"select s.participant_id, s.block, s.attempt, s.trial_index, s.trial_id, s.max_side, s.reference_order,
                r.response as "response?", r.correct as "correct?", r.rt, r.continue_rt,
                r.time_elapsed as "time_elapsed?", r.input as "input?", r.presentations as "presentations?",
                r.hidden_ms as "hidden_ms?", r.load_wait as "load_wait?", r.display_scale as "display_scale?"
               from schedule s left join responses r using (participant_id, block, attempt, trial_index) "# + $rest
            $(, $args)*
        )
    };
}

/// Everything drawn for a participant, in order.
pub async fn trials_of(conn: &mut PgConnection, id: Uuid) -> Result<Vec<TrialOnFile>> {
    let rows =
        select_trials!("where s.participant_id = $1 order by s.block desc, s.attempt, s.trial_index", id)
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(TrialOnFile::try_from).collect()
}

/// The trials at these places of these participants.
pub async fn trials_at(conn: &mut PgConnection, places: &[(Uuid, Place)]) -> Result<Vec<TrialOnFile>> {
    let ids: Vec<Uuid> = places.iter().map(|(id, _)| *id).collect();
    let blocks: Vec<String> = places.iter().map(|(_, place)| place.block.to_string()).collect();
    let attempts: Vec<i16> = places.iter().map(|(_, place)| place.attempt as i16).collect();
    let indices: Vec<i16> = places.iter().map(|(_, place)| place.trial_index as i16).collect();
    let rows = select_trials!(
        "where (s.participant_id, s.block, s.attempt, s.trial_index) in
            (select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::smallint[]))",
        &ids,
        &blocks,
        &attempts,
        &indices,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(TrialOnFile::try_from).collect()
}

/// The trials of a block that have no answer.
pub async fn unanswered(conn: &mut PgConnection, id: Uuid, block: Block, attempt: u16) -> Result<Vec<u16>> {
    let indices = sqlx::query_scalar!(
        r#"select s.trial_index from schedule s left join responses r using (participant_id, block, attempt, trial_index)
           where s.participant_id = $1 and s.block = $2 and s.attempt = $3 and r.participant_id is null order by 1"#,
        id,
        block.as_str(),
        attempt as i16,
    )
    .fetch_all(conn)
    .await?;
    indices.into_iter().map(number).collect()
}

/// Stores the answers of many people in one statement.
pub async fn insert_responses(conn: &mut PgConnection, responses: &[(Uuid, Response)]) -> Result<()> {
    if responses.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        ($response:ident => $value:expr) => {
            responses.iter().map(|(_, $response)| $value).collect::<Vec<_>>()
        };
    }
    let ids: Vec<Uuid> = responses.iter().map(|(id, _)| *id).collect();
    sqlx::query!(
        "insert into responses (participant_id, block, attempt, trial_index, response, choice_side, correct,
            confidence, rt, continue_rt, time_elapsed, input, presentations, hidden_ms, load_wait, display_scale,
            answered_at)
         select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::smallint[], $5::smallint[], $6::text[],
            $7::boolean[], $8::smallint[], $9::float8[], $10::float8[], $11::float8[], $12::text[], $13::int[],
            $14::float8[], $15::float8[], $16::float8[], $17::timestamptz[])",
        &ids,
        &column!(r => r.answer.block.to_string()),
        &column!(r => r.answer.attempt as i16),
        &column!(r => r.answer.trial_index as i16),
        &column!(r => i16::from(r.answer.response)),
        &column!(r => r.choice_side.to_string()),
        &column!(r => r.correct),
        &column!(r => i16::from(r.confidence)),
        &column!(r => r.answer.rt) as &[Option<f64>],
        &column!(r => r.answer.continue_rt) as &[Option<f64>],
        &column!(r => r.answer.time_elapsed),
        &column!(r => r.answer.input.to_string()),
        &column!(r => r.answer.presentations as i32),
        &column!(r => r.answer.hidden_ms),
        &column!(r => r.answer.load_wait),
        &column!(r => r.answer.display_scale),
        &column!(r => r.answered_at),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores times to Continue that became known after the answers.
pub async fn set_continued(conn: &mut PgConnection, continued: &[(Uuid, Place, f64)]) -> Result<()> {
    if continued.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = continued.iter().map(|(id, ..)| *id).collect();
    let blocks: Vec<String> = continued.iter().map(|(_, place, _)| place.block.to_string()).collect();
    let attempts: Vec<i16> = continued.iter().map(|(_, place, _)| place.attempt as i16).collect();
    let indices: Vec<i16> = continued.iter().map(|(_, place, _)| place.trial_index as i16).collect();
    let times: Vec<f64> = continued.iter().map(|(.., ms)| *ms).collect();
    sqlx::query!(
        "update responses r set continue_rt = known.ms
         from unnest($1::uuid[], $2::text[], $3::smallint[], $4::smallint[], $5::float8[])
              as known (participant_id, block, attempt, trial_index, ms)
         where r.participant_id = known.participant_id and r.block = known.block and r.attempt = known.attempt
           and r.trial_index = known.trial_index and r.continue_rt is null",
        &ids,
        &blocks,
        &attempts,
        &indices,
        &times,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores events of many people; one that is there already is left alone.
pub async fn insert_events(
    conn: &mut PgConnection,
    events: &[(Uuid, NewEvent)],
    now: DateTime<Utc>,
) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = events.iter().map(|(id, _)| *id).collect();
    let tabs: Vec<Option<i32>> = events.iter().map(|(_, event)| event.source.map(|(tab, _)| tab)).collect();
    let seqs: Vec<Option<i32>> = events.iter().map(|(_, event)| event.source.map(|(_, seq)| seq)).collect();
    let kinds: Vec<String> = events.iter().map(|(_, event)| event.kind.to_string()).collect();
    let times: Vec<Option<f64>> = events.iter().map(|(_, event)| event.at_ms).collect();
    let details: Vec<serde_json::Value> = events.iter().map(|(_, event)| event.detail.clone()).collect();
    sqlx::query!(
        "insert into events (participant_id, tab, seq, kind, at_ms, server_at, detail)
         select participant_id, tab, seq, kind, at_ms, $7, detail
         from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::float8[], $6::jsonb[])
              as new (participant_id, tab, seq, kind, at_ms, detail)
         on conflict do nothing",
        &ids,
        &tabs as &[Option<i32>],
        &seqs as &[Option<i32>],
        &kinds,
        &times as &[Option<f64>],
        &details,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An event as it is stored.
#[derive(Debug, Clone)]
pub struct EventOnFile {
    /// What happened.
    pub kind: String,
    /// By the experiment clock, in ms since Welcome.
    pub at_ms: Option<f64>,
    /// When the server heard of it.
    pub server_at: DateTime<Utc>,
    /// More about it.
    pub detail: serde_json::Value,
}

/// The events of a participation, in the order in which the server heard of them.
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

/// Stores one event that the server noticed.
pub async fn insert_event(
    conn: &mut PgConnection,
    id: Uuid,
    kind: EventKind,
    at_ms: Option<f64>,
    detail: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<()> {
    insert_events(conn, &[(id, NewEvent { source: None, kind, at_ms, detail })], now).await
}
