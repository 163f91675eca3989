//! Counts the participants of a study as the CONSORT statement asks papers to show them: each person who consented is in exactly one
//! place. All pages use these counts, for crowd and experts separately.

use std::collections::BTreeMap;

use super::analysis::{AnalysedPerson, Decision, JudgedPerson};
use super::exclusion::Criterion;
use super::gate::Arrival;
use super::participant::{EndReason, Stage};
use super::screen::{Part, Screen};

/// The status of a person who consented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParticipantStatus {
    /// The person has not seen Welcome yet.
    Arriving,
    /// The person left, or did not return, before Welcome.
    NeverStarted,
    /// The person saw Welcome and is taking part.
    AtWork,
    /// The person left, or did not return, after Welcome.
    Left,
    /// The person took the offer to end after too many practice blocks.
    ScreenedOut,
    /// The person asked for their data to be deleted.
    Withdrawn,
    /// The person reached the end.
    Completed,
}

impl ParticipantStatus {
    /// The status that follows from a stage, whether the person saw Welcome, and how the participation ended.
    pub fn new(stage: Stage, started: bool, end_reason: Option<&str>) -> Self {
        match stage {
            Stage::Complete => Self::Completed,
            Stage::Withdrawn => Self::Withdrawn,
            Stage::Abandoned if end_reason == Some(EndReason::ScreenedOut.as_str()) => Self::ScreenedOut,
            Stage::Abandoned | Stage::Expired if started => Self::Left,
            Stage::Abandoned | Stage::Expired => Self::NeverStarted,
            Stage::Consented | Stage::Instructed | Stage::Practised | Stage::Running if started => {
                Self::AtWork
            }
            Stage::Consented | Stage::Instructed | Stage::Practised | Stage::Running => Self::Arriving,
        }
    }

    /// The status of a person.
    pub fn of(person: &AnalysedPerson) -> Self {
        Self::new(person.stage, person.started_at.is_some(), person.end_reason.as_deref())
    }

    /// Whether the person has left without completing.
    pub const fn has_gone(self) -> bool {
        matches!(self, Self::NeverStarted | Self::Left | Self::ScreenedOut | Self::Withdrawn)
    }
}

/// Numbers of people who have left without completing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gone {
    /// People who left before Welcome.
    pub never_started: u64,
    /// People who left after Welcome, by the screen on which they were seen last.
    pub left: BTreeMap<Part, BTreeMap<Screen, u64>>,
    /// People who ended after too many practice blocks.
    pub screened_out: u64,
    /// People who asked for their data to be deleted.
    pub withdrawn: u64,
}

impl Gone {
    /// Counts a person if they have left.
    pub fn count(&mut self, person: &AnalysedPerson) {
        match ParticipantStatus::of(person) {
            ParticipantStatus::NeverStarted => self.never_started += 1,
            ParticipantStatus::Left => {
                let screen = Screen::new(person.last_screen.as_deref());
                *self.left.entry(screen.part()).or_default().entry(screen).or_default() += 1;
            }
            ParticipantStatus::ScreenedOut => self.screened_out += 1,
            ParticipantStatus::Withdrawn => self.withdrawn += 1,
            ParticipantStatus::Arriving | ParticipantStatus::AtWork | ParticipantStatus::Completed => {}
        }
    }

    /// People who left after Welcome, by part.
    pub fn left_by_part(&self) -> impl Iterator<Item = (Part, u64)> {
        self.left.iter().map(|(part, screens)| (*part, screens.values().sum()))
    }

    /// All people who saw Welcome and have left.
    pub fn after_welcome(&self) -> u64 {
        self.left_by_part().map(|(_, n)| n).sum::<u64>() + self.screened_out + self.withdrawn
    }

    /// All people who have left.
    pub fn in_all(&self) -> u64 {
        self.never_started + self.after_welcome()
    }
}

/// How many people reached each step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsortFlow {
    /// Visits before consent, by how they ended. Visits are anonymous: one person may come several times.
    pub visits: BTreeMap<Arrival, u64>,
    /// People who consented.
    pub consented: u64,
    /// People who consented and have not seen Welcome yet.
    pub arriving: u64,
    /// People who are taking part.
    pub at_work: u64,
    /// People who have left.
    pub gone: Gone,
    /// People who completed.
    pub completed: u64,
    /// Completed people who are excluded, by the first criterion that they failed, in the order of [`Criterion::ALL`].
    pub excluded: BTreeMap<Criterion, u64>,
    /// People who passed, and are excluded by a researcher's decision.
    pub excluded_by_decision: u64,
    /// People who passed, but found no open slot.
    pub surplus: u64,
    /// People who are analysed by a researcher's decision against the rule. They are among the analysed.
    pub included_by_decision: u64,
    /// People who are analysed, by condition in the study's order.
    pub analysed: Vec<(String, u64)>,
}

impl ConsortFlow {
    /// Counts visits and people.
    pub fn new(visits: BTreeMap<Arrival, u64>, people: &[JudgedPerson], conditions: &[String]) -> Self {
        let analysed = conditions.iter().map(|condition| (condition.clone(), 0)).collect();
        let mut flow = Self { visits, analysed, ..Self::default() };
        people.iter().for_each(|person| flow.count(person));
        flow
    }

    fn count(&mut self, judged: &JudgedPerson) {
        self.consented += 1;
        match ParticipantStatus::of(&judged.person) {
            ParticipantStatus::Arriving => self.arriving += 1,
            ParticipantStatus::AtWork => self.at_work += 1,
            ParticipantStatus::Completed => self.count_completed(judged),
            ParticipantStatus::NeverStarted
            | ParticipantStatus::Left
            | ParticipantStatus::ScreenedOut
            | ParticipantStatus::Withdrawn => {
                self.gone.count(&judged.person);
            }
        }
    }

    fn count_completed(&mut self, judged: &JudgedPerson) {
        self.completed += 1;
        let first_failed = judged.verdict.as_ref().and_then(|verdict| verdict.failed().next());
        let by_rule = first_failed.is_some() || judged.surplus();
        let decision = judged.person.overridden.as_ref().map(|overridden| overridden.decision);
        if judged.kept() {
            self.included_by_decision += u64::from(by_rule);
            let own = self.analysed.iter_mut().find(|(condition, _)| *condition == judged.person.condition);
            if let Some((_, n)) = own {
                *n += 1;
            }
        } else if let Some(criterion) = first_failed {
            *self.excluded.entry(criterion).or_default() += 1;
        } else if decision == Some(Decision::Exclude) {
            self.excluded_by_decision += 1;
        } else {
            self.surplus += 1;
        }
    }

    /// The same flow with a line for everything that the other flow has, so that both have the same lines.
    pub fn beside(mut self, other: &Self) -> Self {
        other.visits.keys().for_each(|arrival| _ = self.visits.entry(*arrival).or_default());
        other.excluded.keys().for_each(|criterion| _ = self.excluded.entry(*criterion).or_default());
        for (part, screens) in &other.gone.left {
            let own = self.gone.left.entry(*part).or_default();
            screens.keys().for_each(|screen| _ = own.entry(screen.clone()).or_default());
        }
        self
    }

    /// The number of visits that ended in this way.
    pub fn visited(&self, arrival: Arrival) -> u64 {
        self.visits.get(&arrival).copied().unwrap_or(0)
    }

    /// The number of visits that ended before the consent page.
    pub fn turned_away(&self) -> u64 {
        self.visits.iter().filter(|(arrival, _)| !arrival.saw_consent()).map(|(_, n)| n).sum()
    }

    /// The number of visits that saw the consent text. Those who decided have seen it, even if another client showed it.
    pub fn saw_consent(&self) -> u64 {
        self.visited(Arrival::Arrived).max(self.decided())
    }

    /// The number of visits that saw the consent page, and neither consented nor were refused for a counted reason.
    pub fn undecided(&self) -> u64 {
        self.saw_consent() - self.decided()
    }

    fn decided(&self) -> u64 {
        let refused = [Arrival::Declined, Arrival::Unsuitable, Arrival::Full];
        self.consented + refused.map(|arrival| self.visited(arrival)).iter().sum::<u64>()
    }

    /// The number of all visits.
    pub fn visits_in_all(&self) -> u64 {
        self.turned_away() + self.saw_consent()
    }

    /// The number of people who saw Welcome.
    pub fn started(&self) -> u64 {
        self.consented - self.arriving - self.gone.never_started
    }

    /// The number of people who completed and are not analysed.
    pub fn excluded_in_all(&self) -> u64 {
        self.excluded.values().sum::<u64>() + self.excluded_by_decision + self.surplus
    }

    /// The number of people who are analysed.
    pub fn analysed_in_all(&self) -> u64 {
        self.analysed.iter().map(|(_, n)| n).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::analysis::Override;
    use crate::domain::fixture;

    fn judged(change: impl FnOnce(&mut crate::domain::analysis::AnalysedPerson)) -> JudgedPerson {
        let mut person = fixture::person("natural");
        person.started_at = Some(fixture::at(1.0));
        change(&mut person);
        JudgedPerson::new(person, &fixture::policy("as-posted"))
    }

    fn decided(decision: Decision) -> Option<Override> {
        Some(Override { decision, reason: "because".into() })
    }

    #[test]
    fn each_person_is_counted_in_exactly_one_place() {
        let people = [
            judged(|_| ()),
            judged(|person| (person.stage, person.started_at) = (Stage::Expired, None)),
            judged(|person| (person.stage, person.started_at) = (Stage::Consented, None)),
            judged(|person| person.stage = Stage::Running),
            judged(|person| (person.stage, person.last_screen) = (Stage::Expired, Some("main:4".into()))),
            judged(|person| {
                (person.stage, person.last_screen) = (Stage::Abandoned, Some("practice:1:2".into()))
            }),
            judged(|person| {
                (person.stage, person.end_reason) = (Stage::Abandoned, Some("screened_out".into()));
            }),
            judged(|person| (person.stage, person.started_at) = (Stage::Withdrawn, None)),
            judged(|person| person.measures.catch_correct = 0),
            judged(|person| (person.measures.catch_correct, person.measures.total_time) = (0, Some(5.0))),
            judged(|person| person.claim = crate::domain::allocation::Claim::Surplus),
            judged(|person| person.overridden = decided(Decision::Exclude)),
            judged(|person| {
                (person.measures.catch_correct, person.overridden) = (0, decided(Decision::Include));
            }),
        ];
        let flow = ConsortFlow::new(BTreeMap::new(), &people, &["natural".into(), "none".into()]);
        assert_eq!((flow.consented, flow.arriving, flow.started(), flow.at_work), (13, 1, 11, 1));
        let one = |screen: &str| BTreeMap::from([(Screen::new(Some(screen)), 1)]);
        assert_eq!(
            flow.gone,
            Gone {
                never_started: 1,
                left: BTreeMap::from([(Part::Main, one("main:4")), (Part::Practice, one("practice:1:2"))]),
                screened_out: 1,
                withdrawn: 1,
            }
        );
        assert_eq!((flow.completed, flow.gone.in_all()), (6, 5));
        assert_eq!(flow.excluded, BTreeMap::from([(Criterion::TotalTime, 1), (Criterion::CatchTrials, 1)]));
        assert_eq!((flow.surplus, flow.excluded_by_decision, flow.included_by_decision), (1, 1, 1));
        assert_eq!(flow.analysed, [("natural".into(), 2), ("none".into(), 0)]);
        assert_eq!(flow.started(), flow.at_work + flow.gone.after_welcome() + flow.completed);
        assert_eq!(flow.completed, flow.analysed_in_all() + flow.excluded_in_all());
    }

    #[test]
    fn visits_are_split_by_the_consent_page_and_the_decision() {
        let counts =
            [(5, Arrival::Arrived), (1, Arrival::Declined), (1, Arrival::Full), (1, Arrival::Unsuitable)];
        let turned_away = [Arrival::Preview, Arrival::AlreadyTookPart, Arrival::Incomplete, Arrival::Closed];
        let mut visits: BTreeMap<_, _> = counts.map(|(n, arrival)| (arrival, n)).into();
        visits.extend(turned_away.map(|arrival| (arrival, 2)));
        let flow = |visits, people: &[JudgedPerson]| ConsortFlow::new(visits, people, &["natural".into()]);
        let one = flow(visits.clone(), &[judged(|_| ())]);
        assert_eq!(
            (one.visits_in_all(), one.turned_away(), one.saw_consent(), one.undecided()),
            (13, 8, 5, 1)
        );
        let elsewhere = flow(BTreeMap::from([(Arrival::Full, 1)]), &[judged(|_| ())]);
        assert_eq!((elsewhere.saw_consent(), elsewhere.undecided()), (2, 0), "another client shows the text");
    }
}
