//! What the exported files are made of, streamed from one snapshot.

use chrono::{DateTime, Utc};
use futures::Stream;
use futures::StreamExt;
use sqlx::PgConnection;

use super::tallies::TallyRow;
use super::{Result, word};
use crate::domain::codebook::events::EventRow;
use crate::domain::codebook::people::{Override, Person};
use crate::domain::codebook::trials::TrialRow;
use crate::domain::exclusion::{Measures, Tally, Times};
use crate::domain::participant::Stage;

/// Makes everything that follows in this transaction read one and the same state of the database.
pub async fn take_snapshot(conn: &mut PgConnection) -> Result<()> {
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(conn).await?;
    Ok(())
}

/// Everybody who consented, in the order of consent. `practising` lists the conditions with practice.
pub fn people<'a>(
    conn: &'a mut PgConnection,
    study_id: i64,
    modes: &'a [String],
    practising: &'a [String],
    now: DateTime<Utc>,
) -> impl Stream<Item = Result<Person>> + 'a {
    sqlx::query!(
        r#"select p.id, s.slug as study, v.number as study_version, p.pseudonym as participant, p.mode, p.condition,
                  p.image_set, slot.number as "slot?", p.posting, p.platform, p.stage, p.lease_until,
                  p.screen as last_screen, p.crowd_group as "group", p.late, p.clock_discrepancy_s, p.enrolled_at,
                  p.started_at, p.ended_at, p.instruction_ms, p.instruction_load_wait_ms, p.total_ms, p.claim,
                  p.end_reason, p.browser, p.system, p.screen_width, p.screen_height, p.window_width, p.window_height,
                  p.pixel_ratio, p.feedback, p.condition = any($3) as "practises!",
                  coalesce(a.answers, 0) as "answers!", coalesce(a.catch_correct, 0) as "catch_correct!",
                  coalesce(a.catch_total, 0) as "catch_total!", coalesce(a.main_correct, 0) as "main_correct!",
                  coalesce(a.main_total, 0) as "main_total!", coalesce(a.left_answers, 0) as "left_answers!",
                  coalesce(a.right_answers, 0) as "right_answers!",
                  coalesce(a.practice_blocks, 0) as "practice_blocks!", coalesce(a.load_wait_ms, 0) as "load_wait_ms!",
                  o.decision as "decision?", o.reason as "reason?", e.fullscreen_exits as "fullscreen_exits!",
                  e.focus_losses as "focus_losses!", e.reloads as "reloads!", e.image_failures as "image_failures!"
           from participants p
           join studies s on s.id = p.study_id
           join study_versions v on v.id = p.version_id
           left join slots slot on slot.id = p.slot_id
           left join tallies a on a.participant_id = p.id
           left join overrides o on o.participant_id = p.id
           cross join lateral (
               select count(*) filter (where kind = 'fullscreen_exit') as fullscreen_exits,
                      count(*) filter (where kind = 'focus_loss') as focus_losses,
                      count(*) filter (where kind = 'reload') as reloads,
                      count(*) filter (where kind = 'image_failure') as image_failures
               from events where participant_id = p.id
           ) e
           where p.study_id = $1 and p.mode = any($2)
           order by p.enrolled_at, p.id"#,
        study_id,
        modes,
        practising,
    )
    .fetch(conn)
    .map(move |row| {
        let row = row?;
        let stage: Stage = word(&row.stage)?;
        let times = Times {
            instruction_ms: row.instruction_ms,
            instruction_load_wait_ms: row.instruction_load_wait_ms,
            total_ms: row.total_ms,
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
        Ok(Person {
            id: row.id,
            study: row.study,
            study_version: row.study_version,
            participant: row.participant,
            mode: row.mode,
            condition: row.condition,
            image_set: row.image_set,
            slot: row.slot,
            posting: row.posting,
            platform: row.platform,
            stage: stage.at(row.lease_until, now),
            last_screen: row.last_screen,
            group: row.group,
            late: row.late,
            clock_discrepancy: row.clock_discrepancy_s,
            enrolled_at: row.enrolled_at,
            started_at: row.started_at,
            completed_at: row.ended_at.filter(|_| stage == Stage::Complete),
            measures: Measures::new(&times, &tally, row.practises),
            tally,
            claim: word(&row.claim)?,
            end_reason: row.end_reason,
            fullscreen_exits: row.fullscreen_exits,
            focus_losses: row.focus_losses,
            reloads: row.reloads,
            image_failures: row.image_failures,
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

/// Every stored answer, by person in the order of consent, practice first, in the order shown.
pub fn trials<'a>(
    conn: &'a mut PgConnection,
    study_id: i64,
    modes: &'a [String],
) -> impl Stream<Item = Result<TrialRow>> + 'a {
    sqlx::query_as!(
        TrialRow,
        r#"select p.id as participant_id, s.slug as study, v.number as study_version, p.pseudonym as participant, p.mode,
                  p.condition, slot.number as "slot?", p.posting, p.crowd_group as "group", p.image_set,
                  r.block, r.attempt, r.trial_index, t.kind as trial_kind, t.unit, t.layer, t.branch, d.max_side,
                  r.response, r.choice_side, r.correct, r.confidence, r.rt, r.continue_rt, r.time_elapsed,
                  r.answered_at, r.input, r.presentations, r.hidden_ms, r.load_wait, r.display_scale,
                  d.reference_order, t.base_activation, t.max_activation, t.min_activation,
                  t.center_correct, t.variance_correct, t.saliency_correct, t.object_correct,
                  o.decision as "decision?",
                  r.device_scale, r.frame_ms, r.pointerdown_rt, r.continue_hidden_ms
           from responses r
           join schedule d using (participant_id, block, attempt, trial_index)
           join participants p on p.id = r.participant_id
           join studies s on s.id = p.study_id
           join study_versions v on v.id = p.version_id
           join trials t on t.id = d.trial_id
           left join slots slot on slot.id = p.slot_id
           left join overrides o on o.participant_id = p.id
           where p.study_id = $1 and p.mode = any($2)
           order by p.enrolled_at, p.id, r.block desc, r.attempt, r.trial_index"#,
        study_id,
        modes,
    )
    .fetch(conn)
    .map(|row| Ok(row?))
}

/// Every event, by person in the order of consent, in the order in which the server heard of them.
pub fn events<'a>(
    conn: &'a mut PgConnection,
    study_id: i64,
    modes: &'a [String],
) -> impl Stream<Item = Result<EventRow>> + 'a {
    sqlx::query_as!(
        EventRow,
        "select p.pseudonym as participant, e.at_ms, e.server_at, e.kind, e.detail
         from events e join participants p on p.id = e.participant_id
         where p.study_id = $1 and p.mode = any($2)
         order by p.enrolled_at, p.id, e.server_at, e.id",
        study_id,
        modes,
    )
    .fetch(conn)
    .map(|row| Ok(row?))
}
