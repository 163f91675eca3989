//! The progress of a study: durations, wages, costs, speed, and where people leave. All numbers are about the crowd, who fill the slots.
//! Experts are counted separately.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::allocation::SlotCounts;
use super::analysis::JudgedPerson;
use super::consort::{Gone, ParticipantStatus};
use super::count;
use super::stats;
use super::study::{StudyDefinition, Usd};

/// The speed is computed from the people kept within this time.
const RECENT: TimeDelta = TimeDelta::hours(1);

/// While nothing happens, the speed falls in steps of so many s, so that open pages need no updates in between.
const STEP_S: i64 = 300;

/// The durations and costs of a condition.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConditionProgress {
    /// The median time from Welcome to Submit of all people who completed, including waits for images, in s.
    pub median_s: Option<f64>,
    /// The pay per hour at that time, in USD.
    pub hourly_usd: Option<f64>,
    /// The number of people to be paid so far.
    pub paid: u32,
    /// The sum of pay so far, in cents.
    pub cost_cents: u64,
    /// The expected pay until all slots are filled, in cents, if the share of kept people stays the same. None before a person is kept.
    pub to_come_cents: Option<f64>,
}

/// The progress of a study.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// The progress of each condition, in the study's order.
    pub conditions: Vec<ConditionProgress>,
    /// The experts of all conditions. None if no expert took part. They have no pay per hour, because the pay differs between conditions,
    /// and no expected pay, because they fill no slots.
    pub experts: Option<ConditionProgress>,
    /// The time of these numbers: the last consent or completion, or the last full five minutes.
    pub as_of: DateTime<Utc>,
    /// The median time from Welcome to Submit of all people who completed, including waits for images, in s.
    pub median_s: Option<f64>,
    /// The number of people kept per hour, over the last hour or since the first consent if that is later.
    pub kept_per_hour: Option<f64>,
    /// The time when all slots are filled at this speed.
    pub expected_end: Option<DateTime<Utc>>,
    /// The people who have gone without completing.
    pub gone: Gone,
    /// The number of people who completed, by their number of wrong catch trials.
    pub catch_failures: BTreeMap<u32, u32>,
    /// The times of consent, in order.
    pub consents: Vec<DateTime<Utc>>,
    /// The times of completion, in order.
    pub completions: Vec<DateTime<Utc>>,
    /// The times of completion of the kept people, in order.
    pub kept: Vec<DateTime<Utc>>,
}

impl Progress {
    /// Computes the progress from all people of a mode. `slots` are by condition in the study's order.
    pub fn new(
        people: &[JudgedPerson],
        experts: &[JudgedPerson],
        definition: &StudyDefinition,
        slots: &[SlotCounts],
        now: DateTime<Utc>,
    ) -> Self {
        let mut progress = Self::default();
        people.iter().for_each(|person| progress.count(person));
        for times in [&mut progress.consents, &mut progress.completions, &mut progress.kept] {
            times.sort_unstable();
        }
        progress.as_of = progress.rounded(now);
        progress.median_s = median_s(people.iter());
        for (condition, slots) in definition.conditions.iter().zip(slots) {
            let own = people.iter().filter(|judged| judged.person.condition == condition.name);
            progress.conditions.push(of_condition(&own.collect::<Vec<_>>(), condition.pay_usd, slots));
        }
        progress.experts = (!experts.is_empty()).then(|| of_experts(experts, definition));
        let missing: u32 = slots.iter().map(|slots| slots.open + slots.running).sum();
        progress.kept_per_hour = progress.speed();
        progress.expected_end = progress.kept_per_hour.and_then(|speed| {
            let seconds = f64::from(missing) / speed * 3600.0;
            // An end more than a year away says nothing.
            let soon = missing > 0 && seconds < 365.0 * 86_400.0;
            soon.then(|| progress.as_of + Duration::from_secs_f64(seconds.trunc()))
        });
        progress
    }

    fn count(&mut self, judged: &JudgedPerson) {
        let person = &judged.person;
        self.consents.push(person.enrolled_at);
        self.completions.extend(person.completed_at);
        if judged.kept() {
            self.kept.extend(person.completed_at);
        }
        self.gone.count(person);
        if ParticipantStatus::of(person) == ParticipantStatus::Completed {
            let wrong = person.measures.catch_total - person.measures.catch_correct;
            *self.catch_failures.entry(wrong).or_default() += 1;
        }
    }

    fn rounded(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let full = now.timestamp() - now.timestamp().rem_euclid(STEP_S);
        let full = DateTime::from_timestamp(full, 0).unwrap_or(now);
        let last = self.consents.last().max(self.completions.last());
        last.map_or(full, |last| full.max(*last))
    }

    fn speed(&self) -> Option<f64> {
        let first = *self.consents.first()?;
        let from = first.max(self.as_of - RECENT);
        let hours = (self.as_of - from).as_seconds_f64() / 3600.0;
        let recent = self.kept.iter().filter(|at| **at >= from).count();
        (hours > 0.0 && recent > 0).then(|| recent as f64 / hours)
    }

    /// The sum of pay so far, in cents.
    pub fn cost_cents(&self) -> u64 {
        self.conditions.iter().map(|condition| condition.cost_cents).sum()
    }

    /// The expected pay until all slots are filled, in cents. None as long as it is unknown for a condition.
    pub fn to_come_cents(&self) -> Option<f64> {
        self.conditions.iter().map(|condition| condition.to_come_cents).sum()
    }
}

fn median_s<'a>(people: impl Iterator<Item = &'a JudgedPerson>) -> Option<f64> {
    let completed =
        people.filter(|judged| ParticipantStatus::of(&judged.person) == ParticipantStatus::Completed);
    let times: Vec<f64> = completed.filter_map(|judged| judged.person.measures.elapsed_time).collect();
    stats::median(&times)
}

fn is_paid(judged: &JudgedPerson) -> bool {
    matches!(
        ParticipantStatus::of(&judged.person),
        ParticipantStatus::Completed | ParticipantStatus::ScreenedOut
    )
}

fn of_experts(people: &[JudgedPerson], definition: &StudyDefinition) -> ConditionProgress {
    let paid = people.iter().filter(|judged| is_paid(judged));
    let pay = paid.clone().filter_map(|judged| definition.condition(&judged.person.condition));
    ConditionProgress {
        median_s: median_s(people.iter()),
        paid: count(paid.count()),
        cost_cents: pay.map(|condition| u64::from(condition.pay_usd.cents)).sum(),
        ..ConditionProgress::default()
    }
}

fn of_condition(people: &[&JudgedPerson], pay: Usd, slots: &SlotCounts) -> ConditionProgress {
    let paid = count(people.iter().filter(|judged| is_paid(judged)).count());
    let kept = count(people.iter().filter(|judged| judged.kept()).count());
    let median = median_s(people.iter().copied());
    let missing = slots.open + slots.running;
    let per_kept = (kept > 0).then(|| f64::from(paid) / f64::from(kept));
    let to_come = if missing == 0 {
        Some(0.0)
    } else {
        per_kept.map(|n| n * f64::from(missing) * f64::from(pay.cents))
    };
    ConditionProgress {
        median_s: median,
        hourly_usd: median.filter(|s| *s > 0.0).map(|s| f64::from(pay) * 3600.0 / s),
        paid,
        cost_cents: u64::from(paid) * u64::from(pay.cents),
        to_come_cents: to_come,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{self, at};
    use crate::domain::participant::Stage;
    use crate::domain::screen::{Part, Screen};
    use crate::domain::study::Group;

    fn person(condition: &str, elapsed_s: f64, catch_correct: u32, completed: f64) -> JudgedPerson {
        let mut person = fixture::person(condition);
        (person.measures.elapsed_time, person.measures.catch_correct) = (Some(elapsed_s), catch_correct);
        // Criteria judge another time, which must not change the medians.
        person.measures.total_time = Some(100.0);
        (person.enrolled_at, person.completed_at) = (at(0.0), Some(at(completed)));
        JudgedPerson::new(person, &fixture::policy("as-posted"))
    }

    fn left(screen: &str) -> JudgedPerson {
        let mut judged = person("natural", 100.0, 3, 0.0);
        (judged.person.stage, judged.person.last_screen) = (Stage::Expired, Some(screen.into()));
        (judged.person.completed_at, judged.verdict) = (None, None);
        judged
    }

    fn slots(open: u32) -> SlotCounts {
        SlotCounts { open, ..SlotCounts::default() }
    }

    #[test]
    fn wages_costs_and_the_expected_end_are_computed_from_the_kept_people() {
        let people = [
            person("natural", 300.0, 3, 600.0),
            person("natural", 500.0, 0, 700.0),
            person("natural", 400.0, 3, 1200.0),
            left("main:7"),
            left("practice:1:1"),
        ];
        let definition = fixture::definition();
        let at_natural = definition.conditions.iter().position(|c| c.name == "natural").unwrap();
        let mut counts = vec![slots(0); definition.conditions.len()];
        counts[at_natural] = slots(4);
        let progress = Progress::new(&people, &[], &definition, &counts, at(1800.0));
        let natural = &progress.conditions[at_natural];
        assert_eq!((natural.median_s, natural.paid, natural.cost_cents), (Some(400.0), 3, 3 * 195));
        assert!((natural.hourly_usd.unwrap() - 1.95 * 9.0).abs() < 1e-9);
        // 2 of 3 people were kept, so 4 slots need 6 more people.
        assert!((progress.to_come_cents().unwrap() - 6.0 * 195.0).abs() < 1e-9);
        // 2 people were kept in half an hour, so 4 more take an hour.
        assert!((progress.kept_per_hour.unwrap() - 4.0).abs() < 1e-9);
        assert_eq!(progress.expected_end, Some(at(1800.0 + 3600.0)));
        let one = |screen: &str| BTreeMap::from([(Screen::new(Some(screen)), 1)]);
        let left = BTreeMap::from([(Part::Practice, one("practice:1:1")), (Part::Main, one("main:7"))]);
        assert_eq!((&progress.gone.left, progress.gone.in_all()), (&left, 2));
        assert_eq!(progress.catch_failures, BTreeMap::from([(0, 2), (3, 1)]));
        assert_eq!((progress.consents.len(), progress.completions.len(), progress.kept.len()), (5, 3, 2));
    }

    #[test]
    fn experts_are_counted_separately_and_change_no_other_number() {
        let definition = fixture::definition();
        let counts = vec![slots(1); definition.conditions.len()];
        let crowd = [person("natural", 300.0, 3, 600.0)];
        let mut experts =
            [person("natural", 900.0, 3, 700.0), person("none", 500.0, 0, 800.0), left("main:7")];
        experts.iter_mut().for_each(|expert| expert.person.group = Group::Expert);
        let with = Progress::new(&crowd, &experts, &definition, &counts, at(1800.0));
        let line = with.experts.clone().unwrap();
        assert_eq!((line.median_s, line.paid, line.cost_cents), (Some(700.0), 2, 195 + 70));
        let alone = Progress::new(&crowd, &[], &definition, &counts, at(1800.0));
        assert_eq!(Progress { experts: None, ..with }, alone);
    }

    #[test]
    fn before_a_person_is_kept_no_costs_or_end_are_predicted() {
        let definition = fixture::definition();
        let counts = vec![slots(2); definition.conditions.len()];
        let empty = Progress::new(&[], &[], &definition, &counts, at(0.0));
        assert_eq!((empty.median_s, empty.expected_end, empty.to_come_cents()), (None, None, None));
        let failed = Progress::new(&[person("none", 300.0, 0, 60.0)], &[], &definition, &counts, at(120.0));
        assert_eq!((failed.kept_per_hour, failed.cost_cents()), (None, 70));
        let full = Progress::new(&[], &[], &definition, &[slots(0); 5], at(0.0));
        assert_eq!(full.to_come_cents(), Some(0.0));
    }

    #[test]
    fn the_speed_is_that_of_the_last_hour() {
        let definition = fixture::definition();
        let counts = vec![slots(1); definition.conditions.len()];
        let people = [person("none", 300.0, 3, 600.0), person("none", 300.0, 3, 9_000.0)];
        let progress = Progress::new(&people, &[], &definition, &counts, at(10_800.0));
        assert!((progress.kept_per_hour.unwrap() - 1.0).abs() < 1e-9);
        let idle = Progress::new(&people, &[], &definition, &counts, at(20_000.0));
        assert_eq!((idle.kept_per_hour, idle.expected_end), (None, None));
    }

    #[test]
    fn while_nothing_happens_nothing_changes_for_five_minutes() {
        let definition = fixture::definition();
        let counts = vec![slots(1); definition.conditions.len()];
        let people = [person("none", 300.0, 3, 610.0)];
        let at = |seconds| Progress::new(&people, &[], &definition, &counts, at(seconds));
        assert_eq!((at(611.0), at(611.0).as_of), (at(899.0), fixture::at(610.0)));
        assert_eq!((at(900.0), at(900.0).as_of), (at(1199.0), fixture::at(900.0)));
        assert!(at(900.0).kept_per_hour < at(611.0).kept_per_hour);
    }
}
