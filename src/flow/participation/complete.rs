//! The end: after checking that nothing is missing, judging, and deciding what becomes of the slot.

use sqlx::{PgConnection, Postgres, Transaction};

use crate::domain::allocation::{self, Claim, Slot};
use crate::domain::exclusion::judge;
use crate::domain::measures::Measures;
use crate::domain::participant::{Participant, Stage};
use crate::domain::record::LONGEST_MS;
use crate::domain::study::{Outcome, StudyVersion};
use crate::domain::trial::Block;
use crate::flow::participation::locked::{LockedParticipant, locked_participant};
use crate::flow::participation::slots::{refill_study, use_posting};
use crate::flow::secrets::token_sha256;
use crate::flow::study::settings::enrolment_policy;
use crate::flow::{App, Refused, Result};
use crate::recruitment::{self, Return};
use crate::store;
use crate::store::studies::Study;

/// Longest free text that is stored, in characters.
pub const LONGEST_FEEDBACK: usize = 10_000;

/// What the browser sends with the press on Submit.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The number that opening the participation gave to the page.
    pub tab: i32,
    /// The experiment clock at the press, in ms since Welcome.
    pub clock_ms: f64,
    /// Free text.
    #[serde(default)]
    pub feedback: String,
}

/// Completes a participation and says how the person goes back. Asking again gives the same answer.
pub async fn complete(app: &App, token: &str, submission: &Submission) -> Result<Ending> {
    let LockedParticipant { mut tx, person, version, .. } = locked_participant(app, token, |_| true).await?;
    match person.stage {
        Stage::Complete => return ending(&mut tx, &person).await,
        Stage::Running => {}
        stage if stage.ended() => return Err(Refused::Ended.into()),
        _ => return Err(Refused::TooEarly.into()),
    }
    let missing = store::answers::unanswered(&mut tx, person.id, Block::Main, 1).await?;
    if !missing.is_empty() {
        return Err(Refused::AnswersMissing(missing).into());
    }
    let clock_ms = submission.clock_ms.clamp(0.0, LONGEST_MS);
    finish(app, tx, person, &version, &Handed { token, clock_ms, feedback: &submission.feedback }).await
}

/// What a participant hands in at the end.
pub(crate) struct Handed<'a> {
    /// The token that it came with: it says which of the person's assignments is finished.
    pub token: &'a str,
    /// The experiment clock then, in ms since Welcome.
    pub clock_ms: f64,
    /// Free text.
    pub feedback: &'a str,
}

/// Completes the participation of a person who has answered everything. The caller holds the lock on the study's slots.
pub(crate) async fn finish(
    app: &App,
    mut tx: Transaction<'static, Postgres>,
    mut person: Participant,
    version: &StudyVersion,
    handed: &Handed<'_>,
) -> Result<Ending> {
    let now = app.now();
    let (clock_ms, check) = (handed.clock_ms, &version.definition.clock);
    person.total_bound_ms = person.believable_ms(clock_ms, check, now);
    person.hear_clock(clock_ms, check, now);
    person.stage = Stage::Complete;
    person.total_ms = Some(clock_ms);
    person.ended_at = Some(now);
    let mut study = store::studies::by_id(&mut tx, person.study_id).await?;
    settle(app, &mut tx, &mut study, &mut person, version).await?;
    store::participants::update(&mut tx, &person).await?;
    store::assignments::finish(&mut tx, person.id, &token_sha256(handed.token)).await?;
    let feedback: String = handed.feedback.trim().chars().take(LONGEST_FEEDBACK).collect();
    if !feedback.is_empty() {
        store::participants::set_feedback(&mut tx, person.id, &feedback).await?;
    }
    // If the person failed, the slot is open again, and a participant who passed without one gets it first.
    refill_study(app, &mut tx, &mut study, version, person.mode).await?;
    let ending = ending(&mut tx, &person).await?;
    tx.commit().await?;
    app.changed(person.study_id);
    Ok(ending)
}

/// Judges the completed participation and decides what becomes of the slot.
async fn settle(
    app: &App,
    conn: &mut PgConnection,
    study: &mut Study,
    person: &mut Participant,
    version: &StudyVersion,
) -> Result<()> {
    let policy = enrolment_policy(study, version);
    let practises = version.definition.practises(&person.condition);
    let tally = store::tallies::keep(&mut *conn, person.id).await?;
    let measures = Measures::new(&person.times(), &tally, practises);
    let passed = judge(&policy, person.group, &person.condition, &measures).passed();
    person.passed = Some(passed);
    person.late = person.claim == Claim::Lost;
    let alternative = if person.late {
        let postings = version.definition.design.postings_per_slot;
        let slots = refill_study(app, &mut *conn, study, version, person.mode).await?;
        let is_open = |slot: &&Slot| slot.is_open_for(&person.condition, person.image_set, postings);
        slots.iter().find(is_open).map(|slot| slot.id)
    } else {
        None
    };
    let completion = allocation::complete(person.claim, person.slot_id, passed, alternative);
    person.claim = completion.claim;
    if let Some(slot_id) = completion.posting_in {
        if person.slot_id != Some(slot_id) || person.late {
            store::slots::take_back(&mut *conn, &[slot_id]).await?;
        }
        use_posting(conn, person, slot_id).await?;
    }
    Ok(())
}

/// How a participation ended, and how the person goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// How it ended, as the platform is told; none for people who left.
    pub outcome: Option<Outcome>,
    /// How they go back.
    pub back: Return,
}

/// How a participation that has ended did so.
pub async fn ending(conn: &mut PgConnection, person: &Participant) -> Result<Ending> {
    let Some(outcome) = person.outcome() else { return Ok(Ending { outcome: None, back: Return::Thanks }) };
    let link = store::links::by_id(&mut *conn, person.link_id).await?;
    let identity = store::identities::get(&mut *conn, person.id).await?.map(|(identity, _)| identity);
    let back = recruitment::go_back(&link.definition, identity.as_ref(), outcome);
    Ok(Ending { outcome: Some(outcome), back })
}
