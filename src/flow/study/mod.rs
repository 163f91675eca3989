//! Flows about a study: import, states, policies, decisions, results, exports.

pub mod control;
pub mod decisions;
pub mod export;
pub mod identities;
pub mod import;
pub mod judged;
pub mod overview;
pub mod policies;
pub mod results;
pub mod settings;
pub mod simulation;
pub(crate) mod states;
