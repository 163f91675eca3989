//! Faults of processes, network and disk while a crowd takes part: nothing that was acknowledged is missing, nothing is
//! stored twice, no slot is filled twice, and every participant can continue.

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
