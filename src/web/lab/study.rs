//! The page of one study: its enrolment, who is taking part now, its state, its links and its files.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Redirect, Response};
use serde::Deserialize;
use sqlx::PgConnection;

use crate::domain::allocation::SlotCounts;
use crate::domain::preregistration::StandingPolicy;
use crate::domain::study::{Group, Mode, StudyState, StudyVersion};
use crate::flow::audit::log::Actor;
use crate::flow::study::overview::{EnrolmentCounts, StudyOverview, StudySetup};
use crate::flow::study::settings::{enrolment_policy, per_condition};
use crate::flow::study::{control, overview};
use crate::flow::{FlowError, Refused};
use crate::store;
use crate::store::links::Link;
use crate::store::overview::{DoneCounts, ExpertCounts, RunningPerson, Standings};
use crate::store::researchers::Researcher;
use crate::store::studies::Study;
use crate::web::http::error::{PageError, ProblemDocument};
use crate::web::http::page;
use crate::web::lab::choice::ModeQuery;
use crate::web::lab::session::SignedIn;
use crate::web::lab::urls;
use crate::web::lab::{arrivals, progress};
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/study.html")]
struct StudyPage<'a> {
    me: Researcher,
    study: &'a Study,
    version: &'a StudyVersion,
    standing: String,
    postings: String,
    policy: String,
    policies: Vec<StandingPolicy>,
    quota: u32,
    mode: Mode,
    modes: Vec<Mode>,
    links: Vec<LinkLine>,
    enrolment: EnrolmentFragment,
    running: Running,
    arrivals: String,
    progress: String,
}

/// The study's state, with buttons to change it.
#[derive(Template)]
#[template(path = "lab/_state.html")]
pub struct StateCard<'a> {
    steers: bool,
    study: &'a Study,
    version: &'a StudyVersion,
    policy: String,
    /// Open places that no participant can get, because the study is closed.
    shut: u32,
}

impl<'a> StateCard<'a> {
    /// Makes the part for a researcher who may steer the study, or not.
    pub fn new(
        steers: bool,
        study: &'a Study,
        version: &'a StudyVersion,
        mode: Mode,
        enrolment: &EnrolmentFragment,
    ) -> Self {
        let is_shut = study.state == StudyState::Closed && mode == Mode::Live;
        Self {
            steers,
            study,
            version,
            policy: enrolment_policy(study, version).name,
            shut: if is_shut { enrolment.total.slots.open } else { 0 },
        }
    }
}

/// Forms that give exhausted slots one more posting.
#[derive(Template)]
#[template(path = "lab/_postings.html")]
pub struct PostingForms<'a> {
    slug: &'a str,
    mode: Mode,
    lines: &'a [EnrolmentLine],
}

impl<'a> PostingForms<'a> {
    /// Makes the part for a researcher who may steer the study, or not.
    pub fn new(steers: bool, study: &'a Study, mode: Mode, enrolment: &'a EnrolmentFragment) -> Self {
        Self { slug: &study.slug, mode, lines: if steers { &enrolment.lines } else { &[] } }
    }
}

/// The states that a study may change to: (state, words on the button, class of the button).
fn ways(state: &StudyState) -> Vec<(StudyState, &'static str, &'static str)> {
    let words = |to: StudyState| match (*state, to) {
        (StudyState::Draft, StudyState::Pilot) => ("Begin the pilot", ""),
        (StudyState::Draft | StudyState::Pilot, StudyState::Live) => ("Start", "primary"),
        (_, StudyState::Draft) => ("Back to draft", ""),
        (StudyState::Paused, StudyState::Live) => ("Resume", "primary"),
        (_, StudyState::Live) => ("Open again", ""),
        (_, StudyState::Paused) => ("Pause", ""),
        (_, _) => ("Close", ""),
    };
    let possible = StudyState::ALL.iter().copied().filter(|to| state.may_become(*to));
    possible.map(|to| (to, words(to).0, words(to).1)).collect()
}

struct LinkLine {
    link: Link,
    address: String,
}

/// The table of enrolment.
#[derive(Template)]
#[template(path = "lab/_enrolment.html")]
pub struct EnrolmentFragment {
    /// One line for each condition.
    lines: Vec<EnrolmentLine>,
    pub total: EnrolmentLine,
    /// The experts, who hold no slot, if any took part.
    experts: Option<ExpertCounts>,
}

/// A line of the table.
#[derive(Default)]
pub struct EnrolmentLine {
    name: String,
    title: String,
    pub slots: SlotCounts,
    /// People who completed and failed a criterion.
    pub excluded: u32,
    surplus: u32,
    /// People who left without completing.
    gone: u32,
}

impl EnrolmentLine {
    /// The number of slots.
    pub const fn all(&self) -> u32 {
        self.slots.kept + self.slots.running + self.slots.open + self.slots.exhausted
    }

    fn add(&mut self, other: &Self) {
        self.slots.kept += other.slots.kept;
        self.slots.running += other.slots.running;
        self.slots.open += other.slots.open;
        self.slots.exhausted += other.slots.exhausted;
        self.excluded += other.excluded;
        self.surplus += other.surplus;
        self.gone += other.gone;
    }

    /// Parts of the bar in percent: (class, from, width).
    fn bar(&self) -> Vec<(&'static str, f64, f64)> {
        let parts =
            [("kept", self.slots.kept), ("running", self.slots.running), ("exhausted", self.slots.exhausted)];
        let all = f64::from(self.all().max(1));
        let mut from = 0.0;
        let mut bar = Vec::new();
        for (class, n) in parts.into_iter().filter(|(_, n)| *n > 0) {
            let width = f64::from(n) / all * 100.0;
            bar.push((class, from, width));
            from += width;
        }
        bar
    }
}

/// The table of people who are taking part now.
#[derive(Template)]
#[template(path = "lab/_running.html")]
pub struct Running {
    people: Vec<RunningLine>,
}

struct RunningLine {
    person: RunningPerson,
    condition: String,
    trials: u32,
}

impl EnrolmentFragment {
    pub fn new(version: &StudyVersion, counts: EnrolmentCounts) -> Self {
        let EnrolmentCounts { slots, standings: Standings { crowd, experts } } = counts;
        let lines = version.definition.conditions.iter().map(|condition| {
            let DoneCounts { excluded, surplus, gone } =
                crowd.get(&condition.name).copied().unwrap_or_default();
            EnrolmentLine {
                name: condition.name.clone(),
                title: condition.title.clone(),
                slots: slots.get(&condition.name).copied().unwrap_or_default(),
                excluded,
                surplus,
                gone,
            }
        });
        let lines: Vec<EnrolmentLine> = lines.collect();
        let title = if experts.is_some() { "All of the crowd" } else { "All" };
        let mut total = EnrolmentLine { title: title.into(), ..EnrolmentLine::default() };
        lines.iter().for_each(|line| total.add(line));
        Self { lines, total, experts }
    }
}

impl Running {
    pub fn new(version: &StudyVersion, people: Vec<RunningPerson>) -> Self {
        let definition = &version.definition;
        let line = |person: RunningPerson| RunningLine {
            condition: definition
                .condition(&person.condition)
                .map_or_else(String::new, |condition| condition.title.clone()),
            trials: definition.main_block_trials(),
            person,
        };
        Self { people: people.into_iter().map(line).collect() }
    }
}

/// A study and its newest version.
pub async fn find(
    state: &WebState,
    conn: &mut PgConnection,
    slug: &str,
) -> Result<(Study, Arc<StudyVersion>), ProblemDocument> {
    let study = store::studies::by_slug(&mut *conn, slug).await?;
    let study = study.ok_or(FlowError::Refused(Refused::NoSuchStudy))?;
    let version = state.app.newest_version(conn, study.id).await?;
    Ok((study, version))
}

/// The page.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Query(ModeQuery { mode }): Query<ModeQuery>,
) -> Result<Response, PageError> {
    let (overview, setup) = overview::overview_with_setup(&state.app, &slug, mode).await?;
    let arrivals = arrivals::part(&overview);
    let StudyOverview { study, version, enrolment, running, .. } = overview;
    let StudySetup { mut modes, links, policies } = setup;
    modes.extend([Mode::Live, mode]);
    modes.sort_unstable();
    modes.dedup();
    let enrolment = EnrolmentFragment::new(&version, enrolment);
    let address = |link: &Link| format!("{}/enter/{}", state.site.public_url, link.code);
    let steers = researcher.steers();
    Ok(page::html(&StudyPage {
        standing: page::text(&StateCard::new(steers, &study, &version, mode, &enrolment)),
        postings: page::text(&PostingForms::new(steers, &study, mode, &enrolment)),
        me: researcher,
        policy: enrolment_policy(&study, &version).name,
        policies,
        quota: per_condition(&study, &version),
        mode,
        modes,
        links: links.into_iter().map(|link| LinkLine { address: address(&link), link }).collect(),
        enrolment,
        running: Running::new(&version, running),
        arrivals,
        progress: progress::part(&state, &slug, mode).await?,
        study: &study,
        version: &version,
    }))
}

/// The state that a button of the page asks for.
#[derive(Debug, Deserialize)]
pub struct StateForm {
    state: StudyState,
}

/// Starts, pauses or closes the study.
pub async fn set_state(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(form): Form<StateForm>,
) -> Result<Redirect, PageError> {
    control::set_state(&state.app, &Actor::researcher(&researcher), &slug, form.state).await?;
    Ok(Redirect::to(&urls::study(&slug)))
}

/// The condition whose exhausted slots get one more posting.
#[derive(Debug, Deserialize)]
pub struct PostingForm {
    mode: Mode,
    condition: String,
}

/// Gives the exhausted slots of a condition one more posting.
pub async fn one_more_posting(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(PostingForm { mode, condition }): Form<PostingForm>,
) -> Result<Redirect, PageError> {
    control::one_more_posting(&state.app, &Actor::researcher(&researcher), &slug, mode, &condition).await?;
    Ok(Redirect::to(&format!("{}?mode={mode}", urls::study(&slug))))
}

/// The new number of places per condition.
#[derive(Debug, Deserialize)]
pub struct QuotaForm {
    per_condition: u32,
}

/// Changes the number of places per condition.
pub async fn set_quota(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(form): Form<QuotaForm>,
) -> Result<Redirect, PageError> {
    control::set_quota(&state.app, &Actor::researcher(&researcher), &slug, form.per_condition).await?;
    Ok(Redirect::to(&urls::study(&slug)))
}

/// Whether a link is to be on.
#[derive(Debug, Deserialize)]
pub struct LinkForm {
    enabled: bool,
}

/// Switches a link on or off.
pub async fn switch_link(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path((slug, link_id)): Path<(String, i64)>,
    Form(form): Form<LinkForm>,
) -> Result<Redirect, PageError> {
    control::enable_link(&state.app, &Actor::researcher(&researcher), &slug, link_id, form.enabled).await?;
    Ok(Redirect::to(&format!("{}#links", urls::study(&slug))))
}
