//! The messages between browser and server during a participation.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::part::{NamedPart, RecordPart, Unreadable};
use super::{LONGEST_MS, valid_ms};
use crate::domain::schedule::Place;
use crate::domain::study::StudyDefinition;
use crate::domain::trial::{Block, Input};
use crate::domain::words;

/// The largest number of presentations of a trial.
const MOST_PRESENTATIONS: u32 = 100_000;

/// The largest scale. Screens have up to 4 device px per CSS px, and browsers zoom up to 5 times, so that it is never reached.
const LARGEST_DEVICE_SCALE: f64 = 100.0;

/// The longest interval between frames. A browser that is slower does not draw.
const LONGEST_FRAME_MS: f64 = 10_000.0;

/// A message of the browser. If it has no steps, answers and events, it is only a sign of life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The number that the page got when it opened the participation.
    pub tab: i32,
    /// The experiment clock when the record was sent, in ms since Welcome. 0 before Welcome.
    pub clock_ms: f64,
    /// The name of the current screen.
    #[serde(default)]
    pub screen: Option<String>,
    /// The steps that the person took, in order.
    #[serde(default)]
    pub steps: Vec<RecordPart<Step>>,
    /// The answers that the person gave, in order.
    #[serde(default)]
    pub answers: Vec<RecordPart<Answer>>,
    /// Other things that happened.
    #[serde(default)]
    pub events: Vec<RecordPart<Event>>,
}

impl Record {
    /// The numbers of the practice blocks to which its answers belong.
    pub fn practice_blocks(&self) -> impl Iterator<Item = u16> {
        self.answers.iter().filter_map(|answer| match answer {
            RecordPart::Read(answer) if answer.block == Block::Practice => Some(answer.attempt),
            _ => None,
        })
    }
}

words! {
    /// A step from one part of the study to the next.
    StepName {
        /// Welcome was shown. The experiment clock starts.
        Welcome = "welcome",
        /// The fullscreen page, and with it the instructions, ended.
        Instructed = "instructed",
        /// The first main trial is about to be shown.
        Main = "main",
    }
}

/// A step that the person took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The name of the step.
    pub step: StepName,
    /// The experiment clock at the step, in ms since Welcome.
    pub clock_ms: f64,
    /// The sum of waits for images since the previous step, in ms.
    #[serde(default)]
    pub load_wait: f64,
}

/// An answer as the browser reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The kind of the trial's block.
    pub block: Block,
    /// The number of the practice block, from 1. It is 1 for main.
    pub attempt: u16,
    /// The position within the block, from 1.
    pub trial_index: u16,
    /// The pressed button, from 0 at the left.
    pub response: u8,
    /// The time from the onset to the number click, in ms. None if the tab was hidden in between.
    pub rt: Option<f64>,
    /// The time from the number click to Continue, in ms. None until it is known.
    #[serde(default)]
    pub continue_rt: Option<f64>,
    /// The time from Welcome to the number click, in ms.
    pub time_elapsed: f64,
    /// The device with which the person pressed.
    pub input: Input,
    /// How often the trial was shown, from 1.
    pub presentations: u32,
    /// How long the page was hidden during the trial, in ms.
    pub hidden_ms: f64,
    /// The wait for the trial's images, in ms.
    pub load_wait: f64,
    /// The scale of the trial screen, above 0, at most 1.
    pub display_scale: f64,
    /// The number of device px per px of the base image and the queries.
    #[serde(default)]
    pub device_scale: Option<f64>,
    /// The median interval between the browser's frames before the onset, in ms.
    #[serde(default)]
    pub frame_ms: Option<f64>,
    /// The time from the onset to the pointer's going down for the number click, in ms. None for keys, and without `rt`.
    #[serde(default)]
    pub pointerdown_rt: Option<f64>,
    /// How long the page was hidden from the number click to Continue, in ms. None until it is known.
    #[serde(default)]
    pub continue_hidden_ms: Option<f64>,
}

/// The press of Continue, which becomes known after an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Continued {
    /// The place of the answer's trial.
    pub place: Place,
    /// The time from the number click to Continue, in ms.
    pub rt: f64,
    /// How long the page was hidden in between, in ms.
    pub hidden_ms: Option<f64>,
}

impl Answer {
    /// The place of its trial.
    pub const fn place(&self) -> Place {
        Place { block: self.block, attempt: self.attempt, trial_index: self.trial_index }
    }

    /// Whether both are the same answer, apart from the press of Continue, which may become known later.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.at_the_press() == other.at_the_press()
    }

    fn at_the_press(&self) -> Self {
        Self { continue_rt: None, continue_hidden_ms: None, ..self.clone() }
    }

    /// The press of Continue, if it is known.
    pub(super) fn continued(&self) -> Option<Continued> {
        let (place, hidden_ms) = (self.place(), self.continue_hidden_ms);
        self.continue_rt.map(|rt| Continued { place, rt, hidden_ms })
    }

    /// Adds the press of Continue.
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
    /// The kind of an event.
    EventKind {
        /// A screen was shown. Detail: `screen`.
        Screen = "screen",
        /// Fullscreen was entered.
        FullscreenEnter = "fullscreen_enter",
        /// Fullscreen was left before the end.
        FullscreenExit = "fullscreen_exit",
        /// The person refused fullscreen, or the browser does not offer it. Detail: `reason`.
        FullscreenRefused = "fullscreen_refused",
        /// The window lost the focus, or the tab was hidden. Detail: `hidden`.
        FocusLoss = "focus_loss",
        /// The window got the focus again, or the tab was shown again. Detail: `away_ms`.
        FocusGain = "focus_gain",
        /// The window changed its size or its pixel ratio, by a zoom or another screen. Detail: `width`, `height` in px, `pixel_ratio`.
        Resize = "resize",
        /// The person pressed before the trial's onset, or while its images were loading. Detail: `screen`, `input`, `button`, `shown`.
        EarlyPress = "early_press",
        /// A try to load an image failed. Detail: `try`, `reason`.
        ImageFailure = "image_failure",
        /// The network failed.
        Offline = "offline",
        /// The network came back.
        Online = "online",
        /// The page was opened again. Detail: `navigation`. The server records this event.
        Reload = "reload",
        /// A different second answer was refused. Detail: both answers. The server records this event.
        AnswerConflict = "answer_conflict",
        /// A known person came with a new assignment. The server records this event.
        NewAssignment = "new_assignment",
        /// The trial program failed. Detail: `message`.
        ProgramError = "program_error",
    }
}

/// An event as the browser reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The event's number within the tab, so that it is stored only once.
    pub seq: i32,
    /// The kind of event.
    pub kind: EventKind,
    /// The experiment clock when it happened, in ms since Welcome. None before Welcome.
    #[serde(default)]
    pub at: Option<f64>,
    /// Further details: a JSON object of at most 2,000 characters.
    #[serde(default = "empty_object")]
    pub detail: Value,
}

fn empty_object() -> Value {
    json!({})
}

words! {
    /// What the server did with an answer.
    AnswerStatus {
        /// The answer is stored now.
        Stored = "stored",
        /// The same answer was stored before.
        Same = "same",
        /// The answer is not stored. `code` says why.
        Refused = "refused",
    }
}

words! {
    /// Why an answer, a step or an event was refused.
    Refusal {
        /// A different answer to the trial is stored.
        Conflict = "conflict",
        /// The schedule has no such trial.
        NoSuchTrial = "no_such_trial",
        /// The person has not reached this part yet.
        TooEarly = "too_early",
        /// The participation has ended.
        Ended = "ended",
        /// A value is out of its range, or the part cannot be read.
        Invalid = "invalid",
        /// The most events are stored. The event was only counted.
        TooMany = "too_many",
    }
}

/// The reply to an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerReply {
    /// The place of the answer's trial.
    #[serde(flatten)]
    pub place: NamedPart<Place>,
    /// What the server did with the answer.
    pub status: AnswerStatus,
    /// The reason why it was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Refusal>,
    /// A description of what was wrong.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// Whether the answer was correct, for practice trials only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correct: Option<bool>,
}

/// The reply to a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReply {
    /// The name of the step.
    pub step: NamedPart<StepName>,
    /// Whether the server accepts the step, or accepted it before.
    pub taken: bool,
    /// The reason why it was refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Refusal>,
    /// A description of what was wrong.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
}

/// The reply to an event that is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventReply {
    /// The event's number, as it was sent.
    pub seq: Value,
    /// The reason why it was refused.
    pub code: Refusal,
    /// A description of what was wrong.
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
