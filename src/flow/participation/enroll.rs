//! Consent: who is known goes on, and who is not becomes a participant.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::domain::identity::Identity;
use crate::domain::rights::Scope;
use crate::domain::study::Mode;
use crate::flow::participation::arrival;
use crate::flow::participation::arrival::ReturnStatus;
use crate::flow::participation::enrolment_queue::{Consent, EnrolmentQueues, EnrolmentRequest};
use crate::flow::secrets::token_sha256;
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::links::Link;

/// Tokens of a participation, at most: a person gets one with each return by the link, which few need more than twice. All
/// further returns get the same one, so that whoever comes again and again takes up no more room and puts nobody out.
pub const MOST_TOKENS: i64 = 50;

/// A participation that begins or goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The participant's token.
    pub token: String,
    /// Whether the participation was there before.
    pub resumed: bool,
}

/// Finds out who consents, and checks what vouches for them.
pub async fn recognise(app: &App, consent: Consent) -> Result<EnrolmentRequest> {
    let mut conn = app.pool.acquire().await?;
    let link = arrival::link(&mut conn, &consent.link).await?;
    if link.mode() == Mode::Simulated {
        crate::flow::lab::team::check_token(&mut conn, consent.api_token.as_deref(), Scope::Simulate).await?;
    }
    let identity = arrival::who(app, &link, &consent.parameters)?;
    arrival::check_proof(app, &link, &consent.parameters)?;
    Ok(EnrolmentRequest { link, identity, consent, on_enrolled: None })
}

/// Makes a person a participant, or lets a known one go on. It may be dropped at any time: a person who goes before their turn
/// has come is not let in, and a batch of the enrolment queue that has begun is done by the queue's own worker.
pub async fn enroll(app: &App, doors: &EnrolmentQueues, newcomer: EnrolmentRequest) -> Result<Enrolled> {
    let EnrolmentRequest { link, identity, .. } = &newcomer;
    // A person who arrives twice at the same instant enrols once: whoever comes second finds the first and resumes.
    for _ in 0..2 {
        if let Some(identity) = identity
            && let Some(enrolled) = resume(app, link, identity).await?
        {
            return Ok(enrolled);
        }
        arrival::is_open(app).await?;
        if let Some(token) = doors.of(link).submit(newcomer.clone()).await? {
            return Ok(Enrolled { token, resumed: false });
        }
    }
    Err(Refused::AlreadyTookPart.into())
}

/// Of these tokens, those whose owners are at work, or hold no place any more.
pub async fn no_longer_idle(app: &App, tokens_sha256: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>> {
    let mut conn = app.pool.acquire().await?;
    let owners: BTreeMap<Vec<u8>, Uuid> =
        store::participants::owners(&mut conn, &tokens_sha256).await?.into_iter().collect();
    let ids: Vec<Uuid> = owners.values().copied().collect();
    let now = app.now();
    let mut idle = Vec::new();
    for person in store::participants::get_all(&mut conn, &ids).await? {
        let version = app.version(&mut conn, person.version_id).await?;
        if person.is_idle(&version.definition.lease, now) {
            idle.push(person.id);
        }
    }
    let is_idle = |token: &Vec<u8>| owners.get(token).is_some_and(|id| idle.contains(id));
    Ok(tokens_sha256.into_iter().filter(|token| !is_idle(token)).collect())
}

/// The participation of a person whom the platform names, if there is one.
async fn resume(app: &App, link: &Link, identity: &Identity) -> Result<Option<Enrolled>> {
    let mut tx = app.pool.begin().await?;
    let study = store::studies::by_id(&mut tx, link.study_id).await?;
    let version = app.newest_version(&mut tx, study.id).await?;
    let now = app.now();
    match arrival::standing(app, &mut tx, &study, &version, identity).await? {
        ReturnStatus::New => Ok(None),
        ReturnStatus::NotAgain | ReturnStatus::Barred => Err(Refused::AlreadyTookPart.into()),
        ReturnStatus::MayReturn(id) => {
            store::participants::lock(&mut tx, id).await?;
            let assignment = arrival::see_assignment(app, &mut tx, id, identity).await?;
            let is_one_more = store::participants::tokens(&mut tx, id).await? < MOST_TOKENS;
            let token = if is_one_more { app.token() } else { app.secrets.last_token(id) };
            // The last one is shared by all who come later, and says nothing about their assignments.
            let assignment = assignment.filter(|_| is_one_more);
            store::participants::add_token(&mut tx, id, &token_sha256(&token), assignment, now).await?;
            tx.commit().await?;
            Ok(Some(Enrolled { token, resumed: true }))
        }
    }
}
