//! A study's policies: those of its folder and those saved in the lab.

use futures::TryStreamExt;
use serde_json::json;
use sqlx::PgConnection;

use crate::domain::analysis::JudgedPerson;
use crate::domain::audit_log::Action;
use crate::domain::exclusion::Policy;
use crate::domain::participant::Participant;
use crate::domain::preregistration::{PreregistrationStatus, StandingPolicy};
use crate::domain::study::{Mode, StudyVersion};
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::study::settings::enrolment_policy;
use crate::flow::{App, FlowError, Refused};
use crate::store::exports::Wanted;
use crate::store::studies::Study;
use crate::store::{self, StoreError};

/// Every policy of a study: those of its folder, with the enrolment policy as it is pinned, and those saved in the lab.
pub async fn all(
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
) -> Result<Vec<StandingPolicy>, StoreError> {
    let promised = store::policies::preregistered(conn, study.id).await?;
    let enrolment = enrolment_policy(study, version);
    let mut policies = vec![];
    let folder = version.definition.policies.iter();
    policies.extend(folder.map(|own| if own.name == enrolment.name { &enrolment } else { own }).cloned());
    // The enrolment policy was pinned by an earlier version, and this version no longer has it.
    if version.definition.policy(&enrolment.name).is_none() {
        policies.insert(0, enrolment);
    }
    policies.extend(store::policies::all(conn, study.id).await?.into_iter().map(|saved| saved.policy));
    Ok(policies.into_iter().map(|policy| StandingPolicy::new(policy, promised.as_ref())).collect())
}

/// The policy with this name; without a name the enrolment policy.
pub async fn chosen(
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    name: &str,
) -> Result<Option<StandingPolicy>, StoreError> {
    let enrolment = enrolment_policy(study, version).name;
    let name = if name.is_empty() { &enrolment } else { name };
    Ok(all(conn, study, version).await?.into_iter().find(|known| known.policy.name == name))
}

/// How a policy relates to the one that the study pre-registered.
pub async fn standing(
    conn: &mut PgConnection,
    study: &Study,
    policy: &Policy,
) -> Result<PreregistrationStatus, StoreError> {
    Ok(PreregistrationStatus::of(policy, store::policies::preregistered(conn, study.id).await?.as_ref()))
}

/// Saves a policy under a name that is not taken.
pub async fn save(app: &App, actor: &Actor, slug: &str, policy: &Policy) -> Result<(), FlowError> {
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let version = app.newest_version(&mut tx, study.id).await?;
    if !is_name(&policy.name) {
        return Err(Refused::PolicyName.into());
    }
    usable(policy)?;
    let taken = chosen(&mut tx, &study, &version, &policy.name).await?.is_some();
    if taken || !store::policies::save(&mut tx, study.id, policy, actor.name(), app.now()).await? {
        return Err(Refused::PolicyName.into());
    }
    let deed = AuditEvent { action: Action::PolicySaved, study: Some(slug), participant: None };
    let detail = json!({ "policy": policy.name, "sha256": policy.sha256() });
    log::write(app, &mut tx, actor, deed, detail).await?;
    tx.commit().await?;
    Ok(())
}

/// Refuses a policy that no participant could pass.
pub fn usable(policy: &Policy) -> Result<(), Refused> {
    policy.unusable().map_or(Ok(()), |unusable| Err(Refused::UnusablePolicy(unusable)))
}

/// Freezes a saved policy as pre-registered, for good. A study can do this once.
pub async fn freeze(app: &App, actor: &Actor, slug: &str, name: &str) -> Result<(), FlowError> {
    actor.must_steer()?;
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    store::studies::lock(&mut tx, study.id).await?;
    if let Some(promised) = store::policies::preregistered(&mut tx, study.id).await? {
        return Err(Refused::AlreadyPreregistered(promised.policy.name).into());
    }
    let saved = store::policies::all(&mut tx, study.id).await?;
    let policy = saved.into_iter().map(|saved| saved.policy).find(|policy| policy.name == name);
    let policy = policy.ok_or(Refused::NoSuchPolicy)?;
    store::policies::freeze(&mut tx, study.id, name, app.now()).await?;
    let deed = AuditEvent { action: Action::PolicyFrozen, study: Some(slug), participant: None };
    let detail = json!({ "policy": name, "sha256": policy.sha256() });
    log::write(app, &mut tx, actor, deed, detail).await?;
    tx.commit().await?;
    Ok(())
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=40).contains(&name.len()) && name.chars().all(allowed)
}

/// All people who consented in a mode, in the order of consent, judged under a policy.
pub async fn judged(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    mode: Mode,
    policy: &Policy,
) -> Result<Vec<JudgedPerson>, FlowError> {
    let (modes, practising) = ([mode.to_string()], version.definition.practising());
    let wanted = Wanted {
        study_id: study.id,
        modes: &modes,
        practising: &practising,
        person: None,
        with_events: false,
    };
    judge_all(app, conn, wanted, policy).await
}

/// One person, judged under a policy, with their events counted.
pub async fn judged_one(
    app: &App,
    conn: &mut PgConnection,
    person: &Participant,
    version: &StudyVersion,
    policy: &Policy,
) -> Result<Option<JudgedPerson>, FlowError> {
    let (modes, practising) = ([person.mode.to_string()], version.definition.practising());
    let wanted = Wanted {
        study_id: person.study_id,
        modes: &modes,
        practising: &practising,
        person: Some(person.id),
        with_events: true,
    };
    Ok(judge_all(app, conn, wanted, policy).await?.pop())
}

async fn judge_all(
    app: &App,
    conn: &mut PgConnection,
    wanted: Wanted<'_>,
    policy: &Policy,
) -> Result<Vec<JudgedPerson>, FlowError> {
    let people = store::exports::people(conn, wanted, app.now());
    Ok(people.map_ok(|person| JudgedPerson::new(person, policy)).try_collect().await?)
}
