//! Weber, a web server for image-choice experiments.
//!
//! The map of the crate. A request goes through the layers from top to bottom; a layer knows only those below it.

pub mod cli;
pub mod config;
pub mod domain;
pub mod figures;
pub mod flow;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
pub mod outgoing;
pub mod recruitment;
pub mod simulate;
pub mod store;
pub mod study_folder;
pub mod web;
