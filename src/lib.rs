//! Weber, a web server for image-choice experiments.
//!
//! A request passes the layers from top to bottom. A layer uses only the layers below it (`tests/architecture.rs`).

// Numbers from outside are never truncated by a cast. Tests may cast numbers that they made themselves.
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
    reason = "casts of pixels and of small counts"
)]
pub(crate) mod figures;
pub mod flow;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
pub(crate) mod outgoing;
#[warn(missing_docs)]
pub mod recruitment;
pub mod simulate;
pub mod store;
pub mod study_folder;
pub mod web;
