//! Exclusion criteria as data, and the verdict on a participation with every reason and number.
//!
//! The data of excluded people are never touched: a policy is applied whenever data are read (export, pages, whether a
//! slot opens again). Bounds are inclusive; a person is kept if all criteria hold.

mod policy;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use policy::{ExpertsBy, Policy, Rules, Unusable};

use super::study::Group;
use super::words;

words! {
    /// What is looked at.
    Criterion {
        /// Welcome shown to the first end of the fullscreen page, in s.
        InstructionTime = "instruction_time",
        /// Welcome shown to the press on Submit, breaks included, in s.
        TotalTime = "total_time",
        /// Share of the catch trials that were answered correctly, 0 to 1.
        CatchTrials = "catch_trials",
        /// Answers on the side that was chosen less often, over main and catch trials.
        AnswerVariability = "answer_variability",
        /// Practice blocks begun.
        PracticeBlocks = "practice_blocks",
        /// How far the browser's clock ran ahead of what the server saw, in s.
        ClockDiscrepancy = "clock_discrepancy",
    }
}

impl Criterion {
    /// The largest value that it can have; the smallest is 0.
    pub const fn highest(&self) -> f64 {
        match self {
            Self::CatchTrials => 1.0,
            _ => f64::INFINITY,
        }
    }
}

/// What is counted from a participation's answers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Answers stored, practice included.
    pub answers: u32,
    /// Catch trials answered correctly.
    pub catch_correct: u32,
    /// Catch trials answered.
    pub catch_total: u32,
    /// Main trials answered correctly.
    pub main_correct: u32,
    /// Main trials answered.
    pub main_total: u32,
    /// Answers on the left, over main and catch trials.
    pub left_answers: u32,
    /// Answers on the right, over main and catch trials.
    pub right_answers: u32,
    /// Practice blocks with at least one answer.
    pub practice_blocks: u32,
    /// Wait for images of trials, in ms.
    pub load_wait_ms: f64,
}

/// Times of a participation by the experiment clock, in ms since Welcome, and what the server thinks of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Times {
    /// First end of the fullscreen page.
    pub instruction_ms: Option<f64>,
    /// The longest that the server believed it to be then; none where it believes all.
    pub instruction_bound_ms: Option<f64>,
    /// Wait for images until then.
    pub instruction_load_wait_ms: f64,
    /// Press on Submit.
    pub total_ms: Option<f64>,
    /// The longest that the server believed it to be then; none where it believes all.
    pub total_bound_ms: Option<f64>,
    /// How far the clock ran ahead of what the server saw, in s, where that was too far; below 0, how far it stayed behind.
    pub clock_discrepancy_s: Option<f64>,
}

/// A time that a browser told, as far as the server believes it.
fn believed(told_ms: Option<f64>, bound_ms: Option<f64>) -> Option<f64> {
    told_ms.map(|ms| ms.min(bound_ms.unwrap_or(f64::INFINITY)))
}

/// What the criteria are about, measured on one participation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Measures {
    /// In s, as far as the server believes it; waits for images are taken off.
    pub instruction_time: Option<f64>,
    /// In s, as far as the server believes it; waits for images are taken off.
    pub total_time: Option<f64>,
    /// In s, as the person lived it: from Welcome to Submit, with everything in between.
    pub elapsed_time: Option<f64>,
    /// Catch trials answered correctly.
    pub catch_correct: u32,
    /// Catch trials answered.
    pub catch_total: u32,
    /// Answers on the left, over main and catch trials.
    pub left_answers: u32,
    /// Answers on the right, over main and catch trials.
    pub right_answers: u32,
    /// Practice blocks begun; none where the condition has no practice.
    pub practice_blocks: Option<u32>,
    /// In s; 0 where the clock ran ahead by no more than the study allows, or stayed behind.
    pub clock_discrepancy: f64,
}

impl Measures {
    /// Measures a participation in a condition that practises or not. Waits for images are taken off the times of criteria.
    pub fn new(times: &Times, tally: &Tally, practises: bool) -> Self {
        let waited = times.instruction_load_wait_ms;
        let instruction_ms = believed(times.instruction_ms, times.instruction_bound_ms);
        let total_ms = believed(times.total_ms, times.total_bound_ms);
        Self {
            instruction_time: instruction_ms.map(|ms| (ms - waited) / 1000.0),
            total_time: total_ms.map(|ms| (ms - waited - tally.load_wait_ms) / 1000.0),
            elapsed_time: total_ms.map(|ms| ms / 1000.0),
            catch_correct: tally.catch_correct,
            catch_total: tally.catch_total,
            left_answers: tally.left_answers,
            right_answers: tally.right_answers,
            practice_blocks: practises.then_some(tally.practice_blocks),
            clock_discrepancy: times.clock_discrepancy_s.unwrap_or(0.0).max(0.0),
        }
    }

    /// Share of catch trials answered correctly; none without catch trials.
    pub fn catch_share(&self) -> Option<f64> {
        (self.catch_total > 0).then(|| f64::from(self.catch_correct) / f64::from(self.catch_total))
    }

    /// The value that a criterion holds against its bounds; none if it cannot be measured.
    pub fn value(&self, criterion: Criterion) -> Option<f64> {
        match criterion {
            Criterion::InstructionTime => self.instruction_time,
            Criterion::TotalTime => self.total_time,
            Criterion::CatchTrials => self.catch_share(),
            Criterion::AnswerVariability => Some(f64::from(self.left_answers.min(self.right_answers))),
            Criterion::PracticeBlocks => self.practice_blocks.map(f64::from),
            Criterion::ClockDiscrepancy => Some(self.clock_discrepancy),
        }
    }
}

/// Inclusive bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Smallest value that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest value that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl Bounds {
    /// Whether the value lies within.
    pub fn admit(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }

    /// Whether any value of the criterion could lie within: there is a bound, all are numbers, and they neither cross nor lie
    /// beyond what the criterion can be.
    fn is_usable(&self, criterion: Criterion) -> bool {
        let Self { min, max } = *self;
        let numbers = [min, max].into_iter().flatten().all(f64::is_finite);
        let (low, high) = (min.unwrap_or(0.0), max.unwrap_or(f64::INFINITY));
        numbers && (min, max) != (None, None) && low <= high && high >= 0.0 && low <= criterion.highest()
    }

    /// Such as `at least 90 and at most 900`.
    pub fn in_words(&self) -> String {
        match (self.min, self.max) {
            (Some(min), Some(max)) => format!("at least {min} and at most {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, Some(max)) => format!("at most {max}"),
            (None, None) => "anything".into(),
        }
    }
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "≥ {min}"),
            (None, Some(max)) => write!(f, "≤ {max}"),
            (None, None) => f.write_str("any"),
        }
    }
}

/// How a criterion is set: bounds, or the word `off`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// Not looked at.
    Off(Off),
    /// Looked at.
    Within(Bounds),
}

impl Setting {
    /// Whether anything could meet it, as a setting of this criterion.
    pub fn is_usable(&self, criterion: Criterion) -> bool {
        match self {
            Self::Off(_) => true,
            Self::Within(bounds) => bounds.is_usable(criterion),
        }
    }
}

words! {
    /// The word for "not looked at".
    Off {
        /// Not looked at.
        Off = "off",
    }
}

/// CriterionSettings by criterion; what is not mentioned is off.
pub type CriterionSettings = BTreeMap<Criterion, Setting>;

/// One criterion, applied.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CriterionResult {
    /// What was looked at.
    pub criterion: Criterion,
    /// What was measured.
    pub value: Option<f64>,
    /// What it was held against; none where the criterion is off.
    pub bounds: Option<Bounds>,
    /// Whether it holds; none where the criterion is off.
    pub pass: Option<bool>,
}

/// The verdict on a participation: one finding per criterion, in the order of [`Criterion::ALL`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// All criteria.
    pub findings: Vec<CriterionResult>,
}

impl Verdict {
    /// Whether all criteria hold.
    pub fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.pass != Some(false))
    }

    /// The criteria that do not hold.
    pub fn failed(&self) -> impl Iterator<Item = Criterion> {
        self.findings.iter().filter(|finding| finding.pass == Some(false)).map(|finding| finding.criterion)
    }

    /// Whether one criterion holds; none where it is off.
    pub fn pass(&self, criterion: Criterion) -> Option<bool> {
        self.findings.iter().find(|finding| finding.criterion == criterion)?.pass
    }
}

/// Applies a policy to a person of a group in a condition. A criterion that is on but could not be measured does not hold.
pub fn judge(policy: &Policy, group: Group, condition: &str, measures: &Measures) -> Verdict {
    let finding = |criterion| {
        let value = measures.value(criterion);
        let bounds = policy.bounds(group, condition, criterion);
        let pass = bounds.map(|bounds| value.is_some_and(|value| bounds.admit(value)));
        CriterionResult { criterion, value, bounds, pass }
    };
    Verdict { findings: Criterion::ALL.iter().copied().map(finding).collect() }
}
