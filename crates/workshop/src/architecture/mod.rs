//! The networks that can be named on the command line.

mod demo;

pub use demo::{SIDE as DEMO_SIDE, demo};
