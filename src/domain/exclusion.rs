//! Exclusion criteria as data, and the verdict on a participation with every reason and number.
//!
//! The data of excluded people are never touched: a policy is applied whenever data are read (export, pages, whether a
//! slot opens again). Bounds are inclusive; a person is kept if all criteria hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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

/// Times of a participation by the experiment clock, in ms since Welcome.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Times {
    /// First end of the fullscreen page.
    pub instruction_ms: Option<f64>,
    /// Wait for images until then.
    pub instruction_load_wait_ms: f64,
    /// Press on Submit.
    pub total_ms: Option<f64>,
}

/// What the criteria are about, measured on one participation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Measures {
    /// In s; waits for images are taken off.
    pub instruction_time: Option<f64>,
    /// In s; waits for images are taken off.
    pub total_time: Option<f64>,
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
}

impl Measures {
    /// Measures a participation in a condition that practises or not. Waits for images are taken off the times.
    pub fn new(times: &Times, tally: &Tally, practises: bool) -> Self {
        let waited = times.instruction_load_wait_ms;
        Self {
            instruction_time: times.instruction_ms.map(|ms| (ms - waited) / 1000.0),
            total_time: times.total_ms.map(|ms| (ms - waited - tally.load_wait_ms) / 1000.0),
            catch_correct: tally.catch_correct,
            catch_total: tally.catch_total,
            left_answers: tally.left_answers,
            right_answers: tally.right_answers,
            practice_blocks: practises.then_some(tally.practice_blocks),
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
    /// Whether anything could meet it: with bounds it has at least one, both are numbers, and they do not cross.
    pub fn is_usable(&self) -> bool {
        match self {
            Self::Off(_) => true,
            Self::Within(Bounds { min: None, max: None }) => false,
            Self::Within(Bounds { min, max }) => {
                let finite = [min, max].into_iter().flatten().all(|bound| bound.is_finite());
                finite && min.zip(*max).is_none_or(|(min, max)| min <= max)
            }
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

/// Settings by criterion; what is not mentioned is off.
pub type Settings = BTreeMap<Criterion, Setting>;

/// A named set of criteria.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name: a-z, 0-9 and hyphens.
    pub name: String,
    /// For every condition ...
    pub criteria: Settings,
    /// ... unless a condition sets them otherwise.
    #[serde(default)]
    pub conditions: BTreeMap<String, Settings>,
}

impl Policy {
    /// The bounds of a criterion in a condition; none where it is off.
    pub fn bounds(&self, condition: &str, criterion: Criterion) -> Option<Bounds> {
        let own = self.conditions.get(condition).and_then(|settings| settings.get(&criterion));
        match own.or_else(|| self.criteria.get(&criterion))? {
            Setting::Off(_) => None,
            Setting::Within(bounds) => Some(*bounds),
        }
    }

    /// The first criterion whose bounds nothing can meet.
    pub fn unusable(&self) -> Option<Criterion> {
        let all = std::iter::once(&self.criteria).chain(self.conditions.values()).flatten();
        all.into_iter().find(|(_, setting)| !setting.is_usable()).map(|(criterion, _)| *criterion)
    }

    /// SHA-256 over the policy's JSON (keys in order), in hexadecimal: what a manifest cites.
    pub fn sha256(&self) -> String {
        let document = serde_json::to_vec(self).expect("a policy is plain data");
        hex::encode(Sha256::digest(document))
    }
}

/// One criterion, applied.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Finding {
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
    pub findings: Vec<Finding>,
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

/// Applies a policy. A criterion that is on but could not be measured does not hold.
pub fn judge(policy: &Policy, condition: &str, measures: &Measures) -> Verdict {
    let finding = |criterion| {
        let value = measures.value(criterion);
        let bounds = policy.bounds(condition, criterion);
        let pass = bounds.map(|bounds| value.is_some_and(|value| bounds.admit(value)));
        Finding { criterion, value, bounds, pass }
    };
    Verdict { findings: Criterion::ALL.iter().copied().map(finding).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture;

    /// Passes every criterion of both shipped policies in every condition.
    fn good() -> Measures {
        Measures {
            instruction_time: Some(60.0),
            total_time: Some(400.0),
            catch_correct: 3,
            catch_total: 3,
            left_answers: 10,
            right_answers: 11,
            practice_blocks: Some(1),
        }
    }

    fn failed(policy: &str, condition: &str, measures: Measures) -> Vec<Criterion> {
        judge(&fixture::policy(policy), condition, &measures).failed().collect()
    }

    #[track_caller]
    fn assert_edge(policy: &str, condition: &str, criterion: Criterion, inside: Measures, outside: Measures) {
        assert_eq!(failed(policy, condition, inside), [], "{policy} {condition} {criterion}: inside");
        assert_eq!(
            failed(policy, condition, outside),
            [criterion],
            "{policy} {condition} {criterion}: outside"
        );
    }

    #[test]
    fn waits_for_images_are_taken_off_the_times() {
        let times = Times {
            instruction_ms: Some(30_000.0),
            instruction_load_wait_ms: 4_000.0,
            total_ms: Some(300_000.0),
        };
        let tally = Tally { load_wait_ms: 6_000.0, practice_blocks: 2, ..Tally::default() };
        let measures = Measures::new(&times, &tally, true);
        assert_eq!((measures.instruction_time, measures.total_time), (Some(26.0), Some(290.0)));
        assert_eq!(measures.practice_blocks, Some(2));
        assert_eq!(Measures::new(&times, &tally, false).practice_blocks, None);
    }

    #[test]
    fn a_good_participation_passes_everywhere() {
        for policy in ["as-posted", "as-analysed"] {
            for condition in ["synthetic", "natural", "mixed", "blur", "none"] {
                assert_eq!(failed(policy, condition, good()), []);
            }
        }
    }

    #[test]
    fn instruction_time_has_a_lower_bound() {
        let of = |s| Measures { instruction_time: Some(s), ..good() };
        for (policy, condition, bound) in [
            ("as-posted", "natural", 20.0),
            ("as-posted", "none", 15.0),
            ("as-analysed", "blur", 15.0),
            ("as-analysed", "none", 15.0),
        ] {
            assert_edge(policy, condition, Criterion::InstructionTime, of(bound), of(bound - 0.001));
        }
    }

    #[test]
    fn total_time_has_two_bounds() {
        let of = |s| Measures { total_time: Some(s), ..good() };
        for (policy, condition, min, max) in [
            ("as-posted", "synthetic", 90.0, 900.0),
            ("as-posted", "none", 40.0, 900.0),
            ("as-analysed", "mixed", 90.0, 900.0),
            ("as-analysed", "none", 90.0, 900.0),
        ] {
            assert_edge(policy, condition, Criterion::TotalTime, of(min), of(min - 0.001));
            assert_edge(policy, condition, Criterion::TotalTime, of(max), of(max + 0.001));
        }
    }

    #[test]
    fn two_of_three_catch_trials_must_be_correct() {
        let of = |n| Measures { catch_correct: n, ..good() };
        for condition in ["natural", "none"] {
            assert_edge("as-posted", condition, Criterion::CatchTrials, of(2), of(1));
        }
    }

    #[test]
    fn each_side_must_be_chosen_at_least_once() {
        let of = |left, right| Measures { left_answers: left, right_answers: right, ..good() };
        for condition in ["natural", "none"] {
            assert_edge("as-posted", condition, Criterion::AnswerVariability, of(1, 20), of(0, 21));
            assert_edge("as-posted", condition, Criterion::AnswerVariability, of(20, 1), of(21, 0));
        }
    }

    #[test]
    fn at_most_five_practice_blocks_but_none_has_no_practice() {
        let of = |n| Measures { practice_blocks: Some(n), ..good() };
        assert_edge("as-posted", "natural", Criterion::PracticeBlocks, of(5), of(6));
        assert_eq!(failed("as-posted", "none", Measures { practice_blocks: None, ..good() }), []);
    }

    #[test]
    fn what_could_not_be_measured_does_not_pass() {
        let unmeasured = Measures { instruction_time: None, ..good() };
        assert_eq!(failed("as-posted", "natural", unmeasured), [Criterion::InstructionTime]);
        let no_catch = Measures { catch_total: 0, catch_correct: 0, ..good() };
        assert_eq!(failed("as-posted", "natural", no_catch), [Criterion::CatchTrials]);
    }

    #[test]
    fn a_criterion_that_is_off_says_so() {
        let mut policy = fixture::policy("as-posted");
        policy.criteria.insert(Criterion::TotalTime, Setting::Off(Off::Off));
        let verdict = judge(&policy, "natural", &Measures { total_time: Some(1.0), ..good() });
        assert!(verdict.passed());
        assert_eq!(verdict.pass(Criterion::TotalTime), None);
        assert_eq!(verdict.pass(Criterion::InstructionTime), Some(true));
    }

    #[test]
    fn a_policy_reads_from_toml_and_its_hash_follows_its_content() {
        let policy = fixture::policy("as-posted");
        assert_eq!(policy.bounds("none", Criterion::PracticeBlocks), None);
        assert_eq!(
            policy.bounds("none", Criterion::TotalTime),
            Some(Bounds { min: Some(40.0), max: Some(900.0) })
        );
        let mut other = policy.clone();
        assert_eq!(policy.sha256(), other.sha256());
        other
            .criteria
            .insert(Criterion::PracticeBlocks, Setting::Within(Bounds { min: None, max: Some(6.0) }));
        assert_ne!(policy.sha256(), other.sha256());
        assert!(toml::from_str::<Policy>("name='x'\n[criteria]\ntotal_time={ minimum = 3 }").is_err());
        assert!(toml::from_str::<Policy>("name='x'\n[criteria]\ntotal_tim={ min = 3 }").is_err());
    }
}
