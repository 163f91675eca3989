//! The main trials of kept people, by person.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::LEAST_FOR_INTERVAL;
use crate::domain::stats;
use crate::domain::study::Group;

/// The baselines whose decisions a trial may hold, in the order of [`MainAnswer::baselines`].
pub const BASELINES: [&str; 4] = ["Center", "Variance", "Saliency", "Object"];

/// A main trial that somebody answered.
#[derive(Debug, Clone, PartialEq)]
pub struct MainAnswer {
    /// Who.
    pub person: Uuid,
    /// Crowd or expert.
    pub group: Group,
    /// Their condition.
    pub condition: String,
    /// Their image set, from 0.
    pub image_set: i32,
    /// The trial's place in the study's table: units stand in the order of their first trials.
    pub place: i64,
    /// The unit that the trial is about.
    pub unit: String,
    /// The unit's layer.
    pub layer: String,
    /// The unit's branch.
    pub branch: String,
    /// Whether the max query was chosen.
    pub correct: bool,
    /// The label that was pressed, from 1.
    pub confidence: u8,
    /// Reaction time in ms; none if the page was hidden.
    pub rt: Option<f64>,
    /// Relative activation difference; none where the base image does not activate the unit, or nothing is known.
    pub difference: Option<f64>,
    /// Whether each baseline chose the max query, where it is known.
    pub baselines: [Option<bool>; BASELINES.len()],
}

/// A person with all their main trials, in the order of the units' names.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Their image set.
    pub image_set: i32,
    /// What they answered.
    pub answers: Vec<MainAnswer>,
}

/// Kept people of one group, by condition in the study's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// People of each condition.
    pub conditions: Vec<Vec<Subject>>,
}

impl Sample {
    /// Sorts answers of a group to the people who gave them.
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

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.conditions.iter().all(Vec::is_empty)
    }

    /// Whether a condition has people enough for an interval.
    pub fn makes_intervals(&self, condition: usize) -> bool {
        self.conditions[condition].len() >= LEAST_FOR_INTERVAL
    }

    /// Every answer.
    pub fn answers(&self) -> impl Iterator<Item = (usize, &MainAnswer)> {
        self.conditions.iter().enumerate().flat_map(|(condition, people)| {
            people
                .iter()
                .flat_map(move |subject| subject.answers.iter().map(move |answer| (condition, answer)))
        })
    }
}

impl Subject {
    /// Share of main trials answered correctly.
    pub fn accuracy(&self) -> Option<f64> {
        let right: Vec<f64> = self.answers.iter().map(|answer| f64::from(u8::from(answer.correct))).collect();
        stats::mean(&right)
    }
}

/// The answers of those groups, crowd or experts, of whom every condition has at least two people. While letters stand for
/// conditions, a value or an error bar that is missing would tell which of them has nobody, or one person only.
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
    /// Pooled over all trials that it is about; none without any.
    pub value: Option<f64>,
    /// 2 standard errors over people's own means; none for fewer than two people.
    pub bar: Option<f64>,
    /// People with at least one such trial.
    pub people: usize,
    /// People without any, who are left out of the bar.
    pub left_out: usize,
    /// Such trials.
    pub trials: usize,
}

impl MeanWithError {
    /// Measures people by what `pick` makes of each of their trials; none for a trial that it is not about.
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

    /// Accuracy on the trials that `about` picks.
    pub fn accuracy<'a>(
        people: impl IntoIterator<Item = &'a Subject>,
        about: impl Fn(&MainAnswer) -> bool,
    ) -> Self {
        Self::of(people, |answer| about(answer).then_some(f64::from(u8::from(answer.correct))))
    }
}
