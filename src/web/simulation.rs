//! For the simulator only, with an API token.

use axum::extract::State;
use serde::Deserialize;

use super::error::Problem;
use super::extract::{Json, MaybeBearer};
use super::state::WebState;
use crate::domain::rights::Scope;
use crate::flow::simulation::{self, AnswerKey, Entrance};
use crate::flow::team;

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
) -> Result<Json<Entrance>, Problem> {
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
) -> Result<Json<AnswerKey>, Problem> {
    team::check_token(&mut *state.app.pool.acquire().await?, token.as_deref(), Scope::Simulate).await?;
    Ok(Json(simulation::answer_key(&state.app, &body.participant_token).await?))
}
