//! Starting, pausing and closing a study, and switching its links.

use serde_json::json;
use sqlx::PgConnection;

use super::journal::{self, Actor, Deed};
use super::slots::enrolment_policy;
use super::{App, Refused, Result};
use crate::domain::journal::Action;
use crate::domain::study::StudyState;
use crate::store;
use crate::store::studies::Study;

/// Changes what a study is open for. Going live for the first time pins the enrolment policy.
pub async fn set_state(app: &App, actor: &Actor, slug: &str, state: StudyState) -> Result<()> {
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    change(app, &mut tx, &study, state).await?;
    let deed = Deed { action: Action::StateChanged, study: Some(slug), participant: None };
    journal::write(app, &mut tx, actor, deed, json!({ "from": study.state, "to": state })).await?;
    tx.commit().await?;
    app.changed(study.id);
    Ok(())
}

/// The change itself, within the transaction of the caller.
pub(super) async fn change(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    state: StudyState,
) -> Result<()> {
    if !study.state.may_become(state) {
        return Err(Refused::NoSuchTransition { from: study.state, to: state }.into());
    }
    let version = app.newest_version(&mut *conn, study.id).await?;
    let policy = enrolment_policy(study, &version);
    store::studies::set_state(conn, study.id, state, &policy, app.now()).await?;
    Ok(())
}

/// Switches a link of a study on or off.
pub async fn enable_link(app: &App, actor: &Actor, slug: &str, link_id: i64, enabled: bool) -> Result<()> {
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_slug(&mut tx, slug).await?.ok_or(Refused::NoSuchStudy)?;
    if !store::links::enable(&mut tx, study.id, link_id, enabled).await? {
        return Err(Refused::NoSuchLink.into());
    }
    let link = store::links::by_id(&mut tx, link_id).await?;
    let deed = Deed { action: Action::LinkSwitched, study: Some(slug), participant: None };
    let detail = json!({ "link": link.definition.name, "enabled": enabled });
    journal::write(app, &mut tx, actor, deed, detail).await?;
    tx.commit().await?;
    app.changed(study.id);
    Ok(())
}
