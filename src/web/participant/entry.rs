//! Arriving: the gate, the preview, the page of a task in a platform's frame, the consent page; and the page of the trial
//! program.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};

use crate::domain::gate::{Arrival, Shut, admits};
use crate::domain::identity::Identity;
use crate::domain::study::{Outcome, Platform, StudyDefinition, StudyVersion, text_sha256};
use crate::flow::participation::arrival;
use crate::flow::participation::arrival::ReturnStatus;
use crate::flow::participation::visits;
use crate::flow::participation::visits::Came;
use crate::flow::{FlowError, Refused};
use crate::recruitment::{self, Parameters, Return, address, mturk};
use crate::store;
use crate::store::links::Link;
use crate::store::studies::Study;
use crate::web::http::error::{PageError, ProblemDocument};
use crate::web::http::{page, security_headers};
use crate::web::lab::session::SignedIn;
use crate::web::participant::prolific_keys;
use crate::web::participant::prolific_keys::Unsigned;
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

/// Somebody at a link.
struct LinkVisitor<'a> {
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
    let ready = state.app.readiness.check(&state.app.pool, state.app.now().timestamp()).await;
    let mut conn = state.app.pool.acquire().await?;
    let link = &arrival::link(&mut conn, code).await?;
    let study = store::studies::by_id(&mut conn, link.study_id).await?;
    let version = &state.app.newest_version(&mut conn, link.study_id).await?;
    // Nothing below waits for anything while it holds a connection.
    drop(conn);
    let framed = link.definition.platform == Platform::Mturk && !in_window;
    let mut visitor = LinkVisitor { state, link, version, parameters, identity: None };
    let (how, response) = match visitor.name_themselves().await? {
        Err(Refused::PreviewOnly) => (Some(Arrival::Preview), visitor.preview()),
        Err(refused) => (visits::refused_as(&refused), visitor.refuse(&refused)),
        Ok(()) => visitor.come_to(&study, ready.is_ok(), framed).await?,
    };
    // A window belongs to a visit that was counted in the frame.
    if let Some(how) = how.filter(|_| !in_window) {
        visits::note(&state.visits, Came::by(link, how)).await;
    }
    Ok(if framed { security_headers::in_frame(response) } else { response })
}

impl LinkVisitor<'_> {
    /// Finds who it is, as far as the platform says it. A refusal is one that a page explains.
    async fn name_themselves(&mut self) -> Result<Result<(), Refused>, PageError> {
        let app = &self.state.app;
        let named = match arrival::named(app, self.link, self.parameters) {
            Err(FlowError::Refused(refused)) => return Ok(Err(refused)),
            named => named?,
        };
        if let Some(named) = named.as_ref().filter(|_| arrival::must_be_signed(self.link)) {
            let (keys, url) = (&self.state.prolific_keys, &self.state.site.public_url);
            match prolific_keys::check(keys, url, self.link, named, self.parameters).await {
                Ok(()) => {}
                Err(Unsigned::Refused) => return Ok(Err(Refused::NotSigned)),
                Err(Unsigned::KeysAreAway) => return Err(PageError(ProblemDocument::keys_unavailable())),
            }
        }
        self.identity = named;
        Ok(Ok(()))
    }

    /// Shows what a person sees who comes, and says how they are counted; one who returns was counted before. People who cannot
    /// take part again see what newcomers see, and hear of it when they agree: anybody could come with an id of others.
    async fn come_to(
        &self,
        study: &Study,
        ready: bool,
        framed: bool,
    ) -> Result<(Option<Arrival>, Response), PageError> {
        let standing = match arrival::once(self.link, self.identity.as_ref()) {
            None => ReturnStatus::New,
            Some(identity) => {
                let conn = &mut *self.state.app.pool.acquire().await?;
                arrival::standing(&self.state.app, conn, study, self.version, identity).await?
            }
        };
        let how = match standing {
            ReturnStatus::MayReturn(_) => return Ok((None, self.let_in(framed))),
            ReturnStatus::New => Arrival::Arrived,
            ReturnStatus::NotAgain => Arrival::AlreadyTookPart,
            ReturnStatus::Barred => Arrival::Barred,
        };
        Ok(match admits(study.state, self.link.enabled, self.link.mode()) {
            Err(shut) => (Some(counted_as(shut)), self.gate(shut_words(shut), Outcome::Full)),
            Ok(()) if !ready => {
                self.state.app.work.not_now.inc();
                return Err(FlowError::Refused(Refused::NotNow).into());
            }
            Ok(()) => (Some(how), self.let_in(framed)),
        })
    }

    fn let_in(&self, framed: bool) -> Response {
        if framed { self.task() } else { self.consent() }
    }

    fn consent(&self) -> Response {
        let definition = &self.version.definition;
        let identity = self.identity.as_ref();
        let vouched_for = identity.filter(|_| arrival::must_be_signed(self.link));
        let proof = vouched_for.map(|identity| arrival::vouch(&self.state.app, self.link, identity));
        page::html(&ConsentPage {
            definition,
            text: &crate::web::http::markdown::render(&definition.pages.consent),
            consent_sha256: &hex::encode(text_sha256(&definition.pages.consent)),
            link: &self.link.code,
            parameters: &self.parameters_json(),
            proof: &proof.unwrap_or_default(),
            declined: Way::after(self.link, identity, Outcome::NoConsent),
            unsuitable: Way::after(self.link, identity, Outcome::Unsuitable),
            full: Way::after(self.link, identity, Outcome::Full),
            again: Way::after(self.link, identity, Outcome::AlreadyTookPart),
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
            definition: &self.version.definition,
            link: &self.link.code,
            parameters: &self.parameters_json(),
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
        let text = crate::web::http::markdown::render(&definition.pages.preview);
        page::html(&PreviewPage { definition, text: &text, picture: &picture.unwrap_or_default() })
    }

    fn gate(&self, (title, words): GateWords, outcome: Outcome) -> Response {
        let way = Way::after(self.link, self.identity.as_ref(), outcome);
        let contact = &self.version.definition.contact;
        page::html(&GatePage { title, words, way, contact })
    }

    /// Says why a person cannot take part by this address, and what they can do.
    fn refuse(&self, refused: &Refused) -> Response {
        let problem = ProblemDocument::refused(refused);
        let (title, words, remedy) = match refused {
            Refused::PlatformParameter(_) => ("This link is not complete", problem.title(), problem.detail()),
            _ => (problem.title(), problem.detail(), ""),
        };
        let contact = &self.version.definition.contact;
        let page = page::html(&RefusalPage { title, words, remedy, contact });
        (problem.status(), page).into_response()
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
    PageError(ProblemDocument::not_found())
}
