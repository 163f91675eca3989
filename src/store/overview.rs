//! What the researchers' pages show.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, number, word};
use crate::domain::consort::ParticipantStatus;
use crate::domain::participant::Stage;
use crate::domain::study::{Group, Mode};

/// People of the crowd, by condition, who are done; and experts, who hold no slot and so are counted only here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standings {
    /// The crowd, by condition.
    pub crowd: BTreeMap<String, DoneCounts>,
    /// Experts of all conditions, where any took part.
    pub experts: Option<ExpertCounts>,
}

/// Experts, as they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExpertCounts {
    /// Completed, and are kept by the enrolment policy or a decision.
    pub kept: u32,
    /// Are taking part.
    pub running: u32,
    /// Completed, and are not kept.
    pub excluded: u32,
    /// Have gone without completing.
    pub gone: u32,
}

/// People of a condition who are done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DoneCounts {
    /// Completed and failed a criterion of the enrolment policy, or were excluded and their slot opened again.
    pub excluded: u32,
    /// Completed and passed without a slot.
    pub surplus: u32,
    /// Have gone without completing.
    pub gone: u32,
}

/// Counts the people of the crowd who are done and fill no slot, and the experts.
pub async fn standings(
    conn: &mut PgConnection,
    study_id: i64,
    mode: Mode,
    now: DateTime<Utc>,
) -> Result<Standings> {
    let rows = sqlx::query!(
        r#"select condition, crowd_group, stage, lease_until < $3 as "lapsed!", started_at is not null as "started!", end_reason,
                  count(*) as "people!",
                  count(*) filter (where stage = 'complete' and (not passed or claim = 'surplus' and decision = 'exclude'))
                      as "excluded!",
                  count(*) filter (where claim = 'surplus' and passed and decision is distinct from 'exclude') as "surplus!",
                  count(*) filter (where stage = 'complete' and coalesce(decision = 'include', passed)) as "kept!"
           from participants p
           left join lateral (select decision from overrides where participant_id = p.id offset 0) o on true
           where study_id = $1 and mode = $2 group by 1, 2, 3, 4, 5, 6"#,
        study_id,
        mode.as_str(),
        now,
    )
    .fetch_all(conn)
    .await?;
    let mut standings = Standings::default();
    for row in rows {
        let stage = word::<Stage>(&row.stage)?.with_lease(row.lapsed);
        let standing = ParticipantStatus::new(stage, row.started, row.end_reason.as_deref());
        let people: u32 = number(row.people)?;
        let gone = if standing.has_gone() { people } else { 0 };
        match word(&row.crowd_group)? {
            Group::Crowd => {
                let own = standings.crowd.entry(row.condition).or_default();
                own.excluded += number::<u32, _>(row.excluded)?;
                own.surplus += number::<u32, _>(row.surplus)?;
                own.gone += gone;
            }
            Group::Expert => {
                let own = standings.experts.get_or_insert_default();
                let kept: u32 = number(row.kept)?;
                own.kept += kept;
                own.gone += gone;
                match standing {
                    ParticipantStatus::Completed => own.excluded += people - kept,
                    ParticipantStatus::Arriving | ParticipantStatus::AtWork => own.running += people,
                    _ => {}
                }
            }
        }
    }
    Ok(standings)
}

/// Somebody who is taking part now.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningPerson {
    /// Their name.
    pub pseudonym: String,
    /// Their condition.
    pub condition: String,
    /// Crowd or expert.
    pub group: Group,
    /// How far they are.
    pub stage: Stage,
    /// The screen that they see.
    pub screen: Option<String>,
    /// Main and catch trials answered.
    pub answers: i64,
    /// Consent.
    pub enrolled_at: DateTime<Utc>,
    /// Last sign of life.
    pub last_seen_at: DateTime<Utc>,
}

/// Who is taking part now: everybody whose lease has not lapsed, the longest first, at most 200.
pub async fn running(
    conn: &mut PgConnection,
    study_id: i64,
    mode: Mode,
    now: DateTime<Utc>,
) -> Result<Vec<RunningPerson>> {
    let rows = sqlx::query!(
        r#"select p.pseudonym, p.condition, p.crowd_group, p.stage, p.screen, p.enrolled_at, p.last_seen_at,
                  (select count(*) from responses r where r.participant_id = p.id and r.block = 'main') as "answers!"
           from participants p
           where p.study_id = $1 and p.mode = $2 and p.lease_until >= $3
             and p.stage in ('consented', 'instructed', 'practised', 'running')
           order by p.enrolled_at limit 200"#,
        study_id,
        mode.as_str(),
        now,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(RunningPerson {
                pseudonym: row.pseudonym,
                condition: row.condition,
                group: word(&row.crowd_group)?,
                stage: word(&row.stage)?,
                screen: row.screen,
                answers: row.answers,
                enrolled_at: row.enrolled_at,
                last_seen_at: row.last_seen_at,
            })
        })
        .collect()
}

/// The modes in which anybody takes or took part.
pub async fn modes_in_use(conn: &mut PgConnection, study_id: i64) -> Result<Vec<Mode>> {
    let modes = sqlx::query_scalar!(
        "select distinct mode from participants where study_id = $1 order by mode",
        study_id
    )
    .fetch_all(conn)
    .await?;
    modes.iter().map(|mode| word(mode)).collect()
}
