//! What browser and server say to each other about a participation under way.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::part::{NamedPart, RecordPart, Unreadable};
use super::{LONGEST_MS, valid_ms};
use crate::domain::schedule::Place;
use crate::domain::study::StudyDefinition;
use crate::domain::trial::{Block, Input};
use crate::domain::words;

/// A trial is not shown more often.
const MOST_PRESENTATIONS: u32 = 100_000;

/// Screens have up to 4 device px per CSS px, and browsers zoom up to 5 times.
const LARGEST_DEVICE_SCALE: f64 = 100.0;

/// A browser that is slower than a frame in 10 s does not draw.
const LONGEST_FRAME_MS: f64 = 10_000.0;

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
    pub steps: Vec<RecordPart<Step>>,
    /// Answers given, in order.
    #[serde(default)]
    pub answers: Vec<RecordPart<Answer>>,
    /// What else happened.
    #[serde(default)]
    pub events: Vec<RecordPart<Event>>,
}

impl Record {
    /// The numbers of the practice blocks whose trials it answers.
    pub fn practice_blocks(&self) -> impl Iterator<Item = u16> {
        self.answers.iter().filter_map(|answer| match answer {
            RecordPart::Read(answer) if answer.block == Block::Practice => Some(answer.attempt),
            _ => None,
        })
    }
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
    /// Device px per px of the base image and the queries.
    #[serde(default)]
    pub device_scale: Option<f64>,
    /// Median interval between the browser's frames before the onset, in ms.
    #[serde(default)]
    pub frame_ms: Option<f64>,
    /// Painted screen to the pointer's going down for the number click, in ms; none for keys, and where there is no `rt`.
    #[serde(default)]
    pub pointerdown_rt: Option<f64>,
    /// How long the page was hidden from the number click to Continue, in ms; none until it is known.
    #[serde(default)]
    pub continue_hidden_ms: Option<f64>,
}

/// What becomes known after an answer: when Continue was pressed.
#[derive(Debug, Clone, PartialEq)]
pub struct Continued {
    /// The answer's trial.
    pub place: Place,
    /// Number click to Continue, in ms.
    pub rt: f64,
    /// How long the page was hidden meanwhile, in ms.
    pub hidden_ms: Option<f64>,
}

impl Answer {
    /// Its trial's place.
    pub const fn place(&self) -> Place {
        Place { block: self.block, attempt: self.attempt, trial_index: self.trial_index }
    }

    /// Whether this is the same answer, given once; when Continue was pressed may become known later.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.at_the_press() == other.at_the_press()
    }

    fn at_the_press(&self) -> Self {
        Self { continue_rt: None, continue_hidden_ms: None, ..self.clone() }
    }

    /// What it says of Continue.
    pub(super) fn continued(&self) -> Option<Continued> {
        let (place, hidden_ms) = (self.place(), self.continue_hidden_ms);
        self.continue_rt.map(|rt| Continued { place, rt, hidden_ms })
    }

    /// Adds when Continue was pressed.
    pub const fn set_continue(&mut self, continued: &Continued) {
        self.continue_rt = Some(continued.rt);
        self.continue_hidden_ms = continued.hidden_ms;
    }

    pub(super) fn problem(&self, definition: &StudyDefinition) -> Option<String> {
        let time = |name: &str, ms: f64| {
            (!valid_ms(ms)).then(|| format!("`{name}` must be from 0 to {LONGEST_MS} ms, not {ms}"))
        };
        let above_0 = |name: &str, value: f64, most: f64| {
            let fits = value > 0.0 && value <= most;
            (!fits).then(|| format!("`{name}` must be above 0 and at most {most}, not {value}"))
        };
        let buttons = definition.buttons().count();
        (self.response >= buttons)
            .then(|| format!("`response` must be from 0 to {}, not {}", buttons - 1, self.response))
            .or_else(|| self.rt.and_then(|ms| time("rt", ms)))
            .or_else(|| self.continue_rt.and_then(|ms| time("continue_rt", ms)))
            .or_else(|| time("time_elapsed", self.time_elapsed))
            .or_else(|| time("hidden_ms", self.hidden_ms))
            .or_else(|| time("load_wait", self.load_wait))
            .or_else(|| {
                let fits = (1..=MOST_PRESENTATIONS).contains(&self.presentations);
                let shown = self.presentations;
                (!fits)
                    .then(|| format!("`presentations` must be from 1 to {MOST_PRESENTATIONS}, not {shown}"))
            })
            .or_else(|| above_0("display_scale", self.display_scale, 1.0))
            .or_else(|| {
                self.device_scale.and_then(|scale| above_0("device_scale", scale, LARGEST_DEVICE_SCALE))
            })
            .or_else(|| self.frame_ms.and_then(|ms| above_0("frame_ms", ms, LONGEST_FRAME_MS)))
            .or_else(|| self.pointerdown_rt.and_then(|ms| time("pointerdown_rt", ms)))
            .or_else(|| self.continue_hidden_ms.and_then(|ms| time("continue_hidden_ms", ms)))
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
        /// The window changed its size or its pixel ratio, by a zoom or another screen; detail: `width`, `height` in px,
        /// `pixel_ratio`.
        Resize = "resize",
        /// A press before the trial's onset, or while its images were awaited; detail: `screen`, `input`, `button`, `shown`.
        EarlyPress = "early_press",
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
    /// Why an answer, a step or an event was refused.
    Refusal {
        /// A different answer to the trial is stored.
        Conflict = "conflict",
        /// There is no such trial in the schedule.
        NoSuchTrial = "no_such_trial",
        /// The person has not come so far yet.
        TooEarly = "too_early",
        /// The participation has ended.
        Ended = "ended",
        /// A value is out of its range, or the part cannot be read.
        Invalid = "invalid",
        /// More events came than are stored; it was counted.
        TooMany = "too_many",
    }
}

/// What the browser is told about one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerReply {
    /// The trial.
    #[serde(flatten)]
    pub place: NamedPart<Place>,
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
    pub step: NamedPart<StepName>,
    /// Whether it is taken, now or before.
    pub taken: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Refusal>,
    /// What was wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

/// What the browser is told about an event that is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventReply {
    /// Its number, as it was sent.
    pub seq: Value,
    /// Why.
    pub code: Refusal,
    /// What was wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

impl From<&Unreadable> for AnswerReply {
    fn from(answer: &Unreadable) -> Self {
        let place = ["block", "attempt", "trial_index"].map(|name| (name.to_owned(), answer.named(name)));
        Self {
            place: NamedPart::AsSent(Value::Object(place.into_iter().collect())),
            status: AnswerStatus::Refused,
            code: Some(Refusal::Invalid),
            detail: Some(answer.problem.clone()),
            correct: None,
        }
    }
}

impl From<&Unreadable> for StepReply {
    fn from(step: &Unreadable) -> Self {
        Self {
            step: NamedPart::AsSent(step.named("step")),
            taken: false,
            code: Some(Refusal::Invalid),
            detail: Some(step.problem.clone()),
        }
    }
}

impl From<&Unreadable> for EventReply {
    fn from(event: &Unreadable) -> Self {
        let detail = Some(event.problem.clone());
        Self { seq: event.named("seq"), code: Refusal::Invalid, detail }
    }
}
