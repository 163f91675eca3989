//! Networks for tests.

use weber_stimuli::dice::Dice;

use crate::architecture::{Shapes, demo};
use crate::card::{Card, ChannelOrder};
use crate::model::Model;
use crate::network::{Array, Graph, Op, Padding, Weights};

/// Random weights that keep the size of the values from layer to layer.
pub fn random_weights(shapes: &Shapes, seed: u64) -> Weights {
    let dice = Dice::new(seed, "test", 0);
    let array = |(name, shape): &(String, Vec<usize>)| {
        let count: usize = shape.iter().product();
        let deviation = (2.0 / (count / shape[0]) as f32).sqrt();
        let value = |_| match name.rsplit_once('.') {
            Some((_, "gamma" | "variance" | "running_var")) => dice.range(0.5, 1.5),
            Some((_, "weight")) if shape.len() == 1 => dice.range(0.5, 1.5),
            Some((_, "weight")) => deviation * dice.normal(),
            _ => 0.3 * dice.normal(),
        };
        (name.clone(), Array { shape: shape.clone(), values: (0..count).map(value).collect() })
    };
    Weights(shapes.iter().map(array).collect())
}

/// The demo network with random weights.
pub fn random_demo(seed: u64) -> Model {
    let (graph, shapes) = demo(5);
    Model::new(&graph, &random_weights(&shapes, seed), Card::demo())
}

/// Two convolutions of 3 x 3 (4 channels in `a`, 5 in `b`) with a rectification (`relu`) between them, for pictures of this `size`. All
/// biases of the first are `bias`.
pub fn tiny(size: usize, bias: f32) -> Model {
    let mut graph = Graph::new();
    let conv = |name: &str| Op::Conv {
        weight: format!("{name}.weight"),
        bias: Some(format!("{name}.bias")),
        stride: [1; 2],
        dilation: [1; 2],
        groups: 1,
        padding: Padding::even(1),
    };
    let a = graph.add("a", conv("a"), &[0]);
    let relu = graph.add("relu", Op::Relu, &[a]);
    graph.add("b", conv("b"), &[relu]);
    let dice = Dice::new(1, "tiny", 0);
    let draw = |shape: Vec<usize>| {
        let values = (0..shape.iter().product()).map(|_| 0.3 * dice.normal()).collect();
        Array { shape, values }
    };
    let mut weights = Weights::default();
    weights.0.insert("a.weight".into(), draw(vec![4, 3, 3, 3]));
    weights.0.insert("a.bias".into(), Array { shape: vec![4], values: vec![bias; 4] });
    weights.0.insert("b.weight".into(), draw(vec![5, 4, 3, 3]));
    weights.0.insert("b.bias".into(), draw(vec![5]));
    let (mean, scale) = ([100.0, 120.0, 90.0], [0.01, 0.02, 0.015]);
    Model::new(&graph, &weights, Card { size, mean, scale, order: ChannelOrder::Bgr })
}
