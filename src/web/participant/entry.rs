//! Arriving: the gate, the preview, the page of a task in a platform's frame, the consent page; and the page of the trial
//! program.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};

use crate::domain::gate::Shut;
use crate::domain::identity::Identity;
use crate::domain::study::{Outcome, StudyDefinition, text_sha256};
use crate::flow::Refused;
use crate::flow::participation::arrival;
use crate::flow::participation::arrival::{ArrivalPage, Arrived, LinkOpening};
use crate::recruitment::{self, Parameters, Return, address, mturk};
use crate::store::links::Link;
use crate::web::http::error::{PageError, ProblemDocument};
use crate::web::http::{markdown, page, security_headers};
use crate::web::lab::session::SignedIn;
use crate::web::participant::screens;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "study/consent.html")]
struct ConsentPage<'a> {
    definition: &'a StudyDefinition,
    text: &'a str,
    consent_sha256: &'a str,
    link: &'a str,
    parameters: &'a str,
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
    parameters: &'a str,
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

/// For people whose address is no good.
#[derive(Template)]
#[template(path = "study/refused.html")]
struct RefusalPage<'a> {
    title: &'a str,
    words: &'a str,
    remedy: &'a str,
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

/// The pages that a visitor may get.
struct VisitorPages<'a> {
    state: &'a WebState,
    arrived: &'a Arrived,
    parameters: &'a Parameters,
}

/// Where every participant arrives. Nothing is allocated; arrivals are counted without a name.
pub async fn enter(
    State(state): State<WebState>,
    Path(code): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    arrive(&state, &code, query.as_deref().unwrap_or_default(), false).await
}

/// The window that the page of a task opens.
pub async fn window(
    State(state): State<WebState>,
    Path(code): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    arrive(&state, &code, query.as_deref().unwrap_or_default(), true).await
}

async fn arrive(state: &WebState, code: &str, query: &str, in_window: bool) -> Result<Response, PageError> {
    let parameters = &address::parameters(query);
    let opening = LinkOpening { code, parameters, in_window };
    let arrived = arrival::arrive(&state.app, &state.visits, &state.signed_links, opening).await?;
    let pages = VisitorPages { state, arrived: &arrived, parameters };
    let response = match &arrived.page {
        ArrivalPage::Consent { proof } => pages.consent(proof.as_deref().unwrap_or_default()),
        ArrivalPage::Task => pages.task(),
        ArrivalPage::Preview => pages.preview(),
        ArrivalPage::Shut(shut) => pages.shut(*shut),
        ArrivalPage::Refusal(refused) => pages.refusal(refused),
    };
    Ok(if arrived.in_frame { security_headers::in_frame(response) } else { response })
}

impl VisitorPages<'_> {
    fn definition(&self) -> &StudyDefinition {
        &self.arrived.version.definition
    }

    const fn link(&self) -> &Link {
        &self.arrived.link
    }

    fn way_after(&self, outcome: Outcome) -> Way {
        Way::after(self.link(), self.arrived.identity.as_ref(), outcome)
    }

    fn consent(&self, proof: &str) -> Response {
        let definition = self.definition();
        page::html(&ConsentPage {
            definition,
            text: &markdown::render(&definition.pages.consent),
            consent_sha256: &hex::encode(text_sha256(&definition.pages.consent)),
            link: &self.link().code,
            parameters: &self.parameters_json(),
            proof,
            declined: self.way_after(Outcome::NoConsent),
            unsuitable: self.way_after(Outcome::Unsuitable),
            full: self.way_after(Outcome::Full),
            again: self.way_after(Outcome::AlreadyTookPart),
        })
    }

    /// The address's parameters as they were read here, so that the page sends just these.
    fn parameters_json(&self) -> String {
        let parameters = mturk::without_foreign(self.parameters.clone(), &self.state.site.mturk_origins);
        serde_json::Value::from_iter(parameters).to_string()
    }

    /// The page of the task in the platform's frame.
    fn task(&self) -> Response {
        let origins = &self.state.site.mturk_origins;
        let Some(unverified) = mturk::form(self.parameters, mturk::UNVERIFIED, origins) else {
            return self.preview();
        };
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.parameters.iter().filter(|(name, _)| name.as_str() != mturk::SUBMIT_TO))
            .finish();
        page::html(&TaskPage {
            definition: self.definition(),
            link: &self.link().code,
            parameters: &self.parameters_json(),
            window: format!("/enter/{}/window?{query}", self.link().code),
            unverified,
        })
    }

    fn preview(&self) -> Response {
        let definition = self.definition();
        let allowed = |name: &str| self.link().definition.allows(name);
        let condition = definition.conditions.iter().find(|condition| allowed(&condition.name));
        let secrets = &self.state.app.secrets;
        let version = &self.arrived.version;
        let picture = condition.map(|condition| screens::picture(secrets, version, &condition.name));
        let text = markdown::render(&definition.pages.preview);
        page::html(&PreviewPage { definition, text: &text, picture: &picture.unwrap_or_default() })
    }

    fn shut(&self, shut: Shut) -> Response {
        let (title, words) = shut_words(shut);
        let contact = &self.definition().contact;
        page::html(&GatePage { title, words, way: self.way_after(Outcome::Full), contact })
    }

    /// Says why a person cannot take part by this address, and what they can do.
    fn refusal(&self, refused: &Refused) -> Response {
        let problem = ProblemDocument::refused(refused);
        let (title, words, remedy) = match refused {
            Refused::PlatformParameter(_) => ("This link is not complete", problem.title(), problem.detail()),
            _ => (problem.title(), problem.detail(), ""),
        };
        let contact = &self.definition().contact;
        let page = page::html(&RefusalPage { title, words, remedy, contact });
        (problem.status(), page).into_response()
    }
}

/// Title and text.
type GateWords = (&'static str, &'static str);

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

/// The page for unknown addresses. A signed-in researcher gets a page of the lab.
pub async fn not_found(_asker: Option<SignedIn>) -> PageError {
    PageError(ProblemDocument::not_found())
}
