//! The rows that `save` passes to the database as one array for each table. Migrations define the composite types. Each struct has the
//! fields of its type in the same order.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::Postgres;
use sqlx::postgres::{PgHasArrayType, PgTypeInfo};
use uuid::Uuid;

use super::Revision;
use crate::domain::participant::Participant;
use crate::domain::record::{Continued, NewEvent, Response};
use crate::domain::schedule::ScheduledTrial;
use crate::store::{Result, number};

/// Names the composite type of the database for a struct, and the type of its arrays.
macro_rules! composite_type {
    ($row:ty, $name:literal, $array:literal) => {
        impl sqlx::Type<Postgres> for $row {
            fn type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($name)
            }
        }

        impl PgHasArrayType for $row {
            fn array_type_info() -> PgTypeInfo {
                PgTypeInfo::with_name($array)
            }
        }
    };
}
composite_type!(RevisionRow, "row_revision", "_row_revision");
composite_type!(AnswerRow, "new_answer", "_new_answer");
composite_type!(ChangeRow, "participant_change", "_participant_change");
composite_type!(DrawnRow, "drawn_trial", "_drawn_trial");
composite_type!(ContinueRow, "pressed_continue", "_pressed_continue");
composite_type!(NewEventRow, "new_event", "_new_event");

/// The revision on which a decision about a participant rests.
#[derive(sqlx::Encode)]
pub struct RevisionRow {
    id: Uuid,
    revision: String,
}

impl RevisionRow {
    pub fn new((id, revision): &(Uuid, Revision)) -> Self {
        Self { id: *id, revision: revision.0.clone() }
    }
}

/// A row of `responses`.
#[derive(sqlx::Encode)]
pub struct AnswerRow {
    participant_id: Uuid,
    block: &'static str,
    attempt: i16,
    trial_index: i16,
    response: i16,
    choice_side: &'static str,
    correct: bool,
    confidence: i16,
    rt: Option<f64>,
    continue_rt: Option<f64>,
    time_elapsed: f64,
    input: &'static str,
    presentations: i32,
    hidden_ms: f64,
    load_wait: f64,
    display_scale: f64,
    answered_at: DateTime<Utc>,
    device_scale: Option<f64>,
    frame_ms: Option<f64>,
    pointerdown_rt: Option<f64>,
    continue_hidden_ms: Option<f64>,
}

impl AnswerRow {
    pub fn new((participant_id, response): &(Uuid, Response)) -> Result<Self> {
        let Response { answer, choice_side, correct, confidence, answered_at } = response;
        Ok(Self {
            participant_id: *participant_id,
            block: answer.block.as_str(),
            attempt: number(answer.attempt)?,
            trial_index: number(answer.trial_index)?,
            response: answer.response.into(),
            choice_side: choice_side.as_str(),
            correct: *correct,
            confidence: (*confidence).into(),
            rt: answer.rt,
            continue_rt: answer.continue_rt,
            time_elapsed: answer.time_elapsed,
            input: answer.input.as_str(),
            presentations: number(answer.presentations)?,
            hidden_ms: answer.hidden_ms,
            load_wait: answer.load_wait,
            display_scale: answer.display_scale,
            answered_at: *answered_at,
            device_scale: answer.device_scale,
            frame_ms: answer.frame_ms,
            pointerdown_rt: answer.pointerdown_rt,
            continue_hidden_ms: answer.continue_hidden_ms,
        })
    }
}

/// The columns of `participants` that records change, with the revision on which the change rests.
#[derive(sqlx::Encode)]
pub struct ChangeRow {
    id: Uuid,
    revision: String,
    stage: &'static str,
    screen: Option<String>,
    practice_attempt: i16,
    lease_until: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    instructed_at: Option<DateTime<Utc>>,
    practised_at: Option<DateTime<Utc>>,
    running_at: Option<DateTime<Utc>>,
    clock_ms: Option<f64>,
    clock_at: Option<DateTime<Utc>>,
    clock_discrepancy_s: Option<f64>,
    instruction_ms: Option<f64>,
    instruction_load_wait_ms: f64,
    seen_ms: f64,
    instruction_bound_ms: Option<f64>,
    events_dropped: i32,
}

impl ChangeRow {
    pub fn new((person, revision): &(Participant, Revision)) -> Result<Self> {
        Ok(Self {
            id: person.id,
            revision: revision.0.clone(),
            stage: person.stage.as_str(),
            screen: person.screen.clone(),
            practice_attempt: number(person.practice_attempt)?,
            lease_until: person.lease_until,
            last_seen_at: person.last_seen_at,
            started_at: person.started_at,
            instructed_at: person.instructed_at,
            practised_at: person.practised_at,
            running_at: person.running_at,
            clock_ms: person.clock_ms,
            clock_at: person.clock_at,
            clock_discrepancy_s: person.clock_discrepancy_s,
            instruction_ms: person.instruction_ms,
            instruction_load_wait_ms: person.instruction_load_wait_ms,
            seen_ms: person.seen_ms,
            instruction_bound_ms: person.instruction_bound_ms,
            events_dropped: number(person.events_dropped)?,
        })
    }
}

/// A row of `schedule` for a new practice trial.
#[derive(sqlx::Encode)]
pub struct DrawnRow {
    participant_id: Uuid,
    block: &'static str,
    attempt: i16,
    trial_index: i16,
    trial_id: i64,
    max_side: &'static str,
    reference_order: Vec<i16>,
}

impl DrawnRow {
    pub fn new((participant_id, trial): &(Uuid, ScheduledTrial)) -> Result<Self> {
        Ok(Self {
            participant_id: *participant_id,
            block: trial.block.as_str(),
            attempt: number(trial.attempt)?,
            trial_index: number(trial.trial_index)?,
            trial_id: trial.trial_id,
            max_side: trial.max_side.as_str(),
            reference_order: trial
                .reference_order
                .iter()
                .map(|place| number(*place))
                .collect::<Result<_>>()?,
        })
    }
}

/// The time when Continue was pressed after an answer that is stored already.
#[derive(sqlx::Encode)]
pub struct ContinueRow {
    participant_id: Uuid,
    block: &'static str,
    attempt: i16,
    trial_index: i16,
    rt: f64,
    hidden_ms: Option<f64>,
}

impl ContinueRow {
    pub fn new((participant_id, continued): &(Uuid, Continued)) -> Result<Self> {
        Ok(Self {
            participant_id: *participant_id,
            block: continued.place.block.as_str(),
            attempt: number(continued.place.attempt)?,
            trial_index: number(continued.place.trial_index)?,
            rt: continued.rt,
            hidden_ms: continued.hidden_ms,
        })
    }
}

/// A row of `events`.
#[derive(sqlx::Encode)]
pub struct NewEventRow {
    participant_id: Uuid,
    tab: Option<i32>,
    seq: Option<i32>,
    kind: &'static str,
    at_ms: Option<f64>,
    detail: Value,
}

impl NewEventRow {
    pub fn new((participant_id, event): &(Uuid, NewEvent)) -> Self {
        Self {
            participant_id: *participant_id,
            tab: event.source.map(|(tab, _)| tab),
            seq: event.source.map(|(_, seq)| seq),
            kind: event.kind.as_str(),
            at_ms: event.at_ms,
            detail: event.detail.clone(),
        }
    }
}
