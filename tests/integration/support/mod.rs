//! What the stories need: a small study, a server, people.

pub mod person;
pub mod program;
pub mod server;
pub mod tiny_study;
