//! The results of a study: what its kept people saw in its images, computed from their main trials. The lab's page, the report
//! and every downloaded figure come from here. `docs/statistics.md` gives the formulas with their sources.

mod agreement;
mod differences;
mod difficulty;
pub mod quality;
mod sample;
#[cfg(test)]
mod tests;

pub use agreement::{Agreement, Cell};
pub use differences::{Differences, PairDifference};
pub use difficulty::{Difficulty, Point};
pub use sample::{BASELINES, MainAnswer, Measure, Sample, Subject};

use super::study::Group;

/// Everything about one condition and group of people.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionResults {
    /// Kept people.
    pub people: usize,
    /// Share of trials answered correctly.
    pub accuracy: Measure,
    /// Reaction time in ms.
    pub rt: Measure,
    /// Share of each confidence, from 1 up: in all trials.
    pub confidence: Vec<Measure>,
    /// ... in trials answered correctly.
    pub confidence_if_correct: Vec<Measure>,
    /// ... in trials answered wrongly.
    pub confidence_if_wrong: Vec<Measure>,
    /// Accuracy of the answers with each confidence, from 1 up.
    pub accuracy_by_confidence: Vec<Measure>,
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
    /// The image set; none where all are taken together.
    pub image_set: Option<i32>,
    /// By condition.
    pub accuracy: Vec<Measure>,
}

/// The results of the kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// The crowd, by condition.
    pub crowd: Vec<ConditionResults>,
    /// Experts, by condition, where any took part.
    pub experts: Option<Vec<ConditionResults>>,
    /// By unit, in the order of layers and branches as the trials name them.
    pub units: Vec<UnitResults>,
    /// By unit and image set.
    pub image_sets: Vec<UnitResults>,
    /// Cohen's kappa between conditions and baselines.
    pub agreement: Agreement,
    /// Accuracy against how hard a trial is.
    pub difficulty: Difficulty,
    /// Whether conditions differ.
    pub differences: Differences,
}

impl Results {
    /// Computes them from the main trials of kept people. `levels` is the number of confidence levels.
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
    let each = |of: &dyn Fn(u8) -> Measure| -> Vec<Measure> { (1..=levels).map(of).collect() };
    let share = |level: u8, among: &dyn Fn(&MainAnswer) -> bool| {
        Measure::of(people, |answer| among(answer).then_some(f64::from(u8::from(answer.confidence == level))))
    };
    ConditionResults {
        people: people.len(),
        accuracy: Measure::accuracy(people, |_| true),
        rt: Measure::of(people, |answer| answer.rt),
        confidence: each(&|level| share(level, &|_| true)),
        confidence_if_correct: each(&|level| share(level, &|answer| answer.correct)),
        confidence_if_wrong: each(&|level| share(level, &|answer| !answer.correct)),
        accuracy_by_confidence: each(&|level| Measure::accuracy(people, |answer| answer.confidence == level)),
    }
}

/// Every unit that was answered, by branch and layer, all image sets together or each for itself.
fn units(sample: &Sample, by_set: bool) -> Vec<UnitResults> {
    let key = |answer: &MainAnswer| {
        let set = by_set.then_some(answer.image_set);
        (answer.branch.clone(), answer.layer.clone(), answer.unit.clone(), set)
    };
    let keys: std::collections::BTreeSet<_> = sample.answers().map(|(_, answer)| key(answer)).collect();
    let of = |(branch, layer, unit, image_set): (String, String, String, Option<i32>)| {
        let in_set = |subject: &&Subject| image_set.is_none_or(|set| subject.image_set == set);
        let measure = |people: &Vec<Subject>| {
            Measure::accuracy(people.iter().filter(in_set), |answer| answer.unit == unit)
        };
        let accuracy = sample.conditions.iter().map(measure).collect();
        UnitResults { unit, layer, branch, image_set, accuracy }
    };
    keys.into_iter().map(of).collect()
}
