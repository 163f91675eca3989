//! Arriving: the gate, the preview, the consent page; and the page of the trial program.

use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::error::{PageError, Problem};
use super::state::WebState;
use super::{page, screens};
use crate::domain::gate::{Arrival, Shut, admits};
use crate::domain::study::{StudyDefinition, StudyVersion, text_sha256};
use crate::flow::enroll;
use crate::flow::{FlowError, Refused};
use crate::recruitment::{self, Parameters, Visit};
use crate::store;
use crate::store::links::Link;
use askama::Template;

#[derive(Template)]
#[template(path = "study/consent.html")]
struct ConsentPage<'a> {
    definition: &'a StudyDefinition,
    text: &'a str,
    consent_sha256: &'a str,
    link: &'a str,
}

#[derive(Template)]
#[template(path = "study/preview.html")]
struct PreviewPage<'a> {
    definition: &'a StudyDefinition,
    text: &'a str,
    picture: &'a str,
}

#[derive(Template)]
#[template(path = "study/gate.html")]
struct GatePage<'a> {
    title: &'a str,
    words: &'a str,
    contact: &'a str,
}

#[derive(Template)]
#[template(path = "study/run.html")]
struct RunPage {}

/// Where every participant arrives. Nothing is allocated; arrivals are counted without a name.
pub async fn enter(
    State(state): State<WebState>,
    Path(code): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let link =
        store::links::by_code(&mut conn, &code).await?.ok_or(FlowError::Refused(Refused::NoSuchLink))?;
    let study = store::studies::by_id(&mut conn, link.study_id).await?;
    let version = state.app.newest_version(&mut conn, link.study_id).await?;
    let definition = &version.definition;
    let visit = recruitment::arrive(link.platform, &parameters);
    let (arrival, response) = match visit {
        Visit::Preview => (Arrival::Preview, preview(&state, &version, &link)),
        Visit::Incomplete(parameter) => {
            return Err(FlowError::Refused(Refused::PlatformParameter(parameter)).into());
        }
        Visit::Known(identity) => match enroll::standing(&state.app, &mut conn, &link, &identity).await? {
            enroll::Standing::MayReturn => return Ok(consent(definition, &link)),
            enroll::Standing::TookPart => (Arrival::AlreadyTookPart, gate(definition, ALREADY_TOOK_PART)),
            enroll::Standing::New => {
                newcomer(admits(study.state, link.enabled, link.mode), definition, &link)
            }
        },
        Visit::Anonymous => newcomer(admits(study.state, link.enabled, link.mode), definition, &link),
    };
    store::arrivals::count(&mut conn, link.id, arrival, state.app.now()).await?;
    Ok(response)
}

fn newcomer(admitted: Result<(), Shut>, definition: &StudyDefinition, link: &Link) -> (Arrival, Response) {
    match admitted {
        Ok(()) => (Arrival::Arrived, consent(definition, link)),
        Err(shut) => (enroll::arrival(shut), gate(definition, shut_words(shut))),
    }
}

fn consent(definition: &StudyDefinition, link: &Link) -> Response {
    page::html(&ConsentPage {
        definition,
        text: &super::markdown::render(&definition.pages.consent),
        consent_sha256: &hex::encode(text_sha256(&definition.pages.consent)),
        link: &link.code,
    })
}

fn preview(state: &WebState, version: &StudyVersion, link: &Link) -> Response {
    let definition = &version.definition;
    let condition = definition.conditions.iter().find(|condition| link.allows(&condition.name));
    let picture = condition.map(|condition| screens::picture(&state.app.secrets, version, &condition.name));
    let text = super::markdown::render(&definition.pages.preview);
    page::html(&PreviewPage { definition, text: &text, picture: &picture.unwrap_or_default() })
}

type GateWords = (&'static str, &'static str);

const ALREADY_TOOK_PART: GateWords = (
    "You have already taken part",
    "Everybody can take part in this study only once. If a task brought you here, please return it; that does not \
     count against you. Thank you for your help!",
);

const fn shut_words(shut: Shut) -> GateWords {
    match shut {
        Shut::NotOpenYet => {
            ("This study has not started yet", "Please come back later. Nothing was recorded.")
        }
        Shut::Paused => ("This study is paused", "Please come back later. Nothing was recorded."),
        Shut::Closed => (
            "This study is closed",
            "Thank you for your interest. If a task brought you here, please return it; that does not count against you.",
        ),
    }
}

fn gate(definition: &StudyDefinition, (title, words): GateWords) -> Response {
    page::html(&GatePage { title, words, contact: &definition.contact })
}

/// The page of the trial program. Who it is for stands in the address's fragment, which the server never sees.
pub async fn run() -> Response {
    page::html(&RunPage {})
}

/// Whatever has no address of its own.
pub async fn not_found() -> PageError {
    PageError(Problem::not_found())
}
