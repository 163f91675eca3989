//! Who arrived by a link: what the platform says, checked as far as it can be.

use sqlx::PgConnection;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::domain::identity::Identity;
use crate::domain::participant::Participant;
use crate::domain::record::EventKind;
use crate::domain::study::{Group, Platform, StudyVersion};
use crate::flow::{App, Refused, Result};
use crate::recruitment::{self, Parameters, Visit, ids};
use crate::store;
use crate::store::assignments::Seen;
use crate::store::identities::PersonKey;
use crate::store::links::Link;
use crate::store::studies::Study;

/// The parameter by which the consent page hands on that a signed link was checked when it came.
pub const PROOF: &str = "weber_proof";

/// How long a checked arrival may take to consent, in s.
pub const PROOF_LIFETIME_S: i64 = 6 * 3600;

/// The link of that code, in any spelling of it.
pub async fn link(conn: &mut PgConnection, code: &str) -> Result<Link> {
    let link = store::links::by_code(conn, &ids::link_code(code)).await?;
    Ok(link.ok_or(Refused::NoSuchLink)?)
}

/// Refuses new people, and counts them, while what they would do could not be stored. The caller holds no connection.
pub async fn is_open(app: &App) -> Result<()> {
    if app.readiness.check(&app.pool, app.now().timestamp()).await.is_err() {
        app.work.not_now.inc();
        return Err(Refused::NotNow.into());
    }
    Ok(())
}

/// The person whom the platform names; none where it names none.
pub fn named(app: &App, link: &Link, parameters: &Parameters) -> Result<Option<Identity>> {
    match recruitment::arrive(&link.definition, parameters) {
        Visit::Known(identity) => Ok(Some(identity)),
        Visit::Personal(code) => personal(app, link, code).map(Some),
        Visit::Anonymous => Ok(None),
        Visit::Preview => Err(Refused::PreviewOnly.into()),
        Visit::Incomplete(incomplete) => Err(Refused::PlatformParameter(incomplete).into()),
    }
}

/// Who takes part once: whom the platform names, but for experts, who may come as often as they like.
pub fn once<T>(link: &Link, named: Option<T>) -> Option<T> {
    named.filter(|_| link.definition.group == Group::Crowd)
}

/// The person who arrived and takes part once; none where none is named, or an expert is.
pub fn who(app: &App, link: &Link, parameters: &Parameters) -> Result<Option<Identity>> {
    Ok(once(link, named(app, link, parameters)?))
}

/// A personal link was given out and is not made up.
fn personal(app: &App, link: &Link, code: String) -> Result<Identity> {
    let number = code.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    let right = app.secrets.personal_code(&link.code, number);
    let given_out = (1..=link.personal_links).contains(&number);
    if !given_out || !bool::from(right.as_bytes().ct_eq(code.as_bytes())) {
        return Err(Refused::NoSuchPersonalLink.into());
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

/// Refuses people, experts too, who must come by a signed link and were not checked.
pub fn check_proof(app: &App, link: &Link, parameters: &Parameters) -> Result<()> {
    if !must_be_signed(link) {
        return Ok(());
    }
    let identity = named(app, link, parameters)?.ok_or(Refused::NotSigned)?;
    let given = parameters.get(PROOF).map(String::as_str).unwrap_or_default();
    let until: i64 = given.split('.').next().and_then(|until| until.parse().ok()).unwrap_or(0);
    let right = app.secrets.arrival_proof(&link.code, &identity, until);
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
pub enum ReturnStatus {
    /// Not known in the study's family, and not barred.
    New,
    /// Takes part in this very study and may go on, or see the end again.
    MayReturn(Uuid),
    /// Took part in it, or in another one of its family.
    NotAgain,
    /// Is on a list, or took part in an earlier study that excludes this one.
    Barred,
}

/// How a named person stands; nothing is written.
pub async fn standing(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    identity: &Identity,
) -> Result<ReturnStatus> {
    let key = key(app, identity);
    let Some(id) = store::identities::holder(&mut *conn, &study.family, &key).await? else {
        let earlier = &version.definition.recruitment.not_after;
        let barred = store::identities::is_barred(&mut *conn, study.id, earlier, &key).await?;
        return Ok(if barred { ReturnStatus::Barred } else { ReturnStatus::New });
    };
    let person = store::participants::get(&mut *conn, id).await?;
    let is_known = store::identities::get(&mut *conn, id).await?.is_some();
    let seen = store::assignments::of(&mut *conn, id).await?;
    let same_task = is_known && is_same_task(&seen, identity);
    Ok(if may_return(&person, study, same_task) {
        ReturnStatus::MayReturn(id)
    } else {
        ReturnStatus::NotAgain
    })
}

/// People who are inside go on, also with a new assignment. People who are done see the end again with the task that they did.
fn may_return(person: &Participant, study: &Study, same_task: bool) -> bool {
    person.study_id == study.id && !person.stage.is_withdrawn() && (same_task || !person.stage.ended())
}

/// Whether a person comes with an assignment with which they were seen, or with a new one of the same task: it can only be
/// accepted again when it was not handed in. Where there are no assignments, it is always the same.
fn is_same_task(seen: &[Seen], now: &Identity) -> bool {
    now.assignment_id.is_none()
        || is_seen(seen, now)
        || (now.hit_id.is_some() && seen.iter().any(|seen| seen.hit_id == now.hit_id))
}

/// Whether a person comes with an assignment with which they were seen.
pub fn is_seen(seen: &[Seen], now: &Identity) -> bool {
    seen.iter().any(|seen| Some(&seen.assignment_id) == now.assignment_id.as_ref())
}

/// Most assignments that are kept of one participation. A person accepts a task again a few times; a stranger who knows their
/// id can name any number.
const MOST_ASSIGNMENTS: usize = 50;

/// Keeps the assignment with which a person comes, and says which of theirs it is; none if there is none, or too many are kept.
/// The caller holds the person's row.
pub async fn see_assignment(
    app: &App,
    conn: &mut PgConnection,
    id: Uuid,
    identity: &Identity,
) -> Result<Option<i16>> {
    let Some(assignment_id) = identity.assignment_id.clone() else { return Ok(None) };
    if store::identities::get(&mut *conn, id).await?.is_none() {
        // Their ids were forgotten, and are not to be collected again.
        return Ok(None);
    }
    let seen = store::assignments::of(&mut *conn, id).await?;
    if let Some(known) = seen.iter().find(|seen| seen.assignment_id == assignment_id) {
        return Ok(Some(known.number));
    }
    if seen.len() >= MOST_ASSIGNMENTS {
        return Ok(None);
    }
    let number = seen.last().map_or(1, |seen| seen.number + 1);
    let new = Seen { number, assignment_id, hit_id: identity.hit_id.clone() };
    let now = app.now();
    store::assignments::add(&mut *conn, id, &new, now).await?;
    store::answers::insert_event(conn, id, EventKind::NewAssignment, None, serde_json::json!({}), now)
        .await?;
    Ok(Some(number))
}
