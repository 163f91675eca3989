//! The results of a study, computed from the main trials of kept people. The lab's page, the report and every downloaded figure
//! show them. `docs/statistics.md` gives the formulas with their sources.

mod agreement;
mod differences;
mod difficulty;
pub(crate) mod quality;
mod sample;
#[cfg(test)]
mod tests;

pub use agreement::{Agreement, Cell};
pub use differences::{Differences, PairDifference, SIGNIFICANCE};
pub use difficulty::{Correlation, Difficulty, Point};
pub use sample::{BASELINES, MainAnswer, MeanWithError, Sample, Subject, in_every_condition};

use std::collections::HashMap;

use super::study::Group;

/// The least number of people for an interval: one person does not show how people differ.
pub const LEAST_FOR_INTERVAL: usize = 2;

/// Captions warn that intervals of fewer people than this say little: with two people a bootstrap interval extends from one to the
/// other, and the standard error is too small by nearly a third.
pub const FEW: usize = 5;

/// The results of one condition and group of people.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionResults {
    /// Number of kept people.
    pub people: usize,
    /// Share of trials answered correctly.
    pub accuracy: MeanWithError,
    /// Reaction time in ms.
    pub rt: MeanWithError,
    /// Share of each confidence, from 1 up: in all trials.
    pub confidence: Vec<MeanWithError>,
    /// ... in trials answered correctly.
    pub confidence_if_correct: Vec<MeanWithError>,
    /// ... in trials answered wrongly.
    pub confidence_if_wrong: Vec<MeanWithError>,
    /// Accuracy of the answers with each confidence, from 1 up.
    pub accuracy_by_confidence: Vec<MeanWithError>,
}

/// Accuracy for one unit, or for one unit in one image set.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitResults {
    /// The unit.
    pub unit: String,
    /// Its layer.
    pub layer: String,
    /// Its branch.
    pub branch: String,
    /// The image set. None for all sets together.
    pub image_set: Option<i32>,
    /// Accuracy by condition.
    pub accuracy: Vec<MeanWithError>,
}

/// The results of all kept people.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// The crowd's results by condition.
    pub crowd: Vec<ConditionResults>,
    /// The experts' results by condition, if any took part.
    pub experts: Option<Vec<ConditionResults>>,
    /// Accuracy by unit. Branches, layers and units have the order in which the table of trials first names them.
    pub units: Vec<UnitResults>,
    /// Accuracy by unit and image set.
    pub image_sets: Vec<UnitResults>,
    /// Cohen's kappa between conditions and baselines.
    pub agreement: Agreement,
    /// Accuracy against the difficulty of trials.
    pub difficulty: Difficulty,
    /// Tests of whether conditions differ.
    pub differences: Differences,
}

impl Results {
    /// Computes the results from the main trials of kept people. `levels` is the number of confidence levels.
    pub fn new(answers: &[MainAnswer], conditions: &[String], levels: u8) -> Self {
        let crowd = Sample::new(answers, Group::Crowd, conditions);
        let experts = Sample::new(answers, Group::Expert, conditions);
        let by_condition = |sample: &Sample| -> Vec<ConditionResults> {
            sample.conditions.iter().map(|people| condition(people, levels)).collect()
        };
        let units = units(&crowd, false);
        let resamples = differences::resamples(&crowd);
        Self {
            experts: (!experts.is_empty()).then(|| by_condition(&experts)),
            crowd: by_condition(&crowd),
            image_sets: self::units(&crowd, true),
            agreement: Agreement::new(&crowd, &resamples),
            difficulty: Difficulty::new(&crowd),
            differences: Differences::new(&crowd, &units, &resamples),
            units,
        }
    }
}

fn condition(people: &[Subject], levels: u8) -> ConditionResults {
    let each = |of: &dyn Fn(u8) -> MeanWithError| -> Vec<MeanWithError> { (1..=levels).map(of).collect() };
    let share = |level: u8, among: &dyn Fn(&MainAnswer) -> bool| {
        MeanWithError::of(people, |answer| {
            among(answer).then_some(f64::from(u8::from(answer.confidence == level)))
        })
    };
    ConditionResults {
        people: people.len(),
        accuracy: MeanWithError::accuracy(people, |_| true),
        rt: MeanWithError::of(people, |answer| answer.rt),
        confidence: each(&|level| share(level, &|_| true)),
        confidence_if_correct: each(&|level| share(level, &|answer| answer.correct)),
        confidence_if_wrong: each(&|level| share(level, &|answer| !answer.correct)),
        accuracy_by_confidence: each(&|level| {
            MeanWithError::accuracy(people, |answer| answer.confidence == level)
        }),
    }
}

/// Every unit that was answered, by branch and layer, with all image sets together or each separately.
fn units(sample: &Sample, by_set: bool) -> Vec<UnitResults> {
    let branches = first_places(sample, |answer| answer.branch.as_str());
    let layers = first_places(sample, |answer| answer.layer.as_str());
    let units = first_places(sample, |answer| answer.unit.as_str());
    let key = |answer: &MainAnswer| {
        let set = by_set.then_some(answer.image_set);
        (answer.branch.clone(), answer.layer.clone(), answer.unit.clone(), set)
    };
    let mut keys: Vec<_> = sample.answers().map(|(_, answer)| key(answer)).collect();
    keys.sort_by(|a, b| {
        let places = |(branch, layer, unit, set): &(String, String, String, Option<i32>)| {
            (branches[branch.as_str()], layers[layer.as_str()], units[unit.as_str()], *set)
        };
        places(a).cmp(&places(b)).then_with(|| a.cmp(b))
    });
    keys.dedup();
    let of = |(branch, layer, unit, image_set): (String, String, String, Option<i32>)| {
        let in_set = |subject: &&Subject| image_set.is_none_or(|set| subject.image_set == set);
        let measure = |people: &Vec<Subject>| {
            MeanWithError::accuracy(people.iter().filter(in_set), |answer| answer.unit == unit)
        };
        let accuracy = sample.conditions.iter().map(measure).collect();
        UnitResults { unit, layer, branch, image_set, accuracy }
    };
    keys.into_iter().map(of).collect()
}

/// The place at which the table of trials first names each branch, layer or unit.
fn first_places<'a>(sample: &'a Sample, name: impl Fn(&'a MainAnswer) -> &'a str) -> HashMap<&'a str, i64> {
    let mut places = HashMap::new();
    for (_, answer) in sample.answers() {
        places
            .entry(name(answer))
            .and_modify(|first: &mut i64| *first = answer.place.min(*first))
            .or_insert(answer.place);
    }
    places
}
