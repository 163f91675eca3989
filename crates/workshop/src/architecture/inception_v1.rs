//! The network of the study: InceptionV1 as trained by Google in 2015 and distributed with lucid, with the array names of lucent's
//! `inception5h.pth`.
//!
//! Convolutions have a bias and no batch normalisation; padding is TensorFlow's; the stem normalises local responses twice.

use super::builder::{After, Arrays, Builder, Kernel, Shapes};
use super::inception::{Blocks, SAME_POOL};
use crate::network::{Graph, Op, Padding};

/// Classes of the published weights: those of ImageNet and some that are not used.
pub(super) const CLASSES: usize = 1008;

const BLOCKS: Blocks = Blocks {
    widths: [
        [64, 96, 128, 16, 32, 32],
        [128, 128, 192, 32, 96, 64],
        [192, 96, 204, 16, 48, 64],
        [160, 112, 224, 24, 64, 64],
        [128, 128, 256, 24, 64, 64],
        [112, 144, 288, 32, 64, 64],
        [256, 160, 320, 32, 128, 128],
        [256, 160, 320, 48, 128, 128],
        [384, 192, 384, 48, 128, 128],
    ],
    five: 5,
    pools: [("maxpool4", SAME_POOL), ("maxpool10", SAME_POOL)],
};

/// Krizhevsky et al. (2012) with the constants of lucent's definition. A port to Keras gives others for the TensorFlow graph (bias 2,
/// radius 5); which are right can be seen only with the published weights.
const RESPONSE: Op = Op::LocalResponse { size: 9, alpha: 1e-4, beta: 0.5, k: 1.0 };

/// `mixed4b/3x3` is `mixed4b_3x3_pre_relu_conv` in the file; `3x3_reduce` is called `3x3_bottleneck` there, and `pool` `pool_reduce`.
fn arrays(node: &str) -> Arrays {
    let module = match node.split_once('/') {
        None => node.to_owned(),
        Some((block, "pool")) => format!("{block}_pool_reduce"),
        Some((block, branch)) => format!("{block}_{}", branch.replace("reduce", "bottleneck")),
    };
    let array = |part: &str| format!("{module}_pre_relu_conv.{part}");
    Arrays { weight: array("weight"), after: After::Bias(array("bias")) }
}

pub(super) const HEAD: [&str; 2] =
    ["softmax2_pre_activation_matmul.weight", "softmax2_pre_activation_matmul.bias"];

/// The graph for a number of classes, with the shapes of its weights.
pub(super) fn inception_v1(classes: usize) -> (Graph, Shapes) {
    let mut net = Builder::new(arrays, Op::Relu);
    let x = net.conv("conv2d0", 0, Kernel::new(3, 64, 7).strided(2, Padding::Same));
    let x = net.max_pool("maxpool0", x, SAME_POOL);
    let x = net.add("localresponsenorm0", RESPONSE, &[x]);
    let x = net.conv("conv2d1", x, Kernel::new(64, 64, 1));
    let x = net.conv("conv2d2", x, Kernel::new(64, 192, 3));
    let x = net.add("localresponsenorm1", RESPONSE, &[x]);
    let x = net.max_pool("maxpool1", x, SAME_POOL);
    let (x, channels) = BLOCKS.build(&mut net, x, 192);
    net.classify(x, channels, classes, HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The study numbers channels within a whole block. Its units are in the branches 3x3 and pool.
    #[test]
    fn the_units_of_the_study_are_in_their_branches() {
        let units = [
            (189, 227),
            (178, 430),
            (257, 486),
            (339, 491),
            (247, 496),
            (342, 483),
            (524, 816),
            (278, 743),
            (684, 1007),
        ];
        for ([one, _, three, _, five, pool], (in_three, in_pool)) in BLOCKS.widths.into_iter().zip(units) {
            assert!((one..one + three).contains(&in_three));
            let before = one + three + five;
            assert!((before..before + pool).contains(&in_pool));
        }
    }
}
