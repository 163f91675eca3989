//! Writing down who did what, in the transaction of the deed.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use crate::domain::audit_log::{Action, Entry};
use crate::domain::rights::Role;
use crate::flow::{App, Result};
use crate::store;
use crate::store::researchers::Researcher;

/// Who does something.
#[derive(Debug, Clone)]
pub struct Actor {
    name: String,
    kind: &'static str,
    role: Role,
    sees_identities: bool,
}

impl Actor {
    /// Whoever can run commands where the data are, and so see all of them.
    pub fn command_line() -> Self {
        let kind = "command line";
        Self { name: kind.into(), kind, role: Role::Administrator, sees_identities: true }
    }

    /// Weber itself.
    pub fn program() -> Self {
        let kind = "weber";
        Self { name: kind.into(), kind, role: Role::Researcher, sees_identities: false }
    }

    /// A script with a token that lets it download data.
    pub fn token(name: &str) -> Self {
        let name = format!("token {name}");
        Self { name, kind: "token", role: Role::Researcher, sees_identities: false }
    }

    /// A researcher who is signed in.
    pub fn researcher(researcher: &Researcher) -> Self {
        let Researcher { email, role, sees_identities, .. } = researcher;
        Self { name: email.clone(), kind: "researcher", role: *role, sees_identities: *sees_identities }
    }

    /// How the journal names them.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Refuses whoever may only look.
    pub fn must_steer(&self) -> Result<()> {
        self.must_be(Role::Researcher)
    }

    /// Refuses whoever may not decide what others may do.
    pub fn must_administer(&self) -> Result<()> {
        self.must_be(Role::Administrator)
    }

    fn must_be(&self, role: Role) -> Result<()> {
        if self.role >= role { Ok(()) } else { Err(crate::flow::Refused::RoleNeeded(role).into()) }
    }

    /// Refuses whoever may not see who participants are.
    pub fn must_see_identities(&self) -> Result<()> {
        if self.sees_identities { Ok(()) } else { Err(crate::flow::Refused::RightNeeded.into()) }
    }
}

/// What was done, and with whom.
#[derive(Debug, Clone, Copy)]
pub struct AuditEvent<'a> {
    /// What.
    pub action: Action,
    /// In which study, by its short name.
    pub study: Option<&'a str>,
    /// With whom, by their pseudonym.
    pub participant: Option<&'a str>,
}

/// Writes an entry. Others who write wait until this transaction ends: to be called at its end.
pub async fn write(
    app: &App,
    conn: &mut PgConnection,
    actor: &Actor,
    deed: AuditEvent<'_>,
    detail: Value,
) -> Result<()> {
    Ok(write_at(conn, actor, deed, detail, app.now()).await?)
}

/// Like [`write`], for deeds that know no more of an installation than its database.
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
