//! What the tests share: a small study, a server, participants.

pub mod browser;
pub mod person;
pub mod program;
pub mod server;
pub mod tiny_study;
