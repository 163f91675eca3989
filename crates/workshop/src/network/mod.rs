//! A convolutional network as a graph of named operations, with its weights.
//!
//! [`Graph`] describes the operations, [`Weights`] holds the numbers, and [`Network`] computes: forward passes ([`forward`]), gradients
//! with respect to the input, and the response to many pictures that differ from one in a square ([`window`]).

mod fit;
mod fold;
mod forward;
mod graph;
mod pool;
mod torch;
mod unit;
mod weights;
pub mod window;

pub(crate) use fit::distance;
pub use fit::{FitError, fitted};
pub use fold::folded;
pub(crate) use forward::values;
pub use forward::{Network, device};
pub use graph::{Graph, Node, Op, Padding, Pool};
pub use weights::{Array, Weights, WeightsError};
