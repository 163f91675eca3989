//! What a batch of records reads and writes: few statements, however many people it is about.
//!
//! Nothing is locked while a batch is decided. Whoever decides knows each person as of a [`Revision`] of their row, and
//! [`save`] stores what was decided about a person only if the row still has it. Whatever else changes a participation, its
//! schedule or its answers changes or locks the row first, so that nothing can have been decided on what is no longer so.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use super::records::order_literal;
use crate::domain::participant::Participant;
use crate::domain::record::{NewEvent, Response};
use crate::domain::schedule::{Place, ScheduledTrial};

/// Which state of a participant's row is meant: the transaction that wrote it (`xmin`). Every change of the row gives it
/// another one, by whomever it is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revision(String);

/// Somebody's token, and how their row stands.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The token's SHA-256.
    pub token_sha256: Vec<u8>,
    /// Whose it is.
    pub id: Uuid,
    /// Their row. What is read after it is not older than it.
    pub revision: Revision,
}

/// Whose tokens these are; those that are nobody's are left out.
pub async fn owners(conn: &mut PgConnection, tokens_sha256: &[Vec<u8>]) -> Result<Vec<Owner>> {
    let rows = sqlx::query!(
        r#"select t.sha256, p.id, p.xmin::text as "revision!"
           from participant_tokens t join participants p on p.id = t.participant_id where t.sha256 = any($1)"#,
        tokens_sha256
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Owner { token_sha256: row.sha256, id: row.id, revision: Revision(row.revision) })
        .collect())
}

/// What a batch of records leads to.
#[derive(Debug, Default)]
pub struct Batch {
    /// Everybody whom it is about, as they stand now, with the revision on which that was decided.
    pub people: Vec<(Participant, Revision)>,
    /// New answers.
    pub responses: Vec<(Uuid, Response)>,
    /// Times to Continue that became known after the answers, in ms.
    pub continued: Vec<(Uuid, Place, f64)>,
    /// Events. One that is there already is left alone.
    pub events: Vec<(Uuid, NewEvent)>,
    /// Practice blocks drawn.
    pub drawn: Vec<(Uuid, ScheduledTrial)>,
}

/// Stores, for good, what was decided about those whose rows are as they were when it was decided, and returns their rows'
/// new revisions. Of all others nothing is stored.
pub async fn save(
    conn: &mut PgConnection,
    batch: &Batch,
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, Revision)>> {
    macro_rules! column {
        ($list:ident, $row:pat => $value:expr) => {
            &batch.$list.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    let rows = sqlx::query!(
        r#"with saved as (
             update participants p set stage = new.stage, screen = new.screen, practice_attempt = new.practice_attempt,
                 lease_until = new.lease_until, last_seen_at = new.last_seen_at, started_at = new.started_at,
                 instructed_at = new.instructed_at, practised_at = new.practised_at, running_at = new.running_at,
                 clock_ms = new.clock_ms, clock_at = new.clock_at, clock_discrepancy_s = new.clock_discrepancy_s,
                 instruction_ms = new.instruction_ms, instruction_load_wait_ms = new.instruction_load_wait_ms
             from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::timestamptz[],
                     $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[],
                     $12::float8[], $13::timestamptz[], $14::float8[], $15::float8[], $16::float8[])
                 as new (id, revision, stage, screen, practice_attempt, lease_until, last_seen_at, started_at,
                     instructed_at, practised_at, running_at, clock_ms, clock_at, clock_discrepancy_s, instruction_ms,
                     instruction_load_wait_ms)
             where p.id = new.id and p.xmin = new.revision::xid
             returning p.id, p.xmin::text as revision
           ), drawn as (
             insert into schedule (participant_id, block, attempt, trial_index, trial_id, max_side, reference_order)
             select participant_id, block, attempt, trial_index, trial_id, max_side, reference_order::smallint[]
             from unnest($17::uuid[], $18::text[], $19::smallint[], $20::smallint[], $21::bigint[], $22::text[],
                     $23::text[])
                 as new (participant_id, block, attempt, trial_index, trial_id, max_side, reference_order)
             where participant_id in (select id from saved)
           ), answered as (
             insert into responses (participant_id, block, attempt, trial_index, response, choice_side, correct,
                 confidence, rt, continue_rt, time_elapsed, input, presentations, hidden_ms, load_wait, display_scale,
                 answered_at)
             select * from unnest($24::uuid[], $25::text[], $26::smallint[], $27::smallint[], $28::smallint[],
                     $29::text[], $30::boolean[], $31::smallint[], $32::float8[], $33::float8[], $34::float8[],
                     $35::text[], $36::int[], $37::float8[], $38::float8[], $39::float8[], $40::timestamptz[])
                 as new (participant_id)
             where participant_id in (select id from saved)
           ), continued as (
             update responses r set continue_rt = new.ms
             from unnest($41::uuid[], $42::text[], $43::smallint[], $44::smallint[], $45::float8[])
                 as new (participant_id, block, attempt, trial_index, ms)
             where r.participant_id = new.participant_id and r.block = new.block and r.attempt = new.attempt
               and r.trial_index = new.trial_index and r.participant_id in (select id from saved)
           ), happened as (
             insert into events (participant_id, tab, seq, kind, at_ms, server_at, detail)
             select participant_id, tab, seq, kind, at_ms, $52, detail
             from unnest($46::uuid[], $47::int[], $48::int[], $49::text[], $50::float8[], $51::jsonb[])
                 as new (participant_id, tab, seq, kind, at_ms, detail)
             where participant_id in (select id from saved)
             on conflict do nothing
           )
           select id, revision as "revision!" from saved"#,
        column!(people, (p, _) => p.id),
        column!(people, (_, revision) => revision.0.as_str()) as &[&str],
        column!(people, (p, _) => p.stage.as_str()) as &[&str],
        column!(people, (p, _) => p.screen.as_deref()) as &[Option<&str>],
        column!(people, (p, _) => p.practice_attempt as i16),
        column!(people, (p, _) => p.lease_until),
        column!(people, (p, _) => p.last_seen_at),
        column!(people, (p, _) => p.started_at) as &[Option<DateTime<Utc>>],
        column!(people, (p, _) => p.instructed_at) as &[Option<DateTime<Utc>>],
        column!(people, (p, _) => p.practised_at) as &[Option<DateTime<Utc>>],
        column!(people, (p, _) => p.running_at) as &[Option<DateTime<Utc>>],
        column!(people, (p, _) => p.clock_ms) as &[Option<f64>],
        column!(people, (p, _) => p.clock_at) as &[Option<DateTime<Utc>>],
        column!(people, (p, _) => p.clock_discrepancy_s) as &[Option<f64>],
        column!(people, (p, _) => p.instruction_ms) as &[Option<f64>],
        column!(people, (p, _) => p.instruction_load_wait_ms),
        column!(drawn, (id, _) => *id),
        column!(drawn, (_, trial) => trial.block.as_str()) as &[&str],
        column!(drawn, (_, trial) => trial.attempt as i16),
        column!(drawn, (_, trial) => trial.trial_index as i16),
        column!(drawn, (_, trial) => trial.trial_id),
        column!(drawn, (_, trial) => trial.max_side.as_str()) as &[&str],
        column!(drawn, (_, trial) => order_literal(&trial.reference_order)),
        column!(responses, (id, _) => *id),
        column!(responses, (_, r) => r.answer.block.as_str()) as &[&str],
        column!(responses, (_, r) => r.answer.attempt as i16),
        column!(responses, (_, r) => r.answer.trial_index as i16),
        column!(responses, (_, r) => i16::from(r.answer.response)),
        column!(responses, (_, r) => r.choice_side.as_str()) as &[&str],
        column!(responses, (_, r) => r.correct),
        column!(responses, (_, r) => i16::from(r.confidence)),
        column!(responses, (_, r) => r.answer.rt) as &[Option<f64>],
        column!(responses, (_, r) => r.answer.continue_rt) as &[Option<f64>],
        column!(responses, (_, r) => r.answer.time_elapsed),
        column!(responses, (_, r) => r.answer.input.as_str()) as &[&str],
        column!(responses, (_, r) => r.answer.presentations as i32),
        column!(responses, (_, r) => r.answer.hidden_ms),
        column!(responses, (_, r) => r.answer.load_wait),
        column!(responses, (_, r) => r.answer.display_scale),
        column!(responses, (_, r) => r.answered_at),
        column!(continued, (id, ..) => *id),
        column!(continued, (_, place, _) => place.block.as_str()) as &[&str],
        column!(continued, (_, place, _) => place.attempt as i16),
        column!(continued, (_, place, _) => place.trial_index as i16),
        column!(continued, (.., ms) => *ms),
        column!(events, (id, _) => *id),
        column!(events, (_, event) => event.source.map(|(tab, _)| tab)) as &[Option<i32>],
        column!(events, (_, event) => event.source.map(|(_, seq)| seq)) as &[Option<i32>],
        column!(events, (_, event) => event.kind.as_str()) as &[&str],
        column!(events, (_, event) => event.at_ms) as &[Option<f64>],
        column!(events, (_, event) => event.detail.clone()),
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, Revision(row.revision))).collect())
}
