//! What a participant does: arrive, consent, open, complete, leave; and how slots are given and filled.

pub mod arrival;
pub mod complete;
pub mod consent_limit;
pub mod enroll;
pub mod enrolment_queue;
pub mod identification;
pub mod leave;
mod locked;
pub mod open;
pub mod prolific_keys;
pub mod signed_links;
pub mod slots;
pub mod task;
pub mod visits;
