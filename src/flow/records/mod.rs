//! Answers and signs of life: many at once, one statement, each decided by itself.

pub mod batch_queue;
pub mod intake;
pub mod participant_cache;
