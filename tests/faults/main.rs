//! Everything around Weber fails in the middle of a crowd: nothing that was acknowledged is missing, nothing is there
//! twice, no slot is overfilled, and everyone can go on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod disk;
mod kills;
mod network;
mod proxy;
mod several_servers;
mod starts_and_stops;
mod support;
#[path = "../integration/support/tiny_study.rs"]
mod tiny_study;
