//! Leaving before the end.

use sqlx::PgConnection;

use crate::domain::allocation::Claim;
use crate::domain::participant::{EndReason, Participant, Stage};
use crate::domain::trial::Block;
use crate::flow::participation::complete::{Ending, Handed, ending, finish};
use crate::flow::participation::locked::{LockedParticipant, locked_participant};
use crate::flow::participation::slots::refill;
use crate::flow::secrets::token_sha256;
use crate::flow::{App, Refused, Result};
use crate::store;

/// Ends a participation early and frees its slot; no posting is used up. Leaving again is harmless. Who has answered everything
/// has nothing left to leave: that completes.
///
/// Being screened out is offered by the study after too many practice blocks, and refused before that.
pub async fn leave(app: &App, token: &str, reason: EndReason) -> Result<Ending> {
    let LockedParticipant { mut tx, mut person, version, .. } =
        locked_participant(app, token, |_| true).await?;
    if person.stage.ended() {
        return ending(&mut tx, &person).await;
    }
    let now = app.now();
    let practice = &version.definition.practice;
    let Participant { stage, practice_attempt: attempt, .. } = person;
    match reason {
        EndReason::ScreenedOut
            if practice.offers_end(stage, attempt) || practice.is_used_up(stage, attempt) => {}
        EndReason::ScreenedOut => return Err(Refused::TooEarly.into()),
        EndReason::Left => {
            if has_answered_all(&mut tx, &person).await? {
                let clock_ms = person.resumed_clock_ms(now).unwrap_or_default();
                return finish(app, tx, person, &version, &Handed { token, clock_ms, feedback: "" }).await;
            }
        }
    }
    person.stage = Stage::Abandoned;
    person.end_reason = Some(reason);
    person.ended_at = Some(now);
    if matches!(person.claim, Claim::Leased | Claim::Lost) {
        person.claim = Claim::Released;
    }
    store::participants::update(&mut tx, &person).await?;
    store::assignments::finish(&mut tx, person.id, &token_sha256(token)).await?;
    refill(app, &mut tx, &version, person.mode).await?;
    let ending = ending(&mut tx, &person).await?;
    tx.commit().await?;
    app.changed(person.study_id);
    Ok(ending)
}

/// Whether every main trial has its answer.
async fn has_answered_all(conn: &mut PgConnection, person: &Participant) -> Result<bool> {
    Ok(person.stage == Stage::Running
        && store::answers::unanswered(conn, person.id, Block::Main, 1).await?.is_empty())
}
