//! The audit log: who did what, when.

pub mod log;
pub mod witness;
