//! Makes the images of the demo study: scenes, occlusion search, blur, synthetic images.
//!
//! [`demo`] builds the study that ships with Weber. [`machine`] defines what a set of units must provide, so that a neural network can
//! replace the demo's [`units`]. [`inlay`], [`occlusion`], [`blur`], [`ranking`], [`synthetic`], [`saliency`] and
//! [`baselines`] are the study's algorithm, [`recipe`] is what a network decided about a study's images, and [`scenes`] paints pictures in place of photographs.

pub mod baselines;
pub mod blur;
pub mod demo;
pub mod dice;
mod folder;
pub mod graph;
pub mod inlay;
mod kernels;
pub mod machine;
mod maths;
pub mod occlusion;
pub mod picture;
pub mod ranking;
pub mod recipe;
pub mod saliency;
pub mod scenes;
pub mod synthetic;
pub mod trials;
pub mod units;
mod vision;
