//! The present settings of a study: those of its version, unless they were pinned or changed since.

use crate::domain::exclusion::Policy;
use crate::domain::study::StudyVersion;
use crate::store::studies::Study;

/// The enrolment policy: the version's, until it is pinned when the study goes live.
pub fn enrolment_policy(study: &Study, version: &StudyVersion) -> Policy {
    let definition = &version.definition;
    study
        .pinned_policy
        .clone()
        .or_else(|| definition.policy(&definition.enrolment_policy).cloned())
        .expect("the import checked that the enrolment policy exists")
}

/// Places per condition: the number in the design, unless a researcher changed it.
pub fn per_condition(study: &Study, version: &StudyVersion) -> u32 {
    study.slots_per_condition.unwrap_or(version.definition.design.slots_per_condition)
}
