//! `trials.csv` and `trials_cleaned.csv`: one row per stored answer.

use chrono::{DateTime, Utc};

use super::Allowed::{Any, OneOf, Range};
use super::{Column, YES_OR_NO, columns};
use crate::domain::analysis::Decision;
use crate::domain::study::{Group, Mode};
use crate::domain::trial::{Block, Input, KnownActivations, Side, TrialKind};

/// The name of the file with the answers of all participants.
pub const FILE: &str = "trials.csv";

/// The name of the file with the main trials of the kept participants.
pub const CLEANED_FILE: &str = "trials_cleaned.csv";

/// A stored answer with all that is known of its trial, as the database has it.
#[derive(Debug, Clone)]
pub struct TrialRow {
    pub participant_id: uuid::Uuid,
    pub study: String,
    pub study_version: i32,
    pub participant: String,
    pub mode: String,
    pub condition: String,
    pub slot: Option<i32>,
    pub posting: Option<i32>,
    pub group: String,
    pub image_set: i32,
    pub block: String,
    pub attempt: i16,
    pub trial_index: i16,
    pub trial_kind: String,
    pub unit: String,
    pub layer: String,
    pub branch: String,
    pub max_side: String,
    pub response: i16,
    pub choice_side: String,
    pub correct: bool,
    pub confidence: i16,
    pub rt: Option<f64>,
    pub continue_rt: Option<f64>,
    pub time_elapsed: f64,
    pub answered_at: DateTime<Utc>,
    pub input: String,
    pub presentations: i32,
    pub hidden_ms: f64,
    pub load_wait: f64,
    pub display_scale: f64,
    pub reference_order: Vec<i16>,
    pub base_activation: Option<f64>,
    pub max_activation: Option<f64>,
    pub min_activation: Option<f64>,
    pub center_correct: Option<bool>,
    pub variance_correct: Option<bool>,
    pub saliency_correct: Option<bool>,
    pub object_correct: Option<bool>,
    pub decision: Option<String>,
    pub device_scale: Option<f64>,
    pub frame_ms: Option<f64>,
    pub pointerdown_rt: Option<f64>,
    pub continue_hidden_ms: Option<f64>,
}

impl TrialRow {
    fn relative_activation_difference(&self) -> Option<f64> {
        let known = KnownActivations {
            base_activation: self.base_activation,
            max_activation: self.max_activation,
            min_activation: self.min_activation,
            ..KnownActivations::default()
        };
        known.relative_activation_difference()
    }

    fn reference_order(&self) -> String {
        let positions: Vec<String> = self.reference_order.iter().map(i16::to_string).collect();
        positions.join(" ")
    }
}

/// The kinds of trials that are answered.
const ANSWERED: &[&str] =
    &[TrialKind::Practice.as_str(), TrialKind::Main.as_str(), TrialKind::Catch.as_str()];

/// The columns, in order.
pub const COLUMNS: &[Column<TrialRow>] = columns! { TrialRow;
    "study", Text, "", Any, "The study's short name" => |r| &r.study;
    "study_version", Integer, "", Range("1.."), "The version of the study that this person saw" => |r| r.study_version;
    "participant", Text, "", Any, "Pseudonym; never a platform's id" => |r| &r.participant;
    "mode", Text, "", OneOf(Mode::WORDS), "What the participation counts for" => |r| &r.mode;
    "condition", Text, "", Any, "Which kind of references the person saw" => |r| &r.condition;
    "slot", Integer, "", Range("1.."), "Place in the condition that the person holds or held" => |r| r.slot;
    "posting", Integer, "", Range("1.."), "Order of completion in the slot; empty if not completed, without a slot, or surplus" => |r| r.posting;
    "group", Text, "", OneOf(Group::WORDS), "Who the person is" => |r| &r.group;
    "image_set", Integer, "", Range("0.."), "The person's image set, counted from 0" => |r| r.image_set;
    "block", Text, "", OneOf(Block::WORDS), "Run of trials" => |r| &r.block;
    "attempt", Integer, "", Range("1.."), "Number of the practice block; 1 for main" => |r| r.attempt;
    "trial_index", Integer, "", Range("1.."), "Position as shown within the block" => |r| r.trial_index;
    "trial_kind", Text, "", OneOf(ANSWERED), "What the trial is for" => |r| &r.trial_kind;
    "unit", Text, "", Any, "The unit that the trial is about" => |r| &r.unit;
    "layer", Text, "", Any, "The unit's layer" => |r| &r.layer;
    "branch", Text, "", Any, "The unit's branch" => |r| &r.branch;
    "max_side", Text, "", OneOf(Side::WORDS), "Where the max query, the correct answer, was shown" => |r| &r.max_side;
    "response", Integer, "", Range("0..5"), "The button that was pressed, counted from 0 at the left" => |r| r.response;
    "choice_side", Text, "", OneOf(Side::WORDS), "The side that was chosen" => |r| &r.choice_side;
    "choice", Text, "", OneOf(&["max", "min"]), "The query that was chosen" => |r| if r.correct { "max" } else { "min" };
    "correct", Boolean, "", YES_OR_NO, "Whether the max query was chosen" => |r| r.correct;
    "confidence", Integer, "", Range("1..3"), "The label that was shown on the button: 1 unsure, 3 sure" => |r| r.confidence;
    "rt", Number, "ms", Any, "Reaction time: painted screen to number click, which is the release of a mouse button or finger, and the press of a key; empty if the tab was hidden in between; after a reload that of the last presentation" => |r| r.rt;
    "continue_rt", Number, "ms", Any, "Number click to Continue" => |r| r.continue_rt;
    "time_elapsed", Number, "ms", Any, "Welcome shown to the number click" => |r| r.time_elapsed;
    "answered_at", Time, "", Any, "When the server stored the answer" => |r| r.answered_at;
    "input", Text, "", OneOf(Input::WORDS), "What was pressed with" => |r| &r.input;
    "presentations", Integer, "", Range("1.."), "How often the screen was shown, over reloads" => |r| r.presentations;
    "hidden_ms", Number, "ms", Any, "How long the page was hidden during the trial" => |r| r.hidden_ms;
    "load_wait", Number, "ms", Any, "Wait for the trial's images" => |r| r.load_wait;
    "display_scale", Number, "", Range("0..1"), "How much the screen was scaled to fit the window" => |r| r.display_scale;
    "reference_order", Text, "", Any, "The order in which the references were shown, as positions in the study's table counted from 1" => |r| r.reference_order();
    "base_activation", Number, "", Any, "The unit's activation by the base image" => |r| r.base_activation;
    "max_activation", Number, "", Any, "The unit's activation by the max query" => |r| r.max_activation;
    "min_activation", Number, "", Any, "The unit's activation by the min query" => |r| r.min_activation;
    "relative_activation_difference", Number, "", Any, "(max - min) / base activation; empty where the base activation is not positive" => |r| r.relative_activation_difference();
    "center_correct", Boolean, "", YES_OR_NO, "Whether the baseline Center is right: the query whose occlusion lies farther from the image centre" => |r| r.center_correct;
    "variance_correct", Boolean, "", YES_OR_NO, "Whether the baseline Variance is right: the query whose occlusion hides the patch of lower standard deviation" => |r| r.variance_correct;
    "saliency_correct", Boolean, "", YES_OR_NO, "Whether the baseline Saliency is right: the query whose occlusion hides less saliency" => |r| r.saliency_correct;
    "object_correct", Boolean, "", YES_OR_NO, "Whether the baseline Object is right: the query that leaves the primary object" => |r| r.object_correct;
    "override", Text, "", OneOf(Decision::WORDS), "A researcher's decision about the person, which comes before the rule, where there is one; its reason stands in participants.csv" => |r| r.decision.as_ref();
    "device_scale", Number, "device px per image px", Range("above 0, at most 100"), "How many of the screen's pixels one pixel of the base image and of the queries filled, in each direction: 1 shows them as they are, any other value redraws them; empty where it was not told" => |r| r.device_scale;
    "frame_ms", Number, "ms", Range("above 0, at most 10000"), "Median interval between the browser's frames shortly before the onset: 16.7 at 60 Hz; empty where it was not told or too few frames were drawn" => |r| r.frame_ms;
    "pointerdown_rt", Number, "ms", Range("0..604800000"), "Painted screen to the press of the mouse button or finger whose release is the number click; empty for keys, and where rt is empty or it was not told" => |r| r.pointerdown_rt;
    "continue_hidden_ms", Number, "ms", Range("0..604800000"), "How long the page was hidden between number click and Continue; empty where continue_rt is empty or it was not told" => |r| r.continue_hidden_ms;
};
