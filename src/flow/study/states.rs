//! Changes the state of a study, for a researcher, an import, or the study itself when it is full.

use serde_json::json;
use sqlx::PgConnection;

use crate::domain::audit_log::Action;
use crate::domain::study::{Group, StudyState};
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::study::settings::enrolment_policy;
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::studies::Study;

/// Changes the state and writes it into the journal, at the end of the caller's transaction.
pub(crate) async fn change(
    app: &App,
    conn: &mut PgConnection,
    actor: &Actor,
    study: &Study,
    state: StudyState,
    because: Option<&str>,
) -> Result<()> {
    if !study.state.may_become(state) {
        return Err(Refused::NoSuchTransition { from: study.state, to: state }.into());
    }
    let version = app.newest_version(&mut *conn, study.id).await?;
    let policy = enrolment_policy(study, &version);
    store::studies::set_state(&mut *conn, study.id, state, &policy, app.now()).await?;
    let deed = AuditEvent { action: Action::StateChanged, study: Some(&study.slug), participant: None };
    let mut detail = json!({ "from": study.state, "to": state });
    if let Some(because) = because {
        detail["because"] = because.into();
    }
    log::write(app, conn, actor, deed, detail).await
}

/// Closes a live study in which no participant can be kept any more, unless experts may still come. The caller holds the lock on
/// the study's slots.
pub(crate) async fn close_finished(app: &App, conn: &mut PgConnection, study: &mut Study) -> Result<()> {
    if study.state != StudyState::Live || awaits_experts(&mut *conn, study.id).await? {
        return Ok(());
    }
    let because = Some("no slot is open or leased");
    change(app, conn, &Actor::program(), study, StudyState::Closed, because).await?;
    study.state = StudyState::Closed;
    Ok(())
}

/// Whether a link for experts is switched on. Experts need no slot.
pub(crate) async fn awaits_experts(conn: &mut PgConnection, study_id: i64) -> Result<bool> {
    let links = store::links::all(conn, study_id).await?;
    Ok(links.iter().any(|link| link.enabled && link.definition.group == Group::Expert))
}
