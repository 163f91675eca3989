//! Stories over a real PostgreSQL (a database per test) and real HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attacks;
mod backup;
mod behaviours;
mod decisions;
mod enrolment;
mod export;
mod identities;
mod lab;
mod lifecycle;
mod migrations;
mod operations;
mod participation;
mod platforms;
mod recovery;
mod results;
mod rights;
mod signed_links;
mod simulation;
mod study_folder;
mod support;
mod workbench;
