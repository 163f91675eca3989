//! Previews a policy: who is excluded by which criterion in which condition, and how the accuracy changes. A preview changes
//! nothing in the study.

mod who;

pub use who::{Failing, Moved};

use super::analysis::JudgedPerson;
use super::count;
use super::exclusion::{Bounds, Criterion, Verdict};
use super::measures::Measures;

/// The number of bins of a histogram of times.
const BINS: usize = 24;

/// Whole numbers get a bin each, unless there would be more bins than this.
const MOST_BINS: f64 = 60.0;

/// The effect of one criterion on the people who completed.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The criterion.
    pub criterion: Criterion,
    /// Number of people who fail it, alone or with other criteria.
    pub alone: u32,
    /// Number of people who fail it and none before it, in the order of [`Criterion::ALL`].
    pub in_order: u32,
    /// Number of people who fail it, by condition in the study's order.
    pub by_condition: Vec<u32>,
    /// Its values. None if no person has a value.
    pub histogram: Option<Histogram>,
}

/// The effect of all criteria together in a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The condition's name.
    pub condition: String,
    /// People who completed.
    pub completed: u32,
    /// People who fail no criterion.
    pub pass: u32,
    /// People who fail no criterion, and hold no slot.
    pub surplus: u32,
    /// People whom a researcher's decision keeps against the rule.
    pub included: u32,
    /// People whom a researcher's decision excludes against the rule.
    pub excluded: u32,
    /// People who are kept: those who pass and are not surplus, changed by decisions. Results are made of them.
    pub kept: u32,
    /// Share of main trials answered correctly by all people who completed.
    pub accuracy_of_all: Option<f64>,
    /// ... by those who are kept.
    pub accuracy: Option<f64>,
}

/// Values in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The lowest value.
    pub from: f64,
    /// The highest value.
    pub to: f64,
    /// The lower edge of the first bin, and the upper edge of the last one.
    pub edges: (f64, f64),
    /// The distance of two possible values, if each has a bin of its own and lies in the middle of it.
    pub step: Option<f64>,
    /// The number of people per bin: those who fail no criterion, and those who fail any.
    pub bins: Vec<(u32, u32)>,
}

impl Histogram {
    /// The width of a bin.
    pub fn width(&self) -> f64 {
        (self.edges.1 - self.edges.0) / self.bins.len() as f64
    }

    /// The positions of inclusive bounds. If each value has a bin of its own, they lie between bins that pass and bins that fail.
    pub fn marks(&self, bounds: Bounds) -> impl Iterator<Item = f64> {
        /// Values such as thirds are not exact.
        const ROUNDING_ERROR: f64 = 1e-9;
        let steps = |bound: f64, step: f64| (bound - self.from) / step;
        let low = |bound| {
            self.step.map_or(bound, |s| self.from + ((steps(bound, s) - ROUNDING_ERROR).ceil() - 0.5) * s)
        };
        let high = |bound| {
            self.step.map_or(bound, |s| self.from + ((steps(bound, s) + ROUNDING_ERROR).floor() + 0.5) * s)
        };
        [bounds.min.map(low), bounds.max.map(high)].into_iter().flatten()
    }
}

/// The effect of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The effect of each criterion, in the order of [`Criterion::ALL`].
    pub effects: Vec<Effect>,
    /// The effect in each condition, in the study's order.
    pub groups: Vec<Group>,
}

impl Preview {
    /// The sum of a number over all conditions.
    pub fn sum(&self, of: impl Fn(&Group) -> u32) -> u32 {
        self.groups.iter().map(of).sum()
    }
}

/// Previews the policy under which the people were judged.
pub fn preview(people: &[JudgedPerson], conditions: &[String]) -> Preview {
    let completed: Vec<(&JudgedPerson, &Verdict)> =
        people.iter().filter_map(|person| Some((person, person.verdict.as_ref()?))).collect();
    let effects = Criterion::ALL.iter().map(|criterion| effect(*criterion, &completed, conditions));
    let groups = conditions.iter().map(|condition| group(condition, &completed));
    Preview { effects: effects.collect(), groups: groups.collect() }
}

fn effect(criterion: Criterion, people: &[(&JudgedPerson, &Verdict)], conditions: &[String]) -> Effect {
    let failing: Vec<_> =
        people.iter().filter(|(_, verdict)| verdict.pass(criterion) == Some(false)).collect();
    let first = failing.iter().filter(|(_, verdict)| verdict.failed().next() == Some(criterion));
    let of = |condition: &String| failing.iter().filter(|(p, _)| p.person.condition == *condition).count();
    let values: Vec<(f64, bool)> = people
        .iter()
        .filter_map(|(person, verdict)| Some((criterion.value(&person.person.measures)?, verdict.passed())))
        .collect();
    Effect {
        criterion,
        alone: count(failing.len()),
        in_order: count(first.count()),
        by_condition: conditions.iter().map(|condition| count(of(condition))).collect(),
        histogram: histogram(
            &values,
            step(criterion, people.iter().map(|(judged, _)| &judged.person.measures)),
        ),
    }
}

fn group(condition: &str, people: &[(&JudgedPerson, &Verdict)]) -> Group {
    let all: Vec<_> = people.iter().filter(|(person, _)| person.person.condition == condition).collect();
    let kept: Vec<_> = all.iter().copied().filter(|(person, _)| person.kept()).collect();
    let those = |of: fn(&JudgedPerson, &Verdict) -> bool| {
        count(all.iter().filter(|(person, verdict)| of(person, verdict)).count())
    };
    Group {
        condition: condition.to_owned(),
        completed: count(all.len()),
        pass: those(|_, verdict| verdict.passed()),
        surplus: those(|person, verdict| verdict.passed() && person.surplus()),
        included: those(|person, _| person.kept() && !person.kept_by_rule()),
        excluded: those(|person, _| !person.kept() && person.kept_by_rule()),
        kept: count(kept.len()),
        accuracy_of_all: accuracy(&all),
        accuracy: accuracy(&kept),
    }
}

/// The accuracy, pooled over trials.
fn accuracy(people: &[&(&JudgedPerson, &Verdict)]) -> Option<f64> {
    let sum = |of: fn(&JudgedPerson) -> u32| people.iter().map(|(person, _)| of(person)).sum::<u32>();
    let total = sum(|person| person.person.tally.main_total);
    let correct = sum(|person| person.person.tally.main_correct);
    (total > 0).then(|| f64::from(correct) / f64::from(total))
}

/// The smallest distance of two possible values of a criterion. None where values are continuous.
fn step<'a>(criterion: Criterion, people: impl Iterator<Item = &'a Measures>) -> Option<f64> {
    people.filter_map(criterion.sheet().step).min_by(f64::total_cmp)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "no value is below the first edge, and bins are few"
)]
fn histogram(values: &[(f64, bool)], step: Option<f64>) -> Option<Histogram> {
    let all = || values.iter().map(|(value, _)| *value);
    let from = all().min_by(f64::total_cmp)?;
    let to = all().max_by(f64::total_cmp)?;
    let step = step.filter(|step| (to - from) / step < MOST_BINS);
    let (edges, bins) = match step {
        Some(step) => ((from - step / 2.0, to + step / 2.0), ((to - from) / step).round() as usize + 1),
        // If all people have the same value, it still needs a bin.
        None => ((from, if to > from { to } else { from + 1.0 }), BINS),
    };
    let mut histogram = Histogram { from, to, edges, step, bins: vec![(0, 0); bins] };
    let width = histogram.width();
    for (value, passed) in values {
        let bin = &mut histogram.bins[(((value - edges.0) / width) as usize).min(bins - 1)];
        *(if *passed { &mut bin.0 } else { &mut bin.1 }) += 1;
    }
    Some(histogram)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::allocation::Claim;
    use crate::domain::analysis::{Decision, Override};
    use crate::domain::fixture;

    fn person(condition: &str, total_time: f64, catch_correct: u32, main_correct: u32) -> JudgedPerson {
        let mut person = fixture::person(condition);
        person.measures.total_time = Some(total_time);
        person.measures.catch_correct = catch_correct;
        (person.tally.main_correct, person.tally.main_total) = (main_correct, 18);
        JudgedPerson::new(person, &fixture::policy("as-posted"))
    }

    #[test]
    fn each_criterion_is_counted_alone_and_in_order() {
        let people = [
            person("natural", 400.0, 3, 18),
            person("natural", 1000.0, 0, 9),
            person("natural", 400.0, 0, 9),
            person("none", 1000.0, 3, 6),
        ];
        let preview = preview(&people, &["natural".into(), "none".into()]);
        let of = |criterion| preview.effects.iter().find(|e| e.criterion == criterion).unwrap();
        let (time, catch) = (of(Criterion::TotalTime), of(Criterion::CatchTrials));
        assert_eq!((time.alone, time.in_order, &time.by_condition), (2, 2, &vec![1, 1]));
        assert_eq!((catch.alone, catch.in_order, &catch.by_condition), (2, 1, &vec![2, 0]));
        let natural = &preview.groups[0];
        assert_eq!((natural.completed, natural.pass), (3, 1));
        assert_eq!((natural.accuracy_of_all, natural.accuracy), (Some(36.0 / 54.0), Some(1.0)));
        let none = &preview.groups[1];
        assert_eq!((none.pass, none.accuracy), (0, None), "no person is left");
    }

    #[test]
    fn decisions_and_surplus_explain_the_difference_between_passed_and_kept() {
        let decided = |mut person: JudgedPerson, decision| {
            person.person.overridden = Some(Override { decision, reason: "because".into() });
            person
        };
        let mut surplus = person("natural", 400.0, 3, 9);
        surplus.person.claim = Claim::Surplus;
        let people = [
            person("natural", 400.0, 3, 18),
            surplus.clone(),
            decided(surplus, Decision::Include),
            decided(person("natural", 1000.0, 3, 9), Decision::Include),
            decided(person("natural", 400.0, 3, 0), Decision::Exclude),
            decided(person("natural", 400.0, 3, 18), Decision::Include),
            decided(person("natural", 1000.0, 3, 0), Decision::Exclude),
        ];
        let group = &preview(&people, &["natural".into()]).groups[0];
        assert_eq!((group.completed, group.pass, group.surplus), (7, 5, 2));
        assert_eq!(
            (group.included, group.excluded),
            (2, 1),
            "decisions that the rule agrees with change nothing"
        );
        assert_eq!(group.kept, group.pass - group.surplus + group.included - group.excluded);
        assert_eq!(group.accuracy, Some(54.0 / 72.0), "of the four who are kept");
    }

    #[test]
    fn people_who_did_not_complete_are_ignored() {
        let mut person = fixture::person("none");
        person.stage = crate::domain::participant::Stage::Running;
        let people = [JudgedPerson::new(person, &fixture::policy("as-posted"))];
        assert_eq!(preview(&people, &["none".into()]).groups[0].completed, 0);
    }

    #[test]
    fn a_histogram_of_times_counts_each_person_once_also_at_its_edges() {
        let values: Vec<_> = (0..=48).map(|n| (f64::from(n), n % 2 == 0)).collect();
        let histogram = histogram(&values, None).unwrap();
        let (kept, excluded): (u32, u32) =
            histogram.bins.iter().fold((0, 0), |sum, bin| (sum.0 + bin.0, sum.1 + bin.1));
        assert_eq!((kept, excluded, histogram.edges, histogram.bins.len()), (25, 24, (0.0, 48.0), BINS));
        let same = super::histogram(&[(3.0, true)], None).unwrap();
        assert_eq!((same.bins[0], same.from, same.to), ((1, 0), 3.0, 3.0));
        assert_eq!(super::histogram(&[], None), None);
    }

    #[test]
    fn each_whole_number_has_a_bin_of_its_own_with_the_number_in_its_middle() {
        let values = [(2.0, true), (5.0, false), (2.0, true), (3.0, false)];
        let blocks = histogram(&values, Some(1.0)).unwrap();
        assert_eq!((blocks.edges, &blocks.bins), ((1.5, 5.5), &vec![(2, 0), (0, 1), (0, 0), (0, 1)]));
        let thirds: Vec<_> = (0..=3).map(|n| (f64::from(n) / 3.0, true)).collect();
        assert_eq!(histogram(&thirds, Some(1.0 / 3.0)).unwrap().bins, [(1, 0); 4]);
        let far = histogram(&[(1.0, true), (4e9, true)], Some(1.0)).unwrap();
        assert_eq!((far.bins.len(), far.step), (BINS, None));
    }

    #[test]
    fn the_criteria_know_which_of_their_values_are_whole_numbers() {
        let people = [person("natural", 400.0, 3, 18), person("natural", 500.0, 1, 18)];
        let preview = preview(&people, &["natural".into()]);
        let steps = preview.effects.iter().map(|effect| effect.histogram.as_ref().and_then(|of| of.step));
        assert_eq!(steps.collect::<Vec<_>>(), [None, None, Some(1.0 / 3.0), Some(1.0), Some(1.0), None]);
    }

    #[test]
    fn bounds_lie_between_values_that_pass_and_values_that_fail() {
        let marks = |histogram: &Histogram, min, max| {
            let places = histogram.marks(Bounds { min, max });
            places.map(|at| (at * 1e6).round() / 1e6).collect::<Vec<_>>()
        };
        let thirds: Vec<_> = (0..=3).map(|n| (f64::from(n) / 3.0, true)).collect();
        let thirds = histogram(&thirds, Some(1.0 / 3.0)).unwrap();
        assert_eq!(marks(&thirds, Some(0.6), None), [0.5]);
        assert_eq!(marks(&thirds, Some(2.0 / 3.0), Some(2.0 / 3.0)), [0.5, 0.833_333]);
        let times = histogram(&[(10.0, true), (90.0, true)], None).unwrap();
        assert_eq!(marks(&times, Some(20.0), Some(100.0)), [20.0, 100.0]);
    }
}
