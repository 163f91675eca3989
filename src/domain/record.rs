//! What a browser tells about a participation, and what becomes of it: the one place where steps and answers are decided.
//!
//! A record may arrive twice, late, or from a tab that another one has superseded. Whatever is new and possible is kept;
//! whatever is there already is confirmed; what contradicts it is refused and noted.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::participant::{Participant, Stage};
use super::schedule::{Place, ScheduledTrial};
use super::study::StudyDefinition;
use super::trial::{Block, Input, Press, Side};
use super::words;

/// Longest time in ms that a browser may report: a week.
const LONGEST_MS: f64 = 7.0 * 86_400_000.0;

/// Everything that a browser has to tell at once; each part may be empty, and then it is a sign of life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The number that opening the participation gave to the page.
    pub tab: i32,
    /// The experiment clock at sending, in ms since Welcome; 0 before.
    pub clock_ms: f64,
    /// The screen that is shown.
    #[serde(default)]
    pub screen: Option<String>,
    /// Steps taken, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Answers given, in order.
    #[serde(default)]
    pub answers: Vec<Answer>,
    /// What else happened.
    #[serde(default)]
    pub events: Vec<Event>,
}

words! {
    /// The steps that a browser takes.
    StepName {
        /// Welcome was shown: the experiment clock starts.
        Welcome = "welcome",
        /// The fullscreen page ended: the instructions are done.
        Instructed = "instructed",
        /// The first main trial is about to be shown.
        Main = "main",
    }
}

/// A step of the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Which.
    pub step: StepName,
    /// The experiment clock when it was taken, in ms since Welcome.
    pub clock_ms: f64,
    /// Wait for images since the step before, in ms.
    #[serde(default)]
    pub load_wait: f64,
}

/// An answer as the browser reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The trial's run.
    pub block: Block,
    /// Number of the practice block, from 1; 1 for main.
    pub attempt: u16,
    /// Position within the block, from 1.
    pub trial_index: u16,
    /// The button, from 0 at the left.
    pub response: u8,
    /// Painted screen to number click, in ms; none where the tab was hidden in between.
    pub rt: Option<f64>,
    /// Number click to Continue, in ms; none until it is known.
    #[serde(default)]
    pub continue_rt: Option<f64>,
    /// Welcome shown to number click, in ms.
    pub time_elapsed: f64,
    /// What was pressed with.
    pub input: Input,
    /// How often the trial was shown, from 1.
    pub presentations: u32,
    /// How long the page was hidden during the trial, in ms.
    pub hidden_ms: f64,
    /// Wait for the trial's images, in ms.
    pub load_wait: f64,
    /// Scale of the trial screen, above 0, at most 1.
    pub display_scale: f64,
}

impl Answer {
    /// Its trial's place.
    pub const fn place(&self) -> Place {
        Place { block: self.block, attempt: self.attempt, trial_index: self.trial_index }
    }

    /// Whether this is the same answer, given once; when Continue was pressed may become known later.
    fn same_as(&self, other: &Self) -> bool {
        Self { continue_rt: None, ..self.clone() } == Self { continue_rt: None, ..other.clone() }
    }

    fn problem(&self, definition: &StudyDefinition) -> Option<String> {
        let time = |name: &str, ms: f64| {
            (!(0.0..=LONGEST_MS).contains(&ms))
                .then(|| format!("`{name}` must be from 0 to {LONGEST_MS} ms, not {ms}"))
        };
        let buttons = definition.buttons().count();
        (self.response >= buttons)
            .then(|| format!("`response` must be from 0 to {}, not {}", buttons - 1, self.response))
            .or_else(|| self.rt.and_then(|ms| time("rt", ms)))
            .or_else(|| self.continue_rt.and_then(|ms| time("continue_rt", ms)))
            .or_else(|| time("time_elapsed", self.time_elapsed))
            .or_else(|| time("hidden_ms", self.hidden_ms))
            .or_else(|| time("load_wait", self.load_wait))
            .or_else(|| (self.presentations == 0).then(|| "`presentations` counts from 1".into()))
            .or_else(|| {
                let fits = self.display_scale > 0.0 && self.display_scale <= 1.0;
                (!fits).then(|| {
                    format!("`display_scale` must be above 0 and at most 1, not {}", self.display_scale)
                })
            })
    }
}

words! {
    /// What else can happen.
    EventKind {
        /// A screen was shown; detail: `screen`.
        Screen = "screen",
        /// Fullscreen was entered.
        FullscreenEnter = "fullscreen_enter",
        /// Fullscreen was left before the end.
        FullscreenExit = "fullscreen_exit",
        /// Fullscreen was refused by the person or is not to be had; detail: `reason`.
        FullscreenRefused = "fullscreen_refused",
        /// The window lost the focus, or the tab was hidden; detail: `hidden`.
        FocusLoss = "focus_loss",
        /// It came back; detail: `away_ms`.
        FocusGain = "focus_gain",
        /// The window changed its size; detail: `width`, `height` in px.
        Resize = "resize",
        /// An image could not be loaded at one try; detail: `try`, `reason`.
        ImageFailure = "image_failure",
        /// The network was gone.
        Offline = "offline",
        /// The network came back.
        Online = "online",
        /// The page was opened again; detail: `navigation`. The server records it.
        Reload = "reload",
        /// A second, different answer was refused; detail: both. The server records it.
        AnswerConflict = "answer_conflict",
        /// A known person arrived with a new assignment. The server records it.
        NewAssignment = "new_assignment",
        /// The trial program met a fault of its own; detail: `message`.
        ProgramError = "program_error",
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its number within the tab, so that it is stored once.
    pub seq: i32,
    /// Which kind.
    pub kind: EventKind,
    /// The experiment clock when it happened, in ms since Welcome; none before.
    #[serde(default)]
    pub at: Option<f64>,
    /// What else there is to know: a JSON object of at most 2,000 characters.
    #[serde(default = "empty_object")]
    pub detail: Value,
}

fn empty_object() -> Value {
    json!({})
}

/// An event to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Tab and number within it; none for events that the server records.
    pub source: Option<(i32, i32)>,
    /// Which kind.
    pub kind: EventKind,
    /// In ms since Welcome.
    pub at_ms: Option<f64>,
    /// What else there is to know.
    pub detail: Value,
}

/// An answer with what it means, to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// As reported.
    pub answer: Answer,
    /// The side that was chosen.
    pub choice_side: Side,
    /// Whether it is the max query's.
    pub correct: bool,
    /// The label shown on the button.
    pub confidence: u8,
    /// When the server accepted it.
    pub answered_at: DateTime<Utc>,
}

words! {
    /// What became of an answer.
    AnswerStatus {
        /// Stored now.
        Stored = "stored",
        /// Was there already.
        Same = "same",
        /// Not stored; `code` says why.
        Refused = "refused",
    }
}

words! {
    /// Why an answer or step was refused.
    Refusal {
        /// A different answer to the trial is stored.
        Conflict = "conflict",
        /// There is no such trial in the schedule.
        NoSuchTrial = "no_such_trial",
        /// The person has not come so far yet.
        TooEarly = "too_early",
        /// The participation has ended.
        Ended = "ended",
        /// A value is out of its range.
        Invalid = "invalid",
    }
}

/// What the browser is told about one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerReply {
    /// The trial.
    #[serde(flatten)]
    pub place: Place,
    /// What became of the answer.
    pub status: AnswerStatus,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Refusal>,
    /// What was wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// Whether it was correct; for practice trials only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correct: Option<bool>,
}

/// What the browser is told about one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReply {
    /// Which.
    pub step: StepName,
    /// Whether it is taken, now or before.
    pub taken: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Refusal>,
}

/// What the store knows of the trials that a record may be about.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// The schedule.
    pub scheduled: BTreeMap<Place, ScheduledTrial>,
    /// Answers that are there.
    pub answers: BTreeMap<Place, Answer>,
}

/// What a record leads to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Answers to store.
    pub responses: Vec<Response>,
    /// Times to Continue that became known, in ms.
    pub continued: Vec<(Place, f64)>,
    /// Events to store.
    pub events: Vec<NewEvent>,
    /// What to say about the steps.
    pub steps: Vec<StepReply>,
    /// What to say about the answers.
    pub answers: Vec<AnswerReply>,
    /// A practice block that is to be drawn.
    pub draw_practice: Option<u16>,
}

/// Applies a record to a participation. Answers that are accepted are there for whatever follows.
pub fn apply(
    person: &mut Participant,
    definition: &StudyDefinition,
    record: &Record,
    stored: &mut Stored,
    now: DateTime<Utc>,
) -> Outcome {
    let mut work = Work { person, definition, stored, now, outcome: Outcome::default() };
    for step in &record.steps {
        work.step(step, record.clock_ms);
    }
    for answer in &record.answers {
        work.answer(answer);
    }
    work.events(record);
    let Work { person, outcome, .. } = work;
    if !person.stage.ended() {
        person.seen(&definition.lease, now);
        person.hear_clock(record.clock_ms.clamp(0.0, LONGEST_MS), &definition.clock, now);
        if record.tab == person.tab
            && let Some(screen) = &record.screen
        {
            person.screen = Some(screen.chars().take(40).collect());
        }
    }
    outcome
}

struct Work<'a> {
    person: &'a mut Participant,
    definition: &'a StudyDefinition,
    stored: &'a mut Stored,
    now: DateTime<Utc>,
    outcome: Outcome,
}

impl Work<'_> {
    fn step(&mut self, step: &Step, clock_ms: f64) {
        let result = if valid_ms(step.clock_ms) && valid_ms(step.load_wait) && valid_ms(clock_ms) {
            self.take(step, clock_ms)
        } else {
            Err(Refusal::Invalid)
        };
        self.outcome.steps.push(StepReply { step: step.step, taken: result.is_ok(), code: result.err() });
    }

    fn take(&mut self, step: &Step, clock_ms: f64) -> Result<(), Refusal> {
        let practises = self.practises();
        let person = &mut *self.person;
        match (step.step, person.stage) {
            (StepName::Welcome, _) if person.started_at.is_some() => Ok(()),
            (StepName::Instructed, _) if person.instructed_at.is_some() => Ok(()),
            (StepName::Main, _) if person.running_at.is_some() => Ok(()),
            (_, stage) if stage.ended() => Err(Refusal::Ended),
            (StepName::Welcome, Stage::Consented) => {
                person.start(clock_ms, self.now);
                Ok(())
            }
            (StepName::Instructed, Stage::Consented) if person.started_at.is_some() => {
                person.stage = Stage::Instructed;
                person.instructed_at = Some(self.now);
                person.instruction_ms = Some(step.clock_ms);
                person.instruction_load_wait_ms = step.load_wait;
                Ok(())
            }
            (StepName::Main, stage)
                if stage == if practises { Stage::Practised } else { Stage::Instructed } =>
            {
                person.stage = Stage::Running;
                person.running_at = Some(self.now);
                Ok(())
            }
            _ => Err(Refusal::TooEarly),
        }
    }

    fn practises(&self) -> bool {
        self.definition.condition(&self.person.condition).is_some_and(|condition| condition.practice)
    }

    fn answer(&mut self, answer: &Answer) {
        let place = answer.place();
        let reply = match self.accept(answer) {
            Ok(status) => AnswerReply {
                place,
                status,
                code: None,
                detail: None,
                correct: (place.block == Block::Practice).then(|| self.correct(answer)),
            },
            Err((code, detail)) => {
                AnswerReply { place, status: AnswerStatus::Refused, code: Some(code), detail, correct: None }
            }
        };
        self.outcome.answers.push(reply);
    }

    fn accept(&mut self, answer: &Answer) -> Result<AnswerStatus, (Refusal, Option<String>)> {
        let place = answer.place();
        if let Some(problem) = answer.problem(self.definition) {
            return Err((Refusal::Invalid, Some(problem)));
        }
        if let Some(before) = self.stored.answers.get(&place) {
            if !before.same_as(answer) {
                self.note_conflict(answer);
                return Err((Refusal::Conflict, None));
            }
            self.learn_continue(answer);
            return Ok(AnswerStatus::Same);
        }
        if !self.stored.scheduled.contains_key(&place) {
            return Err((Refusal::NoSuchTrial, None));
        }
        match (place.block, self.person.stage) {
            (_, stage) if stage.ended() => Err((Refusal::Ended, None)),
            (Block::Practice, Stage::Instructed) | (Block::Main, Stage::Running) => {
                self.store(answer);
                Ok(AnswerStatus::Stored)
            }
            _ => Err((Refusal::TooEarly, None)),
        }
    }

    fn store(&mut self, answer: &Answer) {
        let press = self.press(answer);
        self.outcome.responses.push(Response {
            answer: answer.clone(),
            choice_side: press.side,
            correct: self.correct(answer),
            confidence: press.confidence,
            answered_at: self.now,
        });
        self.stored.answers.insert(answer.place(), answer.clone());
        if answer.block == Block::Practice {
            self.finish_practice_block();
        }
    }

    /// When a practice block is answered: all correct leads on, anything else to a new block.
    fn finish_practice_block(&mut self) {
        let attempt = self.person.practice_attempt;
        let block =
            self.stored.scheduled.keys().filter(|p| p.block == Block::Practice && p.attempt == attempt);
        let answers: Option<Vec<&Answer>> = block.map(|place| self.stored.answers.get(place)).collect();
        let Some(answers) = answers else { return };
        if answers.iter().all(|answer| self.correct(answer)) {
            self.person.stage = Stage::Practised;
            self.person.practised_at = Some(self.now);
        } else {
            self.person.practice_attempt += 1;
            self.outcome.draw_practice = Some(self.person.practice_attempt);
        }
    }

    fn press(&self, answer: &Answer) -> Press {
        self.definition
            .buttons()
            .press(answer.response)
            .expect("the response was checked against the buttons")
    }

    fn correct(&self, answer: &Answer) -> bool {
        self.stored
            .scheduled
            .get(&answer.place())
            .is_some_and(|trial| trial.max_side == self.press(answer).side)
    }

    /// The answer goes out at the click; when Continue was pressed is told with a later repetition.
    fn learn_continue(&mut self, answer: &Answer) {
        let known = self.stored.answers.get_mut(&answer.place()).expect("the caller found it");
        if known.continue_rt.is_none()
            && let Some(ms) = answer.continue_rt
        {
            known.continue_rt = Some(ms);
            self.outcome.continued.push((answer.place(), ms));
        }
    }

    fn note_conflict(&mut self, answer: &Answer) {
        let before = &self.stored.answers[&answer.place()];
        self.outcome.events.push(NewEvent {
            source: None,
            kind: EventKind::AnswerConflict,
            at_ms: Some(answer.time_elapsed),
            detail: json!({
                "block": answer.block, "attempt": answer.attempt, "trial_index": answer.trial_index,
                "stored_response": before.response, "refused_response": answer.response,
                "refused_rt": answer.rt,
            }),
        });
    }

    fn events(&mut self, record: &Record) {
        let server_only = [EventKind::Reload, EventKind::AnswerConflict, EventKind::NewAssignment];
        let events =
            record.events.iter().filter(|event| !server_only.contains(&event.kind)).map(|event| NewEvent {
                source: Some((record.tab, event.seq)),
                kind: event.kind,
                at_ms: event.at.filter(|ms| valid_ms(*ms)),
                detail: bounded(&event.detail),
            });
        self.outcome.events.extend(events);
    }
}

fn valid_ms(ms: f64) -> bool {
    (0.0..=LONGEST_MS).contains(&ms)
}

fn bounded(detail: &Value) -> Value {
    if detail.is_object() && detail.to_string().len() <= 2000 {
        detail.clone()
    } else {
        json!({ "too_long": true })
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
