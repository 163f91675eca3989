//! Keeping slots filled. Callers hold the study's lock.

use sqlx::PgConnection;

use crate::domain::allocation::{Claim, Slot, finished};
use crate::domain::participant::Participant;
use crate::domain::quota;
use crate::domain::study::{Mode, StudyVersion};
use crate::flow::study::settings::per_condition;
use crate::flow::study::states;
use crate::flow::{App, Result};
use crate::store;
use crate::store::studies::Study;

/// To be called after everything by which a slot may have become free or filled: decides which slots are to be filled, gives
/// those that are open again to people who passed without one, before anybody new gets them, and closes a live study in
/// which no more participants can be kept. Returns the slots of the study as they stand then.
pub async fn refill(
    app: &App,
    conn: &mut PgConnection,
    version: &StudyVersion,
    mode: Mode,
) -> Result<Vec<Slot>> {
    let mut study = store::studies::by_id(&mut *conn, version.study_id).await?;
    refill_study(app, conn, &mut study, version, mode).await
}

/// Like [`refill`], for a study that the caller has read under its lock. Its state is the new one afterwards.
pub async fn refill_study(
    app: &App,
    conn: &mut PgConnection,
    study: &mut Study,
    version: &StudyVersion,
    mode: Mode,
) -> Result<Vec<Slot>> {
    let mut slots = within_quota(app, &mut *conn, study, version, mode).await?;
    let postings = version.definition.design.postings_per_slot;
    for person in store::slots::surplus(&mut *conn, study.id, mode).await? {
        let is_open = |slot: &&mut Slot| slot.is_open_for(&person.condition, person.image_set, postings);
        let Some(slot) = slots.iter_mut().find(is_open) else { continue };
        let free = store::participants::lock_if_free(&mut *conn, person.id).await?;
        let (Some(mut participant), []) = (free, &*store::slots::take_back(&mut *conn, &[slot.id]).await?)
        else {
            // Another session holds one of the two: this one does not wait, and the next refill decides it.
            continue;
        };
        participant.claim = Claim::Kept;
        use_posting(&mut *conn, &mut participant, slot.id).await?;
        store::participants::update(&mut *conn, &participant).await?;
        slot.kept = true;
        slot.postings_used += 1;
    }
    if mode == Mode::Live && finished(&slots, postings) {
        states::close_finished(app, conn, study).await?;
    }
    Ok(slots)
}

/// Uses up a posting of a slot for a person who completed in it. The caller stores the person.
pub async fn use_posting(conn: &mut PgConnection, person: &mut Participant, slot_id: i64) -> Result<()> {
    person.slot_id = Some(slot_id);
    person.posting = Some(store::slots::next_posting(conn, slot_id).await?);
    Ok(())
}

/// The slots that are to be filled, of all that were made.
async fn within_quota(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    mode: Mode,
) -> Result<Vec<Slot>> {
    let mut slots = store::slots::made(&mut *conn, study.id, mode, app.now()).await?;
    let definition = &version.definition;
    let most = per_condition(study, version);
    let design = quota::design(&slots, definition.design.postings_per_slot, |condition| {
        if definition.condition(condition).is_some() { most } else { 0 }
    });
    for in_design in [true, false] {
        let changed = slots.iter_mut().filter(|slot| slot.in_design != in_design);
        let changed = changed.filter(|slot| design.contains(&slot.id) == in_design);
        let ids: Vec<i64> = changed
            .map(|slot| {
                slot.in_design = in_design;
                slot.id
            })
            .collect();
        if !ids.is_empty() {
            store::slots::set_in_design(&mut *conn, &ids, in_design).await?;
        }
    }
    slots.retain(|slot| slot.in_design);
    Ok(slots)
}
