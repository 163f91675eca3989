//! The rows of exported files and the lab's pages, streamed from one snapshot.

use chrono::{DateTime, Utc};
use futures::Stream;
use futures::StreamExt;
use sqlx::PgConnection;
use uuid::Uuid;

use super::tallies::TallyRow;
use super::{Result, word};
use crate::domain::analysis::{AnalysedPerson, EventCounts, Override};
use crate::domain::codebook::events::EventRow;
use crate::domain::codebook::trials::TrialRow;
use crate::domain::measures::{Measures, Tally, Times};
use crate::domain::participant::Stage;

/// Makes all reads of this transaction see the same state of the database. The transaction holds no locks that others wait for, so it may
/// be idle for long between two tables, while a slow disk is written.
pub async fn take_snapshot(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *conn).await?;
    sqlx::query!("set local idle_in_transaction_session_timeout = '10min'").execute(conn).await?;
    Ok(())
}

/// Which people to read, and which of their data.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub study_id: i64,
    /// The modes of the participations.
    pub modes: &'a [String],
    /// The conditions with practice.
    pub practising: &'a [String],
    /// Only this person, if it is given.
    pub person: Option<Uuid>,
    /// Whether to count the people's events.
    pub with_events: bool,
}

/// The wanted people, in the order of consent.
pub fn people<'a>(
    conn: &'a mut PgConnection,
    wanted: Wanted<'a>,
    now: DateTime<Utc>,
) -> impl Stream<Item = Result<AnalysedPerson>> + 'a {
    sqlx::query!(
        r#"select p.id, s.slug as study, v.number as study_version, p.pseudonym as participant, p.mode, p.condition,
                  p.image_set, (select number from slots where id = p.slot_id) as "slot?", p.posting, p.platform, p.stage, p.lease_until,
                  p.screen as last_screen, p.crowd_group as "group", p.late, p.clock_discrepancy_s, p.enrolled_at,
                  p.started_at, p.ended_at, p.instruction_ms, p.instruction_bound_ms, p.instruction_load_wait_ms,
                  p.total_ms, p.total_bound_ms, p.events_dropped, p.claim,
                  p.end_reason, p.browser, p.system, p.screen_width, p.screen_height, p.window_width, p.window_height,
                  p.pixel_ratio, p.feedback, p.condition = any($3) as "practises!",
                  coalesce(k.answers, a.answers) as "answers!",
                  coalesce(k.catch_correct, a.catch_correct) as "catch_correct!",
                  coalesce(k.catch_total, a.catch_total) as "catch_total!",
                  coalesce(k.main_correct, a.main_correct) as "main_correct!",
                  coalesce(k.main_total, a.main_total) as "main_total!",
                  coalesce(k.left_answers, a.left_answers) as "left_answers!",
                  coalesce(k.right_answers, a.right_answers) as "right_answers!",
                  coalesce(k.practice_blocks, a.practice_blocks) as "practice_blocks!",
                  coalesce(k.load_wait_ms, a.load_wait_ms) as "load_wait_ms!",
                  o.decision as "decision?", o.reason as "reason?", e.fullscreen_exits as "fullscreen_exits!",
                  e.focus_losses as "focus_losses!", e.reloads as "reloads!", e.image_failures as "image_failures!"
           from participants p
           join studies s on s.id = p.study_id
           join study_versions v on v.id = p.version_id
           left join lateral (select * from tallies where participant_id = p.id offset 0) k on true
           left join lateral (select * from tally_of(p.id) where k.participant_id is null offset 0) a on true
           left join lateral (select decision, reason from overrides where participant_id = p.id offset 0) o on true
           cross join lateral (
               select count(*) filter (where kind = 'fullscreen_exit') as fullscreen_exits,
                      count(*) filter (where kind = 'focus_loss') as focus_losses,
                      count(*) filter (where kind = 'reload') as reloads,
                      count(*) filter (where kind = 'image_failure') as image_failures
               from events where participant_id = p.id and $5
           ) e
           where p.study_id = $1 and p.mode = any($2) and ($4::uuid is null or p.id = $4)
           order by p.enrolled_at, p.id"#,
        wanted.study_id,
        wanted.modes,
        wanted.practising,
        wanted.person,
        wanted.with_events,
    )
    .fetch(conn)
    .map(move |row| {
        let row = row?;
        let stage: Stage = word(&row.stage)?;
        let times = Times {
            instruction_ms: row.instruction_ms,
            instruction_bound_ms: row.instruction_bound_ms,
            instruction_load_wait_ms: row.instruction_load_wait_ms,
            total_ms: row.total_ms,
            total_bound_ms: row.total_bound_ms,
            clock_discrepancy_s: row.clock_discrepancy_s,
        };
        let tally = Tally::try_from(TallyRow {
            answers: row.answers,
            catch_correct: row.catch_correct,
            catch_total: row.catch_total,
            main_correct: row.main_correct,
            main_total: row.main_total,
            left_answers: row.left_answers,
            right_answers: row.right_answers,
            practice_blocks: row.practice_blocks,
            load_wait_ms: row.load_wait_ms,
        })?;
        Ok(AnalysedPerson {
            id: row.id,
            study: row.study,
            study_version: row.study_version,
            participant: row.participant,
            mode: word(&row.mode)?,
            condition: row.condition,
            image_set: row.image_set,
            slot: row.slot,
            posting: row.posting,
            platform: row.platform,
            stage: stage.at(row.lease_until, now),
            last_screen: row.last_screen,
            group: word(&row.group)?,
            late: row.late,
            clock_discrepancy: row.clock_discrepancy_s,
            enrolled_at: row.enrolled_at,
            started_at: row.started_at,
            completed_at: row.ended_at.filter(|_| stage == Stage::Complete),
            measures: Measures::new(&times, &tally, row.practises),
            tally,
            claim: word(&row.claim)?,
            end_reason: row.end_reason,
            events: wanted.with_events.then_some(EventCounts {
                fullscreen_exits: row.fullscreen_exits,
                focus_losses: row.focus_losses,
                reloads: row.reloads,
                image_failures: row.image_failures,
            }),
            events_dropped: row.events_dropped,
            browser: row.browser,
            system: row.system,
            screen_width: row.screen_width,
            screen_height: row.screen_height,
            window_width: row.window_width,
            window_height: row.window_height,
            pixel_ratio: row.pixel_ratio,
            feedback: row.feedback,
            overridden: row.decision.zip(row.reason).map(overridden).transpose()?,
        })
    })
}

fn overridden((decision, reason): (String, String)) -> Result<Override> {
    Ok(Override { decision: word(&decision)?, reason })
}

/// All stored answers: by person in the order of consent, then practice before main trials, then in the order shown.
pub fn trials<'a>(
    conn: &'a mut PgConnection,
    study_id: i64,
    modes: &'a [String],
) -> impl Stream<Item = Result<TrialRow>> + 'a {
    sqlx::query_as!(
        TrialRow,
        r#"select p.id as participant_id, s.slug as study, v.number as study_version, p.pseudonym as participant, p.mode,
                  p.condition, p.slot as "slot?", p.posting, p.crowd_group as "group", p.image_set, a.*,
                  p.decision as "decision?"
           from (
               select *, (select number from slots where id = slot_id) as slot,
                      (select decision from overrides where participant_id = id) as decision
               from participants where study_id = $1 and mode = any($2) offset 0
           ) p
           join studies s on s.id = p.study_id
           join study_versions v on v.id = p.version_id
           cross join lateral (
               select r.block, r.attempt, r.trial_index, t.kind as trial_kind, t.unit, t.layer, t.branch, d.max_side,
                      r.response, r.choice_side, r.correct, r.confidence, r.rt, r.continue_rt, r.time_elapsed,
                      r.answered_at, r.input, r.presentations, r.hidden_ms, r.load_wait, r.display_scale,
                      r.device_scale, r.frame_ms, r.pointerdown_rt, r.continue_hidden_ms,
                      d.reference_order, t.base_activation, t.max_activation, t.min_activation,
                      t.center_correct, t.variance_correct, t.saliency_correct, t.object_correct
               from responses r
               join schedule d using (participant_id, block, attempt, trial_index)
               cross join lateral (select * from trials where id = d.trial_id offset 0) t
               where r.participant_id = p.id offset 0
           ) a
           order by p.enrolled_at, p.id, a.block desc, a.attempt, a.trial_index"#,
        study_id,
        modes,
    )
    .fetch(conn)
    .map(|row| Ok(row?))
}

/// All events: by person in the order of consent, then in the order in which the server received them.
pub fn events<'a>(
    conn: &'a mut PgConnection,
    study_id: i64,
    modes: &'a [String],
) -> impl Stream<Item = Result<EventRow>> + 'a {
    sqlx::query_as!(
        EventRow,
        "select p.pseudonym as participant, e.at_ms, e.server_at, e.kind, e.detail
         from participants p
         cross join lateral (select * from events where participant_id = p.id offset 0) e
         where p.study_id = $1 and p.mode = any($2)
         order by p.enrolled_at, p.id, e.server_at, e.id",
        study_id,
        modes,
    )
    .fetch(conn)
    .map(|row| Ok(row?))
}
