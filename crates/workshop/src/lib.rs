//! Makes the stimuli of a study from a network and a folder of images.

pub mod activations;
pub mod architecture;
pub mod card;
pub mod command;
pub mod import;
pub mod model;
pub mod network;
pub mod onnx;
pub mod parallel;
pub mod pool;
pub mod probe;
pub mod progress;
pub mod search;
pub mod study;
#[cfg(test)]
mod testing;
pub mod train;
pub mod unit;
pub mod visualise;
