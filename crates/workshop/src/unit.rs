//! The units that a study is about: channels of a layer, or directions in it.

use serde::{Deserialize, Serialize};

/// A channel of a layer, or a vector of one factor per channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Channel(usize),
    Vector(Vec<f32>),
}

/// A unit of a network. Its response is the mean over all places of its map (of its weighted maps), before any rectification if the
/// layer's node is the convolution or its normalisation.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// The name of a node of the network's graph, such as `mixed4b/3x3`.
    pub layer: String,
    pub direction: Direction,
}

impl Direction {
    /// A factor for each of the layer's channels.
    pub fn factors(&self, channels: usize) -> Vec<f32> {
        match self {
            Self::Channel(channel) => (0..channels).map(|c| f32::from(u8::from(c == *channel))).collect(),
            Self::Vector(factors) => factors.clone(),
        }
    }
}
