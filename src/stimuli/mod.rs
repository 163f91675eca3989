//! Images: making the demo study, occlusion search, blur, checks.

mod baselines;
mod blur;
pub mod demo;
pub mod dice;
mod graph;
pub mod inlay;
pub mod machine;
mod maths;
pub mod occlusion;
pub mod picture;
mod ranking;
pub mod scenes;
pub mod synthetic;
pub mod units;
mod vision;
