//! Whether conditions differ in accuracy.

use super::UnitResults;
use super::sample::{Sample, Subject};
use crate::domain::stats::{
    Comparison, Interval, REPLICATES, Resamples, SEED, Test, conover_iman, friedman, interval, kruskal_wallis,
};

/// Two conditions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairDifference {
    /// Conover-Iman with Holm's correction.
    pub comparison: Comparison,
    /// Accuracy of the first minus that of the second.
    pub difference: Option<f64>,
    /// Its bootstrap.
    pub interval: Option<Interval>,
}

/// The tests.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    /// Kruskal-Wallis over people's accuracies.
    pub kruskal_wallis: Option<Test>,
    /// Every pair of conditions.
    pub pairs: Vec<PairDifference>,
    /// Bootstrap of each condition's accuracy.
    pub intervals: Vec<Option<Interval>>,
    /// Friedman over the units' mean accuracies, matched across conditions; empty conditions are left out.
    pub friedman: Option<Test>,
    /// Units that Friedman's test rests on.
    pub units: usize,
    /// Units left out because a condition has no answer for them.
    pub units_left_out: usize,
}

/// How often each person is drawn in each replicate: the same draws for every statistic.
pub fn resamples(sample: &Sample) -> Resamples {
    let sizes: Vec<usize> = sample.conditions.iter().map(Vec::len).collect();
    let replicates = if sample.is_empty() { 0 } else { REPLICATES };
    Resamples::new(&sizes, replicates, SEED)
}

impl Differences {
    /// Tests the conditions.
    pub fn new(sample: &Sample, units: &[UnitResults], resamples: &Resamples) -> Self {
        let accuracies: Vec<Vec<f64>> = sample
            .conditions
            .iter()
            .map(|people| people.iter().filter_map(Subject::accuracy).collect())
            .collect();
        let counts: Vec<Vec<(f64, f64)>> =
            sample.conditions.iter().map(|people| people.iter().map(count).collect()).collect();
        // Accuracy of each condition in each replicate.
        let replicates: Vec<Vec<Option<f64>>> = resamples
            .replicates()
            .map(|times| {
                let of = |(condition, counts): (usize, &Vec<(f64, f64)>)| {
                    let from = resamples.place(condition, 0);
                    pooled(&times[from..from + counts.len()], counts)
                };
                counts.iter().enumerate().map(of).collect()
            })
            .collect();
        let observed: Vec<Option<f64>> =
            counts.iter().map(|counts| pooled(&vec![1; counts.len()], counts)).collect();
        let pairs = conover_iman(&accuracies).into_iter().map(|comparison| {
            let (a, b) = (comparison.first, comparison.second);
            let minus = |of: &[Option<f64>]| Some(of[a]? - of[b]?);
            let interval = interval(replicates.iter().map(|replicate| minus(replicate)));
            PairDifference { comparison, difference: minus(&observed), interval }
        });
        let condition = |at: usize| interval(replicates.iter().map(|replicate| replicate[at]));
        let blocks = blocks(units, &counts);
        Self {
            kruskal_wallis: kruskal_wallis(&accuracies),
            pairs: pairs.collect(),
            intervals: (0..counts.len()).map(condition).collect(),
            friedman: friedman(&blocks),
            units: blocks.len(),
            units_left_out: units.len() - blocks.len(),
        }
    }
}

/// A person's correct answers and answers.
fn count(subject: &Subject) -> (f64, f64) {
    let correct = subject.answers.iter().filter(|answer| answer.correct).count();
    (correct as f64, subject.answers.len() as f64)
}

fn pooled(times: &[u16], counts: &[(f64, f64)]) -> Option<f64> {
    let (mut correct, mut all) = (0.0, 0.0);
    for (times, (own_correct, own_all)) in times.iter().zip(counts) {
        correct += f64::from(*times) * own_correct;
        all += f64::from(*times) * own_all;
    }
    (all > 0.0).then(|| correct / all)
}

/// Mean accuracy by unit (row) and condition that has anybody (column); rows with a gap are left out.
fn blocks(units: &[UnitResults], counts: &[Vec<(f64, f64)>]) -> Vec<Vec<f64>> {
    let row = |unit: &UnitResults| {
        let filled = unit.accuracy.iter().zip(counts).filter(|(_, people)| !people.is_empty());
        filled.map(|(measure, _)| measure.value).collect::<Option<Vec<f64>>>()
    };
    units.iter().filter_map(row).collect()
}
