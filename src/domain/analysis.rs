//! The people that every analysis is about: what was measured on each, a researcher's decision, and the verdict of a policy.
//! Exports, results, figures and the lab's pages are all made of them.

use chrono::{DateTime, Utc};

use super::allocation::Claim;
use super::exclusion::{Criterion, Policy, Verdict, judge};
use super::measures::{Measures, Tally};
use super::participant::Stage;
use super::study::{Group, Mode};
use super::words;

words! {
    /// What a researcher decided about a person, against or beside the rule.
    Decision {
        /// Analysed, whatever the rule says.
        Include = "include",
        /// Not analysed, whatever the rule says.
        Exclude = "exclude",
    }
}

/// A researcher's decision with its reason. The rule's verdict stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// What was decided.
    pub decision: Decision,
    /// Why.
    pub reason: String,
}

/// How often something happened to a person that is noted and judged by nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of its name, which `codebook::people` describes")]
pub struct EventCounts {
    pub fullscreen_exits: i64,
    pub focus_losses: i64,
    pub reloads: i64,
    pub image_failures: i64,
}

/// A person and what was measured, as the database has it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each field is the column of its name, which `codebook::people` describes")]
pub struct AnalysedPerson {
    pub id: uuid::Uuid,
    pub study: String,
    pub study_version: i32,
    pub participant: String,
    pub mode: Mode,
    pub condition: String,
    pub image_set: i32,
    pub slot: Option<i32>,
    pub posting: Option<i32>,
    pub platform: String,
    /// As it reads at the time of the export: somebody whose lease has lapsed counts as expired.
    pub stage: Stage,
    pub last_screen: Option<String>,
    pub group: Group,
    pub late: bool,
    pub clock_discrepancy: Option<f64>,
    pub enrolled_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub measures: Measures,
    pub tally: Tally,
    pub claim: Claim,
    pub end_reason: Option<String>,
    /// None where nobody asked for them: a list of people has no use for them.
    pub events: Option<EventCounts>,
    pub events_dropped: i32,
    pub browser: Option<String>,
    pub system: Option<String>,
    pub screen_width: Option<i32>,
    pub screen_height: Option<i32>,
    pub window_width: Option<i32>,
    pub window_height: Option<i32>,
    pub pixel_ratio: Option<f64>,
    pub feedback: Option<String>,
    /// A researcher's decision, where there is one.
    pub overridden: Option<Override>,
}

/// A person with the verdict of a policy.
#[derive(Debug, Clone)]
pub struct JudgedPerson {
    /// The person.
    pub person: AnalysedPerson,
    /// The verdict; none for somebody who did not complete.
    pub verdict: Option<Verdict>,
}

impl JudgedPerson {
    /// Applies a policy to a person.
    pub fn new(person: AnalysedPerson, policy: &Policy) -> Self {
        let complete = person.stage == Stage::Complete;
        let verdict = complete.then(|| judge(policy, person.group, &person.condition, &person.measures));
        Self { person, verdict }
    }

    /// Whether the person is kept. Only who completed can be; then a researcher's decision comes first, and without one
    /// the rule.
    pub fn kept(&self) -> bool {
        if self.verdict.is_none() {
            return false;
        }
        match &self.person.overridden {
            Some(Override { decision, .. }) => *decision == Decision::Include,
            None => self.kept_by_rule(),
        }
    }

    /// Whether the rule alone would keep the person: every criterion passed, and not surplus.
    pub fn kept_by_rule(&self) -> bool {
        self.verdict.as_ref().is_some_and(Verdict::passed) && !self.surplus()
    }

    /// Whether the person completed without a slot. Whose slot was opened again when a researcher excluded them has none
    /// either, but is excluded.
    pub fn surplus(&self) -> bool {
        let excluded = |decided: &Override| decided.decision == Decision::Exclude;
        self.person.claim == Claim::Surplus && !self.person.overridden.as_ref().is_some_and(excluded)
    }

    /// Whether one criterion holds; none where it is off or the person did not complete.
    pub fn pass(&self, criterion: Criterion) -> Option<bool> {
        self.verdict.as_ref()?.pass(criterion)
    }

    /// Why the person is not kept: failed criteria, `incomplete`, `surplus`.
    pub fn reasons(&self) -> Vec<&'static str> {
        let Some(verdict) = &self.verdict else { return vec!["incomplete"] };
        let failed = verdict.failed().map(Criterion::as_str);
        failed.chain(self.surplus().then_some("surplus")).collect()
    }
}

/// Parts the crowd from the experts, who stand apart in every number.
pub fn apart(people: Vec<JudgedPerson>) -> (Vec<JudgedPerson>, Vec<JudgedPerson>) {
    people.into_iter().partition(|judged| judged.person.group == Group::Crowd)
}
