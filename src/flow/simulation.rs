//! What simulated people need beyond the participants' API: a link of their own, and the truth to aim at.

use serde::{Deserialize, Serialize};

use super::secrets::token_sha256;
use super::{App, Refused, Result};
use crate::domain::schedule::Place;
use crate::domain::study::{LinkDefinition, Mode};
use crate::domain::trial::{Side, TrialKind};
use crate::store;

/// Name of the link that simulated people come by.
const LINK: &str = "Simulation";

/// The code of a study's link for simulated people; it is made when it is first asked for.
pub async fn link(app: &App, slug: &str) -> Result<String> {
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let definition = LinkDefinition::plain(LINK, Mode::Simulated);
    store::links::create(&mut tx, study.id, &definition, &app.short_name(), true, app.now()).await?;
    let links = store::links::all(&mut tx, study.id).await?;
    tx.commit().await?;
    let link = links.into_iter().find(|link| link.mode() == Mode::Simulated).ok_or(Refused::NoSuchLink)?;
    Ok(link.code)
}

/// A trial with its truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyEntry {
    /// The trial.
    #[serde(flatten)]
    pub place: Place,
    /// What it is for.
    pub kind: TrialKind,
    /// Where the max query is.
    pub max_side: Side,
    /// The unit.
    pub unit: String,
}

/// The truth about everything drawn for a simulated person; nobody else's can be had.
pub async fn answer_key(app: &App, participant_token: &str) -> Result<Vec<KeyEntry>> {
    let mut conn = app.pool.acquire().await?;
    let person = store::participants::by_token(&mut conn, &token_sha256(participant_token)).await?;
    let person = person.filter(|person| person.mode == Mode::Simulated).ok_or(Refused::UnknownToken)?;
    let trials = store::records::trials_of(&mut conn, person.id).await?;
    let version = app.version(&mut conn, person.version_id).await?;
    let entry = |trial: store::records::TrialOnFile| {
        let row = version.trial(trial.scheduled.trial_id)?;
        let place = trial.scheduled.place();
        Some(KeyEntry { place, kind: row.kind, max_side: trial.scheduled.max_side, unit: row.unit.clone() })
    };
    Ok(trials.into_iter().filter_map(entry).collect())
}
