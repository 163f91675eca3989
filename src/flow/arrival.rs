//! Who arrived by a link: what the platform says, checked as far as it can be.

use sqlx::PgConnection;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{App, Refused, Result};
use crate::domain::gate::Arrival;
use crate::domain::identity::Identity;
use crate::domain::participant::Participant;
use crate::domain::study::{Group, Platform, StudyVersion};
use crate::recruitment::{self, Parameters, Visit};
use crate::store;
use crate::store::identities::PersonKey;
use crate::store::links::Link;
use crate::store::studies::Study;

/// The parameter by which the consent page hands on that a signed link was checked when it came.
pub const PROOF: &str = "weber_proof";

/// How long a checked arrival may take to consent, in s.
pub const PROOF_LIFETIME_S: i64 = 6 * 3600;

/// Counts, without a name, how somebody arrived.
pub async fn count(app: &App, conn: &mut PgConnection, link: &Link, arrival: Arrival) -> Result<()> {
    store::arrivals::count(conn, link.id, arrival, app.now()).await?;
    app.changed(link.study_id);
    Ok(())
}

/// Refuses new people, and counts them, while what they would do could not be stored. The caller holds no connection.
pub async fn is_open(app: &App) -> Result<()> {
    if app.readiness.check(&app.pool, app.now().timestamp()).await.is_err() {
        app.work.not_now.inc();
        return Err(Refused::NotNow.into());
    }
    Ok(())
}

/// Who arrived. None: somebody of whom nothing is known, or an expert, who may come as often as they like.
pub fn who(app: &App, link: &Link, parameters: &Parameters) -> Result<Option<Identity>> {
    let identity = match recruitment::arrive(&link.definition, parameters) {
        Visit::Known(identity) => identity,
        Visit::Personal(code) => personal(app, link, code)?,
        Visit::Anonymous => return Ok(None),
        Visit::Preview => return Err(Refused::PreviewOnly.into()),
        Visit::Incomplete(parameter) => return Err(Refused::PlatformParameter(parameter).into()),
    };
    Ok(Some(identity).filter(|_| link.definition.group == Group::Crowd))
}

/// A personal link was given out and is not made up.
fn personal(app: &App, link: &Link, code: String) -> Result<Identity> {
    let number = code.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    let right = app.secrets.personal_code(&link.code, number);
    let given_out = (1..=link.personal_links).contains(&number);
    if !given_out || !bool::from(right.as_bytes().ct_eq(code.as_bytes())) {
        return Err(Refused::NoSuchLink.into());
    }
    // The code is made of the link's own, so it names one person only.
    let worker_id = format!("{}/{code}", link.code);
    let platform = Platform::Direct;
    Ok(Identity { platform, ids_of: platform, worker_id, assignment_id: None, hit_id: None })
}

/// Whether people of this link must come by signed links.
pub fn must_be_signed(link: &Link) -> bool {
    link.definition.prolific.as_ref().is_some_and(|prolific| prolific.signed)
}

/// Vouches for a signed arrival that was checked.
pub fn vouch(app: &App, link: &Link, identity: &Identity) -> String {
    app.secrets.arrival_proof(&link.code, identity, app.now().timestamp() + PROOF_LIFETIME_S)
}

/// Refuses whoever must come by a signed link and was not checked.
pub fn check_proof(
    app: &App,
    link: &Link,
    identity: Option<&Identity>,
    parameters: &Parameters,
) -> Result<()> {
    let (true, Some(identity)) = (must_be_signed(link), identity) else { return Ok(()) };
    let given = parameters.get(PROOF).map(String::as_str).unwrap_or_default();
    let until: i64 = given.split('.').next().and_then(|until| until.parse().ok()).unwrap_or(0);
    let right = app.secrets.arrival_proof(&link.code, identity, until);
    if until < app.now().timestamp() || !bool::from(right.as_bytes().ct_eq(given.as_bytes())) {
        return Err(Refused::NotSigned.into());
    }
    Ok(())
}

/// What stands for a person in the once-only rule.
pub fn key(app: &App, identity: &Identity) -> PersonKey {
    PersonKey { ids_of: identity.ids_of, hmac: app.secrets.worker_hmac(identity.ids_of, &identity.worker_id) }
}

/// How a person whom the platform names stands before consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not known in the study's family, and not barred.
    New,
    /// Takes part in this very study and may go on, or see the end again.
    MayReturn(Uuid),
    /// Took part in it or in an earlier study, or is on a list.
    NotAgain,
}

/// How a named person stands; nothing is written.
pub async fn standing(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    identity: &Identity,
) -> Result<Standing> {
    let key = key(app, identity);
    let Some(id) = store::identities::holder(&mut *conn, &study.family, &key).await? else {
        let earlier = &version.definition.recruitment.not_after;
        let barred = store::identities::is_barred(&mut *conn, study.id, earlier, &key).await?;
        return Ok(if barred { Standing::NotAgain } else { Standing::New });
    };
    let person = store::participants::get(&mut *conn, id).await?;
    let stored = store::identities::get(&mut *conn, id).await?;
    let stored = stored.map(|(identity, _)| identity);
    let may_return = may_return(&person, study, stored.as_ref(), identity);
    Ok(if may_return { Standing::MayReturn(id) } else { Standing::NotAgain })
}

/// Whoever is inside goes on, also with a new assignment. Whoever is done sees the end again with the same assignment, or
/// with a new one of the same task: it can only be accepted again when it was not handed in.
fn may_return(person: &Participant, study: &Study, stored: Option<&Identity>, now: &Identity) -> bool {
    let same_task = stored.is_some_and(|stored| {
        is_same_assignment(stored, now) || (stored.hit_id.is_some() && stored.hit_id == now.hit_id)
    });
    person.study_id == study.id && !person.stage.is_withdrawn() && (same_task || !person.stage.ended())
}

/// Whether a person came with the assignment that they had before.
pub fn is_same_assignment(stored: &Identity, now: &Identity) -> bool {
    stored.assignment_id == now.assignment_id
}
