//! Arriving: the gate, the preview, the page of a task in a platform's frame, the consent page; and the page of the trial
//! program.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::error::{PageError, Problem};
use super::session::SignedIn;
use super::state::WebState;
use super::{page, protection, screens, signed};
use crate::domain::gate::{Arrival, Shut, admits};
use crate::domain::identity::Identity;
use crate::domain::study::{Outcome, Platform, StudyDefinition, StudyVersion, text_sha256};
use crate::flow::arrival::{self, Standing};
use crate::flow::{FlowError, Refused};
use crate::recruitment::{self, Parameters, Return, mturk};
use crate::store;
use crate::store::links::Link;

#[derive(Template)]
#[template(path = "study/consent.html")]
struct ConsentPage<'a> {
    definition: &'a StudyDefinition,
    text: &'a str,
    consent_sha256: &'a str,
    link: &'a str,
    /// What vouches for a signed arrival.
    proof: &'a str,
    declined: Way,
    unsuitable: Way,
    full: Way,
    again: Way,
}

#[derive(Template)]
#[template(path = "study/preview.html")]
struct PreviewPage<'a> {
    definition: &'a StudyDefinition,
    text: &'a str,
    picture: &'a str,
}

#[derive(Template)]
#[template(path = "study/task.html")]
struct TaskPage<'a> {
    definition: &'a StudyDefinition,
    link: &'a str,
    window: String,
    /// The form for the case that the server cannot be reached at the end.
    unverified: mturk::Form,
}

#[derive(Template)]
#[template(path = "study/gate.html")]
struct GatePage<'a> {
    title: &'a str,
    words: &'a str,
    way: Way,
    contact: &'a str,
}

#[derive(Template)]
#[template(path = "study/run.html")]
struct RunPage {}

/// The way back from a page that nothing follows.
#[derive(Template, Default)]
#[template(path = "study/_way.html")]
struct Way {
    url: Option<String>,
    code: Option<String>,
}

impl Way {
    fn after(link: &Link, identity: Option<&Identity>, outcome: Outcome) -> Self {
        match recruitment::go_back(&link.definition, identity, outcome) {
            Return::Link { url } => Self { url: Some(url), code: None },
            Return::Code { code } => Self { url: None, code: Some(code) },
            Return::Thanks | Return::TaskPage => Self::default(),
        }
    }
}

/// Somebody at a link.
struct Visitor<'a> {
    state: &'a WebState,
    link: &'a Link,
    version: &'a StudyVersion,
    parameters: &'a Parameters,
    identity: Option<Identity>,
}

/// Where every participant arrives. Nothing is allocated; arrivals are counted without a name.
pub async fn enter(
    State(state): State<WebState>,
    Path(code): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    arrive(&state, &code, &parameters, false).await
}

/// The window that the page of a task opens.
pub async fn window(
    State(state): State<WebState>,
    Path(code): Path<String>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    arrive(&state, &code, &parameters, true).await
}

async fn arrive(
    state: &WebState,
    code: &str,
    parameters: &Parameters,
    in_window: bool,
) -> Result<Response, PageError> {
    let ready = state.app.readiness.check(&state.app.pool, state.app.now().timestamp()).await;
    let mut conn = state.app.pool.acquire().await?;
    let link =
        store::links::by_code(&mut conn, code).await?.ok_or(FlowError::Refused(Refused::NoSuchLink))?;
    let study = store::studies::by_id(&mut conn, link.study_id).await?;
    let version = state.app.newest_version(&mut conn, link.study_id).await?;
    let framed = link.definition.platform == Platform::Mturk && !in_window;
    let mut visitor = Visitor { state, link: &link, version: &version, parameters, identity: None };
    let (arrived_as, response) = match arrival::who(&state.app, &link, parameters) {
        Err(FlowError::Refused(Refused::PreviewOnly)) => (Some(Arrival::Preview), visitor.preview()),
        Err(error) => return Err(error.into()),
        Ok(identity) => {
            visitor.identity = identity;
            let standing = match &visitor.identity {
                None => Standing::New,
                Some(identity) => {
                    arrival::standing(&state.app, &mut conn, &study, &version, identity).await?
                }
            };
            let admitted = admits(study.state, link.enabled, link.mode());
            match (standing, admitted) {
                (Standing::NotAgain, _) => (
                    Some(Arrival::AlreadyTookPart),
                    visitor.gate(ALREADY_TOOK_PART, Outcome::AlreadyTookPart),
                ),
                (Standing::New, Err(shut)) => {
                    (Some(counted_as(shut)), visitor.gate(shut_words(shut), Outcome::Full))
                }
                (Standing::New, Ok(())) if ready.is_err() => {
                    state.app.work.not_now.inc();
                    return Err(FlowError::Refused(Refused::NotNow).into());
                }
                (Standing::New, Ok(())) if !in_window => {
                    (Some(Arrival::Arrived), visitor.let_in(framed).await?)
                }
                (Standing::New | Standing::MayReturn(_), _) => (None, visitor.let_in(framed).await?),
            }
        }
    };
    if let Some(arrived_as) = arrived_as {
        arrival::count(&state.app, &mut conn, &link, arrived_as).await?;
    }
    Ok(if framed { protection::in_frame(response) } else { response })
}

impl Visitor<'_> {
    async fn let_in(&self, framed: bool) -> Result<Response, PageError> {
        if framed { Ok(self.task()) } else { self.consent().await }
    }

    async fn consent(&self) -> Result<Response, PageError> {
        let definition = &self.version.definition;
        let identity = self.identity.as_ref();
        let proof = match identity {
            Some(identity) if arrival::must_be_signed(self.link) => {
                signed::check(self.state, self.link, self.parameters).await?;
                arrival::vouch(&self.state.app, self.link, identity)
            }
            _ => String::new(),
        };
        Ok(page::html(&ConsentPage {
            definition,
            text: &super::markdown::render(&definition.pages.consent),
            consent_sha256: &hex::encode(text_sha256(&definition.pages.consent)),
            link: &self.link.code,
            proof: &proof,
            declined: Way::after(self.link, identity, Outcome::NoConsent),
            unsuitable: Way::after(self.link, identity, Outcome::Unsuitable),
            full: Way::after(self.link, identity, Outcome::Full),
            again: Way::after(self.link, identity, Outcome::AlreadyTookPart),
        }))
    }

    /// The page of the task in the platform's frame.
    fn task(&self) -> Response {
        let origins = &self.state.site.mturk_origins;
        let Some(unverified) = mturk::form(self.parameters, mturk::UNVERIFIED, origins) else {
            return self.preview();
        };
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.parameters.iter().filter(|(name, _)| name.as_str() != "turkSubmitTo"))
            .finish();
        page::html(&TaskPage {
            definition: &self.version.definition,
            link: &self.link.code,
            window: format!("/enter/{}/window?{query}", self.link.code),
            unverified,
        })
    }

    fn preview(&self) -> Response {
        let definition = &self.version.definition;
        let allowed = |name: &str| self.link.definition.allows(name);
        let condition = definition.conditions.iter().find(|condition| allowed(&condition.name));
        let secrets = &self.state.app.secrets;
        let picture = condition.map(|condition| screens::picture(secrets, self.version, &condition.name));
        let text = super::markdown::render(&definition.pages.preview);
        page::html(&PreviewPage { definition, text: &text, picture: &picture.unwrap_or_default() })
    }

    fn gate(&self, (title, words): GateWords, outcome: Outcome) -> Response {
        let way = Way::after(self.link, self.identity.as_ref(), outcome);
        page::html(&GatePage { title, words, way, contact: &self.version.definition.contact })
    }
}

/// How somebody who finds the door shut is counted.
const fn counted_as(shut: Shut) -> Arrival {
    match shut {
        Shut::NotOpenYet | Shut::Paused => Arrival::Paused,
        Shut::Closed => Arrival::Closed,
    }
}

type GateWords = (&'static str, &'static str);

const ALREADY_TOOK_PART: GateWords = (
    "You cannot take part again",
    "Everybody can take part only once, in this study or in one of those that belong together with it. If a task brought \
     you here, please return it; that does not count against you. Thank you for your help!",
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

/// The page of the trial program. Who it is for stands in the address's fragment, which the server never sees.
pub async fn run() -> Response {
    page::html(&RunPage {})
}

/// Whatever has no address of its own. Whoever is signed in is told so by a page of the lab.
pub async fn not_found(_asker: Option<SignedIn>) -> PageError {
    PageError(Problem::not_found())
}
