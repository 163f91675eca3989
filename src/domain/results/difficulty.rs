//! Compares accuracy with the difficulty of trials: the relative activation difference of the two queries.

use std::collections::BTreeMap;

use super::sample::Sample;
use crate::domain::stats::spearman;

/// One trial in one condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The condition's index in the study.
    pub condition: usize,
    /// The image set.
    pub image_set: i32,
    /// The unit.
    pub unit: String,
    /// (max activation - min activation) / base activation.
    pub difference: f64,
    /// Share of people who answered it correctly.
    pub accuracy: f64,
    /// Number of people who answered it.
    pub people: u32,
}

/// The relation between accuracy and difficulty.
#[derive(Debug, Clone, PartialEq)]
pub struct Difficulty {
    /// A point for every condition, image set and unit with a known difference.
    pub points: Vec<Point>,
    /// The correlation in each condition.
    pub by_condition: Vec<Correlation>,
    /// The correlation over all points, as published: it counts each trial once per condition.
    pub pooled: Correlation,
}

/// Spearman's rho of accuracy and difference.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Correlation {
    /// None for fewer than two points, or if one side does not vary.
    pub rho: Option<f64>,
    /// Number of points.
    pub points: usize,
    /// Number of trials left out, because the base image does not activate the unit or no activations are known.
    pub left_out: usize,
}

impl Difficulty {
    /// Collects the points and correlates them.
    pub fn new(sample: &Sample) -> Self {
        let mut trials = BTreeMap::<(usize, i32, &str), (Option<f64>, u32, u32)>::new();
        for (condition, answer) in sample.answers() {
            let trial = trials.entry((condition, answer.image_set, &answer.unit)).or_default();
            trial.0 = answer.difference;
            trial.1 += u32::from(answer.correct);
            trial.2 += 1;
        }
        let mut left_out = vec![0; sample.conditions.len()];
        for ((condition, ..), _) in trials.iter().filter(|(_, (difference, ..))| difference.is_none()) {
            left_out[*condition] += 1;
        }
        let point = |((condition, image_set, unit), (difference, correct, people)): (
            (_, _, &str),
            (Option<f64>, u32, u32),
        )| {
            let accuracy = f64::from(correct) / f64::from(people);
            let unit = unit.to_owned();
            Some(Point { condition, image_set, unit, difference: difference?, accuracy, people })
        };
        let points: Vec<Point> = trials.into_iter().filter_map(point).collect();
        let correlation = |of: &dyn Fn(&Point) -> bool, left_out| {
            let pairs =
                points.iter().filter(|point| of(point)).map(|point| (point.difference, point.accuracy));
            let pairs: Vec<(f64, f64)> = pairs.collect();
            Correlation { rho: spearman(&pairs), points: pairs.len(), left_out }
        };
        let by_condition = left_out.iter().enumerate();
        let by_condition =
            by_condition.map(|(at, left_out)| correlation(&|point| point.condition == at, *left_out));
        let (by_condition, pooled) = (by_condition.collect(), correlation(&|_| true, left_out.iter().sum()));
        Self { by_condition, pooled, points }
    }
}
