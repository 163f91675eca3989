//! The people of every analysis, each with their measurements, a researcher's decision, and the verdict of a policy. Exports, results,
//! figures and the lab's pages are made from them.

use chrono::{DateTime, Utc};

use super::allocation::Claim;
use super::exclusion::{Criterion, Policy, Verdict, judge};
use super::measures::{Measures, Tally};
use super::participant::Stage;
use super::study::{Group, Mode};
use super::words;

words! {
    /// A researcher's decision about a person, which comes before the policy's verdict.
    Decision {
        /// The person is analysed, even if the policy excludes them.
        Include = "include",
        /// The person is not analysed, even if the policy keeps them.
        Exclude = "exclude",
    }
}

/// A researcher's decision with its reason. It does not change the policy's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Whether to include or exclude the person.
    pub decision: Decision,
    /// The reason that the researcher gave.
    pub reason: String,
}

/// The number of some events of a person. They are recorded, but no criterion uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the column of its name, which `codebook::people` describes")]
pub struct EventCounts {
    pub fullscreen_exits: i64,
    pub focus_losses: i64,
    pub reloads: i64,
    pub image_failures: i64,
}

/// A person with their measurements, as the store reads them.
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
    /// The stage at the time of the export. A person whose lease has lapsed counts as expired.
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
    /// None if they were not counted, because a list of people does not need them.
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
    /// A researcher's decision, if there is one.
    pub overridden: Option<Override>,
}

/// A person with the verdict of a policy.
#[derive(Debug, Clone)]
pub struct JudgedPerson {
    /// The judged person.
    pub person: AnalysedPerson,
    /// The policy's verdict. None if the person did not complete.
    pub verdict: Option<Verdict>,
}

impl JudgedPerson {
    /// Applies a policy to a person.
    pub fn new(person: AnalysedPerson, policy: &Policy) -> Self {
        let complete = person.stage == Stage::Complete;
        let verdict = complete.then(|| judge(policy, person.group, &person.condition, &person.measures));
        Self { person, verdict }
    }

    /// Whether the person is kept. A person who did not complete is not. Otherwise a researcher's decision decides, or else the policy.
    pub fn kept(&self) -> bool {
        if self.verdict.is_none() {
            return false;
        }
        match &self.person.overridden {
            Some(Override { decision, .. }) => *decision == Decision::Include,
            None => self.kept_by_rule(),
        }
    }

    /// Whether the policy alone would keep the person, that is they pass every criterion and are not surplus.
    pub fn kept_by_rule(&self) -> bool {
        self.verdict.as_ref().is_some_and(Verdict::passed) && !self.surplus()
    }

    /// Whether the person completed without a slot. A person whose slot was opened again when a researcher excluded them has no slot
    /// either, but counts as excluded.
    pub fn surplus(&self) -> bool {
        let excluded = |decided: &Override| decided.decision == Decision::Exclude;
        self.person.claim == Claim::Surplus && !self.person.overridden.as_ref().is_some_and(excluded)
    }

    /// Whether the person passes a criterion. None if it is off or the person did not complete.
    pub fn pass(&self, criterion: Criterion) -> Option<bool> {
        self.verdict.as_ref()?.pass(criterion)
    }

    /// The reasons why the person is not kept: failed criteria, `incomplete`, `surplus`.
    pub fn reasons(&self) -> Vec<&'static str> {
        let Some(verdict) = &self.verdict else { return vec!["incomplete"] };
        let failed = verdict.failed().map(Criterion::as_str);
        failed.chain(self.surplus().then_some("surplus")).collect()
    }
}

/// Separates the crowd from the experts, who are counted separately everywhere.
pub fn apart(people: Vec<JudgedPerson>) -> (Vec<JudgedPerson>, Vec<JudgedPerson>) {
    people.into_iter().partition(|judged| judged.person.group == Group::Crowd)
}
