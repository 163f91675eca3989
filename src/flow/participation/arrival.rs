//! Arriving by a link: who the person is, as far as the platform says it and as far as that can be checked; which page they get, and
//! how the visit is counted.

use std::sync::Arc;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::gate::{Arrival, Reception, ReturnStatus, Shut, admits, receive};
use crate::domain::identity::Identity;
use crate::domain::participant::Participant;
use crate::domain::record::EventKind;
use crate::domain::study::{Platform, StudyVersion};
use crate::flow::participation::identification::{key, named, once};
use crate::flow::participation::signed_links::{SignedLinks, must_be_signed, vouch};
use crate::flow::participation::visits::{self, Came, VisitCounter};
use crate::flow::records::batch_queue::BatchQueue;
use crate::flow::{App, FlowError, Refused, Result};
use crate::recruitment::{Parameters, ids};
use crate::store;
use crate::store::assignments::Seen;
use crate::store::links::Link;
use crate::store::studies::Study;

/// A link that is opened in a browser.
#[derive(Debug, Clone, Copy)]
pub struct LinkOpening<'a> {
    /// The link's code, as it stands in the address.
    pub code: &'a str,
    /// The parameters of the address.
    pub parameters: &'a Parameters,
    /// Whether it is the window that the page of a task opens.
    pub in_window: bool,
}

/// The page that a visitor gets.
#[derive(Debug)]
pub enum ArrivalPage {
    /// The page of consent.
    Consent {
        /// What vouches for an arrival whose signature was checked.
        proof: Option<String>,
    },
    /// The page of the task in the platform's frame.
    Task,
    /// What a person sees who only previews the task.
    Preview,
    /// Why the link lets no new people in.
    Shut(Shut),
    /// Why this address is not good for taking part.
    Refusal(Refused),
}

/// A visitor, and what they get.
#[derive(Debug)]
pub struct Arrived {
    /// The link by which they came.
    pub link: Link,
    /// The study's newest version.
    pub version: Arc<StudyVersion>,
    /// Who they are, if the platform says it.
    pub identity: Option<Identity>,
    /// Whether the page stands in a frame of the platform's own page.
    pub in_frame: bool,
    /// The page that they get.
    pub page: ArrivalPage,
}

/// Where every participant arrives. No slot is taken; visits are counted without a name.
pub async fn arrive(
    app: &App,
    visits: &BatchQueue<VisitCounter>,
    signed_links: &SignedLinks,
    opening: LinkOpening<'_>,
) -> Result<Arrived> {
    let can_store = app.readiness.check(&app.pool, app.now().timestamp()).await.is_ok();
    let (link, study, version) = study_of_link(app, opening.code).await?;
    let in_frame = link.definition.platform == Platform::Mturk && !opening.in_window;
    let (identity, page, counted) = match identify(app, signed_links, &link, opening.parameters).await {
        Ok(identity) => {
            let status = status_before_consent(app, &link, &study, &version, identity.as_ref()).await?;
            let (found, counted) = receive(status, admits(study.state, link.enabled, link.mode()), can_store);
            let page = match found {
                Reception::Admitted if in_frame => ArrivalPage::Task,
                Reception::Admitted => consent_page(app, &link, identity.as_ref()),
                Reception::Shut(shut) => ArrivalPage::Shut(shut),
                Reception::NotNow => return Err(turned_away(app)),
            };
            (identity, page, counted)
        }
        // Later, the same address may be good.
        Err(error @ (FlowError::Store(_) | FlowError::Refused(Refused::KeysUnavailable))) => {
            return Err(error);
        }
        Err(FlowError::Refused(refused)) => {
            let counted = visits::refused_as(&refused);
            (None, page_of_refusal(refused), counted)
        }
    };
    // A window belongs to a visit that was counted in the frame.
    if let Some(how) = counted.filter(|_| !opening.in_window) {
        visits::note(visits, Came::by(&link, how)).await;
    }
    Ok(Arrived { link, version, identity, in_frame, page })
}

/// A link with its study, and the study's newest version.
async fn study_of_link(app: &App, code: &str) -> Result<(Link, Study, Arc<StudyVersion>)> {
    let mut conn = app.pool.acquire().await?;
    let link = link(&mut conn, code).await?;
    let study = store::studies::by_id(&mut conn, link.study_id).await?;
    let version = app.newest_version(&mut conn, study.id).await?;
    Ok((link, study, version))
}

/// The person whom the platform names, after the check of the signature, where one is asked for. It holds no database connection,
/// since the platform may be asked for its keys.
async fn identify(
    app: &App,
    signed_links: &SignedLinks,
    link: &Link,
    parameters: &Parameters,
) -> Result<Option<Identity>> {
    let named = named(app, link, parameters)?;
    if let Some(named) = named.as_ref().filter(|_| must_be_signed(link)) {
        signed_links.check(link, named, parameters).await?;
    }
    Ok(named)
}

async fn status_before_consent(
    app: &App,
    link: &Link,
    study: &Study,
    version: &StudyVersion,
    identity: Option<&Identity>,
) -> Result<ReturnStatus> {
    match once(link, identity) {
        None => Ok(ReturnStatus::New),
        Some(identity) => return_status(app, &mut *app.pool.acquire().await?, study, version, identity).await,
    }
}

fn page_of_refusal(refused: Refused) -> ArrivalPage {
    match refused {
        Refused::PreviewOnly => ArrivalPage::Preview,
        refused => ArrivalPage::Refusal(refused),
    }
}

fn consent_page(app: &App, link: &Link, identity: Option<&Identity>) -> ArrivalPage {
    let checked = identity.filter(|_| must_be_signed(link));
    ArrivalPage::Consent { proof: checked.map(|identity| vouch(app, link, identity)) }
}

/// Why a person does not take part who could.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// Did not agree.
    Declined,
    /// Came with a device or window that cannot show the study.
    Unsuitable,
}

/// Counts, without a name, a person who saw the page of consent and does not take part.
pub async fn decline(
    app: &App,
    visits: &BatchQueue<VisitCounter>,
    code: &str,
    reason: DeclineReason,
) -> Result<()> {
    let link = link(&mut *app.pool.acquire().await?, code).await?;
    let how = match reason {
        DeclineReason::Declined => Arrival::Declined,
        DeclineReason::Unsuitable => Arrival::Unsuitable,
    };
    visits::note(visits, Came::by(&link, how)).await;
    Ok(())
}

/// The link of that code, in any spelling of it.
pub async fn link(conn: &mut PgConnection, code: &str) -> Result<Link> {
    let link = store::links::by_code(conn, &ids::link_code(code)).await?;
    Ok(link.ok_or(Refused::NoSuchLink)?)
}

/// Refuses new people, and counts them, while what they would do could not be stored. The caller holds no connection.
pub async fn is_open(app: &App) -> Result<()> {
    match app.readiness.check(&app.pool, app.now().timestamp()).await {
        Ok(()) => Ok(()),
        Err(_) => Err(turned_away(app)),
    }
}

/// Counts a person who is to come back, since what they would do could not be stored.
fn turned_away(app: &App) -> FlowError {
    app.work.not_now.inc();
    Refused::NotNow.into()
}

/// How a named person stands; nothing is written.
pub async fn return_status(
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
