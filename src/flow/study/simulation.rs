//! What simulated people need beyond the participants' API: links of their own, and the truth to aim at.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::domain::schedule::Place;
use crate::domain::study::{LinkDefinition, Mode, Platform};
use crate::domain::trial::{Side, TrialKind};
use crate::flow::secrets::token_sha256;
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::studies::Study;

/// Names of the links that simulated people come by.
const LINK: &str = "Simulation";
const PLATFORM_LINK: &str = "Simulation of a platform";

/// What a simulation has to know of a study beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulationTarget {
    /// The code of the link by which people come of whom nothing is known.
    pub link: String,
    /// The code of the link by which people come whom a platform names, by the parameters of Prolific.
    pub platform_link: String,
    /// Names of the conditions.
    pub conditions: Vec<String>,
    /// Names of the units of the main trials.
    pub units: Vec<String>,
    /// Confidence levels under each query.
    pub confidence_levels: u8,
}

/// A study's entrance for simulated people; its links are made when it is first asked for.
pub async fn entrance(app: &App, slug: &str) -> Result<SimulationTarget> {
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    let link = make_link(app, &mut tx, &study, LinkDefinition::plain(LINK, Mode::Simulated)).await?;
    let plain = LinkDefinition::plain(PLATFORM_LINK, Mode::Simulated);
    let platform = LinkDefinition { platform: Platform::Prolific, ..plain };
    let platform_link = make_link(app, &mut tx, &study, platform).await?;
    let version = app.newest_version(&mut tx, study.id).await?;
    tx.commit().await?;
    tracing::info!(study = slug, "A simulation begins");
    let main = version.trials.iter().filter(|row| row.trial.kind == TrialKind::Main);
    let units: BTreeSet<_> = main.map(|row| row.trial.unit.clone()).collect();
    Ok(SimulationTarget {
        link,
        platform_link,
        conditions: version.definition.conditions.iter().map(|condition| condition.name.clone()).collect(),
        units: units.into_iter().collect(),
        confidence_levels: version.definition.trial.confidence_levels,
    })
}

async fn make_link(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    definition: LinkDefinition,
) -> Result<String> {
    store::links::create(&mut *conn, study.id, &definition, &app.short_name(), true, app.now()).await?;
    let links = store::links::all(conn, study.id).await?;
    let mut links = links.into_iter();
    let link = links.find(|link| link.mode() == Mode::Simulated && link.definition.name == definition.name);
    Ok(link.ok_or(Refused::NoSuchLink)?.code)
}

/// The truth about everything that was drawn for a simulated person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerKey {
    /// Their condition.
    pub condition: String,
    /// Their trials.
    pub trials: Vec<KeyEntry>,
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
pub async fn answer_key(app: &App, participant_token: &str) -> Result<AnswerKey> {
    let mut conn = app.pool.acquire().await?;
    let person = store::participants::by_token(&mut conn, &token_sha256(participant_token)).await?;
    let person = person.filter(|person| person.mode == Mode::Simulated).ok_or(Refused::UnknownToken)?;
    let trials = store::answers::trials_of(&mut conn, person.id).await?;
    let version = app.version(&mut conn, person.version_id).await?;
    let entry = |trial: store::answers::TrialOnFile| {
        let row = version.trial(trial.scheduled.trial_id)?;
        let place = trial.scheduled.place();
        Some(KeyEntry { place, kind: row.kind, max_side: trial.scheduled.max_side, unit: row.unit.clone() })
    };
    Ok(AnswerKey { trials: trials.into_iter().filter_map(entry).collect(), condition: person.condition })
}
