//! Cohen's kappa between people of the conditions, and between people and baselines.

use rayon::prelude::*;

use super::LEAST_FOR_INTERVAL;
use super::sample::{BASELINES, MainAnswer, Sample, Subject};
use crate::domain::stats::{self, Interval, Kappa, Resamples, Term, interval, kappa};

/// The mean kappa of two raters.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cell {
    /// Mean over all pairs. None without pairs.
    pub mean: Option<f64>,
    /// 2 standard errors over pairs. Pairs share people, so it is too small. None if a condition has one person only.
    pub bar: Option<f64>,
    /// Bootstrap over people, which accounts for shared people. None for a single pair, or if a condition has one person only.
    pub interval: Option<Interval>,
    /// The number of pairs.
    pub pairs: usize,
    /// The number of pairs left out because their kappa is undefined.
    pub undefined: usize,
}

/// The matrix of all raters: conditions, then baselines.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// `cells[a][b]` for every pair of raters; it is symmetric. A baseline's cell with itself is empty.
    pub cells: Vec<Vec<Cell>>,
}

/// The kappa of a pair, with its people as (condition, index in it). A baseline is not a person.
struct Pair {
    first: Option<(usize, usize)>,
    second: Option<(usize, usize)>,
    kappa: Kappa,
}

impl Agreement {
    /// Compares all people with each other and with the baselines, within each image set.
    pub fn new(sample: &Sample, resamples: &Resamples) -> Self {
        let conditions = sample.conditions.len();
        let raters = conditions + BASELINES.len();
        let one = |a: usize, b: usize| {
            let pairs = match (a.checked_sub(conditions), b.checked_sub(conditions)) {
                (None, None) => people(sample, a, b),
                (None, Some(baseline)) => with_baseline(sample, a, baseline),
                (Some(first), Some(second)) if first != second => baselines(sample, first, second),
                _ => return Cell::default(),
            };
            let cell = cell(&pairs, resamples);
            let mut raters = [a, b].into_iter().filter(|rater| *rater < conditions);
            match raters.all(|condition| sample.makes_intervals(condition)) {
                true => cell,
                false => Cell { bar: None, interval: None, ..cell },
            }
        };
        let rows = (0..raters).into_par_iter();
        let upper: Vec<Vec<Cell>> = rows.map(|a| (a..raters).map(|b| one(a, b)).collect()).collect();
        let at = |a: usize, b: usize| upper[a.min(b)][a.max(b) - a.min(b)];
        let cells = (0..raters).map(|a| (0..raters).map(|b| at(a, b)).collect()).collect();
        Self { cells }
    }
}

/// All pairs of people within a condition, or between two conditions, inside each image set.
fn people(sample: &Sample, a: usize, b: usize) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (i, first) in sample.conditions[a].iter().enumerate() {
        let from = if a == b { i + 1 } else { 0 };
        for (j, second) in sample.conditions[b].iter().enumerate().skip(from) {
            if first.image_set == second.image_set {
                let kappa = kappa(same_units(first, second));
                pairs.push(Pair { first: Some((a, i)), second: Some((b, j)), kappa });
            }
        }
    }
    pairs
}

/// The correctness of two people on the units that both answered.
fn same_units<'a>(a: &'a Subject, b: &'a Subject) -> impl Iterator<Item = (bool, bool)> + 'a {
    let of = |unit: &str| b.answers.binary_search_by(|answer| answer.unit.as_str().cmp(unit)).ok();
    a.answers.iter().filter_map(move |answer| Some((answer.correct, b.answers[of(&answer.unit)?].correct)))
}

fn with_baseline(sample: &Sample, condition: usize, baseline: usize) -> Vec<Pair> {
    let people = sample.conditions[condition].iter().enumerate();
    let pair = |(place, subject): (usize, &Subject)| {
        let both = |answer: &MainAnswer| Some((answer.correct, answer.baselines[baseline]?));
        let trials: Option<Vec<_>> = subject.answers.iter().map(both).collect();
        Some(Pair { first: Some((condition, place)), second: None, kappa: kappa(trials?) })
    };
    people.filter_map(pair).collect()
}

/// The pairs of two baselines, one per image set, from the trials of the first person who saw the set.
fn baselines(sample: &Sample, first: usize, second: usize) -> Vec<Pair> {
    let mut sets = std::collections::BTreeMap::new();
    for subject in sample.conditions.iter().flatten() {
        sets.entry(subject.image_set).or_insert(subject);
    }
    let pair = |subject: &Subject| {
        let both = |answer: &MainAnswer| Some((answer.baselines[first]?, answer.baselines[second]?));
        let trials: Option<Vec<_>> = subject.answers.iter().map(both).collect();
        Some(Pair { first: None, second: None, kappa: kappa(trials?) })
    };
    sets.into_values().filter_map(pair).collect()
}

fn cell(pairs: &[Pair], resamples: &Resamples) -> Cell {
    let defined: Vec<(&Pair, f64)> = pairs
        .iter()
        .filter_map(|pair| match pair.kappa {
            Kappa::Value(value) => Some((pair, value)),
            Kappa::Undefined => None,
        })
        .collect();
    let values: Vec<f64> = defined.iter().map(|(_, value)| *value).collect();
    Cell {
        mean: stats::mean(&values),
        bar: stats::sem(&values).map(|sem| 2.0 * sem),
        interval: bootstrap(&defined, resamples).filter(|_| values.len() >= LEAST_FOR_INTERVAL),
        pairs: values.len(),
        undefined: pairs.len() - values.len(),
    }
}

/// The bootstrap over pairs of different people. A person who is drawn twice forms no pair with themselves.
fn bootstrap(pairs: &[(&Pair, f64)], resamples: &Resamples) -> Option<Interval> {
    let place = |(condition, person): (usize, usize)| resamples.place(condition, person);
    let term = |(pair, value): &(&Pair, f64)| {
        let (person, partner) = (place(pair.first?), pair.second.map(place));
        Some(Term { person, partner, above: *value, below: 1.0 })
    };
    let terms: Option<Vec<Term>> = pairs.iter().map(term).collect();
    interval(resamples.ratios(&terms?))
}
