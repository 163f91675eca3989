//! Changes of a study by researchers: its state, its links, its postings and its number of places.

use serde_json::json;
use sqlx::PgConnection;

use crate::domain::allocation::{SlotState, finished};
use crate::domain::audit_log::Action;
use crate::domain::study::{Mode, StudyState};
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::participation::slots::refill;
use crate::flow::study::settings::per_condition;
use crate::flow::study::states::{awaits_experts, change};
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::studies::Study;

/// Changes the state of a study. Going live for the first time pins the enrolment policy.
pub async fn set_state(app: &App, actor: &Actor, slug: &str, state: StudyState) -> Result<()> {
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let study = locked(&mut tx, slug).await?;
    if state == StudyState::Live && study.state.may_become(state) {
        check_that_slots_are_left(app, &mut tx, &study).await?;
    }
    change(app, &mut tx, actor, &study, state, None).await?;
    tx.commit().await?;
    app.changed(study.id);
    Ok(())
}

/// A study, with its live slots locked, since it could close itself without the lock.
async fn locked(conn: &mut PgConnection, slug: &str) -> Result<Study> {
    let id = store::studies::by_slug(&mut *conn, slug).await?.ok_or(Refused::NoSuchStudy)?.id;
    store::slots::lock(&mut *conn, id, Mode::Live).await?;
    Ok(store::studies::by_id(conn, id).await?)
}

/// Refuses to open a study in which no participant could be kept: it would close itself at once.
async fn check_that_slots_are_left(app: &App, conn: &mut PgConnection, study: &Study) -> Result<()> {
    let version = app.newest_version(&mut *conn, study.id).await?;
    let slots = refill(app, &mut *conn, &version, Mode::Live).await?;
    let full = finished(&slots, version.definition.design.postings_per_slot);
    if full && !awaits_experts(conn, study.id).await? {
        return Err(Refused::NoSlotLeft.into());
    }
    Ok(())
}

/// Switches a link of a study on or off.
pub async fn enable_link(app: &App, actor: &Actor, slug: &str, link_id: i64, enabled: bool) -> Result<()> {
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let study = locked(&mut tx, slug).await?;
    if !store::links::enable(&mut tx, study.id, link_id, enabled).await? {
        return Err(Refused::NoSuchLink.into());
    }
    let link = store::links::by_id(&mut tx, link_id).await?;
    let deed = AuditEvent { action: Action::LinkSwitched, study: Some(slug), participant: None };
    let detail = json!({ "link": link.definition.name, "enabled": enabled });
    log::write(app, &mut tx, actor, deed, detail).await?;
    // If the link was for experts, the study may now be complete.
    let version = app.newest_version(&mut tx, study.id).await?;
    refill(app, &mut tx, &version, Mode::Live).await?;
    tx.commit().await?;
    app.changed(study.id);
    Ok(())
}

/// Gives each exhausted slot of a condition one more posting. Returns the number of these slots.
pub async fn one_more_posting(
    app: &App,
    actor: &Actor,
    slug: &str,
    mode: Mode,
    condition: &str,
) -> Result<usize> {
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let version = app.newest_version(&mut tx, study.id).await?;
    let postings = version.definition.design.postings_per_slot;
    store::slots::lock(&mut tx, study.id, mode).await?;
    let slots = store::slots::all(&mut tx, study.id, mode, app.now()).await?;
    let exhausted = slots
        .iter()
        .filter(|slot| slot.condition == condition && slot.state(postings) == SlotState::Exhausted);
    let (ids, numbers): (Vec<i64>, Vec<u32>) = exhausted.map(|slot| (slot.id, slot.number)).unzip();
    if !ids.is_empty() {
        store::slots::add_posting(&mut tx, study.id, &ids).await?;
        refill(app, &mut tx, &version, mode).await?;
        let deed = AuditEvent { action: Action::PostingsAdded, study: Some(slug), participant: None };
        let detail = json!({ "mode": mode, "condition": condition, "slots": numbers });
        log::write(app, &mut tx, actor, deed, detail).await?;
    }
    tx.commit().await?;
    app.changed(study.id);
    Ok(ids.len())
}

/// The most places that a condition can have.
pub const MOST_SLOTS: u32 = 10_000;

/// Changes the number of places in every condition. Participants who are kept or taking part keep their places, even beyond the
/// new number.
pub async fn set_quota(app: &App, actor: &Actor, slug: &str, places: u32) -> Result<()> {
    actor.must_steer()?;
    if !(1..=MOST_SLOTS).contains(&places) {
        return Err(Refused::BadQuota(MOST_SLOTS).into());
    }
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let version = app.newest_version(&mut tx, study.id).await?;
    store::slots::lock_all(&mut tx, study.id).await?;
    store::studies::set_quota(&mut tx, study.id, places).await?;
    store::slots::create(&mut tx, study.id, &version.definition, places).await?;
    let deed = AuditEvent { action: Action::QuotaChanged, study: Some(slug), participant: None };
    let detail = json!({ "from": per_condition(&study, &version), "to": places });
    log::write(app, &mut tx, actor, deed, detail).await?;
    for mode in Mode::ALL {
        refill(app, &mut tx, &version, *mode).await?;
    }
    store::slots::remove_unused(&mut tx, study.id).await?;
    tx.commit().await?;
    app.changed(study.id);
    Ok(())
}

/// Ends the blinding of results, for all researchers and for good.
pub async fn unblind(app: &App, actor: &Actor, slug: &str) -> Result<()> {
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    if store::studies::unblind(&mut tx, study.id, app.now()).await? {
        let deed = AuditEvent { action: Action::Unblinded, study: Some(slug), participant: None };
        log::write(app, &mut tx, actor, deed, json!({})).await?;
    }
    tx.commit().await?;
    app.changed(study.id);
    Ok(())
}
