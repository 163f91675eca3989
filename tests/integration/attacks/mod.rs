//! What an attacker would try. `docs/security.md` says which of these tests proves which protection.

mod bounds;
mod doors;
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
