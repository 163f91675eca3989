//! Groups the main trials of kept people by person.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::LEAST_FOR_INTERVAL;
use crate::domain::stats;
use crate::domain::study::Group;

/// The baselines whose decisions a trial may state, in the order of [`MainAnswer::baselines`].
pub const BASELINES: [&str; 4] = ["Center", "Variance", "Saliency", "Object"];

/// A main trial with its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct MainAnswer {
    /// The participant's id.
    pub person: Uuid,
    /// The participant's group.
    pub group: Group,
    /// The participant's condition.
    pub condition: String,
    /// The participant's image set, from 0.
    pub image_set: i32,
    /// The trial's position in the table of trials. Units are sorted by their first positions.
    pub place: i64,
    /// The unit of the trial.
    pub unit: String,
    /// The unit's layer.
    pub layer: String,
    /// The unit's branch.
    pub branch: String,
    /// Whether the max query was chosen.
    pub correct: bool,
    /// The label that was pressed, from 1.
    pub confidence: u8,
    /// Reaction time in ms. None if the page was hidden.
    pub rt: Option<f64>,
    /// Relative activation difference. None if the base image does not activate the unit, or no activations are known.
    pub difference: Option<f64>,
    /// Whether each baseline chose the max query, if it is known.
    pub baselines: [Option<bool>; BASELINES.len()],
}

/// A person with all their main trials, sorted by the units' names.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The person's image set.
    pub image_set: i32,
    /// The person's answers.
    pub answers: Vec<MainAnswer>,
}

/// Kept people of one group, by condition in the study's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// The people of each condition.
    pub conditions: Vec<Vec<Subject>>,
}

impl Sample {
    /// Groups the answers of one group by condition and person.
    pub fn new(answers: &[MainAnswer], group: Group, conditions: &[String]) -> Self {
        let mut people = BTreeMap::<(usize, Uuid), Subject>::new();
        for answer in answers.iter().filter(|answer| answer.group == group) {
            let Some(condition) = conditions.iter().position(|name| *name == answer.condition) else {
                continue;
            };
            let image_set = answer.image_set;
            let new = || Subject { image_set, answers: Vec::new() };
            people.entry((condition, answer.person)).or_insert_with(new).answers.push(answer.clone());
        }
        let mut sample = Self { conditions: vec![Vec::new(); conditions.len()] };
        for ((condition, _), mut subject) in people {
            subject.answers.sort_by(|a, b| a.unit.cmp(&b.unit));
            sample.conditions[condition].push(subject);
        }
        sample
    }

    /// Whether the sample has no people.
    pub fn is_empty(&self) -> bool {
        self.conditions.iter().all(Vec::is_empty)
    }

    /// Whether a condition has enough people for an interval.
    pub fn makes_intervals(&self, condition: usize) -> bool {
        self.conditions[condition].len() >= LEAST_FOR_INTERVAL
    }

    /// Every answer, with the index of its condition.
    pub fn answers(&self) -> impl Iterator<Item = (usize, &MainAnswer)> {
        self.conditions.iter().enumerate().flat_map(|(condition, people)| {
            people
                .iter()
                .flat_map(move |subject| subject.answers.iter().map(move |answer| (condition, answer)))
        })
    }
}

impl Subject {
    /// The person's share of main trials answered correctly.
    pub fn accuracy(&self) -> Option<f64> {
        let right: Vec<f64> = self.answers.iter().map(|answer| f64::from(u8::from(answer.correct))).collect();
        stats::mean(&right)
    }
}

/// The answers of those groups, crowd or experts, that have at least two people in every condition. While letters stand for
/// conditions, a missing value or error bar would reveal which condition has no people or one person.
pub fn in_every_condition(mut answers: Vec<MainAnswer>, conditions: &[String]) -> Vec<MainAnswer> {
    let mut people = HashMap::<(Group, &str), HashSet<Uuid>>::new();
    for answer in &answers {
        people.entry((answer.group, &answer.condition)).or_default().insert(answer.person);
    }
    let enough = |group: Group| {
        conditions
            .iter()
            .all(|name| people.get(&(group, name.as_str())).is_some_and(|people| people.len() > 1))
    };
    let (crowd, experts) = (enough(Group::Crowd), enough(Group::Expert));
    answers.retain(|answer| if answer.group == Group::Crowd { crowd } else { experts });
    answers
}

/// A mean over trials with its error bar.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MeanWithError {
    /// The mean over all selected trials. None without any.
    pub value: Option<f64>,
    /// 2 standard errors over people's own means. None for fewer than two people.
    pub bar: Option<f64>,
    /// The number of people with a selected trial.
    pub people: usize,
    /// The number of people without a selected trial, who are left out of the error bar.
    pub left_out: usize,
    /// The number of selected trials.
    pub trials: usize,
}

impl MeanWithError {
    /// Averages the values that `pick` gives for each trial. `pick` returns none for a trial that is not selected.
    pub fn of<'a>(
        people: impl IntoIterator<Item = &'a Subject>,
        pick: impl Fn(&MainAnswer) -> Option<f64>,
    ) -> Self {
        let mut measure = Self::default();
        let (mut means, mut sum) = (Vec::new(), 0.0);
        for subject in people {
            let own: Vec<f64> = subject.answers.iter().filter_map(&pick).collect();
            measure.trials += own.len();
            sum += own.iter().sum::<f64>();
            match stats::mean(&own) {
                Some(mean) => means.push(mean),
                None => measure.left_out += 1,
            }
        }
        measure.people = means.len();
        measure.value = (measure.trials > 0).then(|| sum / measure.trials as f64);
        measure.bar = stats::sem(&means).map(|sem| 2.0 * sem);
        measure
    }

    /// Accuracy in the trials that `about` selects.
    pub fn accuracy<'a>(
        people: impl IntoIterator<Item = &'a Subject>,
        about: impl Fn(&MainAnswer) -> bool,
    ) -> Self {
        Self::of(people, |answer| about(answer).then_some(f64::from(u8::from(answer.correct))))
    }
}
