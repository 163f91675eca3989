//! The page of the task in MTurk's frame: how the person stands whose window it watches.

use serde::Serialize;

use crate::domain::gate::ReturnStatus;
use crate::flow::participation::arrival;
use crate::flow::participation::identification::who;
use crate::flow::{App, Refused, Result};
use crate::recruitment::{Parameters, is_paid, mturk};
use crate::store;

/// How the person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Has not agreed to take part yet, with this assignment; or cannot take part, which is told to people who agree.
    NotBegun,
    /// Is taking part in another window.
    UnderWay,
    /// Is done: the task can be handed in.
    Done,
    /// Left before the end: there is nothing to hand in.
    Left,
}

/// What the page of the task is told.
#[derive(Debug, Serialize)]
pub struct TaskStanding {
    /// How the person stands.
    pub state: TaskState,
    /// The form that hands the task in, once they are done.
    pub form: Option<mturk::Form>,
}

/// Looks how a person stands, and keeps the assignment with which they come back to hand in. Which one they finished stays as it
/// is: any stranger who knows their id can ask.
pub async fn standing(
    app: &App,
    link_code: &str,
    parameters: &Parameters,
    origins: &[String],
) -> Result<TaskStanding> {
    let mut tx = app.pool.begin().await?;
    let link = arrival::link(&mut tx, link_code).await?;
    let Some(identity) = who(app, &link, parameters)? else {
        return Err(Refused::NoSuchLink.into());
    };
    let study = store::studies::by_id(&mut tx, link.study_id).await?;
    let version = app.newest_version(&mut tx, study.id).await?;
    let not_begun = TaskStanding { state: TaskState::NotBegun, form: None };
    let id = match arrival::return_status(app, &mut tx, &study, &version, &identity).await? {
        // They hear that they cannot take part when they agree: anybody could ask with an id of others.
        ReturnStatus::New | ReturnStatus::NotAgain | ReturnStatus::Barred => return Ok(not_begun),
        ReturnStatus::MayReturn(id) => id,
    };
    let person = store::participants::lock(&mut tx, id).await?;
    let Some(outcome) = person.outcome() else {
        let seen = store::assignments::of(&mut tx, id).await?;
        if !arrival::is_seen(&seen, &identity) {
            return Ok(not_begun);
        }
        let state = if person.stage.ended() { TaskState::Left } else { TaskState::UnderWay };
        return Ok(TaskStanding { state, form: None });
    };
    arrival::see_assignment(app, &mut tx, id, &identity).await?;
    let receipt = store::identities::get(&mut tx, id).await?.map(|(_, receipt)| receipt);
    tx.commit().await?;
    let receipt = receipt.filter(|_| is_paid(outcome)).unwrap_or_default();
    Ok(TaskStanding { state: TaskState::Done, form: mturk::form(parameters, &receipt, origins) })
}
