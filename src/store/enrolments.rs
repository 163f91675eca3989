//! Stores the participations of many people who consent at the same time, with one statement per table.

use sqlx::PgConnection;
use uuid::Uuid;

use super::answers::order_literal;
use super::identities::PersonKey;
use super::participants::Device;
use super::{Result, numbers};
use crate::domain::identity::Identity;
use crate::domain::participant::Participant;
use crate::domain::schedule::ScheduledTrial;

/// A new participation with all data that are stored at consent.
#[derive(Debug, Clone)]
pub struct NewParticipation {
    pub person: Participant,
    /// SHA-256 of the consent text that the person agreed to.
    pub consent_sha256: Vec<u8>,
    pub device: Device,
    /// SHA-256 of the person's token.
    pub token_sha256: Vec<u8>,
    /// The person's identity. None if the platform does not say it.
    pub named: Option<NamedPerson>,
    /// The schedule, as far as it is drawn at consent.
    pub trials: Vec<ScheduledTrial>,
}

impl NewParticipation {
    /// The assignment with which the person came.
    fn assignment(&self) -> Option<&str> {
        self.named.as_ref()?.identity.assignment_id.as_deref()
    }
}

/// A person whom a platform identifies.
#[derive(Debug, Clone)]
pub struct NamedPerson {
    /// The person's key in the once-only rule.
    pub key: PersonKey,
    pub identity: Identity,
    /// The code that confirms the participation to the platform.
    pub receipt: String,
}

/// Stores new participations. The caller has made sure that their slots are free. Returns false if one of the people already has a
/// participation in the study family; then the caller must not commit the transaction.
pub async fn insert_all(conn: &mut PgConnection, family: &str, new: &[&NewParticipation]) -> Result<bool> {
    if new.is_empty() {
        return Ok(true);
    }
    insert_people(&mut *conn, new).await?;
    let claimed = claim_once(&mut *conn, family, new).await?;
    insert_tokens(&mut *conn, new).await?;
    insert_assignments(&mut *conn, new).await?;
    let trials = new.iter().flat_map(|new| new.trials.iter().map(|trial| (new.person.id, trial)));
    insert_schedule(conn, &trials.collect::<Vec<_>>()).await?;
    Ok(claimed)
}

/// One column of a list of rows, as an array for `unnest`.
macro_rules! column {
    ($rows:ident, $row:pat => $value:expr) => {
        &$rows.iter().map(|$row| $value).collect::<Vec<_>>()
    };
}

async fn insert_people(conn: &mut PgConnection, new: &[&NewParticipation]) -> Result<()> {
    sqlx::query!(
        "insert into participants (id, study_id, version_id, link_id, pseudonym, mode, crowd_group, platform,
            condition, image_set, slot_id, claim, stage, seed, tab, practice_attempt, consent_sha256,
            enrolled_at, leased_at, lease_until, last_seen_at,
            browser, system, screen_width, screen_height, window_width, window_height, pixel_ratio)
         select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::int[], $11::bigint[], $12::text[], $13::text[], $14::bigint[], $15::int[],
            $16::smallint[], $17::bytea[], $18::timestamptz[], $19::timestamptz[], $20::timestamptz[],
            $21::timestamptz[], $22::text[], $23::text[], $24::int[], $25::int[], $26::int[], $27::int[],
            $28::float8[])",
        column!(new, n => n.person.id),
        column!(new, n => n.person.study_id),
        column!(new, n => n.person.version_id),
        column!(new, n => n.person.link_id),
        column!(new, n => n.person.pseudonym.as_str()) as &[&str],
        column!(new, n => n.person.mode.as_str()) as &[&str],
        column!(new, n => n.person.group.as_str()) as &[&str],
        column!(new, n => n.person.platform.as_str()) as &[&str],
        column!(new, n => n.person.condition.as_str()) as &[&str],
        numbers!(i32, new, n => n.person.image_set),
        column!(new, n => n.person.slot_id) as &[Option<i64>],
        column!(new, n => n.person.claim.as_str()) as &[&str],
        column!(new, n => n.person.stage.as_str()) as &[&str],
        column!(new, n => n.person.seed.cast_signed()),
        column!(new, n => n.person.tab),
        numbers!(i16, new, n => n.person.practice_attempt),
        column!(new, n => n.consent_sha256.as_slice()) as &[&[u8]],
        column!(new, n => n.person.enrolled_at),
        column!(new, n => n.person.leased_at),
        column!(new, n => n.person.lease_until),
        column!(new, n => n.person.last_seen_at),
        column!(new, n => n.device.browser.as_deref()) as &[Option<&str>],
        column!(new, n => n.device.system.as_deref()) as &[Option<&str>],
        column!(new, n => n.device.screen_width) as &[Option<i32>],
        column!(new, n => n.device.screen_height) as &[Option<i32>],
        column!(new, n => n.device.window_width) as &[Option<i32>],
        column!(new, n => n.device.window_height) as &[Option<i32>],
        column!(new, n => n.device.pixel_ratio) as &[Option<f64>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Claims for each identified person their only participation in the study family, and stores their ids. Returns false if one of them
/// already has a participation.
async fn claim_once(conn: &mut PgConnection, family: &str, new: &[&NewParticipation]) -> Result<bool> {
    let mut named: Vec<(Uuid, &NamedPerson)> =
        new.iter().filter_map(|new| Some((new.person.id, new.named.as_ref()?))).collect();
    // All studies of a family insert in one order, so that their transactions do not deadlock.
    named.sort_by(|(_, a), (_, b)| a.key.hmac.cmp(&b.key.hmac));
    if named.is_empty() {
        return Ok(true);
    }
    let claimed = sqlx::query!(
        "insert into once_only (family, platform, worker_hmac, participant_id)
         select $1, * from unnest($2::text[], $3::bytea[], $4::uuid[])
         on conflict do nothing",
        family,
        column!(named, (_, n) => n.key.ids_of.as_str()) as &[&str],
        column!(named, (_, n) => n.key.hmac.as_slice()) as &[&[u8]],
        column!(named, (id, _) => *id),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into identities (participant_id, platform, worker_id, assignment_id, hit_id, receipt)
         select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])",
        column!(named, (id, _) => *id),
        column!(named, (_, n) => n.identity.platform.as_str()) as &[&str],
        column!(named, (_, n) => n.identity.worker_id.as_str()) as &[&str],
        column!(named, (_, n) => n.identity.assignment_id.as_deref()) as &[Option<&str>],
        column!(named, (_, n) => n.identity.hit_id.as_deref()) as &[Option<&str>],
        column!(named, (_, n) => n.receipt.as_str()) as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(claimed.rows_affected() == named.len() as u64)
}

async fn insert_tokens(conn: &mut PgConnection, new: &[&NewParticipation]) -> Result<()> {
    sqlx::query!(
        "insert into participant_tokens (sha256, participant_id, assignment, issued_at)
         select * from unnest($1::bytea[], $2::uuid[], $3::smallint[], $4::timestamptz[])",
        column!(new, n => n.token_sha256.as_slice()) as &[&[u8]],
        column!(new, n => n.person.id),
        column!(new, n => n.assignment().map(|_| FIRST)) as &[Option<i16>],
        column!(new, n => n.person.enrolled_at),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The number of a person's first assignment.
const FIRST: i16 = 1;

async fn insert_assignments(conn: &mut PgConnection, new: &[&NewParticipation]) -> Result<()> {
    let new: Vec<(&NewParticipation, &str)> =
        new.iter().filter_map(|new| Some((*new, new.assignment()?))).collect();
    if new.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into assignments (participant_id, number, assignment_id, hit_id, seen_at)
         select participant_id, $5, assignment_id, hit_id, seen_at
         from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
              as new (participant_id, assignment_id, hit_id, seen_at)",
        column!(new, (n, _) => n.person.id),
        column!(new, (_, assignment) => *assignment) as &[&str],
        column!(new, (n, _) => n.named.as_ref().and_then(|named| named.identity.hit_id.as_deref()))
            as &[Option<&str>],
        column!(new, (n, _) => n.person.enrolled_at),
        FIRST,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_schedule(conn: &mut PgConnection, trials: &[(Uuid, &ScheduledTrial)]) -> Result<()> {
    sqlx::query!(
        "insert into schedule (participant_id, block, attempt, trial_index, trial_id, max_side, reference_order)
         select participant_id, block, attempt, trial_index, trial_id, max_side, reference_order::smallint[]
         from unnest($1::uuid[], $2::text[], $3::smallint[], $4::smallint[], $5::bigint[], $6::text[], $7::text[])
              as drawn (participant_id, block, attempt, trial_index, trial_id, max_side, reference_order)",
        column!(trials, (id, _) => *id),
        column!(trials, (_, trial) => trial.block.as_str()) as &[&str],
        numbers!(i16, trials, (_, trial) => trial.attempt),
        numbers!(i16, trials, (_, trial) => trial.trial_index),
        column!(trials, (_, trial) => trial.trial_id),
        column!(trials, (_, trial) => trial.max_side.as_str()) as &[&str],
        column!(trials, (_, trial) => order_literal(&trial.reference_order)),
    )
    .execute(conn)
    .await?;
    Ok(())
}
