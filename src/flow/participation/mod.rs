//! What a participant does: arrive, consent, open, complete, leave; and how slots are given and filled.

pub mod arrival;
pub mod complete;
pub mod enroll;
pub mod enrolment_queue;
pub mod leave;
pub mod open;
pub mod slots;
pub mod task;
pub mod visits;
