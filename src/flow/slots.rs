//! Keeping slots filled. Callers hold the study's lock.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Result;
use crate::domain::allocation::{Claim, Slot, SlotState};
use crate::domain::exclusion::Policy;
use crate::domain::study::{Mode, Postings, StudyVersion};
use crate::store;
use crate::store::studies::Study;

/// The policy that decides whether a slot is filled: pinned when the study went live, until then the version's.
pub fn enrolment_policy(study: &Study, version: &StudyVersion) -> Policy {
    let definition = &version.definition;
    study
        .pinned_policy
        .clone()
        .or_else(|| definition.policy(&definition.enrolment_policy).cloned())
        .expect("the import checked that the enrolment policy exists")
}

/// Fills slots that are open again with people who passed without one, before anybody new gets them.
pub async fn refill(
    conn: &mut PgConnection,
    study_id: i64,
    mode: Mode,
    postings: Postings,
    now: DateTime<Utc>,
) -> Result<Vec<Slot>> {
    let mut slots = store::slots::all(&mut *conn, study_id, mode, now).await?;
    for person in store::slots::surplus(&mut *conn, study_id, mode).await? {
        let Some(slot) = slots.iter_mut().find(|slot| {
            slot.condition == person.condition
                && slot.image_set == person.image_set
                && slot.state(postings) == SlotState::Open
        }) else {
            continue;
        };
        let mut participant = store::participants::lock(&mut *conn, person.id).await?;
        store::slots::take_back(&mut *conn, &[slot.id]).await?;
        participant.claim = Claim::Kept;
        participant.slot_id = Some(slot.id);
        participant.posting = Some(store::slots::next_posting(&mut *conn, slot.id).await?);
        store::participants::update(&mut *conn, &participant).await?;
        slot.kept = true;
        slot.postings_used += 1;
    }
    Ok(slots)
}
