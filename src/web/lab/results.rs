//! The results of the participants who are kept: figures with tables, blinded until the study is full; the flow of participants;
//! downloads of each; and the report, which contains all of it in one file.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};

use crate::domain::preregistration::StandingPolicy;
use crate::domain::study::Mode;
use crate::figures::{self, Figure, Input, Label};
use crate::flow::audit::log::Actor;
use crate::flow::study::results;
use crate::flow::study::results::{Computed, FoundResults, Material, ParticipantsAndStates};
use crate::flow::study::{control, policies};
use crate::store::researchers::Researcher;
use crate::web::http::error::{PageError, ProblemDocument};
use crate::web::http::{page, static_files};
use crate::web::lab::choice::Choice;
use crate::web::lab::session::SignedIn;
use crate::web::lab::urls;
use crate::web::state::WebState;

/// Seconds after which a page is reloaded while its results are being computed.
const LOOK_AGAIN_S: u32 = 5;

/// All figures of a study.
#[derive(Template)]
#[template(path = "lab/_figures.html")]
struct Figures<'a> {
    figures: &'a [Figure],
    /// The address under which single figures are; none in the report.
    base: Option<String>,
    /// The query of these addresses.
    query: String,
}

#[derive(Template)]
#[template(path = "lab/results.html")]
struct ResultsPage<'a> {
    me: Researcher,
    material: &'a ParticipantsAndStates,
    policies: Vec<StandingPolicy>,
    kept: String,
    /// Whether the results are still being computed.
    is_underway: bool,
    figures: &'a [Figure],
    shown: String,
}

#[derive(Template)]
#[template(path = "lab/flow.html")]
struct FlowPage<'a> {
    me: Researcher,
    material: &'a ParticipantsAndStates,
    policies: Vec<StandingPolicy>,
    shown: String,
}

#[derive(Template)]
#[template(path = "lab/report.html")]
struct ReportPage<'a> {
    material: &'a Material,
    kept: String,
    shown: String,
    style: String,
    /// SHA-256 of the policy, in hexadecimal.
    policy_sha256: String,
}

async fn load(state: &WebState, slug: &str, choice: &Choice) -> Result<Material, PageError> {
    Ok(results::load(&state.app, slug, choice.mode, Some(&choice.policy)).await?)
}

async fn load_people(
    state: &WebState,
    slug: &str,
    choice: &Choice,
) -> Result<ParticipantsAndStates, PageError> {
    Ok(results::load_people(&state.app, slug, choice.mode, Some(&choice.policy)).await?)
}

/// Computes results and draws figures on another thread than those that answer requests.
async fn draw(material: Material) -> Result<(Material, Computed, Vec<Figure>), PageError> {
    let work = move || {
        let computed = material.compute();
        let figures = of_results(&material, &computed);
        (material, computed, figures)
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| PageError(ProblemDocument::interrupted(error)))
}

fn labels(material: &ParticipantsAndStates) -> Vec<Label> {
    material.labels().into_iter().map(|(title, colour)| Label { title, colour }).collect()
}

fn of_results(material: &Material, computed: &Computed) -> Vec<Figure> {
    let labels = labels(material);
    figures::of_results(&Input {
        labels: &labels,
        results: &computed.results,
        preview: &computed.preview,
        experts: computed.experts.as_ref(),
        quality: &computed.quality,
        policy: &material.policy,
        image_sets: material.version.definition.design.image_sets,
        blinded: material.blinded,
    })
}

/// Draws the flow. While results are blinded it counts nothing by letter, since other pages show the same numbers by name.
fn flow_figure(material: &ParticipantsAndStates) -> Figure {
    let titles = match material.blinded {
        true => Vec::new(),
        false => labels(material).into_iter().map(|label| label.title).collect(),
    };
    let (crowd, experts) = material.flow();
    figures::flow(&crowd, experts.as_ref(), &titles)
}

fn shown(figures: &[Figure], material: &ParticipantsAndStates, with_links: bool) -> String {
    let base = with_links.then(|| urls::figures(&material.study.slug));
    let query = format!("?mode={}&policy={}", material.mode, material.policy.name);
    page::text(&Figures { figures, base, query })
}

async fn policies_of(
    state: &WebState,
    material: &ParticipantsAndStates,
) -> Result<Vec<StandingPolicy>, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    Ok(policies::all(&mut conn, &material.study, &material.version).await?)
}

/// The page of results.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    Path(slug): Path<String>,
    Query(choice): Query<Choice>,
) -> Result<Response, PageError> {
    match results::look(&state.app, &slug, choice.mode, &choice.policy).await? {
        FoundResults::Underway(people) => {
            let policies = policies_of(&state, &people).await?;
            let page = results_page(me, &people, policies, None);
            Ok(([(header::REFRESH, LOOK_AGAIN_S.to_string())], page).into_response())
        }
        FoundResults::Material(material) => {
            let policies = policies_of(&state, &material).await?;
            let (material, _, figures) = draw(*material).await?;
            Ok(results_page(me, &material, policies, Some(&figures)))
        }
    }
}

fn results_page(
    me: Researcher,
    people: &ParticipantsAndStates,
    policies: Vec<StandingPolicy>,
    figures: Option<&[Figure]>,
) -> Response {
    page::html(&ResultsPage {
        me,
        material: people,
        policies,
        kept: people.kept_in_words(),
        is_underway: figures.is_none(),
        figures: figures.unwrap_or_default(),
        shown: figures.map_or_else(String::new, |figures| shown(figures, people, true)),
    })
}

/// The flow of participants.
pub async fn flow(
    State(state): State<WebState>,
    SignedIn(me): SignedIn,
    Path(slug): Path<String>,
    Query(choice): Query<Choice>,
) -> Result<Response, PageError> {
    let material = load_people(&state, &slug, &choice).await?;
    let policies = policies_of(&state, &material).await?;
    let shown = shown(&[flow_figure(&material)], &material, true);
    Ok(page::html(&FlowPage { me, material: &material, policies, shown }))
}

/// The flow of participants as a fragment of a live page.
pub async fn flow_fragment(state: &WebState, slug: &str, choice: &Choice) -> Result<String, PageError> {
    let material = load_people(state, slug, choice).await?;
    Ok(shown(&[flow_figure(&material)], &material, true))
}

/// One figure, as SVG or CSV.
pub async fn figure(
    State(state): State<WebState>,
    SignedIn(_): SignedIn,
    Path((slug, file)): Path<(String, String)>,
    Query(choice): Query<Choice>,
) -> Result<Response, PageError> {
    let not_found = || PageError(ProblemDocument::not_found());
    let (name, kind) = file.rsplit_once('.').ok_or_else(not_found)?;
    let (whose, figures) = if name == figures::FLOW {
        let people = load_people(&state, &slug, &choice).await?;
        (whose(&people), vec![flow_figure(&people)])
    } else {
        let (material, _, figures) = draw(load(&state, &slug, &choice).await?).await?;
        (whose(&material), figures)
    };
    let figure = figures.into_iter().find(|figure| figure.name == name).ok_or_else(not_found)?;
    let (media_type, text) = match (kind, figure.svg) {
        ("svg", Some(svg)) => ("image/svg+xml", svg),
        ("csv", _) => ("text/csv; charset=utf-8", figure.table.to_csv()),
        _ => return Err(not_found()),
    };
    let disposition = format!("attachment; filename=\"{whose}-{file}\"");
    Ok(([(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)], text)
        .into_response())
}

/// The beginning of file names: the study, the mode if it is not live, and the policy.
fn whose(material: &ParticipantsAndStates) -> String {
    let (slug, policy) = (&material.study.slug, &material.policy.name);
    match material.mode {
        Mode::Live => format!("{slug}-{policy}"),
        mode => format!("{slug}-{mode}-{policy}"),
    }
}

/// Lets results show which condition is which.
pub async fn unblind(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
) -> Result<Redirect, PageError> {
    control::unblind(&state.app, &Actor::researcher(&researcher), &slug).await?;
    Ok(Redirect::to(&urls::results(&slug)))
}

/// The report, as a file.
pub async fn report_file(
    State(state): State<WebState>,
    SignedIn(_): SignedIn,
    Path(slug): Path<String>,
    Query(choice): Query<Choice>,
) -> Result<Response, PageError> {
    let material = load(&state, &slug, &choice).await?;
    let disposition = format!("attachment; filename=\"{}-report.html\"", whose(&material));
    let text = tokio::task::spawn_blocking(move || report(&material)).await;
    let text = text.map_err(|error| PageError(ProblemDocument::interrupted(error)))?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, text).into_response())
}

/// A study's results in one HTML file without links to other files.
pub fn report(material: &Material) -> String {
    let computed = material.compute();
    let mut figures = vec![flow_figure(material)];
    figures.extend(of_results(material, &computed));
    page::text(&ReportPage {
        material,
        kept: material.kept_in_words(),
        shown: shown(&figures, material, false),
        style: static_files::text("report.css"),
        policy_sha256: material.policy.sha256(),
    })
}
