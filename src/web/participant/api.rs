//! The participants' API, which `docs/participant-api.md` describes.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};

use crate::domain::participant::{EndReason, Stage};
use crate::domain::record::Record;
use crate::domain::study::Outcome;
use crate::domain::trial::Block;
use crate::flow;
use crate::flow::image_addresses::Viewer;
use crate::flow::participation::arrival::DeclineReason;
use crate::flow::participation::complete::{Ending, Submission};
use crate::flow::participation::enrolment_queue::Consent;
use crate::flow::participation::task::TaskStanding;
use crate::flow::participation::{arrival, enroll};
use crate::flow::records::job::{RecordJob, RecordResult};
use crate::flow::secrets::token_sha256;
use crate::recruitment::{Parameters, Return};
use crate::store::participants::Device;
use crate::web::http::client_address::ClientAddress;
use crate::web::http::error::ProblemDocument;
use crate::web::http::extract::{Bearer, Json, MaybeBearer};
use crate::web::image_addresses::Gallery;
use crate::web::participant::open_reply::{BlockView, OpenReply, block_view};
use crate::web::participant::user_agent;
use crate::web::state::WebState;

/// Body of `POST /api/v1/enrolments`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentBody {
    link: String,
    #[serde(default)]
    parameters: Parameters,
    consent_sha256: String,
    #[serde(default)]
    device: Device,
}

/// Answer to `POST /api/v1/enrolments`.
#[derive(Debug, Serialize)]
pub struct EnrolmentReply {
    token: String,
    resumed: bool,
}

/// Consent: makes the person a participant, or lets a known one go on.
pub async fn enroll(
    State(state): State<WebState>,
    MaybeBearer(api_token): MaybeBearer,
    client: ClientAddress,
    headers: HeaderMap,
    Json(body): Json<EnrolmentBody>,
) -> Result<(StatusCode, Json<EnrolmentReply>), ProblemDocument> {
    let text_sha256 = hex::decode(&body.consent_sha256)
        .map_err(|_| ProblemDocument::malformed("`consent_sha256` must be hexadecimal."))?;
    let device = complete_device(body.device, &headers);
    let consent = Consent { link: body.link, parameters: body.parameters, text_sha256, device, api_token };
    let (app, network) = (&state.app, client.network());
    let enrolled = enroll::enroll(app, &state.enrolments, &state.visits, consent, network).await?;
    let status = if enrolled.resumed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(EnrolmentReply { token: enrolled.token, resumed: enrolled.resumed })))
}

/// Browser and system come from the User-Agent header, unless the client says it better.
fn complete_device(device: Device, headers: &HeaderMap) -> Device {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let short = |text: String| text.chars().take(100).collect::<String>();
    Device {
        browser: device.browser.map(short).or_else(|| user_agent::browser(agent)),
        system: device.system.map(short).or_else(|| user_agent::system(agent)),
        pixel_ratio: device.pixel_ratio.filter(|ratio| ratio.is_finite()),
        ..device
    }
}

/// Body of `POST /api/v1/task`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskBody {
    link: String,
    parameters: Parameters,
}

/// Tells the page of a task how the person stands.
pub async fn task(
    State(state): State<WebState>,
    Json(body): Json<TaskBody>,
) -> Result<Json<TaskStanding>, ProblemDocument> {
    let origins = &state.site.mturk_origins;
    Ok(Json(flow::participation::task::standing(&state.app, &body.link, &body.parameters, origins).await?))
}

/// Body of `POST /api/v1/declines`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclineBody {
    link: String,
    reason: DeclineReason,
}

/// Counts, without a name, a person who does not take part.
pub async fn decline(
    State(state): State<WebState>,
    Json(body): Json<DeclineBody>,
) -> Result<StatusCode, ProblemDocument> {
    arrival::decline(&state.app, &state.visits, &body.link, body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Body of `POST /api/v1/open`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenBody {
    navigation: String,
}

/// Opens the participation in a page.
pub async fn open(
    State(state): State<WebState>,
    Bearer(token): Bearer,
    Json(body): Json<OpenBody>,
) -> Result<Json<OpenReply>, ProblemDocument> {
    let opened = flow::participation::open::open(&state.app, &token, &body.navigation).await?;
    Ok(Json(OpenReply::new(&state.app.secrets, &opened)?))
}

/// Answer to `POST /api/v1/records`.
#[derive(Debug, Serialize)]
pub struct RecordReply {
    #[serde(flatten)]
    reply: RecordResult,
    /// A practice block that was drawn just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_block: Option<BlockView>,
}

/// Takes in what the browser tells: steps, answers, events, or a mere sign of life.
pub async fn record(
    State(state): State<WebState>,
    Bearer(token): Bearer,
    Json(record): Json<Record>,
) -> Result<Json<RecordReply>, ProblemDocument> {
    let mut reply = state.records.submit(RecordJob { token_sha256: token_sha256(&token), record }).await?;
    if reply.practice_is_used_up {
        Box::pin(flow::participation::leave::leave(&state.app, &token, EndReason::ScreenedOut)).await?;
        reply.stage = Stage::Abandoned;
    }
    let next_block = match reply.drawn.first() {
        None => None,
        // Rare: what it takes is not to burden every answer.
        Some(first) => Some(Box::pin(drawn_block(&state, &reply, first.attempt)).await?),
    };
    Ok(Json(RecordReply { reply, next_block }))
}

/// A practice block that was drawn just now.
async fn drawn_block(
    state: &WebState,
    reply: &RecordResult,
    attempt: u16,
) -> Result<BlockView, ProblemDocument> {
    let version = state.app.version(&mut *state.app.pool.acquire().await?, reply.version_id).await?;
    let gallery = Gallery::new(&state.app.secrets, &version, Viewer::Participant(reply.person_id));
    Ok(block_view(&gallery, &version, Block::Practice, attempt, &reply.drawn)?)
}

/// How the person goes back.
#[derive(Debug, Serialize)]
pub struct ReturnReply {
    outcome: Option<Outcome>,
    #[serde(rename = "return")]
    back: Return,
}

impl From<Ending> for ReturnReply {
    fn from(Ending { outcome, back }: Ending) -> Self {
        Self { outcome, back }
    }
}

/// Completes the participation.
pub async fn complete(
    State(state): State<WebState>,
    Bearer(token): Bearer,
    Json(body): Json<Submission>,
) -> Result<Json<ReturnReply>, ProblemDocument> {
    if !body.clock_ms.is_finite() {
        return Err(ProblemDocument::malformed("`clock_ms` must be a number of ms."));
    }
    Ok(Json(flow::participation::complete::complete(&state.app, &token, &body).await?.into()))
}

/// Body of `POST /api/v1/leave`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveBody {
    reason: EndReason,
}

/// Ends the participation early.
pub async fn leave(
    State(state): State<WebState>,
    Bearer(token): Bearer,
    Json(body): Json<LeaveBody>,
) -> Result<Json<ReturnReply>, ProblemDocument> {
    Ok(Json(flow::participation::leave::leave(&state.app, &token, body.reason).await?.into()))
}
