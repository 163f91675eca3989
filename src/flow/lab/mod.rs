//! Researchers: signing in, second factors, rights, and API tokens.

pub(crate) mod passwords;
pub mod second_factor;
pub mod sign_in;
pub mod sign_in_throttle;
pub mod team;
