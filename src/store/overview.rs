//! Counts and lists of people for the lab's pages.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Result, number, word};
use crate::domain::consort::ParticipantStatus;
use crate::domain::participant::Stage;
use crate::domain::study::{Group, Mode};

/// The people who fill no slot: those of the crowd who ended, by condition, and the experts, who never hold one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standings {
    /// The crowd by condition.
    pub crowd: BTreeMap<String, DoneCounts>,
    /// The experts of all conditions. None if no expert took part.
    pub experts: Option<ExpertCounts>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExpertCounts {
    /// Experts who completed and are kept by the enrolment policy or a decision.
    pub kept: u32,
    /// Experts who are taking part.
    pub running: u32,
    /// Experts who completed and are not kept.
    pub excluded: u32,
    /// Experts who have gone without completing.
    pub gone: u32,
}

/// Counts of a condition's people who ended and fill no slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DoneCounts {
    /// People who completed and failed a criterion of the enrolment policy, or whom a decision excluded and whose slot was opened again.
    pub excluded: u32,
    /// People who completed and passed without a slot.
    pub surplus: u32,
    /// People who have gone without completing.
    pub gone: u32,
}

/// Counts the people of the crowd who ended and fill no slot, and the experts.
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

/// A person who is taking part now.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningPerson {
    pub pseudonym: String,
    pub condition: String,
    pub group: Group,
    pub stage: Stage,
    /// The screen that the person sees.
    pub screen: Option<String>,
    /// The number of answered main and catch trials.
    pub answers: i64,
    /// The time of consent.
    pub enrolled_at: DateTime<Utc>,
    /// The time of the last sign of life.
    pub last_seen_at: DateTime<Utc>,
}

/// The people who are taking part now, that is whose lease has not lapsed: at most 200, those who consented first at the front.
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

/// The modes in which a study has participants.
pub async fn modes_in_use(conn: &mut PgConnection, study_id: i64) -> Result<Vec<Mode>> {
    let modes = sqlx::query_scalar!(
        "select distinct mode from participants where study_id = $1 order by mode",
        study_id
    )
    .fetch_all(conn)
    .await?;
    modes.iter().map(|mode| word(mode)).collect()
}
