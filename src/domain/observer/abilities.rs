//! What simulated people who look can see, how sure they are, and how long they take. `docs/simulation.md` describes the file
//! with these abilities.

use std::collections::BTreeMap;

use serde::Deserialize;
use statrs::distribution::{ContinuousCDF, Normal};

use super::times::ExGaussian;
use crate::domain::trial::TrialKind;

/// Abilities by condition and unit. The most specific setting holds: of the unit in its condition, unit, condition, study.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Abilities {
    /// Share of main trials answered correctly. None: as published, .67 with references and .60 without.
    pub accuracy: Option<f64>,
    /// Share of catch trials answered correctly.
    pub catch_accuracy: f64,
    /// Share of practice trials answered correctly, in all conditions.
    pub practice_accuracy: f64,
    /// The strengths of evidence, in its standard deviations, from which on each higher confidence is given. None: equally spaced
    /// ones.
    pub confidence_criteria: Option<Vec<f64>>,
    /// Reaction times.
    pub rt: ExGaussian,
    /// Accuracy by unit.
    pub units: BTreeMap<String, f64>,
    /// Abilities by condition.
    pub conditions: BTreeMap<String, InCondition>,
}

/// Abilities that differ in one condition.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InCondition {
    /// Share of main trials answered correctly.
    pub accuracy: Option<f64>,
    /// Reaction times.
    pub rt: Option<ExGaussian>,
    /// Accuracy by unit.
    pub units: BTreeMap<String, f64>,
}

impl Default for Abilities {
    fn default() -> Self {
        Self {
            accuracy: None,
            catch_accuracy: 0.95,
            practice_accuracy: 0.93,
            confidence_criteria: None,
            rt: ExGaussian { mu: 3_500.0, sigma: 900.0, tau: 3_000.0 },
            units: BTreeMap::new(),
            conditions: BTreeMap::new(),
        }
    }
}

/// The parts of a study that abilities may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope<'a> {
    /// Names of its conditions.
    pub conditions: &'a [String],
    /// Names of its units.
    pub units: &'a [String],
    /// Confidence levels under each query.
    pub levels: u8,
}

impl Abilities {
    /// The probability of choosing the max query in a trial.
    pub fn accuracy(&self, kind: TrialKind, condition: &str, unit: &str, sees_references: bool) -> f64 {
        let here = self.conditions.get(condition);
        match kind {
            TrialKind::Practice | TrialKind::Instruction => self.practice_accuracy,
            TrialKind::Catch => self.catch_accuracy,
            TrialKind::Main => here
                .and_then(|here| here.units.get(unit))
                .or_else(|| self.units.get(unit))
                .copied()
                .or_else(|| here.and_then(|here| here.accuracy))
                .or(self.accuracy)
                .unwrap_or(if sees_references { 0.67 } else { 0.60 }),
        }
    }

    /// Reaction times in a condition.
    pub fn rt(&self, condition: &str) -> ExGaussian {
        self.conditions.get(condition).and_then(|here| here.rt).unwrap_or(self.rt)
    }

    /// The confidence, from 1 up, that evidence of this strength gives.
    pub fn confidence(&self, evidence: f64, levels: u8) -> u8 {
        let exceeds = |criterion: f64| evidence.abs() > criterion;
        let above = match &self.confidence_criteria {
            Some(criteria) => criteria.iter().filter(|criterion| exceeds(**criterion)).count(),
            None => (1..levels).filter(|n| exceeds(1.8 * f64::from(*n) / f64::from(levels))).count(),
        };
        1 + u8::try_from(above).unwrap_or(u8::MAX).min(levels - 1)
    }

    /// All problems with abilities for a study: where each is, what is wrong, and how to solve it.
    pub fn problems(&self, study: &Scope<'_>) -> Vec<String> {
        let mut problems = Vec::new();
        let mut share = |place: String, share: Option<f64>| {
            if let Some(wrong) = share.filter(|share| !(0.01..=0.99).contains(share)) {
                problems.push(format!("`{place}` is {wrong}: give a share from 0.01 to 0.99"));
            }
        };
        share("accuracy".into(), self.accuracy);
        share("catch_accuracy".into(), Some(self.catch_accuracy));
        share("practice_accuracy".into(), Some(self.practice_accuracy));
        for (unit, accuracy) in &self.units {
            share(format!("units.{unit}"), Some(*accuracy));
        }
        for (name, here) in &self.conditions {
            share(format!("conditions.{name}.accuracy"), here.accuracy);
            for (unit, accuracy) in &here.units {
                share(format!("conditions.{name}.units.{unit}"), Some(*accuracy));
            }
        }
        problems.extend(self.problems_of_times());
        problems.extend(self.problems_of_criteria(study.levels));
        problems.extend(self.problems_of_names(study));
        problems
    }

    fn problems_of_times(&self) -> impl Iterator<Item = String> {
        let of_conditions = self
            .conditions
            .iter()
            .filter_map(|(name, here)| here.rt.map(|rt| (format!("conditions.{name}.rt"), rt)));
        std::iter::once(("rt".to_owned(), self.rt))
            .chain(of_conditions)
            .filter_map(|(place, rt)| rt.problem().map(|problem| format!("`{place}`: {problem}")))
    }

    fn problems_of_criteria(&self, levels: u8) -> Option<String> {
        let criteria = self.confidence_criteria.as_ref()?;
        let rising = criteria.windows(2).all(|pair| pair[0] < pair[1]);
        let in_range = criteria.iter().all(|criterion| *criterion > 0.0 && *criterion <= 10.0);
        let wanted = usize::from(levels) - 1;
        (criteria.len() != wanted || !rising || !in_range).then(|| {
            format!(
                "`confidence_criteria` is {criteria:?}: with {levels} confidence levels give {wanted}, rising, above 0 \
                 and at most 10"
            )
        })
    }

    fn problems_of_names(&self, study: &Scope<'_>) -> Vec<String> {
        let mut problems = Vec::new();
        for name in self.conditions.keys().filter(|name| !study.conditions.contains(name)) {
            let known = study.conditions.join(", ");
            problems.push(format!("`conditions.{name}`: the study has no such condition, only {known}"));
        }
        let mut units = |place: &str, units: &BTreeMap<String, f64>| {
            for unit in units.keys().filter(|unit| !study.units.contains(unit)) {
                let place = format!("{place}units.{unit}");
                problems.push(format!(
                    "`{place}`: no main trial of the study is about such a unit; see its trials.csv"
                ));
            }
        };
        units("", &self.units);
        for (name, here) in &self.conditions {
            units(&format!("conditions.{name}."), &here.units);
        }
        problems
    }
}

/// The mean of the evidence, in its standard deviations, with which an ideal observer is right this often: the normal
/// quantile, which is d'/√2 of a forced choice between two (Green & Swets, Signal Detection Theory and Psychophysics, 1966).
pub fn strength(accuracy: f64) -> f64 {
    Normal::standard().inverse_cdf(accuracy)
}
