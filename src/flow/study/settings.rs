//! What holds for a study at present: its version's word, unless it was pinned or changed since.

use crate::domain::exclusion::Policy;
use crate::domain::study::StudyVersion;
use crate::store::studies::Study;

/// The policy that decides whether a slot is filled: pinned when the study went live, until then the version's.
pub fn enrolment_policy(study: &Study, version: &StudyVersion) -> Policy {
    let definition = &version.definition;
    study
        .pinned_policy
        .clone()
        .or_else(|| definition.policy(&definition.enrolment_policy).cloned())
        .expect("the import checked that the enrolment policy exists")
}

/// Places per condition: the design's, unless a researcher changed it.
pub fn per_condition(study: &Study, version: &StudyVersion) -> u32 {
    study.slots_per_condition.unwrap_or(version.definition.design.slots_per_condition)
}
