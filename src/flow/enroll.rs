//! Consent: the one transaction that makes a person a participant.

use rand::seq::IndexedRandom;
use sqlx::PgConnection;
use uuid::Uuid;

use super::arrival::{self, Standing};
use super::secrets::token_sha256;
use super::slots::refill;
use super::{App, Refused, Result};
use crate::domain::allocation::{Claim, choose};
use crate::domain::gate::{Arrival, Shut, admits};
use crate::domain::identity::Identity;
use crate::domain::participant::{Participant, Stage};
use crate::domain::record::EventKind;
use crate::domain::rights::Scope;
use crate::domain::schedule::{draw_main, draw_practice};
use crate::domain::study::{Group, Mode, StudyVersion};
use crate::recruitment::Parameters;
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
    if link.mode() == Mode::Simulated {
        super::team::check_token(&mut conn, consent.api_token.as_deref(), Scope::Simulate).await?;
    }
    let identity = arrival::who(app, &link, &consent.parameters)?;
    arrival::check_proof(app, &link, identity.as_ref(), &consent.parameters)?;
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
    let version = app.newest_version(&mut tx, study.id).await?;
    let now = app.now();
    match arrival::standing(app, &mut tx, &study, &version, identity).await? {
        Standing::New => Ok(None),
        Standing::NotAgain => {
            store::arrivals::count(&mut tx, link.id, Arrival::AlreadyTookPart, now).await?;
            tx.commit().await?;
            Err(Refused::AlreadyTookPart.into())
        }
        Standing::MayReturn(id) => {
            store::participants::lock(&mut tx, id).await?;
            note_assignment(app, &mut tx, id, identity).await?;
            let token = app.token();
            store::participants::add_token(&mut tx, id, &token_sha256(&token), now).await?;
            tx.commit().await?;
            Ok(Some(Enrolled { token, resumed: true }))
        }
    }
}

/// Notes that a person who comes back has another assignment than before, if so.
pub(super) async fn note_assignment(
    app: &App,
    conn: &mut PgConnection,
    id: Uuid,
    identity: &Identity,
) -> Result<()> {
    let Some((stored, _)) = store::identities::get(&mut *conn, id).await? else { return Ok(()) };
    if arrival::is_same_assignment(&stored, identity) {
        return Ok(());
    }
    let now = app.now();
    store::records::insert_event(&mut *conn, id, EventKind::NewAssignment, None, serde_json::json!({}), now)
        .await?;
    store::identities::set(conn, id, identity, &app.token()).await?;
    Ok(())
}

/// Makes a new participation. None: at this very moment the same person got one elsewhere.
async fn begin(
    app: &App,
    link: &Link,
    identity: Option<&Identity>,
    consent: &Consent,
) -> Result<Option<Enrolled>> {
    let mut tx = app.pool.begin().await?;
    store::slots::lock(&mut tx, link.study_id, link.mode()).await?;
    let study = store::studies::by_id(&mut tx, link.study_id).await?;
    let now = app.now();
    if let Err(shut) = admits(study.state, link.enabled, link.mode()) {
        return turn_away(tx, link, counted_as(shut), Refused::Shut(shut), now).await;
    }
    let version = app.newest_version(&mut tx, study.id).await?;
    if consent.text_sha256 != crate::domain::study::text_sha256(&version.definition.pages.consent) {
        return Err(Refused::ConsentChanged.into());
    }
    let Some(person) = place(app, &mut tx, &study, &version, link).await? else {
        return turn_away(tx, link, Arrival::Full, Refused::Full, now).await;
    };
    store::participants::insert(&mut tx, &person, &consent.text_sha256, &consent.device).await?;
    store::slots::count_enrolment(&mut tx, study.id, link.mode()).await?;
    if let Some(identity) = identity {
        let key = arrival::key(app, identity);
        if !store::identities::claim_once(&mut tx, &study.family, &key, person.id).await? {
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
pub const fn counted_as(shut: Shut) -> Arrival {
    match shut {
        Shut::NotOpenYet | Shut::Paused => Arrival::Paused,
        Shut::Closed => Arrival::Closed,
    }
}

/// What a new participation is about.
struct Seat {
    condition: String,
    image_set: u32,
    /// None for experts, who hold no slot.
    slot_id: Option<i64>,
}

/// The slot of a crowd worker, who holds it from now on; none if the study is full.
async fn slot(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    link: &Link,
) -> Result<Option<Seat>> {
    let postings = version.definition.design.postings_per_slot;
    let slots = refill(&mut *conn, study.id, link.mode(), postings, app.now()).await?;
    let allowed = |condition: &str| link.definition.allows(condition);
    let Some(slot) = choose(&slots, postings, allowed, &mut app.rng()) else { return Ok(None) };
    store::slots::take_back(&mut *conn, slot.id).await?;
    Ok(Some(Seat { condition: slot.condition.clone(), image_set: slot.image_set, slot_id: Some(slot.id) }))
}

/// An expert's condition and image set: those that the link chooses, else any.
fn expert_seat(app: &App, version: &StudyVersion, link: &Link) -> Option<Seat> {
    let mut rng = app.rng();
    let definition = &version.definition;
    let allowed: Vec<_> =
        definition.conditions.iter().filter(|condition| link.definition.allows(&condition.name)).collect();
    let condition = allowed.choose(&mut rng)?.name.clone();
    let any = rand::RngExt::random_range(&mut rng, 0..definition.design.image_sets);
    Some(Seat { condition, image_set: link.definition.image_set.unwrap_or(any), slot_id: None })
}

/// A new participation, or none if the study is full.
async fn place(
    app: &App,
    conn: &mut PgConnection,
    study: &Study,
    version: &StudyVersion,
    link: &Link,
) -> Result<Option<Participant>> {
    let now = app.now();
    let seat = match link.definition.group {
        Group::Crowd => slot(app, conn, study, version, link).await?,
        Group::Expert => expert_seat(app, version, link),
    };
    let Some(seat) = seat else { return Ok(None) };
    let lease = chrono::TimeDelta::seconds(version.definition.lease.until_welcome_s.into());
    Ok(Some(Participant {
        id: app.new_id(now),
        study_id: study.id,
        version_id: version.id,
        link_id: link.id,
        pseudonym: format!("p-{}", app.short_name()),
        mode: link.mode(),
        group: link.definition.group,
        platform: link.definition.platform,
        condition: seat.condition,
        image_set: seat.image_set,
        slot_id: seat.slot_id,
        claim: if seat.slot_id.is_some() { Claim::Leased } else { Claim::Without },
        stage: Stage::Consented,
        end_reason: None,
        screen: None,
        seed: rand::RngExt::random(&mut app.rng()),
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
