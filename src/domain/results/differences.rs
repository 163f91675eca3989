//! Tests whether conditions differ in accuracy.

use super::UnitResults;
use super::sample::{Sample, Subject};
use crate::domain::stats::{
    Comparison, Interval, REPLICATES, Resamples, SEED, Term, Test, conover_iman, friedman, interval,
    kruskal_wallis,
};

/// The overall test finds differences if its p is smaller than this.
pub const SIGNIFICANCE: f64 = 0.05;

/// The comparison of two conditions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairDifference {
    /// The Conover-Iman test with Holm's correction.
    pub comparison: Comparison,
    /// Accuracy of the first minus that of the second.
    pub difference: Option<f64>,
    /// The bootstrap interval of the difference.
    pub interval: Option<Interval>,
}

/// The tests of all conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    /// Kruskal-Wallis over people's accuracies.
    pub kruskal_wallis: Option<Test>,
    /// Every pair of conditions.
    pub pairs: Vec<PairDifference>,
    /// The bootstrap interval of each condition's accuracy.
    pub intervals: Vec<Option<Interval>>,
    /// Friedman over the units' mean accuracies, matched across conditions; empty conditions are left out.
    pub friedman: Option<Test>,
    /// The number of units in Friedman's test.
    pub units: usize,
    /// The number of units left out because a condition has no answer for them.
    pub units_left_out: usize,
}

/// Draws how often each person is in each replicate. All statistics use the same draws.
pub fn resamples(sample: &Sample) -> Resamples {
    let sizes: Vec<usize> = sample.conditions.iter().map(Vec::len).collect();
    let replicates = if sample.is_empty() { 0 } else { REPLICATES };
    Resamples::new(&sizes, replicates, SEED)
}

impl Differences {
    /// Tests and compares the conditions.
    pub fn new(sample: &Sample, units: &[UnitResults], resamples: &Resamples) -> Self {
        let accuracies: Vec<Vec<f64>> = sample
            .conditions
            .iter()
            .map(|people| people.iter().filter_map(Subject::accuracy).collect())
            .collect();
        let counts: Vec<Vec<(f64, f64)>> =
            sample.conditions.iter().map(|people| people.iter().map(count).collect()).collect();
        let observed: Vec<Option<f64>> = counts.iter().map(|counts| pooled(counts)).collect();
        // Accuracy of each condition in each replicate.
        let replicates: Vec<Vec<Option<f64>>> =
            counts.iter().enumerate().map(|(at, counts)| resampled(resamples, at, counts)).collect();
        let pairs = conover_iman(&accuracies).into_iter().map(|comparison| {
            let (a, b) = (comparison.first, comparison.second);
            let minus = |(a, b): (Option<f64>, Option<f64>)| Some(a? - b?);
            let interval = (sample.makes_intervals(a) && sample.makes_intervals(b)).then(|| {
                interval(replicates[a].iter().copied().zip(replicates[b].iter().copied()).map(minus))
            });
            let difference = minus((observed[a], observed[b]));
            PairDifference { comparison, difference, interval: interval.flatten() }
        });
        let of_condition = |(at, of): (usize, &Vec<Option<f64>>)| {
            interval(of.iter().copied()).filter(|_| sample.makes_intervals(at))
        };
        let blocks = blocks(units, &counts);
        Self {
            kruskal_wallis: kruskal_wallis(&accuracies),
            pairs: pairs.collect(),
            intervals: replicates.iter().enumerate().map(of_condition).collect(),
            friedman: friedman(&blocks),
            units: blocks.len(),
            units_left_out: units.len() - blocks.len(),
        }
    }

    /// Whether the overall test found that conditions differ. Otherwise pairs are exploratory.
    pub fn are_found(&self) -> bool {
        self.kruskal_wallis.is_some_and(|test| test.p < SIGNIFICANCE)
    }
}

/// The number of a person's correct answers, and of their answers.
fn count(subject: &Subject) -> (f64, f64) {
    let correct = subject.answers.iter().filter(|answer| answer.correct).count();
    (correct as f64, subject.answers.len() as f64)
}

fn pooled(counts: &[(f64, f64)]) -> Option<f64> {
    let (correct, all) = counts.iter().fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    (all > 0.0).then(|| correct / all)
}

/// The sums of these numbers in every replicate.
fn resampled(resamples: &Resamples, condition: usize, counts: &[(f64, f64)]) -> Vec<Option<f64>> {
    let term = |(person, (above, below)): (usize, &(f64, f64))| Term {
        person: resamples.place(condition, person),
        partner: None,
        above: *above,
        below: *below,
    };
    resamples.ratios(&counts.iter().enumerate().map(term).collect::<Vec<_>>())
}

/// Mean accuracy by unit (row) and by condition with people (column). Rows with a gap are left out.
fn blocks(units: &[UnitResults], counts: &[Vec<(f64, f64)>]) -> Vec<Vec<f64>> {
    let row = |unit: &UnitResults| {
        let filled = unit.accuracy.iter().zip(counts).filter(|(_, people)| !people.is_empty());
        filled.map(|(measure, _)| measure.value).collect::<Option<Vec<f64>>>()
    };
    units.iter().filter_map(row).collect()
}
