//! Exclusion criteria as data, and the verdict on a participation with its values and reasons.
//!
//! Exclusion never changes data. A policy is applied each time data are read for an export, a page, or the decision whether a slot opens
//! again. Bounds are inclusive. A person passes a policy if all its criteria hold.

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

/// Inclusive bounds for a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The smallest value that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The largest value that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl Bounds {
    /// Whether the value lies within the bounds.
    pub fn admit(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }

    /// Whether a value of the criterion can lie within: there is at least one bound, all bounds are numbers, and they neither cross nor
    /// lie outside the criterion's range.
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

    /// The bounds in words, such as `at least 90 and at most 900`.
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

/// A criterion's setting: bounds, or the word `off`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// The criterion is not applied.
    Off(Off),
    /// The criterion is applied with these bounds.
    Within(Bounds),
}

impl Setting {
    /// Whether any value of the criterion can meet the setting.
    pub fn is_usable(&self, criterion: Criterion) -> bool {
        match self {
            Self::Off(_) => true,
            Self::Within(bounds) => bounds.is_usable(criterion),
        }
    }
}

words! {
    /// The word of a criterion that is not applied.
    Off {
        /// The criterion is not applied.
        Off = "off",
    }
}

/// The settings by criterion. Criteria that are not mentioned are off.
pub type CriterionSettings = BTreeMap<Criterion, Setting>;

/// The result of one criterion for a person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CriterionResult {
    /// The criterion.
    pub criterion: Criterion,
    /// The person's value. None if it cannot be measured.
    pub value: Option<f64>,
    /// The criterion's bounds. None if it is off.
    pub bounds: Option<Bounds>,
    /// Whether the criterion holds. None if it is off.
    pub pass: Option<bool>,
}

/// The verdict on a participation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// One result per criterion, in the order of [`Criterion::ALL`].
    pub findings: Vec<CriterionResult>,
}

impl Verdict {
    /// Whether all criteria hold or are off.
    pub fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.pass != Some(false))
    }

    /// The criteria that do not hold.
    pub fn failed(&self) -> impl Iterator<Item = Criterion> {
        self.findings.iter().filter(|finding| finding.pass == Some(false)).map(|finding| finding.criterion)
    }

    /// Whether one criterion holds. None if it is off.
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
