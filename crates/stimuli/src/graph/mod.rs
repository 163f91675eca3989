//! A small handwritten network: maps are computed from maps, without learned weights.
//!
//! A [`Graph`] is a list of operations on square maps. Each operation reads earlier maps, so the list is in order of evaluation. A
//! map can be evaluated on a rectangle only (see [`Graph::evaluate`]), which makes the search for the best occlusion fast. Its
//! gradient with respect to the picture (see [`Graph::gradient`]) is needed for feature visualisation.

mod backward;
mod forward;
mod inlay;

pub use inlay::{inlay_responses, mean};

use crate::picture::{Picture, SIDE};

/// Width and height of the retina, in cells: pictures are averaged over 2 x 2 px first, so that a step of 2 px is one
/// cell and a patch of 90 px is 45 cells.
pub const RETINA: usize = SIDE / 2;

/// The number of an operation in its graph, and of the map it computes.
pub type Node = usize;

/// An operation that computes a map. Beyond its edges a map repeats its outermost values.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Red (0), green (1) or blue (2) on the retina, 0 to 1.
    Channel(usize),
    /// A weighted sum of maps, plus a constant.
    Sum(Vec<(Node, f32)>, f32),
    /// Cross-correlation with a separable kernel: weights across and weights down, both of odd length.
    Convolve(Node, Vec<f32>, Vec<f32>),
    /// Means over 2 x 2 values: a map of half the side.
    Halve(Node),
    /// The value that many columns to the right and rows down.
    Shift(Node, isize, isize),
    /// The product of two maps.
    Product(Node, Node),
    /// The positive part.
    Rectify(Node),
    /// x / (x + half) of a map that is not negative: 0 at 0, 0.5 at `half`, at most 1.
    Saturate(Node, f32),
    /// The first map divided by the second (not negative) plus a constant.
    Ratio(Node, Node, f32),
}

impl Op {
    /// The maps that the operation reads.
    pub fn inputs(&self) -> Vec<Node> {
        match self {
            Self::Channel(_) => Vec::new(),
            Self::Sum(terms, _) => terms.iter().map(|(node, _)| *node).collect(),
            Self::Convolve(a, ..)
            | Self::Halve(a)
            | Self::Shift(a, ..)
            | Self::Rectify(a)
            | Self::Saturate(a, _) => vec![*a],
            Self::Product(a, b) | Self::Ratio(a, b, _) => vec![*a, *b],
        }
    }
}

/// A square map of numbers, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub side: usize,
    /// The values, `side * side` of them.
    pub values: Vec<f32>,
}

impl Map {
    pub fn zeros(side: usize) -> Self {
        Self { side, values: vec![0.0; side * side] }
    }

    /// A part of row `y`.
    fn row(&self, y: usize, x: std::ops::Range<usize>) -> &[f32] {
        &self.values[y * self.side + x.start..y * self.side + x.end]
    }

    /// A part of row `y`, for writing.
    fn row_mut(&mut self, y: usize, x: std::ops::Range<usize>) -> &mut [f32] {
        &mut self.values[y * self.side + x.start..y * self.side + x.end]
    }
}

/// The input of the machine: red, green and blue of a picture, 0 to 1, averaged over 2 x 2 px.
pub fn retina(picture: &Picture) -> [Map; 3] {
    let mut maps = [Map::zeros(RETINA), Map::zeros(RETINA), Map::zeros(RETINA)];
    for y in 0..RETINA {
        let (upper, lower) = (picture.row(2 * y), picture.row(2 * y + 1));
        for (x, (a, b)) in upper.chunks_exact(6).zip(lower.chunks_exact(6)).enumerate() {
            for (channel, map) in maps.iter_mut().enumerate() {
                let sum = u16::from(a[channel])
                    + u16::from(a[channel + 3])
                    + u16::from(b[channel])
                    + u16::from(b[channel + 3]);
                map.values[y * RETINA + x] = f32::from(sum) / 1020.0;
            }
        }
    }
    maps
}

#[derive(Clone, Debug, Default)]
pub struct Graph {
    ops: Vec<Op>,
    sides: Vec<usize>,
}

impl Graph {
    /// Adds an operation, unless the graph already has the same one, and returns its number.
    pub fn add(&mut self, op: Op) -> Node {
        if let Some(known) = self.ops.iter().position(|other| *other == op) {
            return known;
        }
        let side = match &op {
            Op::Channel(_) => RETINA,
            Op::Halve(input) => self.sides[*input] / 2,
            other => {
                let inputs = other.inputs();
                debug_assert!(
                    inputs.iter().all(|i| self.sides[*i] == self.sides[inputs[0]]),
                    "maps of one size: {op:?}"
                );
                self.sides[inputs[0]]
            }
        };
        self.ops.push(op);
        self.sides.push(side);
        self.ops.len() - 1
    }

    /// The side of a node's map.
    pub fn side(&self, node: Node) -> usize {
        self.sides[node]
    }

    /// The part of the graph that `outputs` depend on, with their numbers in it.
    pub fn part(&self, outputs: &[Node]) -> (Self, Vec<Node>) {
        let mut needed = vec![false; self.ops.len()];
        for output in outputs {
            needed[*output] = true;
        }
        for node in (0..self.ops.len()).rev() {
            if needed[node] {
                self.ops[node].inputs().into_iter().for_each(|input| needed[input] = true);
            }
        }
        let mut number = vec![0; self.ops.len()];
        let mut part = Self::default();
        for node in (0..self.ops.len()).filter(|node| needed[*node]) {
            number[node] = part.ops.len();
            part.ops.push(renumbered(&self.ops[node], &number));
            part.sides.push(self.sides[node]);
        }
        (part, outputs.iter().map(|output| number[*output]).collect())
    }

    /// Empty maps for all nodes.
    fn blank(&self) -> Vec<Map> {
        self.sides.iter().map(|side| Map::zeros(*side)).collect()
    }
}

fn renumbered(op: &Op, number: &[Node]) -> Op {
    match op {
        Op::Channel(channel) => Op::Channel(*channel),
        Op::Sum(terms, bias) => {
            Op::Sum(terms.iter().map(|(node, weight)| (number[*node], *weight)).collect(), *bias)
        }
        Op::Convolve(a, across, down) => Op::Convolve(number[*a], across.clone(), down.clone()),
        Op::Halve(a) => Op::Halve(number[*a]),
        Op::Shift(a, dx, dy) => Op::Shift(number[*a], *dx, *dy),
        Op::Product(a, b) => Op::Product(number[*a], number[*b]),
        Op::Rectify(a) => Op::Rectify(number[*a]),
        Op::Saturate(a, half) => Op::Saturate(number[*a], *half),
        Op::Ratio(a, b, floor) => Op::Ratio(number[*a], number[*b], *floor),
    }
}
