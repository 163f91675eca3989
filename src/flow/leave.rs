//! Leaving before the end.

use super::complete::{Ending, ending};
use super::secrets::token_sha256;
use super::slots::refill;
use super::{App, Refused, Result};
use crate::domain::allocation::Claim;
use crate::domain::participant::{EndReason, Stage};
use crate::store;

/// Ends a participation early and frees its slot; no posting is used up. Leaving again is harmless.
///
/// Being screened out is offered by the study after too many practice blocks, and refused before that.
pub async fn leave(app: &App, token: &str, reason: EndReason) -> Result<Ending> {
    let mut tx = app.pool.begin().await?;
    let found =
        store::participants::by_token(&mut tx, &token_sha256(token)).await?.ok_or(Refused::UnknownToken)?;
    let version = app.version(&mut tx, found.version_id).await?;
    store::slots::lock(&mut tx, found.study_id, found.mode).await?;
    let mut person = store::participants::lock(&mut tx, found.id).await?;
    if person.stage.ended() {
        return ending(&mut tx, &person).await;
    }
    if reason == EndReason::ScreenedOut
        && !version.definition.practice.offers_end(person.stage, person.practice_attempt)
    {
        return Err(Refused::TooEarly.into());
    }
    let now = app.now();
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
