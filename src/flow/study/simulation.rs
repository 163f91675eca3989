//! What simulated people need besides the participants' API: links of their own, and the answer key.

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

/// The names of the links for simulated people.
const LINK: &str = "Simulation";
const PLATFORM_LINK: &str = "Simulation of a platform";

/// What a simulation needs to know about a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulationTarget {
    /// The code of the link for people without an identity.
    pub link: String,
    /// The code of the link for people with an identity, in the parameters of Prolific.
    pub platform_link: String,
    /// Names of the conditions.
    pub conditions: Vec<String>,
    /// Names of the units of the main trials.
    pub units: Vec<String>,
    /// Confidence levels under each query.
    pub confidence_levels: u8,
}

/// A study's links and names for simulated people. The first call makes the links.
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

/// The correct answers to the trials of a simulated person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerKey {
    pub condition: String,
    pub trials: Vec<KeyEntry>,
}

/// A trial with its correct answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyEntry {
    /// The position of the trial in the schedule.
    #[serde(flatten)]
    pub place: Place,
    pub kind: TrialKind,
    /// The side of the max query.
    pub max_side: Side,
    pub unit: String,
}

/// The answer key of a simulated person. For other people it is refused.
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
