//! Accuracy against how hard a trial is: the relative activation difference of its two queries.

use std::collections::BTreeMap;

use super::sample::Sample;
use crate::domain::stats::spearman;

/// One trial in one condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The condition's place.
    pub condition: usize,
    /// The image set.
    pub image_set: i32,
    /// The unit.
    pub unit: String,
    /// (max activation - min activation) / base activation.
    pub difference: f64,
    /// Share of people who answered it correctly.
    pub accuracy: f64,
    /// People who answered it.
    pub people: u32,
}

/// How accuracy goes with difficulty.
#[derive(Debug, Clone, PartialEq)]
pub struct Difficulty {
    /// Every (image set, unit, condition) with a known difference.
    pub points: Vec<Point>,
    /// Those without: the base image does not activate the unit, or nothing is known.
    pub left_out: usize,
    /// Spearman's rho, by condition.
    pub rho: Vec<Option<f64>>,
    /// Spearman's rho over all points, as published: it counts each trial once per condition.
    pub pooled: Option<f64>,
}

impl Difficulty {
    /// Gathers the points.
    pub fn new(sample: &Sample) -> Self {
        let mut trials = BTreeMap::<(usize, i32, &str), (Option<f64>, u32, u32)>::new();
        for (condition, answer) in sample.answers() {
            let trial = trials.entry((condition, answer.image_set, &answer.unit)).or_default();
            trial.0 = answer.difference;
            trial.1 += u32::from(answer.correct);
            trial.2 += 1;
        }
        let all = trials.len();
        let point = |((condition, image_set, unit), (difference, correct, people)): (
            (_, _, &str),
            (Option<f64>, u32, u32),
        )| {
            let accuracy = f64::from(correct) / f64::from(people);
            let unit = unit.to_owned();
            Some(Point { condition, image_set, unit, difference: difference?, accuracy, people })
        };
        let points: Vec<Point> = trials.into_iter().filter_map(point).collect();
        let rho = |of: &dyn Fn(&Point) -> bool| {
            let pairs =
                points.iter().filter(|point| of(point)).map(|point| (point.difference, point.accuracy));
            spearman(&pairs.collect::<Vec<_>>())
        };
        let by_condition =
            (0..sample.conditions.len()).map(|condition| rho(&|point| point.condition == condition));
        let (by_condition, pooled) = (by_condition.collect(), rho(&|_| true));
        Self { left_out: all - points.len(), rho: by_condition, pooled, points }
    }
}
