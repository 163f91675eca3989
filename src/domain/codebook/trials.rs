//! `trials.csv` and `trials_cleaned.csv`: one row per stored answer.

use chrono::{DateTime, Utc};

use super::{Column, columns, put, put_time};
use crate::domain::trial::KnownActivations;

/// Everyone's answers.
pub const FILE: &str = "trials.csv";

/// The main trials of the kept.
pub const CLEANED_FILE: &str = "trials_cleaned.csv";

/// A stored answer with all that is known of its trial, as the database has it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each field is the column of its name, which is described below")]
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

/// The columns, in order.
pub const COLUMNS: &[Column<TrialRow>] = columns! { TrialRow;
    "study", Text, "", "", "The study's short name" => |r, out| out.push_str(&r.study);
    "study_version", Integer, "", "1..", "The version of the study that this person saw" => |r, out| put(Some(r.study_version), out);
    "participant", Text, "", "", "Pseudonym; never a platform's id" => |r, out| out.push_str(&r.participant);
    "mode", Text, "", "live, pilot, simulated", "What the participation counts for" => |r, out| out.push_str(&r.mode);
    "condition", Text, "", "", "Which kind of references the person saw" => |r, out| out.push_str(&r.condition);
    "slot", Integer, "", "1..", "Place in the condition that the person holds or held" => |r, out| put(r.slot, out);
    "posting", Integer, "", "1..", "Order of completion in the slot; empty if not completed, without a slot, or surplus" => |r, out| put(r.posting, out);
    "group", Text, "", "crowd, expert", "Who the person is" => |r, out| out.push_str(&r.group);
    "image_set", Integer, "", "0..", "The person's image set, counted from 0" => |r, out| put(Some(r.image_set), out);
    "block", Text, "", "practice, main", "Run of trials" => |r, out| out.push_str(&r.block);
    "attempt", Integer, "", "1..", "Number of the practice block; 1 for main" => |r, out| put(Some(r.attempt), out);
    "trial_index", Integer, "", "1..", "Position as shown within the block" => |r, out| put(Some(r.trial_index), out);
    "trial_kind", Text, "", "practice, main, catch", "What the trial is for" => |r, out| out.push_str(&r.trial_kind);
    "unit", Text, "", "", "The unit that the trial is about" => |r, out| out.push_str(&r.unit);
    "layer", Text, "", "", "The unit's layer" => |r, out| out.push_str(&r.layer);
    "branch", Text, "", "", "The unit's branch" => |r, out| out.push_str(&r.branch);
    "max_side", Text, "", "left, right", "Where the max query, the correct answer, was shown" => |r, out| out.push_str(&r.max_side);
    "response", Integer, "", "0..5", "The button that was pressed, counted from 0 at the left" => |r, out| put(Some(r.response), out);
    "choice_side", Text, "", "left, right", "The side that was chosen" => |r, out| out.push_str(&r.choice_side);
    "choice", Text, "", "max, min", "The query that was chosen" => |r, out| out.push_str(if r.correct { "max" } else { "min" });
    "correct", Boolean, "", "true, false", "Whether the max query was chosen" => |r, out| put(Some(r.correct), out);
    "confidence", Integer, "", "1..3", "The label that was shown on the button: 1 unsure, 3 sure" => |r, out| put(Some(r.confidence), out);
    "rt", Number, "ms", "", "Reaction time: painted screen to number click, which is the release of a mouse button or finger, and the press of a key; empty if the tab was hidden in between; after a reload that of the last presentation" => |r, out| put(r.rt, out);
    "continue_rt", Number, "ms", "", "Number click to Continue" => |r, out| put(r.continue_rt, out);
    "time_elapsed", Number, "ms", "", "Welcome shown to the number click" => |r, out| put(Some(r.time_elapsed), out);
    "answered_at", Time, "", "", "When the server stored the answer" => |r, out| put_time(Some(r.answered_at), out);
    "input", Text, "", "mouse, touch, key", "What was pressed with" => |r, out| out.push_str(&r.input);
    "presentations", Integer, "", "1..", "How often the screen was shown, over reloads" => |r, out| put(Some(r.presentations), out);
    "hidden_ms", Number, "ms", "", "How long the page was hidden during the trial" => |r, out| put(Some(r.hidden_ms), out);
    "load_wait", Number, "ms", "", "Wait for the trial's images" => |r, out| put(Some(r.load_wait), out);
    "display_scale", Number, "", "0..1", "How much the screen was scaled to fit the window" => |r, out| put(Some(r.display_scale), out);
    "reference_order", Text, "", "", "The order in which the references were shown, as positions in the study's table counted from 1" => |r, out| out.push_str(&r.reference_order());
    "base_activation", Number, "", "", "The unit's activation by the base image" => |r, out| put(r.base_activation, out);
    "max_activation", Number, "", "", "The unit's activation by the max query" => |r, out| put(r.max_activation, out);
    "min_activation", Number, "", "", "The unit's activation by the min query" => |r, out| put(r.min_activation, out);
    "relative_activation_difference", Number, "", "", "(max - min) / base activation; empty where the base activation is not positive" => |r, out| put(r.relative_activation_difference(), out);
    "center_correct", Boolean, "", "true, false", "Whether the baseline Center is right: the query whose occlusion lies farther from the image centre" => |r, out| put(r.center_correct, out);
    "variance_correct", Boolean, "", "true, false", "Whether the baseline Variance is right: the query whose occlusion hides the patch of lower standard deviation" => |r, out| put(r.variance_correct, out);
    "saliency_correct", Boolean, "", "true, false", "Whether the baseline Saliency is right: the query whose occlusion hides less saliency" => |r, out| put(r.saliency_correct, out);
    "object_correct", Boolean, "", "true, false", "Whether the baseline Object is right: the query that leaves the primary object" => |r, out| put(r.object_correct, out);
    "override", Text, "", "include, exclude", "A researcher's decision about the person, which comes before the rule, where there is one; its reason stands in participants.csv" => |r, out| put(r.decision.as_ref(), out);
    "device_scale", Number, "device px per image px", "above 0, at most 100", "How many of the screen's pixels one pixel of the base image and of the queries filled, in each direction: 1 shows them as they are, any other value redraws them; empty where it was not told" => |r, out| put(r.device_scale, out);
    "frame_ms", Number, "ms", "above 0, at most 10000", "Median interval between the browser's frames shortly before the onset: 16.7 at 60 Hz; empty where it was not told or too few frames were drawn" => |r, out| put(r.frame_ms, out);
    "pointerdown_rt", Number, "ms", "0..604800000", "Painted screen to the press of the mouse button or finger whose release is the number click; empty for keys, and where rt is empty or it was not told" => |r, out| put(r.pointerdown_rt, out);
    "continue_hidden_ms", Number, "ms", "0..604800000", "How long the page was hidden between number click and Continue; empty where continue_rt is empty or it was not told" => |r, out| put(r.continue_hidden_ms, out);
};
