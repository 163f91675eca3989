//! Consent: the one transaction that makes a person a participant.

use sqlx::PgConnection;
use uuid::Uuid;

use super::secrets::token_sha256;
use super::slots::refill;
use super::{App, Refused, Result};
use crate::domain::allocation::{Claim, choose};
use crate::domain::gate::{Arrival, Shut, admits};
use crate::domain::identity::Identity;
use crate::domain::participant::{Participant, Stage};
use crate::domain::record::EventKind;
use crate::domain::schedule::{draw_main, draw_practice};
use crate::domain::study::{Group, Mode, StudyVersion};
use crate::recruitment::{self, Parameters, Visit};
use crate::store;
use crate::store::links::Link;
use crate::store::participants::Device;
use crate::store::studies::Study;

/// What a person agreed to, and how they came.
#[derive(Debug, Clone)]
pub struct Consent {
    /// The entry link's code.
    pub link: String,
    /// The parameters of the address.
    pub parameters: Parameters,
    /// SHA-256 of the text that was shown.
    pub text_sha256: Vec<u8>,
    /// What the browser says about itself.
    pub device: Device,
    /// For links of simulated people.
    pub api_token: Option<String>,
}

/// A participation that begins or goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The participant's token.
    pub token: String,
    /// Whether the participation was there before.
    pub resumed: bool,
}

/// Makes a person a participant, or lets a known one go on.
pub async fn enroll(app: &App, consent: &Consent) -> Result<Enrolled> {
    let mut conn = app.pool.acquire().await?;
    let link = store::links::by_code(&mut conn, &consent.link).await?.ok_or(Refused::NoSuchLink)?;
    if link.mode == Mode::Simulated {
        super::simulation::check_api_token(&mut conn, consent.api_token.as_deref()).await?;
    }
    let identity = match recruitment::arrive(link.platform, &consent.parameters) {
        Visit::Known(identity) => Some(identity),
        Visit::Anonymous => None,
        Visit::Preview => return Err(Refused::PreviewOnly.into()),
        Visit::Incomplete(parameter) => return Err(Refused::PlatformParameter(parameter).into()),
    };
    drop(conn);
    // A person who arrives twice at the same instant enrols once: whoever comes second finds the first and resumes.
    for _ in 0..2 {
        if let Some(identity) = &identity
            && let Some(enrolled) = resume(app, &link, identity).await?
        {
            return Ok(enrolled);
        }
        if let Some(enrolled) = begin(app, &link, identity.as_ref(), consent).await? {
            app.changed(link.study_id);
            return Ok(enrolled);
        }
    }
    Err(Refused::AlreadyTookPart.into())
}

/// The participation of a person whom the platform names, if there is one.
async fn resume(app: &App, link: &Link, identity: &Identity) -> Result<Option<Enrolled>> {
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_id(&mut tx, link.study_id).await?;
    let hmac = app.secrets.worker_hmac(identity.platform, &identity.worker_id);
    let Some(id) = store::identities::holder(&mut tx, &study.family, identity.platform, &hmac).await? else {
        return Ok(None);
    };
    let person = store::participants::lock(&mut tx, id).await?;
    let same_assignment = is_same_assignment(&mut tx, id, identity).await?;
    let now = app.now();
    if !may_return(&person, link, same_assignment) {
        store::arrivals::count(&mut tx, link.id, Arrival::AlreadyTookPart, now).await?;
        tx.commit().await?;
        return Err(Refused::AlreadyTookPart.into());
    }
    if !same_assignment {
        store::records::insert_event(&mut tx, id, EventKind::NewAssignment, None, serde_json::json!({}), now)
            .await?;
        store::identities::set(&mut tx, id, identity, &app.token()).await?;
    }
    let token = app.token();
    store::participants::add_token(&mut tx, id, &token_sha256(&token), now).await?;
    tx.commit().await?;
    Ok(Some(Enrolled { token, resumed: true }))
}

/// Makes a new participation. None: at this very moment the same person got one elsewhere.
async fn begin(
    app: &App,
    link: &Link,
    identity: Option<&Identity>,
    consent: &Consent,
) -> Result<Option<Enrolled>> {
    let mut tx = app.pool.begin().await?;
    store::slots::lock(&mut tx, link.study_id, link.mode).await?;
    let study = store::studies::by_id(&mut tx, link.study_id).await?;
    let now = app.now();
    if let Err(shut) = admits(study.state, link.enabled, link.mode) {
        return turn_away(tx, link, arrival(shut), Refused::Shut(shut), now).await;
    }
    let version = app.newest_version(&mut tx, study.id).await?;
    if consent.text_sha256 != crate::domain::study::text_sha256(&version.definition.pages.consent) {
        return Err(Refused::ConsentChanged.into());
    }
    let Some(person) = place(app, &mut tx, &study, &version, link).await? else {
        return turn_away(tx, link, Arrival::Full, Refused::Full, now).await;
    };
    store::participants::insert(&mut tx, &person, &consent.text_sha256, &consent.device).await?;
    store::slots::count_enrolment(&mut tx, study.id, link.mode).await?;
    if let Some(identity) = identity {
        let hmac = app.secrets.worker_hmac(identity.platform, &identity.worker_id);
        let holder =
            store::identities::claim_once(&mut tx, &study.family, identity.platform, &hmac, person.id)
                .await?;
        if holder.is_some() {
            return Ok(None);
        }
        store::identities::set(&mut tx, person.id, identity, &app.token()).await?;
    }
    draw(&mut tx, &version, &person).await?;
    let token = app.token();
    store::participants::add_token(&mut tx, person.id, &token_sha256(&token), now).await?;
    tx.commit().await?;
    Ok(Some(Enrolled { token, resumed: false }))
}

async fn turn_away(
    mut tx: sqlx::Transaction<'_, sqlx::Postgres>,
    link: &Link,
    arrival: Arrival,
    refused: Refused,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Option<Enrolled>> {
    store::arrivals::count(&mut tx, link.id, arrival, now).await?;
    tx.commit().await?;
    Err(refused.into())
}

/// How somebody who is not let in is counted.
pub const fn arrival(shut: Shut) -> Arrival {
    match shut {
        Shut::NotOpenYet | Shut::Paused => Arrival::Paused,
        Shut::Closed => Arrival::Closed,
    }
}

/// A new participation with its slot, or none if the study is full.
async fn place(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    link: &Link,
) -> Result<Option<Participant>> {
    let now = app.now();
    let mut rng = app.rng();
    let postings = version.definition.design.postings_per_slot;
    let slots = refill(&mut *conn, study.id, link.mode, postings, now).await?;
    let Some(slot) = choose(&slots, postings, |condition| link.allows(condition), &mut rng) else {
        return Ok(None);
    };
    let holds_slot = link.group == Group::Crowd;
    if holds_slot {
        store::slots::take_back(&mut *conn, slot.id).await?;
    }
    let lease = chrono::TimeDelta::seconds(version.definition.lease.until_welcome_s.into());
    Ok(Some(Participant {
        id: app.new_id(now),
        study_id: study.id,
        version_id: version.id,
        link_id: link.id,
        pseudonym: format!("p-{}", app.short_name()),
        mode: link.mode,
        group: link.group,
        platform: link.platform,
        condition: slot.condition.clone(),
        image_set: slot.image_set,
        slot_id: holds_slot.then_some(slot.id),
        claim: if holds_slot { Claim::Leased } else { Claim::Without },
        stage: Stage::Consented,
        end_reason: None,
        screen: None,
        seed: rand::RngExt::random(&mut rng),
        tab: 0,
        practice_attempt: 1,
        enrolled_at: now,
        leased_at: now,
        lease_until: now + lease,
        last_seen_at: now,
        started_at: None,
        instructed_at: None,
        practised_at: None,
        running_at: None,
        ended_at: None,
        clock_ms: None,
        clock_at: None,
        clock_discrepancy_s: None,
        instruction_ms: None,
        instruction_load_wait_ms: 0.0,
        total_ms: None,
        posting: None,
        passed: None,
        late: false,
    }))
}

/// Draws and stores what the person will see: the main block, and the first practice block so that it can be preloaded.
async fn draw(conn: &mut PgConnection, version: &StudyVersion, person: &Participant) -> Result<()> {
    let mut trials = draw_main(version, &person.condition, person.image_set, person.seed);
    if version.definition.condition(&person.condition).is_some_and(|condition| condition.practice) {
        trials.extend(draw_practice(version, &person.condition, 1, person.seed));
    }
    store::records::insert_schedule(conn, person.id, &trials).await?;
    Ok(())
}

/// How a person whom the platform names stands before consent: what the gate shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not known in the study's family.
    New,
    /// Takes part in this very study and may go on, or see the end again.
    MayReturn,
    /// Took part, and cannot do so again.
    TookPart,
}

/// How a named person stands; nothing is written.
pub async fn standing(
    app: &App,
    conn: &mut PgConnection,
    link: &Link,
    identity: &Identity,
) -> Result<Standing> {
    let study = store::studies::by_id(&mut *conn, link.study_id).await?;
    let hmac = app.secrets.worker_hmac(identity.platform, &identity.worker_id);
    let Some(id) = store::identities::holder(&mut *conn, &study.family, identity.platform, &hmac).await?
    else {
        return Ok(Standing::New);
    };
    let person = store::participants::get(&mut *conn, id).await?;
    let same_assignment = is_same_assignment(&mut *conn, id, identity).await?;
    Ok(if may_return(&person, link, same_assignment) { Standing::MayReturn } else { Standing::TookPart })
}

/// Whoever is inside goes on, also with a new assignment; whoever is done sees the end again with the same one only.
fn may_return(person: &Participant, link: &Link, same_assignment: bool) -> bool {
    person.study_id == link.study_id && (same_assignment || !person.stage.ended())
}

async fn is_same_assignment(conn: &mut PgConnection, id: Uuid, identity: &Identity) -> Result<bool> {
    let stored = store::identities::get(conn, id).await?;
    Ok(stored.is_some_and(|(stored, _)| stored.assignment_id == identity.assignment_id))
}
