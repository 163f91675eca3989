//! The participants' pages and API.

pub mod api;
pub mod consent_limit;
pub mod entry;
pub mod open_reply;
pub mod prolific_keys;
pub mod screens;
pub mod simulation;
pub mod user_agent;
