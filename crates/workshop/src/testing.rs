//! Networks for tests.

use weber_stimuli::dice::Dice;

use crate::architecture::demo;
use crate::card::Card;
use crate::model::Model;
use crate::network::{Array, Weights};

/// The demo network with random weights.
pub fn random_demo(seed: u64) -> Model {
    let (graph, shapes) = demo(5);
    let dice = Dice::new(seed, "test", 0);
    let array = |(name, shape): &(String, Vec<usize>)| {
        let count: usize = shape.iter().product();
        let deviation = (2.0 / (count / shape[0]) as f32).sqrt();
        let value = |_| match name.rsplit_once('.') {
            Some((_, "gamma" | "variance")) => dice.range(0.5, 1.5),
            Some((_, "weight")) => deviation * dice.normal(),
            _ => 0.3 * dice.normal(),
        };
        (name.clone(), Array { shape: shape.clone(), values: (0..count).map(value).collect() })
    };
    let weights = Weights(shapes.iter().map(array).collect());
    Model::new(graph, &weights, Card::demo())
}
