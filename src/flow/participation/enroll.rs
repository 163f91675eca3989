//! Consent: who is known goes on, and who is not becomes a participant.

use std::sync::Arc;

use crate::domain::gate::ReturnStatus;
use crate::domain::identity::Identity;
use crate::domain::rights::Scope;
use crate::domain::study::Mode;
use crate::flow::participation::consent_limit::ConsentLimit;
use crate::flow::participation::enrolment_queue::{Consent, EnrolmentQueues, EnrolmentRequest};
use crate::flow::participation::visits::{self, Came, VisitCounter};
use crate::flow::participation::{arrival, identification, signed_links};
use crate::flow::records::batch_queue::BatchQueue;
use crate::flow::secrets::token_sha256;
use crate::flow::{App, FlowError, Refused, Result};
use crate::store;
use crate::store::links::Link;

/// Tokens of a participation, at most: a person gets one with each return by the link, which few need more than twice. All
/// further returns get the same one, so that a person who returns many times takes up no more room and ends no other session.
pub const MOST_TOKENS: i64 = 50;

/// A participation that begins or goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The participant's token.
    pub token: String,
    /// Whether the participation was there before.
    pub resumed: bool,
}

/// Where consents are taken in.
pub struct Enrolments {
    queues: EnrolmentQueues,
    limit: ConsentLimit,
}

impl Enrolments {
    /// Takes consents in; of one network so many people at most may have agreed without being at work yet.
    pub fn new(app: &App, most_of_network: usize) -> Self {
        Self { queues: EnrolmentQueues::new(app), limit: ConsentLimit::of(most_of_network) }
    }
}

/// Consent: makes the person a participant, or lets a known one go on. The network is the keyed hash of the client's address; none for
/// a client on this machine, which is not limited. It may be dropped at any time: a person who goes before their turn has come is not
/// enrolled, and a batch of the enrolment queue that has begun is done by the queue's own worker.
pub async fn enroll(
    app: &App,
    enrolments: &Enrolments,
    visits: &BatchQueue<VisitCounter>,
    consent: Consent,
    network: Option<&[u8]>,
) -> Result<Enrolled> {
    let link = link_of(app, &consent).await?;
    let enrolled = enroll_by(app, enrolments, &link, consent, network).await;
    if let Err(FlowError::Refused(refused)) = &enrolled
        && let Some(how) = visits::refused_as(refused)
    {
        // People whom the page would have refused, too, or who are to come back in a minute.
        visits::note(visits, Came::by(&link, how)).await;
    }
    enrolled
}

/// The link by which a person consents; one of simulated people needs an API token.
async fn link_of(app: &App, consent: &Consent) -> Result<Link> {
    let mut conn = app.pool.acquire().await?;
    let link = arrival::link(&mut conn, &consent.link).await?;
    if link.mode() == Mode::Simulated {
        crate::flow::lab::team::check_token(&mut conn, consent.api_token.as_deref(), Scope::Simulate).await?;
    }
    Ok(link)
}

async fn enroll_by(
    app: &App,
    enrolments: &Enrolments,
    link: &Link,
    consent: Consent,
    network: Option<&[u8]>,
) -> Result<Enrolled> {
    let identity = identification::who(app, link, &consent.parameters)?;
    signed_links::check_proof(app, link, &consent.parameters)?;
    let mut request = EnrolmentRequest { link: link.clone(), identity, consent, admission: None };
    if let Some(network) = network.filter(|_| !request.is_vouched_for()) {
        request.admission = Some(Arc::new(enrolments.limit.admit(app, network).await?));
    }
    enroll_once(app, &enrolments.queues, request).await
}

/// Makes a person a participant, or lets a known one go on. A person who arrives twice at the same instant enrols once: the second
/// request finds the first one's participation and resumes it.
async fn enroll_once(app: &App, queues: &EnrolmentQueues, request: EnrolmentRequest) -> Result<Enrolled> {
    for _ in 0..2 {
        if let Some(identity) = &request.identity
            && let Some(enrolled) = resume(app, &request.link, identity).await?
        {
            return Ok(enrolled);
        }
        arrival::is_open(app).await?;
        if let Some(token) = queues.of(&request.link).submit(request.clone()).await? {
            return Ok(Enrolled { token, resumed: false });
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
    match arrival::return_status(app, &mut tx, &study, &version, identity).await? {
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
