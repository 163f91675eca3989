//! The slots of a study, and which of them are held.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, number};
use crate::domain::allocation::Slot;
use crate::domain::study::{Mode, StudyDefinition};

/// Makes `per_condition` slots for each condition of a study in every mode. Existing slots stay. `domain::quota` decides which of them the
/// study fills.
pub async fn create(
    conn: &mut PgConnection,
    study_id: i64,
    definition: &StudyDefinition,
    per_condition: u32,
) -> Result<()> {
    let conditions: Vec<String> =
        definition.conditions.iter().map(|condition| condition.name.clone()).collect();
    for mode in Mode::ALL {
        sqlx::query!(
            "insert into slots (study_id, mode, condition, number, image_set)
             select $1, $2, condition, number, (number - 1) % $5::int
             from unnest($3::text[]) as condition, generate_series(1, $4::int) as number
             on conflict (study_id, mode, condition, number)
             do update set image_set = excluded.image_set",
            study_id,
            mode.as_str(),
            &conditions,
            super::number::<i32, _>(per_condition)?,
            super::number::<i32, _>(definition.design.image_sets)?,
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "insert into enrolment_counters (study_id, mode) values ($1, $2) on conflict do nothing",
            study_id,
            mode.as_str(),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Locks the study's counter of enrolments. All transactions that give out or fill slots in this mode take this lock first.
pub async fn lock(conn: &mut PgConnection, study_id: i64, mode: Mode) -> Result<()> {
    sqlx::query!(
        "select enrolled from enrolment_counters where study_id = $1 and mode = $2 for update",
        study_id,
        mode.as_str(),
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

/// Locks the counters of a study in every mode.
pub async fn lock_all(conn: &mut PgConnection, study_id: i64) -> Result<()> {
    for mode in Mode::ALL {
        lock(&mut *conn, study_id, *mode).await?;
    }
    Ok(())
}

/// Adds to the number of enrolments.
pub async fn count_enrolments(
    conn: &mut PgConnection,
    study_id: i64,
    mode: Mode,
    number: usize,
) -> Result<()> {
    sqlx::query!(
        "update enrolment_counters set enrolled = enrolled + $3 where study_id = $1 and mode = $2",
        study_id,
        mode.as_str(),
        super::number::<i64, _>(number)?,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The slots that a study has to fill in a mode, in their state at a time.
pub async fn all(
    conn: &mut PgConnection,
    study_id: i64,
    mode: Mode,
    now: DateTime<Utc>,
) -> Result<Vec<Slot>> {
    let mut slots = made(conn, study_id, mode, now).await?;
    slots.retain(|slot| slot.in_design);
    Ok(slots)
}

/// All slots that were ever made for a study in a mode, in their state at a time.
pub async fn made(
    conn: &mut PgConnection,
    study_id: i64,
    mode: Mode,
    now: DateTime<Utc>,
) -> Result<Vec<Slot>> {
    let rows = sqlx::query!(
        r#"select s.id, s.condition, s.number, s.image_set, s.in_design, s.extra_postings,
                  p.kept as "kept!", p.live_lease as "live_lease!", p.postings_used as "postings_used!"
           from slots s
           cross join lateral (
               select coalesce(bool_or(claim = 'kept'), false) as kept,
                      coalesce(bool_or(claim = 'leased' and lease_until >= $3), false) as live_lease,
                      count(posting) as postings_used
               from participants where slot_id = s.id
           ) p
           where s.study_id = $1 and s.mode = $2
           order by s.id"#,
        study_id,
        mode.as_str(),
        now,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Slot {
                id: row.id,
                condition: row.condition,
                number: number(row.number)?,
                image_set: number(row.image_set)?,
                in_design: row.in_design,
                kept: row.kept,
                live_lease: row.live_lease,
                postings_used: number(row.postings_used)?,
                extra_postings: number(row.extra_postings)?,
            })
        })
        .collect()
}

/// Sets whether the study has to fill these slots. If not, people whose lease has lapsed lose them.
pub async fn set_in_design(conn: &mut PgConnection, ids: &[i64], in_design: bool) -> Result<()> {
    sqlx::query!("update slots set in_design = $2 where id = any($1)", ids, in_design)
        .execute(&mut *conn)
        .await?;
    if !in_design {
        take_back(conn, ids).await?;
    }
    Ok(())
}

/// Adds a posting to each of these slots of a study. Returns the number of slots.
pub async fn add_posting(conn: &mut PgConnection, study_id: i64, ids: &[i64]) -> Result<u64> {
    let done = sqlx::query!(
        "update slots set extra_postings = extra_postings + 1 where study_id = $1 and id = any($2)",
        study_id,
        ids,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Takes slots back from the people who hold them. The caller has checked that their leases have lapsed. Returns the slots that could not
/// be taken back because another session has locked the person's row. The function does not wait for it, because others wait for the
/// study's lock.
pub async fn take_back(conn: &mut PgConnection, slot_ids: &[i64]) -> Result<Vec<i64>> {
    sqlx::query!(
        "update participants set claim = 'lost' where id = any(array(
            select id from participants where slot_id = any($1) and claim = 'leased' for no key update skip locked))",
        slot_ids
    )
    .execute(&mut *conn)
    .await?;
    let stuck = sqlx::query_scalar!(
        r#"select slot_id as "slot_id!" from participants where slot_id = any($1) and claim = 'leased'"#,
        slot_ids
    );
    Ok(stuck.fetch_all(conn).await?)
}

/// Removes, in every mode, the slots that the study does not have to fill and that no person ever held, because each arrival reads all
/// slots.
pub async fn remove_unused(conn: &mut PgConnection, study_id: i64) -> Result<()> {
    sqlx::query!(
        "delete from slots s where study_id = $1 and not in_design and extra_postings = 0
           and not exists (select from participants p where p.slot_id = s.id)",
        study_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person who completed and passed without a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurplusPerson {
    pub id: Uuid,
    pub condition: String,
    pub image_set: u32,
}

/// The people who completed and passed without a slot, in the order of completion, except those whom a researcher excluded.
pub async fn surplus(conn: &mut PgConnection, study_id: i64, mode: Mode) -> Result<Vec<SurplusPerson>> {
    let rows = sqlx::query!(
        "select id, condition, image_set from participants
         where study_id = $1 and mode = $2 and claim = 'surplus' and passed
           and (select decision from overrides where participant_id = id) is distinct from 'exclude'
         order by ended_at, id",
        study_id,
        mode.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(SurplusPerson { id: row.id, condition: row.condition, image_set: number(row.image_set)? })
        })
        .collect()
}

/// The number of the next posting in a slot.
pub async fn next_posting(conn: &mut PgConnection, slot_id: i64) -> Result<u32> {
    let next = sqlx::query_scalar!(
        r#"select coalesce(max(posting), 0) + 1 as "next!" from participants where slot_id = $1"#,
        slot_id,
    )
    .fetch_one(conn)
    .await?;
    number(next)
}
