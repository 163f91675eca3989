//! Images: making the demo study, occlusion search, blur.
//!
//! [`demo`] builds the study that ships with Weber. What it is made of stands on its own: [`machine`] is what a set of
//! units must be able to do, so that a neural network can take the place of the demo's [`units`]; [`inlay`],
//! [`occlusion`], [`blur`], [`ranking`], [`synthetic`] and [`baselines`] are the algorithm of the study; [`scenes`] paints
//! what stands in for photographs.

pub mod baselines;
pub mod blur;
pub mod demo;
pub mod dice;
pub mod graph;
pub mod inlay;
mod kernels;
pub mod machine;
mod maths;
pub mod occlusion;
pub mod picture;
pub mod ranking;
pub mod scenes;
pub mod synthetic;
pub mod units;
mod vision;
