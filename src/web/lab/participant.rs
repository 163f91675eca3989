//! The page of one participant: criteria, decision, trials, timeline and device.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::domain::analysis::{JudgedPerson, Override};
use crate::domain::exclusion::{Criterion, CriterionResult, CriterionSheet};
use crate::domain::record::MOST_EVENTS;
use crate::domain::study::{StudyDefinition, StudyVersion};
use crate::domain::trial::{Block, Side};
use crate::flow::audit::log::Actor;
use crate::flow::image_addresses::Viewer;
use crate::flow::study::settings::enrolment_policy;
use crate::flow::study::{decisions, policies};
use crate::flow::{FlowError, Refused};
use crate::store;
use crate::store::answers::{EventOnFile, TrialOnFile};
use crate::store::researchers::Researcher;
use crate::web::http::error::PageError;
use crate::web::http::page;
use crate::web::image_addresses::Gallery;
use crate::web::lab::participants::verdict_words;
use crate::web::lab::session::SignedIn;
use crate::web::lab::study::find;
use crate::web::lab::urls;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/participant.html")]
struct ParticipantPage<'a> {
    me: Researcher,
    slug: &'a str,
    definition: &'a StudyDefinition,
    policy: &'a str,
    judged: &'a JudgedPerson,
    verdict: String,
    findings: Vec<CriterionResult>,
    trials: Vec<TrialLine>,
    /// The number of trials that are scheduled and not answered.
    unanswered: usize,
    timeline: Vec<Moment>,
    decided_by: Option<(String, DateTime<Utc>)>,
}

impl ParticipantPage<'_> {
    /// The most events that are stored of one person.
    const fn most_events(&self) -> u32 {
        MOST_EVENTS
    }

    /// A criterion's name and unit.
    fn words(&self, criterion: &Criterion) -> (&'static str, &'static str) {
        let CriterionSheet { title, unit, .. } = criterion.sheet();
        (title, unit)
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
    side: Side,
    confidence: u8,
    correct: bool,
    rt_s: Option<f64>,
    /// Seconds since Welcome.
    at_s: f64,
    /// Device px per image px.
    device_scale: Option<f64>,
    frame_ms: Option<f64>,
}

/// An entry of the timeline.
struct Moment {
    /// Seconds since Welcome.
    at_s: Option<f64>,
    /// When the server received it; none for answers, which are sent at once.
    server_at: Option<DateTime<Utc>>,
    what: String,
    detail: String,
}

/// Answers and events in the order in which they happened. An event without a time comes after the event that was received before.
fn timeline(answers: &[TrialLine], events: &[EventOnFile]) -> Vec<Moment> {
    let mut last = 0.0_f64;
    let mut timed: Vec<(f64, Moment)> = Vec::new();
    for event in events {
        last = event.at_ms.map_or(last, |ms| ms / 1000.0);
        let moment = Moment {
            at_s: event.at_ms.map(|ms| ms / 1000.0),
            server_at: Some(event.server_at),
            what: event.kind.replace('_', " "),
            detail: in_words(&event.detail),
        };
        timed.push((last, moment));
    }
    for answer in answers {
        let detail = format!(
            "{}, confidence {}, {}",
            answer.side,
            answer.confidence,
            if answer.correct { "correct" } else { "wrong" }
        );
        let what = format!("answer to trial {}", answer.place);
        timed.push((answer.at_s, Moment { at_s: Some(answer.at_s), server_at: None, what, detail }));
    }
    timed.sort_by(|a, b| a.0.total_cmp(&b.0));
    timed.into_iter().map(|(_, moment)| moment).collect()
}

/// The detail of an event, in words.
fn in_words(detail: &serde_json::Value) -> String {
    let serde_json::Value::Object(fields) = detail else { return String::new() };
    let word = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = fields.iter().map(|(name, value)| format!("{}: {}", name.replace('_', " "), word(value)));
    fields.collect::<Vec<_>>().join(", ")
}

/// The page.
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
    let judged = policies::judged_one(&state.app, &mut conn, &person, &newest, &policy).await?;
    let judged = judged.ok_or(FlowError::Refused(Refused::NoSuchParticipant))?;
    let trials = store::answers::trials_of(&mut conn, person.id).await?;
    let gallery = Gallery::new(&state.app.secrets, &version, Viewer::Lab);
    let lines: Vec<TrialLine> =
        trials.iter().filter_map(|trial| trial_line(&gallery, &version, trial)).collect();
    let events = store::answers::events_of(&mut conn, person.id).await?;
    Ok(page::html(&ParticipantPage {
        me: researcher,
        slug: &slug,
        definition: &version.definition,
        policy: &policy.name,
        verdict: verdict_words(&judged),
        findings: judged.verdict.as_ref().map(|verdict| verdict.findings.clone()).unwrap_or_default(),
        decided_by: store::overrides::author(&mut conn, person.id).await?,
        judged: &judged,
        unanswered: trials.len() - lines.len(),
        timeline: timeline(&lines, &events),
        trials: lines,
    }))
}

/// A decision about a participant.
#[derive(Debug, Deserialize)]
pub struct DecisionForm {
    /// Include, exclude, or empty: the policy decides again.
    decision: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    reopen: bool,
}

/// Stores a decision that replaces the policy's verdict, or removes it.
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
            decisions::decide(&state.app, &actor, &slug, &pseudonym, &decided, form.reopen).await?;
        }
        Err(_) => decisions::lift(&state.app, &actor, &slug, &pseudonym).await?,
    }
    Ok(Redirect::to(&format!("{}#decision", urls::participant(&slug, &pseudonym))))
}

/// The line of a trial; none if it is not answered.
fn trial_line(gallery: &Gallery<'_>, version: &StudyVersion, trial: &TrialOnFile) -> Option<TrialLine> {
    let scheduled = &trial.scheduled;
    let row = version.trial(scheduled.trial_id)?;
    let (left, right) = gallery.queries(row, scheduled.max_side);
    let answer = trial.answer.as_ref()?;
    let press = version.definition.buttons().press(answer.response)?;
    let place = match scheduled.block {
        Block::Practice => format!("practice {}:{}", scheduled.attempt, scheduled.trial_index),
        Block::Main => scheduled.trial_index.to_string(),
    };
    Some(TrialLine {
        place,
        kind: row.kind.as_str(),
        unit: row.unit.clone(),
        base: gallery.address(&row.base),
        left,
        right,
        max_side: scheduled.max_side,
        side: press.side,
        confidence: press.confidence,
        correct: trial.correct?,
        rt_s: answer.rt.map(|ms| ms / 1000.0),
        at_s: answer.time_elapsed / 1000.0,
        device_scale: answer.device_scale,
        frame_ms: answer.frame_ms,
    })
}
