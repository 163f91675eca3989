//! torchvision's GoogLeNet, with the array names of its files. It has batch normalisation, and its channels are not those of the
//! study's network.

use super::builder::{After, Arrays, Builder, Kernel, Shapes};
use super::inception::Blocks;
use crate::network::{Graph, Op, Padding, Pool};

const POOL: Pool = Pool { kernel: [3; 2], stride: [2; 2], padding: Padding::even(0), ceil: true };

const BLOCKS: Blocks = Blocks {
    widths: [
        [64, 96, 128, 16, 32, 32],
        [128, 128, 192, 32, 96, 64],
        [192, 96, 208, 16, 48, 64],
        [160, 112, 224, 24, 64, 64],
        [128, 128, 256, 24, 64, 64],
        [112, 144, 288, 32, 64, 64],
        [256, 160, 320, 32, 128, 128],
        [256, 160, 320, 32, 128, 128],
        [384, 192, 384, 48, 128, 128],
    ],
    // torchvision's branch 5x5 has kernels of 3 x 3, which is a known mistake that its weights were trained with.
    five: 3,
    pools: [("maxpool3", POOL), ("maxpool4", Pool { kernel: [2; 2], ..POOL })],
};

/// `mixed4b/3x3` is `inception4b.branch2.1` in the file.
fn arrays(node: &str) -> Arrays {
    let module = match node.split_once('/') {
        None => node.to_owned(),
        Some((block, branch)) => {
            let branch = match branch {
                "1x1" => "branch1",
                "3x3_reduce" => "branch2.0",
                "3x3" => "branch2.1",
                "5x5_reduce" => "branch3.0",
                "5x5" => "branch3.1",
                _ => "branch4.1",
            };
            format!("{}.{branch}", block.replace("mixed", "inception"))
        }
    };
    let after = After::torch_norm(&format!("{module}.bn"), 1e-3);
    Arrays { weight: format!("{module}.conv.weight"), after }
}

pub(super) const HEAD: [&str; 2] = ["fc.weight", "fc.bias"];

/// The graph for a number of classes, with the shapes of its weights.
pub(super) fn googlenet(classes: usize) -> (Graph, Shapes) {
    let mut net = Builder::new(arrays, Op::Relu);
    let x = net.conv("conv1", 0, Kernel::new(3, 64, 7).strided(2, Padding::Symmetric));
    let x = net.max_pool("maxpool1", x, POOL);
    let x = net.conv("conv2", x, Kernel::new(64, 64, 1));
    let x = net.conv("conv3", x, Kernel::new(64, 192, 3));
    let x = net.max_pool("maxpool2", x, POOL);
    let (x, channels) = BLOCKS.build(&mut net, x, 192);
    net.classify(x, channels, classes, HEAD)
}
