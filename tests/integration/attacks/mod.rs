//! Attacks, each of which must fail. `docs/security.md` says which test proves which protection.

mod access;
mod bounds;
mod imports;
mod leaks;
mod limits;
mod pretence;
mod records;
mod routes;
mod sessions;
mod stimuli;
mod texts;
mod world;
