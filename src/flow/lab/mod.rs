//! Researchers: how they sign in, and what they may do.

pub(crate) mod passwords;
pub mod second_factor;
pub mod sign_in;
pub mod sign_in_throttle;
pub mod team;
