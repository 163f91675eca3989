//! A study's policies: those of its folder and those saved in the lab.

use serde_json::json;
use sqlx::PgConnection;

use super::journal::{self, Actor, Deed};
use super::slots::enrolment_policy;
use super::{App, FlowError, Refused};
use crate::domain::codebook::people::JudgedPerson;
use crate::domain::exclusion::Policy;
use crate::domain::journal::Action;
use crate::domain::study::{Mode, StudyVersion};
use crate::store::studies::Study;
use crate::store::{self, StoreError};

/// The policy of that name: the enrolment policy as it is pinned, one of the folder's, or one saved in the lab.
pub async fn by_name(
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    name: &str,
) -> Result<Option<Policy>, StoreError> {
    let enrolment = enrolment_policy(study, version);
    if name == enrolment.name {
        return Ok(Some(enrolment));
    }
    if let Some(policy) = version.definition.policy(name) {
        return Ok(Some(policy.clone()));
    }
    let saved = store::policies::all(conn, study.id).await?;
    Ok(saved.into_iter().map(|saved| saved.policy).find(|policy| policy.name == name))
}

/// The names of all policies of a study.
pub async fn names(
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
) -> Result<Vec<String>, StoreError> {
    let mut names: Vec<String> =
        version.definition.policies.iter().map(|policy| policy.name.clone()).collect();
    names.extend(store::policies::all(conn, study.id).await?.into_iter().map(|saved| saved.policy.name));
    Ok(names)
}

/// Saves a policy under a name that is free.
pub async fn save(app: &App, actor: &Actor, slug: &str, policy: &Policy) -> Result<(), FlowError> {
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let version = app.newest_version(&mut tx, study.id).await?;
    if !is_name(&policy.name) {
        return Err(Refused::PolicyName.into());
    }
    let taken = by_name(&mut tx, &study, &version, &policy.name).await?.is_some();
    if taken || !store::policies::save(&mut tx, study.id, policy, actor.name(), app.now()).await? {
        return Err(Refused::PolicyName.into());
    }
    let deed = Deed { action: Action::PolicySaved, study: Some(slug), participant: None };
    let detail = json!({ "policy": policy.name, "sha256": policy.sha256() });
    journal::write(app, &mut tx, actor, deed, detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Freezes a saved policy as pre-registered, for good.
pub async fn freeze(app: &App, actor: &Actor, slug: &str, name: &str) -> Result<(), FlowError> {
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    if !store::policies::freeze(&mut tx, study.id, name, app.now()).await? {
        return Err(Refused::NoSuchPolicy.into());
    }
    let deed = Deed { action: Action::PolicyFrozen, study: Some(slug), participant: None };
    journal::write(app, &mut tx, actor, deed, json!({ "policy": name })).await?;
    tx.commit().await?;
    Ok(())
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=40).contains(&name.len()) && name.chars().all(allowed)
}

/// Everybody who consented in a mode, in the order of consent, judged under a policy.
pub async fn judged(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    mode: Mode,
    policy: &Policy,
) -> Result<Vec<JudgedPerson>, FlowError> {
    use futures::TryStreamExt;
    let conditions = version.definition.conditions.iter();
    let practising: Vec<String> = conditions.filter(|c| c.practice).map(|c| c.name.clone()).collect();
    let modes = [mode.to_string()];
    let people: Vec<_> =
        store::exports::people(conn, study.id, &modes, &practising, app.now()).try_collect().await?;
    Ok(people.into_iter().map(|person| JudgedPerson::new(person, policy)).collect())
}
