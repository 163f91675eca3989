//! The flow of participants through a study, as the CONSORT statement asks papers to show it: everybody who consented stands in
//! exactly one place.

use std::collections::BTreeMap;

use super::codebook::people::{Decision, JudgedPerson};
use super::exclusion::Criterion;
use super::gate::Arrival;
use super::participant::Stage;

/// How many people got how far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    /// Visits before consent, by how they ended. Visits are anonymous: one person may come several times.
    pub visits: BTreeMap<Arrival, u64>,
    /// People who consented.
    pub consented: u64,
    /// ... and never saw Welcome.
    pub never_started: u64,
    /// People who saw Welcome.
    pub started: u64,
    /// ... and are still at work.
    pub at_work: u64,
    /// ... or were screened out after too many practice blocks.
    pub screened_out: u64,
    /// ... or left, or did not return, by the part of the study in which they were seen last.
    pub abandoned: BTreeMap<String, u64>,
    /// ... or asked for their data to be deleted.
    pub withdrawn: u64,
    /// ... or completed.
    pub completed: u64,
    /// Excluded by the first criterion that they failed, in the order of [`Criterion::ALL`].
    pub excluded: BTreeMap<Criterion, u64>,
    /// Excluded by a researcher's decision, though they passed.
    pub excluded_by_decision: u64,
    /// Passed, without a place.
    pub surplus: u64,
    /// Analysed because a researcher decided so, though the rule says otherwise; they are among the analysed.
    pub included_by_decision: u64,
    /// Analysed, by condition in the study's order.
    pub analysed: Vec<(String, u64)>,
}

impl Flow {
    /// Counts visits and people.
    pub fn new(visits: BTreeMap<Arrival, u64>, people: &[JudgedPerson], conditions: &[String]) -> Self {
        let analysed = conditions.iter().map(|condition| (condition.clone(), 0)).collect();
        let mut flow = Self { visits, analysed, ..Self::default() };
        people.iter().for_each(|person| flow.count(person));
        flow
    }

    fn count(&mut self, judged: &JudgedPerson) {
        let person = &judged.person;
        self.consented += 1;
        if person.started_at.is_none() && !person.stage.is_withdrawn() {
            self.never_started += 1;
            return;
        }
        self.started += 1;
        match person.stage {
            Stage::Complete => self.count_completed(judged),
            Stage::Withdrawn => self.withdrawn += 1,
            Stage::Abandoned if person.end_reason.as_deref() == Some("screened_out") => {
                self.screened_out += 1
            }
            Stage::Abandoned | Stage::Expired => {
                *self.abandoned.entry(part(person.last_screen.as_deref()).into()).or_default() += 1;
            }
            Stage::Consented | Stage::Instructed | Stage::Practised | Stage::Running => self.at_work += 1,
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

    /// People who did not complete after they had started, and will not.
    pub fn abandoned_in_all(&self) -> u64 {
        self.abandoned.values().sum::<u64>() + self.screened_out + self.withdrawn
    }

    /// People who completed and are not analysed.
    pub fn excluded_in_all(&self) -> u64 {
        self.excluded.values().sum::<u64>() + self.excluded_by_decision + self.surplus
    }

    /// People who are analysed.
    pub fn analysed_in_all(&self) -> u64 {
        self.analysed.iter().map(|(_, n)| n).sum()
    }
}

/// The part of the study that a screen belongs to: `practice:2:3` is in `practice`.
pub fn part(screen: Option<&str>) -> &'static str {
    match screen.map(|screen| screen.split(':').next().unwrap_or_default()) {
        Some("load" | "window" | "welcome" | "instructions") => "instructions",
        Some("fullscreen") => "fullscreen",
        Some("practice") => "practice",
        Some("main" | "welcome_back") => "main trials",
        Some("feedback" | "submit") => "feedback",
        _ => "elsewhere",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::codebook::people::Override;
    use crate::domain::fixture;

    fn judged(change: impl FnOnce(&mut crate::domain::codebook::people::Person)) -> JudgedPerson {
        let mut person = fixture::person("natural");
        person.started_at = Some(fixture::at(1.0));
        change(&mut person);
        JudgedPerson::new(person, &fixture::policy("as-posted"))
    }

    fn decided(decision: Decision) -> Option<Override> {
        Some(Override { decision, reason: "because".into() })
    }

    #[test]
    fn everybody_stands_in_exactly_one_place() {
        let people = [
            judged(|_| ()),
            judged(|person| person.started_at = None),
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
        let flow = Flow::new(BTreeMap::new(), &people, &["natural".into(), "none".into()]);
        assert_eq!((flow.consented, flow.never_started, flow.started, flow.at_work), (12, 1, 11, 1));
        assert_eq!(flow.abandoned, BTreeMap::from([("main trials".into(), 1), ("practice".into(), 1)]));
        assert_eq!((flow.screened_out, flow.withdrawn, flow.completed), (1, 1, 6));
        assert_eq!(flow.excluded, BTreeMap::from([(Criterion::TotalTime, 1), (Criterion::CatchTrials, 1)]));
        assert_eq!((flow.surplus, flow.excluded_by_decision, flow.included_by_decision), (1, 1, 1));
        assert_eq!(flow.analysed, [("natural".into(), 2), ("none".into(), 0)]);
        assert_eq!(flow.started, flow.at_work + flow.abandoned_in_all() + flow.completed);
        assert_eq!(flow.completed, flow.analysed_in_all() + flow.excluded_in_all());
    }

    #[test]
    fn screens_belong_to_parts() {
        assert_eq!(part(Some("instructions:12")), "instructions");
        assert_eq!(part(Some("main")), "main trials");
        assert_eq!((part(None), part(Some("superseded"))), ("elsewhere", "elsewhere"));
    }
}
