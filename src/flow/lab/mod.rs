//! Researchers: signing in, second factors, rights, and API tokens.

pub(crate) mod passwords;
pub(crate) mod second_factor;
pub(crate) mod sign_in;
pub(crate) mod sign_in_throttle;
pub mod team;
