//! The participants' pages and API.

pub mod api;
pub mod entry;
pub mod open_reply;
pub mod screens;
pub mod simulation;
pub mod user_agent;
