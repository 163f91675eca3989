//! Writing down who did what, in the transaction of the deed.

use serde_json::Value;
use sqlx::PgConnection;

use super::{App, Result};
use crate::domain::journal::{Action, Entry};
use crate::store;
use crate::store::researchers::Researcher;

/// Who does something.
#[derive(Debug, Clone)]
pub struct Actor {
    name: String,
    sees_identities: bool,
}

impl Actor {
    /// Whoever can run commands where the data are, and so see all of them.
    pub fn command_line() -> Self {
        Self { name: "command line".into(), sees_identities: true }
    }

    /// A researcher who is signed in.
    pub fn researcher(researcher: &Researcher) -> Self {
        Self { name: researcher.email.clone(), sees_identities: researcher.sees_identities }
    }

    /// How the journal names them.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Refuses whoever may not see who participants are.
    pub fn must_see_identities(&self) -> Result<()> {
        if self.sees_identities { Ok(()) } else { Err(super::Refused::RightNeeded.into()) }
    }
}

/// What was done, and with whom.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
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
    deed: Deed<'_>,
    detail: Value,
) -> Result<()> {
    let (number, previous_sha256) = store::journal::lock_head(&mut *conn).await?.unwrap_or_default();
    let entry = Entry {
        number: number + 1,
        at: app.now(),
        actor: actor.name.clone(),
        action: deed.action.to_string(),
        study: deed.study.map(str::to_owned),
        participant: deed.participant.map(str::to_owned),
        detail: detail.to_string(),
        previous_sha256,
    };
    store::journal::append(conn, &entry).await?;
    Ok(())
}
