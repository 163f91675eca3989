//! `manifest.json`: what was exported, when, by which program and under which policy, with counts.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::domain::allocation::SlotCounts;
use crate::domain::analysis::JudgedPerson;
use crate::domain::audit_log::Head;
use crate::domain::exclusion::{Criterion, Policy};
use crate::domain::participant::Stage;
use crate::domain::preregistration::PreregistrationStatus;
use crate::domain::study::{Group, Mode, StudyVersion};
use crate::flow::study::export::{Filed, enrolment_policy};
use crate::store::studies::Study;

/// Slots per condition, per mode.
pub type SlotsByMode = BTreeMap<Mode, BTreeMap<String, SlotCounts>>;

/// Counts of people per group, per mode.
pub type CountsByMode = BTreeMap<Mode, BTreeMap<Group, Counts>>;

#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    study: String,
    study_version: i32,
    exported_at: String,
    program_version: &'static str,
    policy: PolicyEntry,
    /// Counts of the crowd, in all modes of the export.
    pub counts: Counts,
    /// Slots of the live study, per condition.
    pub slots: BTreeMap<String, SlotCounts>,
    /// Slots per mode and condition, for the modes of the export.
    pub slots_by_mode: SlotsByMode,
    /// Counts of people per mode and group.
    pub counts_by_mode: CountsByMode,
    /// The newest entry of the journal: a kept manifest shows whether the journal was changed since.
    pub journal: Head,
    pub files: Vec<Filed>,
}

/// The policy under which people were judged.
#[derive(Debug, Clone, Serialize)]
pub struct PolicyEntry {
    name: String,
    sha256: String,
    document: Policy,
    is_enrolment_policy: bool,
    /// When a policy that judges alike was pre-registered.
    preregistered_at: Option<String>,
    /// The name of the pre-registered policy, if this one judges differently.
    deviates_from: Option<String>,
}

impl PolicyEntry {
    pub(crate) fn new(
        study: &Study,
        version: &StudyVersion,
        policy: &Policy,
        standing: &PreregistrationStatus,
    ) -> Self {
        let sha256 = policy.sha256();
        Self {
            name: policy.name.clone(),
            is_enrolment_policy: sha256 == enrolment_policy(study, version).sha256(),
            sha256,
            document: policy.clone(),
            preregistered_at: standing.preregistered_at().map(iso),
            deviates_from: standing.deviates_from().map(str::to_owned),
        }
    }
}

fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Counts of people under the export's policy.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// People by stage.
    pub stage: BTreeMap<Stage, u64>,
    pub kept: u64,
    /// People who completed, and failed a criterion or were excluded by a researcher.
    pub excluded: u64,
    /// People who completed, and about whom a researcher decided.
    pub overridden: u64,
    /// People who completed and passed, and found no open slot.
    pub surplus: u64,
    /// People who completed and failed a criterion, by criterion; one person may fail several.
    pub criterion: BTreeMap<Criterion, u64>,
}

impl Counts {
    fn count(&mut self, judged: &JudgedPerson) {
        *self.stage.entry(judged.person.stage).or_default() += 1;
        let Some(verdict) = &judged.verdict else { return };
        for criterion in verdict.failed() {
            *self.criterion.entry(criterion).or_default() += 1;
        }
        self.overridden += u64::from(judged.person.overridden.is_some());
        if judged.kept() {
            self.kept += 1;
        } else if verdict.passed() && judged.surplus() {
            self.surplus += 1;
        } else {
            self.excluded += 1;
        }
    }
}

/// Counts people while they are written.
#[derive(Debug, Default)]
pub struct Counter {
    /// The crowd of all modes.
    crowd: Counts,
    by_mode: CountsByMode,
    kept: HashSet<Uuid>,
}

impl Counter {
    pub fn count(&mut self, judged: &JudgedPerson) {
        let (mode, group) = (judged.person.mode, judged.person.group);
        self.by_mode.entry(mode).or_default().entry(group).or_default().count(judged);
        if group == Group::Crowd {
            self.crowd.count(judged);
        }
        if judged.kept() {
            self.kept.insert(judged.person.id);
        }
    }

    /// Whether a person who was counted is kept.
    pub fn is_kept(&self, id: Uuid) -> bool {
        self.kept.contains(&id)
    }
}

/// Counts of experts who completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpertsInManifest {
    pub kept: u64,
    pub excluded: u64,
}

impl Manifest {
    #[expect(clippy::too_many_arguments, reason = "a manifest brings everything together")]
    pub(crate) fn new(
        study: &Study,
        version: &StudyVersion,
        policy: PolicyEntry,
        counter: Counter,
        slots_by_mode: SlotsByMode,
        journal: Head,
        files: Vec<Filed>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            study: study.slug.clone(),
            study_version: version.number,
            exported_at: iso(now),
            program_version: env!("CARGO_PKG_VERSION"),
            policy,
            counts: counter.crowd,
            counts_by_mode: counter.by_mode,
            slots: slots_by_mode.get(&Mode::Live).cloned().unwrap_or_default(),
            slots_by_mode,
            journal,
            files,
        }
    }

    /// Counts of the experts, in all modes of the export.
    pub fn experts(&self) -> ExpertsInManifest {
        let of_experts = self.counts_by_mode.values().filter_map(|groups| groups.get(&Group::Expert));
        let sum = |of: fn(&Counts) -> u64| of_experts.clone().map(of).sum();
        ExpertsInManifest { kept: sum(|counts| counts.kept), excluded: sum(|counts| counts.excluded) }
    }

    /// The content of the file.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("a manifest is plain data");
        json.push(b'\n');
        json
    }
}
