//! A network with its card: from pictures to responses.

use burn::tensor::{Tensor, TensorData};
use sha2::{Digest, Sha256};
use weber_stimuli::picture::Picture;

use crate::card::Card;
use crate::network::{Graph, Network, Weights, device, folded, values};
use crate::unit::Direction;

/// Pictures per forward pass.
pub const BATCH: usize = 16;

/// A network that is ready to see pictures.
pub struct Model {
    pub network: Network,
    pub card: Card,
    hash: [u8; 32],
}

impl Model {
    /// Batch normalisations become part of the convolutions before them, whose nodes then have their names.
    pub fn new(graph: &Graph, weights: &Weights, card: Card) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!("{graph:?} {card:?}"));
        for (name, array) in &weights.0 {
            hash.update(format!("{name} {:?}", array.shape));
            array.values.iter().for_each(|value| hash.update(value.to_le_bytes()));
        }
        let (graph, weights) = folded(graph, weights);
        Self { network: Network::new(graph, &weights), card, hash: hash.finalize().into() }
    }

    /// The SHA-256 of everything that responses depend on: operations, weights and card.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The mean over all places of every channel of the `layers` (indices of nodes): `[picture][layer][channel]`.
    pub fn means(&self, pictures: &[&Picture], layers: &[usize]) -> Vec<Vec<Vec<f32>>> {
        let mut of_pictures = vec![Vec::with_capacity(layers.len()); pictures.len()];
        for (at, batch) in pictures.chunks(BATCH).enumerate() {
            for layer in self.network.forward(self.card.input(batch), layers) {
                let channels = layer.dims()[1];
                let means = values(layer.mean_dim(2).mean_dim(3));
                for (place, row) in means.chunks(channels).enumerate() {
                    of_pictures[at * BATCH + place].push(row.to_vec());
                }
            }
        }
        of_pictures
    }
}

impl Direction {
    /// The response of the unit, given the means of its layer's channels.
    pub fn response(&self, means: &[f32]) -> f64 {
        match self {
            Self::Channel(channel) => f64::from(means[*channel]),
            Self::Vector(factors) => {
                factors.iter().zip(means).map(|(factor, mean)| f64::from(*factor) * f64::from(*mean)).sum()
            }
        }
    }

    /// The unit's map for each picture of a layer's values `[pictures, channels, height, width]`, with gradient: `[pictures, 1, height, width]`.
    pub fn map(&self, layer: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Channel(channel) => layer.narrow(1, *channel, 1),
            Self::Vector(factors) => {
                let shape = [1, factors.len(), 1, 1];
                let weights = Tensor::<4>::from_data(TensorData::new(factors.clone(), shape), &device());
                let weights = if layer.is_autodiff() { weights.autodiff() } else { weights };
                (layer * weights).sum_dim(1)
            }
        }
    }
}
