//! A study's people, judged under a policy, with the other data that pages about them show. One call reads all of it, so that no
//! page holds a database connection while it is rendered.

use std::sync::Arc;

use crate::domain::analysis::JudgedPerson;
use crate::domain::preregistration::{PreregistrationStatus, StandingPolicy};
use crate::domain::study::{Mode, StudyVersion};
use crate::flow::study::{policies, results};
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::policies::SavedPolicy;

/// The people of a study in one mode, judged under a policy.
pub struct JudgedStudy {
    /// The study's newest version.
    pub version: Arc<StudyVersion>,
    pub policy: StandingPolicy,
    /// All policies of the study.
    pub policies: Vec<StandingPolicy>,
    /// The policies that were saved in the lab, and how they relate to the pre-registered one.
    pub saved: Vec<(SavedPolicy, PreregistrationStatus)>,
    /// The people, in the order of consent.
    pub people: Vec<JudgedPerson>,
    /// Whether letters hide which condition is which.
    pub blinded: bool,
}

/// The people of a study, judged under the policy with this name, or without a name under the enrolment policy.
pub async fn judged_study(app: &App, slug: &str, mode: Mode, policy: &str) -> Result<JudgedStudy> {
    let mut conn = app.pool.acquire().await?;
    let study = store::studies::by_slug(&mut conn, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let version = app.newest_version(&mut conn, study.id).await?;
    let chosen = policies::chosen(&mut conn, &study, &version, policy).await?;
    let policy = chosen.ok_or(Refused::NoSuchPolicy)?;
    let promised = store::policies::preregistered(&mut conn, study.id).await?;
    let saved = store::policies::all(&mut conn, study.id).await?.into_iter().map(|saved| {
        let status = PreregistrationStatus::of(&saved.policy, promised.as_ref());
        (saved, status)
    });
    Ok(JudgedStudy {
        saved: saved.collect(),
        policies: policies::all(&mut conn, &study, &version).await?,
        people: policies::judged(app, &mut conn, &study, &version, mode, &policy.policy).await?,
        blinded: results::is_blinded(app, &mut conn, &study, &version, mode).await?,
        policy,
        version,
    })
}

/// The policy with this name; without a name the enrolment policy.
pub async fn chosen_policy(app: &App, slug: &str, policy: &str) -> Result<StandingPolicy> {
    let mut conn = app.pool.acquire().await?;
    let study = store::studies::by_slug(&mut conn, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let version = app.newest_version(&mut conn, study.id).await?;
    let chosen = policies::chosen(&mut conn, &study, &version, policy).await?;
    Ok(chosen.ok_or(Refused::NoSuchPolicy)?)
}
