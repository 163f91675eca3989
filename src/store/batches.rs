//! What a batch of records reads and writes: few statements, however many people it is about.
//!
//! A server decides on what it remembers of a person as of a [`Revision`] of their row, which is its own: it wrote the row when
//! it read the person ([`claim`]). [`save`] stores what was decided about a person only if the row still has it. Whoever else
//! changes a participation, its schedule or its answers writes the row first, another server by claiming it; so nothing can
//! have been decided on what is no longer so.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::answers::order_literal;
use super::{Result, column, numbers};
use crate::domain::participant::Participant;
use crate::domain::record::{Continued, NewEvent, Response};
use crate::domain::schedule::ScheduledTrial;

/// Which state of a participant's row is meant: the transaction that wrote it (`xmin`). Every change of the row gives it
/// another one, by whomever it is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revision(String);

/// Somebody's token, and how their row stands; none while another session holds it.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The token's SHA-256.
    pub token_sha256: Vec<u8>,
    /// Whose it is.
    pub id: Uuid,
    /// Their row.
    pub revision: Option<Revision>,
}

/// Whose tokens these are; those that are nobody's are left out. Their rows are written, so that whatever other servers
/// remember of them is out of date. Rows that other sessions hold are not waited for: they would hold up all the others.
pub async fn claim(conn: &mut PgConnection, tokens_sha256: &[Vec<u8>]) -> Result<Vec<Owner>> {
    let rows = sqlx::query!(
        r#"with whose as (
             select sha256, participant_id from participant_tokens where sha256 = any($1)
           ), locked as (
             select id from participants where id in (select participant_id from whose) order by id
             for no key update skip locked
           ), claimed as (
             update participants p set tab = p.tab from locked where p.id = locked.id returning p.id, p.xmin::text as revision
           )
           select sha256, participant_id, revision as "revision?" from whose left join claimed on id = participant_id"#,
        tokens_sha256
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Owner {
            token_sha256: row.sha256,
            id: row.participant_id,
            revision: row.revision.map(Revision),
        })
        .collect())
}

/// Locks the row of a token's owner until the transaction ends, and waits for it if another session has locked it.
pub async fn lock_owner(conn: &mut PgConnection, token_sha256: &[u8]) -> Result<()> {
    sqlx::query!(
        "select p.id from participant_tokens t join participants p on p.id = t.participant_id where t.sha256 = $1
         for no key update of p",
        token_sha256,
    )
    .fetch_optional(conn)
    .await?;
    Ok(())
}

/// What a batch of records leads to.
#[derive(Debug, Default)]
pub struct Batch {
    /// Those whose rows change, as they stand now, with the revisions on which that was decided.
    pub changed: Vec<(Participant, Revision)>,
    /// All others whom it is about.
    pub unchanged: Vec<(Uuid, Revision)>,
    /// New answers.
    pub responses: Vec<(Uuid, Response)>,
    /// What became known after the answers: when Continue was pressed.
    pub continued: Vec<(Uuid, Continued)>,
    /// Events. One that is there already is left alone.
    pub events: Vec<(Uuid, NewEvent)>,
    /// Practice blocks drawn.
    pub drawn: Vec<(Uuid, ScheduledTrial)>,
}

impl Batch {
    /// Whether there are answers, and nothing else.
    const fn is_answers(&self) -> bool {
        self.changed.is_empty()
            && self.continued.is_empty()
            && self.events.is_empty()
            && self.drawn.is_empty()
    }
}

/// A statement that locks the rows that still are as they were and that nobody else holds, and stores the answers of their
/// people, with what comes before and after. Its arguments are those of the answers (to $21), the ids and revisions of unchanged
/// rows, and others.
macro_rules! save {
    ($batch:expr, $before:literal, $after:literal $(, $argument:expr)*) => {
        sqlx::query!(
            "with same as (
               select p.id, p.xmin::text as revision
               from unnest($22::uuid[], $23::text[]) as new (id, revision) join participants p on p.id = new.id
               where p.xmin = new.revision::xid
               for no key update of p skip locked
             ), " + $before + ", answered as (
               insert into responses (participant_id, block, attempt, trial_index, response, choice_side, correct,
                   confidence, rt, continue_rt, time_elapsed, input, presentations, hidden_ms, load_wait, display_scale,
                   answered_at, device_scale, frame_ms, pointerdown_rt, continue_hidden_ms)
               select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::smallint[], $5::smallint[], $6::text[],
                       $7::boolean[], $8::smallint[], $9::float8[], $10::float8[], $11::float8[], $12::text[],
                       $13::int[], $14::float8[], $15::float8[], $16::float8[], $17::timestamptz[],
                       $18::float8[], $19::float8[], $20::float8[], $21::float8[])
                   as new (participant_id)
               where participant_id in (select id from saved)
             )" + $after + "
             select array(select id from saved) as \"ids!\", array(select revision from saved) as \"revisions!\",
               array(select participant_id from happened) as \"events!\"",
            column!($batch.responses, (id, _) => *id),
            column!($batch.responses, (_, r) => r.answer.block.as_str()) as &[&str],
            numbers!(i16, $batch.responses, (_, r) => r.answer.attempt),
            numbers!(i16, $batch.responses, (_, r) => r.answer.trial_index),
            column!($batch.responses, (_, r) => i16::from(r.answer.response)),
            column!($batch.responses, (_, r) => r.choice_side.as_str()) as &[&str],
            column!($batch.responses, (_, r) => r.correct),
            column!($batch.responses, (_, r) => i16::from(r.confidence)),
            column!($batch.responses, (_, r) => r.answer.rt) as &[Option<f64>],
            column!($batch.responses, (_, r) => r.answer.continue_rt) as &[Option<f64>],
            column!($batch.responses, (_, r) => r.answer.time_elapsed),
            column!($batch.responses, (_, r) => r.answer.input.as_str()) as &[&str],
            numbers!(i32, $batch.responses, (_, r) => r.answer.presentations),
            column!($batch.responses, (_, r) => r.answer.hidden_ms),
            column!($batch.responses, (_, r) => r.answer.load_wait),
            column!($batch.responses, (_, r) => r.answer.display_scale),
            column!($batch.responses, (_, r) => r.answered_at),
            column!($batch.responses, (_, r) => r.answer.device_scale) as &[Option<f64>],
            column!($batch.responses, (_, r) => r.answer.frame_ms) as &[Option<f64>],
            column!($batch.responses, (_, r) => r.answer.pointerdown_rt) as &[Option<f64>],
            column!($batch.responses, (_, r) => r.answer.continue_hidden_ms) as &[Option<f64>],
            column!($batch.unchanged, (id, _) => *id),
            column!($batch.unchanged, (_, revision) => revision.0.as_str()) as &[&str],
            $($argument),*
        )
    };
}

/// What was stored of a batch.
#[derive(Debug, Default)]
pub struct Saved {
    /// Those whose rows were as they were when it was decided, with the new revisions of their rows.
    pub revisions: Vec<(Uuid, Revision)>,
    /// Whose events were not there yet, once per event.
    pub events: Vec<Uuid>,
}

/// Stores what was decided about those whose rows are as they were when it was decided and are held by no other
/// session. Of all others nothing is stored.
pub async fn save(conn: &mut PgConnection, batch: &Batch, now: DateTime<Utc>) -> Result<Saved> {
    if batch.is_answers() {
        // Most records are an answer and nothing else; this takes a third of the time of what follows.
        let saved = save!(
            batch,
            "saved as (select id, revision from same)",
            ", happened as (select id as participant_id from saved where false)"
        );
        let saved = saved.fetch_one(conn).await?;
        return Ok(Saved::new(saved.ids, saved.revisions, saved.events));
    }
    let saved = save!(
        batch,
        "free as (
           select p.id from unnest($24::uuid[], $25::text[]) as new (id, revision) join participants p on p.id = new.id
           where p.xmin = new.revision::xid
           for no key update of p skip locked
         ), updated as (
           update participants p set stage = new.stage, screen = new.screen, practice_attempt = new.practice_attempt,
               lease_until = new.lease_until, last_seen_at = new.last_seen_at, started_at = new.started_at,
               instructed_at = new.instructed_at, practised_at = new.practised_at, running_at = new.running_at,
               clock_ms = new.clock_ms, clock_at = new.clock_at, clock_discrepancy_s = new.clock_discrepancy_s,
               instruction_ms = new.instruction_ms, instruction_load_wait_ms = new.instruction_load_wait_ms,
               seen_ms = new.seen_ms, instruction_bound_ms = new.instruction_bound_ms,
               events_dropped = new.events_dropped
           from unnest($24::uuid[], $25::text[], $26::text[], $27::text[], $28::smallint[], $29::timestamptz[],
                   $30::timestamptz[], $31::timestamptz[], $32::timestamptz[], $33::timestamptz[], $34::timestamptz[],
                   $35::float8[], $36::timestamptz[], $37::float8[], $38::float8[], $39::float8[],
                   $40::float8[], $41::float8[], $42::int[])
               as new (id, revision, stage, screen, practice_attempt, lease_until, last_seen_at, started_at,
                   instructed_at, practised_at, running_at, clock_ms, clock_at, clock_discrepancy_s, instruction_ms,
                   instruction_load_wait_ms, seen_ms, instruction_bound_ms, events_dropped)
           where p.id = new.id and p.xmin = new.revision::xid and p.id in (select id from free)
           returning p.id, p.xmin::text as revision
         ), saved as (select id, revision from same union all select id, revision from updated)",
        ", drawn as (
           insert into schedule (participant_id, block, attempt, trial_index, trial_id, max_side, reference_order)
           select participant_id, block, attempt, trial_index, trial_id, max_side, reference_order::smallint[]
           from unnest($43::uuid[], $44::text[], $45::smallint[], $46::smallint[], $47::bigint[], $48::text[],
                   $49::text[])
               as new (participant_id, block, attempt, trial_index, trial_id, max_side, reference_order)
           where participant_id in (select id from saved)
         ), continued as (
           update responses r set continue_rt = new.rt, continue_hidden_ms = new.hidden_ms
           from unnest($50::uuid[], $51::text[], $52::smallint[], $53::smallint[], $54::float8[],
                   $55::float8[])
               as new (participant_id, block, attempt, trial_index, rt, hidden_ms)
           where r.participant_id = new.participant_id and r.block = new.block and r.attempt = new.attempt
             and r.trial_index = new.trial_index and r.participant_id in (select id from saved)
         ), happened as (
           insert into events (participant_id, tab, seq, kind, at_ms, server_at, detail)
           select participant_id, tab, seq, kind, at_ms, $62, detail
           from unnest($56::uuid[], $57::int[], $58::int[], $59::text[], $60::float8[], $61::jsonb[])
               as new (participant_id, tab, seq, kind, at_ms, detail)
           where participant_id in (select id from saved)
           on conflict do nothing
           returning participant_id
         )",
        column!(batch.changed, (p, _) => p.id),
        column!(batch.changed, (_, revision) => revision.0.as_str()) as &[&str],
        column!(batch.changed, (p, _) => p.stage.as_str()) as &[&str],
        column!(batch.changed, (p, _) => p.screen.as_deref()) as &[Option<&str>],
        numbers!(i16, batch.changed, (p, _) => p.practice_attempt),
        column!(batch.changed, (p, _) => p.lease_until),
        column!(batch.changed, (p, _) => p.last_seen_at),
        column!(batch.changed, (p, _) => p.started_at) as &[Option<DateTime<Utc>>],
        column!(batch.changed, (p, _) => p.instructed_at) as &[Option<DateTime<Utc>>],
        column!(batch.changed, (p, _) => p.practised_at) as &[Option<DateTime<Utc>>],
        column!(batch.changed, (p, _) => p.running_at) as &[Option<DateTime<Utc>>],
        column!(batch.changed, (p, _) => p.clock_ms) as &[Option<f64>],
        column!(batch.changed, (p, _) => p.clock_at) as &[Option<DateTime<Utc>>],
        column!(batch.changed, (p, _) => p.clock_discrepancy_s) as &[Option<f64>],
        column!(batch.changed, (p, _) => p.instruction_ms) as &[Option<f64>],
        column!(batch.changed, (p, _) => p.instruction_load_wait_ms),
        column!(batch.changed, (p, _) => p.seen_ms),
        column!(batch.changed, (p, _) => p.instruction_bound_ms) as &[Option<f64>],
        numbers!(i32, batch.changed, (p, _) => p.events_dropped),
        column!(batch.drawn, (id, _) => *id),
        column!(batch.drawn, (_, trial) => trial.block.as_str()) as &[&str],
        numbers!(i16, batch.drawn, (_, trial) => trial.attempt),
        numbers!(i16, batch.drawn, (_, trial) => trial.trial_index),
        column!(batch.drawn, (_, trial) => trial.trial_id),
        column!(batch.drawn, (_, trial) => trial.max_side.as_str()) as &[&str],
        column!(batch.drawn, (_, trial) => order_literal(&trial.reference_order)),
        column!(batch.continued, (id, _) => *id),
        column!(batch.continued, (_, new) => new.place.block.as_str()) as &[&str],
        numbers!(i16, batch.continued, (_, new) => new.place.attempt),
        numbers!(i16, batch.continued, (_, new) => new.place.trial_index),
        column!(batch.continued, (_, new) => new.rt),
        column!(batch.continued, (_, new) => new.hidden_ms) as &[Option<f64>],
        column!(batch.events, (id, _) => *id),
        column!(batch.events, (_, event) => event.source.map(|(tab, _)| tab)) as &[Option<i32>],
        column!(batch.events, (_, event) => event.source.map(|(_, seq)| seq)) as &[Option<i32>],
        column!(batch.events, (_, event) => event.kind.as_str()) as &[&str],
        column!(batch.events, (_, event) => event.at_ms) as &[Option<f64>],
        column!(batch.events, (_, event) => event.detail.clone()),
        now
    )
    .fetch_one(conn)
    .await?;
    Ok(Saved::new(saved.ids, saved.revisions, saved.events))
}

impl Saved {
    fn new(ids: Vec<Uuid>, revisions: Vec<String>, events: Vec<Uuid>) -> Self {
        Self { revisions: ids.into_iter().zip(revisions.into_iter().map(Revision)).collect(), events }
    }
}
