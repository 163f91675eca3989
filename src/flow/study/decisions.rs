//! Deciding about a person beside the rule: include or exclude them, with a reason. Slots do not follow such decisions, but for
//! the deed of its own that excludes somebody and opens their slot again.

use serde_json::json;
use sqlx::PgConnection;

use crate::domain::allocation::Claim;
use crate::domain::analysis::{Decision, Override};
use crate::domain::audit_log::Action;
use crate::domain::participant::{Participant, Stage};
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::participation::slots::refill;
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::studies::Study;

/// Longest reason, in characters.
pub const LONGEST_REASON: usize = 1_000;

/// Decides about somebody who completed. With `reopen`, somebody who is excluded and fills a slot gives it up: it opens
/// again while it has postings left.
pub async fn decide(
    app: &App,
    actor: &Actor,
    slug: &str,
    pseudonym: &str,
    decided: &Override,
    reopen: bool,
) -> Result<()> {
    actor.must_steer()?;
    let reason = decided.reason.trim();
    if reason.is_empty() || reason.chars().count() > LONGEST_REASON {
        return Err(Refused::ReasonNeeded.into());
    }
    let decided = Override { decision: decided.decision, reason: reason.to_owned() };
    let mut tx = app.pool.begin().await?;
    let (study, mut person) = locked(&mut tx, slug, pseudonym).await?;
    if person.stage != Stage::Complete {
        return Err(Refused::NotCompleted.into());
    }
    store::overrides::set(&mut tx, person.id, &decided, actor.name(), app.now()).await?;
    if reopen && decided.decision == Decision::Exclude && person.claim == Claim::Kept {
        give_up_slot(app, &mut tx, &mut person).await?;
        note(app, &mut tx, actor, Action::SlotReopened, &study, &person, json!({})).await?;
    }
    let detail = json!({ "decision": decided.decision, "reason": decided.reason });
    note(app, &mut tx, actor, Action::Overridden, &study, &person, detail).await?;
    tx.commit().await?;
    app.changed(study.id);
    Ok(())
}

/// Takes a decision back: the rule holds again.
pub async fn lift(app: &App, actor: &Actor, slug: &str, pseudonym: &str) -> Result<()> {
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let (study, person) = locked(&mut tx, slug, pseudonym).await?;
    if store::overrides::lift(&mut tx, person.id).await? {
        note(app, &mut tx, actor, Action::OverrideLifted, &study, &person, json!({})).await?;
        // Whoever gave up a slot may have one again.
        let version = app.version(&mut tx, person.version_id).await?;
        refill(app, &mut tx, &version, person.mode).await?;
    }
    tx.commit().await?;
    app.changed(study.id);
    Ok(())
}

/// The study and the person, both locked.
async fn locked(conn: &mut PgConnection, slug: &str, pseudonym: &str) -> Result<(Study, Participant)> {
    let study = store::studies::by_slug(&mut *conn, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let found = store::participants::by_pseudonym(&mut *conn, study.id, pseudonym).await?;
    let found = found.ok_or(Refused::NoSuchParticipant)?;
    store::slots::lock(&mut *conn, study.id, found.mode).await?;
    Ok((study, store::participants::lock(conn, found.id).await?))
}

/// The posting stays used up; the slot is free, for somebody who passed without one before anybody new.
async fn give_up_slot(app: &App, conn: &mut PgConnection, person: &mut Participant) -> Result<()> {
    // Like somebody who passed without a slot, but for the decision that stands against them.
    person.claim = Claim::Surplus;
    store::participants::update(&mut *conn, person).await?;
    let version = app.version(&mut *conn, person.version_id).await?;
    refill(app, conn, &version, person.mode).await?;
    Ok(())
}

async fn note(
    app: &App,
    conn: &mut PgConnection,
    actor: &Actor,
    action: Action,
    study: &Study,
    person: &Participant,
    detail: serde_json::Value,
) -> Result<()> {
    let deed = AuditEvent { action, study: Some(&study.slug), participant: Some(&person.pseudonym) };
    log::write(app, conn, actor, deed, detail).await
}
