//! Attacks, each of which must fail. `docs/security.md` says which test proves which protection.

mod access;
mod bounds;
mod imports;
mod leaks;
mod limits;
mod pretence;
mod routes;
mod sessions;
mod shorter_way;
mod stimuli;
mod texts;
mod world;
