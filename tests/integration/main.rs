//! Stories over a real PostgreSQL (a database per test) and real HTTP.

mod enrolment;
mod export;
mod lab;
mod participation;
mod simulation;
mod study_folder;
mod support;
