//! Remembers: the only place that speaks SQL.

pub mod local_postgres;
