//! Weber, a web server for image-choice experiments.
//!
//! The map of the crate. A request goes through the layers from top to bottom; a layer knows only those below it.

// A number that comes from outside is never cut to fit. Tests count what they made themselves.
#![cfg_attr(
    not(test),
    warn(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)
)]

pub mod cli;
#[warn(missing_docs)]
pub mod config;
#[warn(missing_docs)]
pub mod domain;
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "pixels of drawings, and numbers of what is drawn"
)]
pub mod figures;
pub mod flow;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
pub mod outgoing;
#[warn(missing_docs)]
pub mod recruitment;
pub mod simulate;
pub mod store;
pub mod study_folder;
pub mod web;
