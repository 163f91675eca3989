//! Exclusion criteria as data, and the verdict on a participation with every reason and number.
//!
//! The data of excluded people are never touched: a policy is applied whenever data are read (export, pages, whether a
//! slot opens again). Bounds are inclusive; a person is kept if all criteria hold.

mod criterion;
mod policy;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use criterion::{Criterion, CriterionSheet};
pub use policy::{ExpertsBy, Policy, Rules, Unusable};

use super::measures::Measures;
use super::study::Group;
use super::words;

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
        numbers
            && (min, max) != (None, None)
            && low <= high
            && high >= 0.0
            && low <= criterion.sheet().highest
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

/// Settings by criterion; what is not mentioned is off.
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
    let finding = |criterion: Criterion| {
        let value = criterion.value(measures);
        let bounds = policy.bounds(group, condition, criterion);
        let pass = bounds.map(|bounds| value.is_some_and(|value| bounds.admit(value)));
        CriterionResult { criterion, value, bounds, pass }
    };
    Verdict { findings: Criterion::ALL.iter().copied().map(finding).collect() }
}
