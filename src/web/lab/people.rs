//! The page for pay and identities: paying people, comparing with the platform, finding, withdrawing, forgetting and barring people.
//! It is only for researchers with the right to see identities, and every action is written into the journal.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Redirect, Response};
use serde::Deserialize;

use crate::domain::study::{Platform, StudyDefinition};
use crate::flow::audit::log::Actor;
use crate::flow::study::identities;
use crate::recruitment::payment;
use crate::recruitment::reconciliation::ComparisonLine;
use crate::store;
use crate::store::researchers::Researcher;
use crate::web::http::error::{PageError, ProblemDocument};
use crate::web::http::page;
use crate::web::lab::recruiting::attachment;
use crate::web::lab::session::SignedIn;
use crate::web::lab::study::find;
use crate::web::lab::urls;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/people.html")]
struct PeoplePage<'a> {
    me: Researcher,
    slug: &'a str,
    definition: &'a StudyDefinition,
    may_see: bool,
    known: i64,
    barred: i64,
    notice: Option<String>,
    comparison: Option<PlatformComparison>,
}

struct PlatformComparison {
    platform: Platform,
    lines: Vec<ComparisonLine>,
}

/// The notice about the action that was just done.
#[derive(Debug, Default, Deserialize)]
pub struct PeopleNotice {
    #[serde(default)]
    done: String,
    #[serde(default)]
    n: u64,
    #[serde(default)]
    participant: String,
}

impl PeopleNotice {
    fn words(&self) -> Option<String> {
        let words = match self.done.as_str() {
            "found" => format!("This person is {}.", self.participant),
            "not-found" => "No person with this id took part in this study.".to_owned(),
            "withdrawn" => format!("The data of {} are deleted.", self.participant),
            "forgotten" => format!("The ids of {} people are deleted.", self.n),
            "barred" => format!("{} people were added to the list of people not to admit.", self.n),
            _ => return None,
        };
        Some(words)
    }
}

/// The page.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Query(done): Query<PeopleNotice>,
) -> Result<Response, PageError> {
    show(&state, researcher, &slug, done.words(), None).await
}

async fn show(
    state: &WebState,
    researcher: Researcher,
    slug: &str,
    notice: Option<String>,
    comparison: Option<PlatformComparison>,
) -> Result<Response, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let (study, version) = find(state, &mut conn, slug).await?;
    Ok(page::html(&PeoplePage {
        may_see: researcher.sees_identities,
        me: researcher,
        slug,
        definition: &version.definition,
        known: store::identities::count_known(&mut conn, study.id).await?,
        barred: store::identities::count_barred(&mut conn, study.id).await?,
        notice,
        comparison,
    }))
}

/// All people who are to be paid, as one table or in the format of one platform.
pub async fn payments(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path((slug, file)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let platform = match file.as_str() {
        "payments.csv" => None,
        other => {
            let of = payment::platform_files().find(|each| each.name() == other);
            Some(of.ok_or_else(ProblemDocument::not_found)?.platform)
        }
    };
    let payments = identities::payments(&state.app, &Actor::researcher(&researcher), &slug).await?;
    let text = match platform {
        None => payment::table(&payments),
        Some(platform) => payment::bulk(platform, &payments),
    };
    let text = text.map_err(|error| ProblemDocument::malformed(error.to_string()))?;
    Ok(attachment(&format!("{slug}-{file}"), text))
}

/// A text that was pasted or uploaded.
#[derive(Debug, Deserialize)]
pub struct TextForm {
    text: String,
}

/// Compares a platform's export with the data.
pub async fn reconcile(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(form): Form<TextForm>,
) -> Result<Response, PageError> {
    let actor = Actor::researcher(&researcher);
    let (platform, lines) = identities::reconcile(&state.app, &actor, &slug, &form.text).await?;
    show(&state, researcher, &slug, None, Some(PlatformComparison { platform, lines })).await
}

/// A person's id on the platform.
#[derive(Debug, Deserialize)]
pub struct IdForm {
    id: String,
}

/// Finds a person by their id on the platform.
pub async fn seek(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(form): Form<IdForm>,
) -> Result<Redirect, PageError> {
    let found = identities::seek(&state.app, &Actor::researcher(&researcher), &slug, &form.id).await?;
    Ok(match found {
        Some(participant) => back(&slug, &format!("done=found&participant={participant}")),
        None => back(&slug, "done=not-found"),
    })
}

/// A participant, by pseudonym.
#[derive(Debug, Deserialize)]
pub struct ParticipantForm {
    participant: String,
}

/// Deletes a person's data at their request.
pub async fn withdraw(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(form): Form<ParticipantForm>,
) -> Result<Redirect, PageError> {
    let participant = form.participant.trim();
    identities::withdraw(&state.app, &Actor::researcher(&researcher), &slug, participant).await?;
    Ok(back(&slug, &format!("done=withdrawn&participant={participant}")))
}

/// Deletes all ids of the study.
pub async fn forget(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
) -> Result<Redirect, PageError> {
    let people = identities::forget(&state.app, &Actor::researcher(&researcher), &slug).await?;
    Ok(back(&slug, &format!("done=forgotten&n={people}")))
}

/// Ids of people not to admit.
#[derive(Debug, Deserialize)]
pub struct ListForm {
    platform: Platform,
    text: String,
}

/// Bars people from the study.
pub async fn bar(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(form): Form<ListForm>,
) -> Result<Redirect, PageError> {
    let actor = Actor::researcher(&researcher);
    let added = identities::bar(&state.app, &actor, &slug, form.platform, &form.text).await?;
    Ok(back(&slug, &format!("done=barred&n={added}")))
}

fn back(slug: &str, done: &str) -> Redirect {
    Redirect::to(&format!("{}?{done}", urls::people(slug)))
}
