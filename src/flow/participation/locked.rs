//! A participation that is to be changed, found by the person's token and locked.

use std::sync::Arc;

use sqlx::{Postgres, Transaction};

use crate::domain::participant::Participant;
use crate::domain::study::StudyVersion;
use crate::flow::secrets::token_sha256;
use crate::flow::{App, Refused, Result};
use crate::store;

/// A participant whose row is locked until the end of the transaction.
pub struct LockedParticipant {
    /// The transaction that holds the locks.
    pub tx: Transaction<'static, Postgres>,
    /// The participant, as they stand now.
    pub person: Participant,
    /// The version of the study that they see.
    pub version: Arc<StudyVersion>,
    /// Whether the lock on the study's slots is held, too.
    pub slots_are_locked: bool,
}

/// Locks the participant of a token and, where what is known before the lock asks for it, the study's slots first: that is the
/// order everywhere.
pub async fn locked_participant(
    app: &App,
    token: &str,
    needs_slots: impl FnOnce(&Participant) -> bool,
) -> Result<LockedParticipant> {
    let mut tx = app.pool.begin().await?;
    let found = store::participants::by_token(&mut tx, &token_sha256(token)).await?;
    let found = found.ok_or(Refused::UnknownToken)?;
    let version = app.version(&mut tx, found.version_id).await?;
    let slots_are_locked = needs_slots(&found);
    if slots_are_locked {
        store::slots::lock(&mut tx, found.study_id, found.mode).await?;
    }
    let person = store::participants::lock(&mut tx, found.id).await?;
    Ok(LockedParticipant { tx, person, version, slots_are_locked })
}
