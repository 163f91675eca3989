//! For the simulator only, with an API token.

use axum::extract::State;
use serde::Deserialize;

use crate::domain::rights::Scope;
use crate::flow::lab::team;
use crate::flow::study::simulation;
use crate::flow::study::simulation::{AnswerKey, SimulationTarget};
use crate::web::http::error::ProblemDocument;
use crate::web::http::extract::{Json, MaybeBearer};
use crate::web::state::WebState;

/// Body of `POST /api/v1/simulation/link`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkBody {
    study: String,
}

/// The study's entrance for simulated people.
pub async fn link(
    State(state): State<WebState>,
    MaybeBearer(token): MaybeBearer,
    Json(body): Json<LinkBody>,
) -> Result<Json<SimulationTarget>, ProblemDocument> {
    team::check_token(&mut *state.app.pool.acquire().await?, token.as_deref(), Scope::Simulate).await?;
    Ok(Json(simulation::entrance(&state.app, &body.study).await?))
}

/// Body of `POST /api/v1/simulation/answer-key`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyBody {
    participant_token: String,
}

/// The truth about the trials of a simulated person.
pub async fn answer_key(
    State(state): State<WebState>,
    MaybeBearer(token): MaybeBearer,
    Json(body): Json<KeyBody>,
) -> Result<Json<AnswerKey>, ProblemDocument> {
    team::check_token(&mut *state.app.pool.acquire().await?, token.as_deref(), Scope::Simulate).await?;
    Ok(Json(simulation::answer_key(&state.app, &body.participant_token).await?))
}
