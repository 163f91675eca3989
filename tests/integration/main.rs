//! Stories over a real PostgreSQL (a database per test) and real HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod arrivals;
mod assignments;
mod attacks;
mod backup;
mod behaviours;
mod clock_steps;
mod closing;
mod decisions;
mod deeds;
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
mod whom;
mod workbench;
