//! The page that says how to recruit for a study: for each link the text to paste, what is still to be posted, and personal links.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::domain::allocation::count_by_condition;
use crate::domain::study::{LinkDefinition, Outcome, Platform, StudyDefinition, StudyVersion, Usd};
use crate::flow::audit::log::Actor;
use crate::flow::study::identities;
use crate::flow::{FlowError, Refused};
use crate::recruitment::mturk_task::{self, Market};
use crate::recruitment::{PERSONAL, paste};
use crate::store;
use crate::store::links::Link;
use crate::store::researchers::Researcher;
use crate::web::http::error::PageError;
use crate::web::http::page;
use crate::web::lab::session::SignedIn;
use crate::web::lab::study::find;
use crate::web::lab::urls;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/recruiting.html")]
struct RecruitingPage<'a> {
    me: Researcher,
    slug: &'a str,
    definition: &'a StudyDefinition,
    is_https: bool,
    links: Vec<LinkCard>,
}

struct LinkCard {
    link: Link,
    address: String,
    advice: &'static str,
    codes: Vec<(Outcome, String)>,
    /// Open places, by condition of the link.
    open: Vec<(String, u32)>,
    task: Option<Task>,
}

/// A task for MTurk.
struct Task {
    people: u32,
    batches: String,
    reward: Usd,
    question: String,
    production: String,
    sandbox: String,
}

/// The page.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
) -> Result<Response, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let (study, version) = find(&state, &mut conn, &slug).await?;
    let mut cards = Vec::new();
    for link in store::links::all(&mut conn, study.id).await? {
        let slots = store::slots::all(&mut conn, study.id, link.mode(), state.app.now()).await?;
        let counts = count_by_condition(&slots, version.definition.design.postings_per_slot);
        let open = counts.into_iter().filter(|(condition, _)| link.definition.allows(condition));
        let open = open.map(|(condition, counts)| (condition, counts.open)).collect();
        cards.push(card(&state, &version, link, open));
    }
    Ok(page::html(&RecruitingPage {
        me: researcher,
        slug: &slug,
        definition: &version.definition,
        is_https: state.site.is_secure(),
        links: cards,
    }))
}

fn card(state: &WebState, version: &StudyVersion, link: Link, open: Vec<(String, u32)>) -> LinkCard {
    let entry = format!("{}/enter/{}", state.site.public_url, link.code);
    let definition = &link.definition;
    let is_task = definition.platform == Platform::Mturk;
    let people = open.iter().map(|(_, open)| open).sum();
    LinkCard {
        address: paste::address(definition, &entry),
        advice: paste::advice(definition),
        codes: definition.codes.iter().map(|(outcome, code)| (*outcome, code.clone())).collect(),
        task: is_task.then(|| task(&version.definition, definition, &entry, people)).flatten(),
        open,
        link,
    }
}

fn task(study: &StudyDefinition, link: &LinkDefinition, entry: &str, wanted: u32) -> Option<Task> {
    let task = link.mturk.clone().unwrap_or_default();
    let condition = study.conditions.iter().find(|condition| link.allows(&condition.name))?;
    let reward = task.reward_usd.unwrap_or(condition.pay_usd);
    let title = if task.title.is_empty() { &study.title } else { &task.title };
    let batches = mturk_task::batches(wanted, task.assignments_per_hit);
    let question = mturk_task::question(entry, task.frame_height_px);
    let people = batches.first().copied().unwrap_or(1);
    let command = |market| mturk_task::command(&task, title, reward, &question, people, market);
    Some(Task {
        production: command(Market::Production),
        sandbox: command(Market::Sandbox),
        people: wanted,
        batches: mturk_task::in_words(&batches),
        reward,
        question,
    })
}

/// How many more personal links to make.
#[derive(Debug, Deserialize)]
pub struct MoreForm {
    more: u32,
}

/// Makes more personal links.
pub async fn make_personal(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path((slug, link_id)): Path<(String, i64)>,
    Form(form): Form<MoreForm>,
) -> Result<Redirect, PageError> {
    let actor = Actor::researcher(&researcher);
    identities::make_personal_links(&state.app, &actor, &slug, link_id, form.more).await?;
    Ok(Redirect::to(&format!("{}#link-{link_id}", urls::recruiting(&slug))))
}

/// The personal links as a table.
pub async fn personal_csv(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path((slug, link_id)): Path<(String, i64)>,
) -> Result<Response, PageError> {
    Actor::researcher(&researcher).must_steer()?;
    let mut conn = state.app.pool.acquire().await?;
    let (study, _) = find(&state, &mut conn, &slug).await?;
    let links = store::links::all(&mut conn, study.id).await?;
    let link = links.into_iter().find(|link| link.id == link_id && link.definition.personal);
    let link = link.ok_or(FlowError::Refused(Refused::NoSuchLink))?;
    let mut table = "number,address\n".to_owned();
    for number in 1..=link.personal_links {
        let code = state.app.secrets.personal_code(&link.code, number);
        table
            .push_str(&format!("{number},{}/enter/{}?{PERSONAL}={code}\n", state.site.public_url, link.code));
    }
    Ok(attachment(&format!("{slug}-personal-links.csv"), table))
}

/// A CSV file as a download.
pub fn attachment(name: &str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, text).into_response()
}
