//! Decides: pure types and functions that know no SQL, no HTTP, no clock.
