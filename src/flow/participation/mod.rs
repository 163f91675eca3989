//! What a participant does: arrive, consent, open, complete, leave; and how slots are given and filled.

pub(crate) mod arrival;
pub(crate) mod complete;
pub(crate) mod consent_limit;
pub mod enroll;
pub(crate) mod enrolment_queue;
pub(crate) mod identification;
pub(crate) mod leave;
mod locked;
pub(crate) mod open;
pub(crate) mod prolific_keys;
pub(crate) mod signed_links;
pub(crate) mod slots;
pub(crate) mod task;
pub(crate) mod visits;
