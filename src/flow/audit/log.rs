//! Writes the audit log: who did what, in the same transaction as the action.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use crate::domain::audit_log::{Action, Entry};
use crate::domain::rights::Role;
use crate::flow::{App, Result};
use crate::store;
use crate::store::researchers::Researcher;

/// The person, script or program that does something.
#[derive(Debug, Clone)]
pub struct Actor {
    name: String,
    kind: &'static str,
    role: Role,
    sees_identities: bool,
}

impl Actor {
    /// A person who runs commands on the machine with the data, and so can see all of them.
    pub fn command_line() -> Self {
        let kind = "command line";
        Self { name: kind.into(), kind, role: Role::Administrator, sees_identities: true }
    }

    /// Weber itself.
    pub fn program() -> Self {
        let kind = "weber";
        Self { name: kind.into(), kind, role: Role::Researcher, sees_identities: false }
    }

    /// A script with an API token for downloads.
    pub fn token(name: &str) -> Self {
        let name = format!("token {name}");
        Self { name, kind: "token", role: Role::Researcher, sees_identities: false }
    }

    /// A researcher who is signed in.
    pub fn researcher(researcher: &Researcher) -> Self {
        let Researcher { email, role, sees_identities, .. } = researcher;
        Self { name: email.clone(), kind: "researcher", role: *role, sees_identities: *sees_identities }
    }

    /// The name in the journal.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Refuses an actor who may only view.
    pub fn must_steer(&self) -> Result<()> {
        self.must_be(Role::Researcher)
    }

    /// Refuses an actor who may not decide about the rights of others.
    pub fn must_administer(&self) -> Result<()> {
        self.must_be(Role::Administrator)
    }

    fn must_be(&self, role: Role) -> Result<()> {
        if self.role >= role { Ok(()) } else { Err(crate::flow::Refused::RoleNeeded(role).into()) }
    }

    /// Refuses an actor who may not see who participants are.
    pub fn must_see_identities(&self) -> Result<()> {
        if self.sees_identities { Ok(()) } else { Err(crate::flow::Refused::RightNeeded.into()) }
    }
}

/// One action, with its study and participant.
#[derive(Debug, Clone, Copy)]
pub struct AuditEvent<'a> {
    pub action: Action,
    /// The study's short name.
    pub study: Option<&'a str>,
    /// The participant's pseudonym.
    pub participant: Option<&'a str>,
}

/// Writes an entry. Call it at the end of a transaction: other writers wait until the transaction ends.
pub async fn write(
    app: &App,
    conn: &mut PgConnection,
    actor: &Actor,
    deed: AuditEvent<'_>,
    detail: Value,
) -> Result<()> {
    Ok(write_at(conn, actor, deed, detail, app.now()).await?)
}

/// Like [`write`], for actions that have only the database and no [`App`].
pub async fn write_at(
    conn: &mut PgConnection,
    actor: &Actor,
    deed: AuditEvent<'_>,
    detail: Value,
    now: DateTime<Utc>,
) -> store::Result<()> {
    let (number, previous_sha256) = store::audit_log::lock_head(&mut *conn).await?.unwrap_or_default();
    let entry = Entry {
        number: number + 1,
        at: now,
        actor: actor.name.clone(),
        action: deed.action.to_string(),
        study: deed.study.map(str::to_owned),
        participant: deed.participant.map(str::to_owned),
        detail: detail.to_string(),
        previous_sha256,
    };
    store::audit_log::append(conn, &entry).await?;
    tell_operator(actor, deed, &detail);
    Ok(())
}

/// The keys of an event's detail that the server's log may contain. The others name a researcher or a token, or have free text.
const LOGGED: [&str; 19] = [
    "because",
    "condition",
    "decision",
    "enabled",
    "file",
    "from",
    "holds_key",
    "link",
    "links",
    "mode",
    "modes",
    "on",
    "people",
    "platform",
    "policy",
    "role",
    "sees_identities",
    "to",
    "version",
];

/// Writes the event to the server's log, without a person's name. If the commit that follows fails, its error has the same
/// request's span.
fn tell_operator(actor: &Actor, deed: AuditEvent<'_>, detail: &Value) {
    let logged = |name: &&str| Some((*name).to_owned()).zip(detail.get(name).cloned());
    let detail = Value::Object(LOGGED.iter().filter_map(logged).collect());
    tracing::info!(action = %deed.action, study = deed.study, by = actor.kind, %detail, "Audit event");
}
