//! Images: making the demo study, occlusion search, blur, checks.

pub mod dice;
pub mod graph;
pub mod inlay;
pub mod machine;
mod maths;
pub mod picture;
pub mod scenes;
pub mod synthetic;
pub mod units;
