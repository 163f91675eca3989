//! A researcher's decisions about a participant: to include or exclude them, with a reason. Slots do not change by such decisions,
//! unless the researcher also opens the slot of an excluded participant again.

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

/// Stores a decision about a participant who completed. With `reopen`, an excluded participant who fills a slot loses it, and it
/// opens again if it has postings left.
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

/// Removes a decision: the policy decides again.
pub async fn lift(app: &App, actor: &Actor, slug: &str, pseudonym: &str) -> Result<()> {
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let (study, person) = locked(&mut tx, slug, pseudonym).await?;
    if store::overrides::lift(&mut tx, person.id).await? {
        note(app, &mut tx, actor, Action::OverrideLifted, &study, &person, json!({})).await?;
        // A participant who lost a slot may get one again.
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

/// Frees the participant's slot; the posting stays used up. Surplus participants get the slot before new ones.
async fn give_up_slot(app: &App, conn: &mut PgConnection, person: &mut Participant) -> Result<()> {
    // As surplus they hold no slot, and the decision keeps them from getting one.
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
