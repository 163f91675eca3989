//! Remembers: the only place that speaks SQL.
