//! The network of the demo study: Inception at a quarter of its width, for pictures of 112 px.
//!
//! Each convolution is followed by batch normalisation. A unit is a channel of a branch before its rectification, such as
//! `mixed4b/3x3`.

use super::builder::{After, Arrays, Builder, Kernel, Shapes};
use super::inception::{Blocks, SAME_POOL};
use crate::network::{Graph, Op, Padding};

/// Side of the network's input, in px.
pub const SIDE: usize = 112;

const BLOCKS: Blocks = Blocks {
    widths: [
        [16, 24, 32, 4, 8, 8],
        [32, 32, 48, 8, 24, 16],
        [48, 24, 52, 4, 12, 16],
        [40, 28, 56, 6, 16, 16],
        [32, 32, 64, 6, 16, 16],
        [28, 36, 72, 8, 16, 16],
        [64, 40, 80, 8, 32, 32],
        [64, 40, 80, 12, 32, 32],
        [96, 48, 96, 12, 32, 32],
    ],
    five: 5,
    pools: [("pool4a", SAME_POOL), ("pool5a", SAME_POOL)],
};

fn arrays(node: &str) -> Arrays {
    let array = |part: &str| format!("{node}.{part}");
    let (gamma, beta, mean, variance) = (array("gamma"), array("beta"), array("mean"), array("variance"));
    Arrays { weight: array("weight"), after: After::Norm { gamma, beta, mean, variance, epsilon: 1e-3 } }
}

/// The graph for a number of classes, with the shapes of its weights. Its last node is `softmax`, the one before `logits`.
pub fn demo(classes: usize) -> (Graph, Shapes) {
    let mut net = Builder::new(arrays, Op::Relu);
    let x = net.conv("conv0", 0, Kernel::new(3, 16, 3).strided(2, Padding::even(1)));
    let x = net.max_pool("pool0", x, SAME_POOL);
    let x = net.conv("conv1", x, Kernel::new(16, 16, 1));
    let x = net.conv("conv2", x, Kernel::new(16, 48, 3));
    let x = net.max_pool("pool2", x, SAME_POOL);
    let (x, channels) = BLOCKS.build(&mut net, x, 48);
    net.classify(x, channels, classes, ["logits.weight", "logits.bias"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_has_its_units_and_size() {
        let (graph, shapes) = demo(50);
        for block in ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"] {
            for branch in ["1x1", "3x3", "5x5", "pool"] {
                assert!(graph.find(&format!("mixed{block}/{branch}")).is_some(), "{block} {branch}");
            }
        }
        let count: usize = shapes.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
        assert!((350_000..450_000).contains(&count), "{count} weights");
    }
}
