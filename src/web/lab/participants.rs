//! Everybody who took part: a table to filter, sort and search; and one person's page.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::study::find;
use crate::domain::codebook::people::{JudgedPerson, Override};
use crate::domain::exclusion::{Criterion, Finding};
use crate::domain::participant::Stage;
use crate::domain::preregistration::StandingPolicy;
use crate::domain::study::{Mode, StudyDefinition, StudyVersion};
use crate::domain::trial::{Block, Side};
use crate::domain::workbench::Failing;
use crate::figures;
use crate::flow::journal::Actor;
use crate::flow::slots::enrolment_policy;
use crate::flow::{FlowError, Refused};
use crate::flow::{overrides, policies, results};
use crate::store;
use crate::store::records::{EventOnFile, TrialOnFile};
use crate::store::researchers::Researcher;
use crate::web::error::PageError;
use crate::web::opened::image_url;
use crate::web::page;
use crate::web::session::SignedIn;
use crate::web::state::WebState;

/// Most rows on one page: a table that is longer helps nobody.
const MOST_ROWS: usize = 500;

/// What the table shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct Filter {
    mode: Mode,
    condition: String,
    verdict: String,
    /// Under which policy people are judged; the enrolment policy if none is named.
    policy: String,
    /// What people who completed fail: a word of [`Failing`].
    failed: String,
    search: String,
    sort: String,
}

impl Default for Filter {
    fn default() -> Self {
        let text = String::new;
        Self {
            mode: Mode::Live,
            condition: text(),
            verdict: text(),
            policy: text(),
            failed: text(),
            search: text(),
            sort: text(),
        }
    }
}

impl Filter {
    fn admits(&self, person: &JudgedPerson) -> bool {
        let row = &person.person;
        let verdict = match self.verdict.as_str() {
            "kept" => person.kept(),
            "excluded" => person.verdict.is_some() && !person.kept() && !person.surplus(),
            "decided" => person.person.overridden.is_some(),
            "surplus" => person.surplus(),
            "incomplete" => person.verdict.is_none(),
            _ => true,
        };
        let condition = self.condition.is_empty() || row.condition == self.condition;
        let failed = self.failed.parse::<Failing>().map_or(true, |which| which.admits(person));
        verdict && condition && failed && row.participant.contains(self.search.trim())
    }

    /// What people can be asked to fail: (word, in words). In order is offered to whoever came that way.
    fn failings(&self) -> Vec<(String, String)> {
        let title = |criterion: Criterion| figures::words(criterion).0;
        let mut failings = vec![(Failing::None, "none".to_owned()), (Failing::Any, "any".into())];
        failings.extend(Criterion::ALL.iter().map(|one| (Failing::One(*one), title(*one).into())));
        if let Ok(first @ Failing::First(criterion)) = self.failed.parse() {
            failings.push((first, format!("{}, none above", title(criterion))));
        }
        failings.into_iter().map(|(which, words)| (which.to_string(), words)).collect()
    }

    fn sort(&self, people: &mut [&JudgedPerson], blinded: bool) {
        let number = |value: Option<f64>| value.unwrap_or(f64::INFINITY);
        match self.sort.as_str() {
            "accuracy" if !blinded => people.sort_by(|a, b| number(share(a)).total_cmp(&number(share(b)))),
            "time" => people.sort_by(|a, b| {
                let time = |person: &JudgedPerson| number(person.person.measures.total_time);
                time(a).total_cmp(&time(b))
            }),
            "condition" => people.sort_by_key(|person| person.person.condition.clone()),
            // Newest first.
            _ => people.reverse(),
        }
    }
}

/// Share of main trials answered correctly.
fn share(person: &JudgedPerson) -> Option<f64> {
    let tally = &person.person.tally;
    (tally.main_total > 0).then(|| f64::from(tally.main_correct) / f64::from(tally.main_total))
}

#[derive(Template)]
#[template(path = "lab/participants.html")]
struct ParticipantsPage<'a> {
    me: Researcher,
    slug: &'a str,
    definition: &'a StudyDefinition,
    chosen: &'a StandingPolicy,
    policies: Vec<StandingPolicy>,
    filter: &'a Filter,
    /// Accuracies would tell which condition is which.
    blinded: bool,
    lines: Vec<Line<'a>>,
    found: usize,
    all: usize,
}

struct Line<'a> {
    judged: &'a JudgedPerson,
    accuracy: Option<f64>,
}

impl Line<'_> {
    fn verdict(&self) -> String {
        verdict_words(self.judged)
    }
}

/// How a person stands, in words.
fn verdict_words(judged: &JudgedPerson) -> String {
    match judged.person.stage {
        Stage::Complete if judged.kept() && judged.person.overridden.is_some() => "kept by decision".into(),
        Stage::Complete if judged.kept() => "kept".into(),
        Stage::Complete if judged.person.overridden.is_some() => "excluded by decision".into(),
        Stage::Complete => judged.reasons().join(", ").replace('_', " "),
        _ => String::new(),
    }
}

/// The table.
pub async fn table(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Query(filter): Query<Filter>,
) -> Result<Response, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let (study, version) = find(&state, &mut conn, &slug).await?;
    let chosen = policies::chosen(&mut conn, &study, &version, &filter.policy).await?;
    let chosen = chosen.ok_or(FlowError::Refused(Refused::NoSuchPolicy))?;
    let people =
        policies::judged(&state.app, &mut conn, &study, &version, filter.mode, &chosen.policy).await?;
    let blinded = results::is_blinded(&state.app, &mut conn, &study, &version, filter.mode).await?;
    let mut found: Vec<&JudgedPerson> = people.iter().filter(|person| filter.admits(person)).collect();
    filter.sort(&mut found, blinded);
    let lines = found.iter().take(MOST_ROWS);
    let lines = lines.map(|judged| Line { judged, accuracy: share(judged) }).collect();
    Ok(page::html(&ParticipantsPage {
        me: researcher,
        slug: &slug,
        definition: &version.definition,
        chosen: &chosen,
        policies: policies::all(&mut conn, &study, &version).await?,
        filter: &filter,
        blinded,
        lines,
        found: found.len(),
        all: people.len(),
    }))
}

#[derive(Template)]
#[template(path = "lab/participant.html")]
struct ParticipantPage<'a> {
    me: Researcher,
    slug: &'a str,
    definition: &'a StudyDefinition,
    policy: &'a str,
    judged: &'a JudgedPerson,
    verdict: String,
    findings: Vec<Finding>,
    trials: Vec<TrialLine>,
    events: Vec<EventOnFile>,
    decided_by: Option<(String, DateTime<Utc>)>,
}

impl ParticipantPage<'_> {
    /// A criterion's name and unit.
    fn words(&self, criterion: &Criterion) -> (&'static str, &'static str) {
        figures::words(*criterion)
    }
}

struct TrialLine {
    place: String,
    kind: &'static str,
    unit: String,
    base: String,
    left: String,
    right: String,
    max_side: Side,
    answered: Option<Answered>,
}

struct Answered {
    side: Side,
    confidence: u8,
    correct: bool,
    rt_s: Option<f64>,
}

/// One person's page.
pub async fn one(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path((slug, pseudonym)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let (study, newest) = find(&state, &mut conn, &slug).await?;
    let person = store::participants::by_pseudonym(&mut conn, study.id, &pseudonym).await?;
    let person = person.ok_or(FlowError::Refused(Refused::NoSuchParticipant))?;
    let version = state.app.version(&mut conn, person.version_id).await?;
    let policy = enrolment_policy(&study, &newest);
    let people = policies::judged(&state.app, &mut conn, &study, &newest, person.mode, &policy).await?;
    let judged = people.into_iter().find(|judged| judged.person.id == person.id);
    let judged = judged.ok_or(FlowError::Refused(Refused::NoSuchParticipant))?;
    let trials = store::records::trials_of(&mut conn, person.id).await?;
    let trials = trials.iter().filter_map(|trial| trial_line(&state, &version, trial)).collect();
    Ok(page::html(&ParticipantPage {
        me: researcher,
        slug: &slug,
        definition: &version.definition,
        policy: &policy.name,
        verdict: verdict_words(&judged),
        findings: judged.verdict.as_ref().map(|verdict| verdict.findings.clone()).unwrap_or_default(),
        events: store::records::events_of(&mut conn, person.id).await?,
        decided_by: store::overrides::author(&mut conn, person.id).await?,
        judged: &judged,
        trials,
    }))
}

/// What is decided about a person.
#[derive(Debug, Deserialize)]
pub struct DecisionForm {
    /// Include, exclude, or nothing: the rule holds again.
    decision: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    reopen: bool,
}

/// Decides about a person beside the rule, or takes such a decision back.
pub async fn decide(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path((slug, pseudonym)): Path<(String, String)>,
    Form(form): Form<DecisionForm>,
) -> Result<Redirect, PageError> {
    let actor = Actor::researcher(&researcher);
    match form.decision.parse() {
        Ok(decision) => {
            let decided = Override { decision, reason: form.reason };
            overrides::decide(&state.app, &actor, &slug, &pseudonym, &decided, form.reopen).await?;
        }
        Err(_) => overrides::lift(&state.app, &actor, &slug, &pseudonym).await?,
    }
    Ok(Redirect::to(&format!("/lab/studies/{slug}/participants/{pseudonym}#decision")))
}

fn trial_line(state: &WebState, version: &StudyVersion, trial: &TrialOnFile) -> Option<TrialLine> {
    let scheduled = &trial.scheduled;
    let row = version.trial(scheduled.trial_id)?;
    let (left, right) = row.queries(scheduled.max_side);
    let address = |image| image_url(&state.app.secrets, image);
    let buttons = version.definition.buttons();
    let answered = trial.answer.as_ref().and_then(|answer| {
        let press = buttons.press(answer.response)?;
        let (confidence, correct) = (press.confidence, trial.correct?);
        Some(Answered { side: press.side, confidence, correct, rt_s: answer.rt.map(|ms| ms / 1000.0) })
    });
    let place = match scheduled.block {
        Block::Practice => format!("practice {}:{}", scheduled.attempt, scheduled.trial_index),
        Block::Main => scheduled.trial_index.to_string(),
    };
    Some(TrialLine {
        place,
        kind: row.kind.as_str(),
        unit: row.unit.clone(),
        base: address(&row.base),
        left: address(left),
        right: address(right),
        max_side: scheduled.max_side,
        answered,
    })
}
