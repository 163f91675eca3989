//! Flows about a study: import, states, policies, decisions, results, exports.

pub mod control;
pub mod decisions;
pub mod export;
pub mod identities;
pub mod import;
pub(crate) mod judged;
pub(crate) mod overview;
pub mod policies;
pub mod results;
pub(crate) mod settings;
pub mod simulation;
pub(crate) mod states;
