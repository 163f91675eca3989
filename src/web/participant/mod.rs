//! The participants' pages and API.

pub(crate) mod api;
pub(crate) mod entry;
pub(crate) mod open_reply;
pub(crate) mod screens;
pub(crate) mod simulation;
pub(crate) mod user_agent;
