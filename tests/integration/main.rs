//! Tests of whole flows by real HTTP on a real PostgreSQL, with a database per test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod arrivals;
mod assignments;
mod attacks;
mod audit_events;
mod backup;
mod behaviours;
mod clock_steps;
mod closing;
mod crowd_and_experts;
mod decisions;
mod enrolment;
mod export;
mod hostile_clients;
mod identities;
mod journal;
mod lab;
mod lifecycle;
mod live;
mod logs;
mod migrations;
mod operations;
mod participants;
mod participation;
mod platforms;
mod quotas;
mod reads;
mod recovery;
mod results;
mod rights;
mod several_servers;
mod signed_links;
mod simulation;
mod slow_database;
mod study_folder;
mod support;
mod workbench;
