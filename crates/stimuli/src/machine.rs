//! The machine whose units the study is about, as the image-making code needs it.

use super::graph::{Graph, Map, Node, inlay_responses, mean, retina};
use super::inlay::{Corner, Inlay, Patch};
use super::occlusion::Queries;
use super::picture::Picture;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// The layer, e.g. `orientation`.
    pub layer: String,
    /// The branch, e.g. `fine`.
    pub branch: String,
    /// The number of the unit in its layer and branch.
    pub channel: usize,
}

impl Unit {
    /// The unit's name, e.g. `orientation-fine-3`, made of letters, digits and dashes.
    pub fn name(&self) -> String {
        format!("{}-{}-{}", self.layer, self.branch, self.channel)
    }
}

/// A set of units that respond to pictures. The demo's are written by hand; a neural network can take their place.
pub trait Machine: Sync {
    /// The units. Other functions refer to them by their index in this list.
    fn units(&self) -> &[Unit];

    /// The responses of all units to a picture (one forward pass).
    fn responses(&self, picture: &Picture) -> Vec<f64>;

    /// The response of one unit to a picture.
    fn response(&self, unit: usize, picture: &Picture) -> f64 {
        self.responses(picture)[unit]
    }

    /// The responses of one unit to a background with a square inserted at each of the corners. A machine may override this with
    /// a faster method, which must give the same numbers.
    fn inlay_responses(
        &self,
        unit: usize,
        background: &Picture,
        inlay: Inlay<'_>,
        corners: &[Corner],
    ) -> Vec<f64> {
        corners.iter().map(|at| self.response(unit, &Patch::STUDY.compose(background, inlay, *at))).collect()
    }
}

/// The queries of a base image among the given positions.
pub fn queries<M: Machine>(machine: &M, unit: usize, base: &Picture, corners: &[Corner]) -> Option<Queries> {
    Queries::choose(corners, &machine.inlay_responses(unit, base, Inlay::MeanColour, corners))
}

/// The share of the gradient that passes rectifications with negative input while an image is optimised.
const LEAK: f32 = 0.01;

/// A machine that knows how to change a picture so that a response grows.
pub trait Differentiable: Machine {
    /// The response of a unit to an image (three maps of the retina's size, 0 to 1), and a direction in which it grows: its
    /// gradient, or a substitute where the gradient is zero.
    fn gradient(&self, unit: usize, image: &[Map; 3]) -> (f64, [Map; 3]);
}

/// A machine made of a [`Graph`]: each unit is the mean of one of its maps, before any rectification, as in the study.
pub struct GraphMachine {
    units: Vec<Unit>,
    graph: Graph,
    outputs: Vec<Node>,
    /// For each unit the part of the graph that it depends on, and its node in that part.
    parts: Vec<(Graph, Node)>,
}

impl GraphMachine {
    /// Makes a machine whose units are maps of the graph.
    pub fn new(graph: &Graph, units: Vec<(Unit, Node)>) -> Self {
        let (units, nodes): (Vec<Unit>, Vec<Node>) = units.into_iter().unzip();
        let parts = nodes.iter().map(|node| graph.part(&[*node])).map(|(part, at)| (part, at[0])).collect();
        let (graph, outputs) = graph.part(&nodes);
        Self { units, graph, outputs, parts }
    }
}

impl Machine for GraphMachine {
    fn units(&self) -> &[Unit] {
        &self.units
    }

    fn responses(&self, picture: &Picture) -> Vec<f64> {
        let maps = self.graph.evaluate(&retina(picture));
        self.outputs.iter().map(|node| mean(&maps[*node])).collect()
    }

    fn response(&self, unit: usize, picture: &Picture) -> f64 {
        let (graph, node) = &self.parts[unit];
        mean(&graph.evaluate(&retina(picture))[*node])
    }

    fn inlay_responses(
        &self,
        unit: usize,
        background: &Picture,
        inlay: Inlay<'_>,
        corners: &[Corner],
    ) -> Vec<f64> {
        let (graph, node) = &self.parts[unit];
        inlay_responses(graph, *node, background, inlay, corners)
    }
}

impl Differentiable for GraphMachine {
    fn gradient(&self, unit: usize, image: &[Map; 3]) -> (f64, [Map; 3]) {
        let (graph, node) = &self.parts[unit];
        let maps = graph.evaluate(image);
        let side = graph.side(*node);
        let mut seed = Map::zeros(side);
        seed.values.fill(1.0 / (side * side) as f32);
        (mean(&maps[*node]), graph.gradient(&maps, vec![(*node, seed)], LEAK))
    }
}
