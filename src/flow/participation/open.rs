//! Opening a participation in a page: where the person stands, and all that the page needs to go on from there.

use std::sync::Arc;

use serde_json::json;

use crate::domain::allocation::Claim;
use crate::domain::participant::{EndReason, Participant};
use crate::domain::record::EventKind;
use crate::domain::study::StudyVersion;
use crate::domain::trial::Block;
use crate::flow::participation::complete::{Ending, ending};
use crate::flow::participation::leave::leave;
use crate::flow::participation::locked::{LockedParticipant, locked_participant};
use crate::flow::participation::slots::refill;
use crate::flow::{App, Result};
use crate::store;
use crate::store::answers::TrialOnFile;

/// A participation, as a page that opens it needs it.
#[derive(Debug)]
pub struct OpenedParticipation {
    /// Where the person stands.
    pub person: Participant,
    /// What they see.
    pub version: Arc<StudyVersion>,
    /// The practice block that they are in, and the main block, with what is answered.
    pub trials: Vec<TrialOnFile>,
    /// Where the experiment clock stands, in ms since Welcome.
    pub clock_ms: Option<f64>,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
}

/// Opens a participation: this page is the newest from now on, and older ones are superseded.
pub async fn open(app: &App, token: &str, navigation: &str) -> Result<OpenedParticipation> {
    let has_lost_slot = |person: &Participant| person.claim == Claim::Lost;
    let LockedParticipant { mut tx, mut person, version, slots_are_locked } =
        locked_participant(app, token, has_lost_slot).await?;
    if version.definition.practice.is_used_up(person.stage, person.practice_attempt) {
        // A server died between their last answer and this.
        tx.rollback().await?;
        leave(app, token, EndReason::ScreenedOut).await?;
        return Box::pin(open(app, token, navigation)).await;
    }
    let now = app.now();
    let opened_before = person.tab > 0;
    let clock_ms = person.resumed_clock_ms(now);
    person.tab = person.tab.saturating_add(1);
    if !person.stage.ended() {
        if slots_are_locked {
            retake_slot(app, &mut tx, &mut person, &version).await?;
        } else if person.lease_until < now {
            // No one needed the slot meanwhile, so the lease starts again.
            person.leased_at = now;
        }
        person.seen(&version.definition.lease, now);
        if opened_before {
            let detail = json!({ "navigation": navigation.chars().take(40).collect::<String>() });
            store::answers::insert_event(&mut tx, person.id, EventKind::Reload, clock_ms, detail, now)
                .await?;
        }
    }
    store::participants::update(&mut tx, &person).await?;
    let blocks = [(person.id, Block::Practice, person.practice_attempt), (person.id, Block::Main, 1)];
    let trials = store::answers::trials_in(&mut tx, &blocks).await?;
    let ending = if person.stage.ended() { Some(ending(&mut tx, &person).await?) } else { None };
    tx.commit().await?;
    app.changed(person.study_id);
    Ok(OpenedParticipation { person, version, trials, clock_ms, ending })
}

/// A participant who lost their slot retakes it if it is open, or continues without one. The caller holds the lock.
async fn retake_slot(
    app: &App,
    conn: &mut sqlx::PgConnection,
    person: &mut Participant,
    version: &StudyVersion,
) -> Result<()> {
    if person.claim != Claim::Lost {
        return Ok(());
    }
    let postings = version.definition.design.postings_per_slot;
    let slots = refill(app, &mut *conn, version, person.mode).await?;
    let own = slots.iter().find(|slot| Some(slot.id) == person.slot_id);
    if let Some(slot) = own.filter(|slot| slot.is_open(postings)) {
        store::slots::take_back(&mut *conn, &[slot.id]).await?;
        person.claim = Claim::Leased;
        person.leased_at = app.now();
    }
    Ok(())
}
