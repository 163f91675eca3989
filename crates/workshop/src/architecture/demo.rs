//! The network of the demo study: Inception at a quarter of its width, for pictures of 112 px.
//!
//! Nine mixed blocks have four branches each (1x1, 3x3, 5x5, pool), as InceptionV1 has (Szegedy et al. 2015). Each convolution is followed by batch
//! normalisation. A unit is a channel of a branch before its rectification, such as `mixed4b/3x3`.

use crate::network::{Graph, Op, Padding, Pool};

/// Side of the network's input, in px.
pub const SIDE: usize = 112;

/// Channels of the branches of each block: 1x1, 3x3 (reduced, out), 5x5 (reduced, out), pool.
const BLOCKS: [(&str, [usize; 6]); 9] = [
    ("mixed3a", [16, 24, 32, 4, 8, 8]),
    ("mixed3b", [32, 32, 48, 8, 24, 16]),
    ("mixed4a", [48, 24, 52, 4, 12, 16]),
    ("mixed4b", [40, 28, 56, 6, 16, 16]),
    ("mixed4c", [32, 32, 64, 6, 16, 16]),
    ("mixed4d", [28, 36, 72, 8, 16, 16]),
    ("mixed4e", [64, 40, 80, 8, 32, 32]),
    ("mixed5a", [64, 40, 80, 12, 32, 32]),
    ("mixed5b", [96, 48, 96, 12, 32, 32]),
];

const EPSILON: f64 = 1e-3;

/// Shape of each array of weights, in the order of use.
pub type Shapes = Vec<(String, Vec<usize>)>;

/// The graph for a number of classes, with the shapes of its weights. Its last node is `softmax`, the one before `logits`.
pub fn demo(classes: usize) -> (Graph, Shapes) {
    let mut net = Builder { graph: Graph::new(), shapes: Vec::new() };
    let x = net.conv("conv0", 0, [3, 16], 3, 2);
    let x = net.pool("pool0", x, 2);
    let x = net.conv("conv1", x, [16, 16], 1, 1);
    let x = net.conv("conv2", x, [16, 48], 3, 1);
    let mut x = net.pool("pool2", x, 2);
    let mut channels = 48;
    for (name, widths) in BLOCKS {
        if matches!(name, "mixed4a" | "mixed5a") {
            x = net.pool(&name.replace("mixed", "pool"), x, 2);
        }
        x = net.mixed(name, x, channels, widths);
        channels = widths[0] + widths[2] + widths[4] + widths[5];
    }
    let mean = net.graph.add("mean", Op::GlobalAverage, &[x]);
    let logits = net.plain_conv("logits", mean, [channels, classes]);
    net.graph.add("softmax", Op::Softmax, &[logits]);
    (net.graph, net.shapes)
}

struct Builder {
    graph: Graph,
    shapes: Shapes,
}

impl Builder {
    fn array(&mut self, name: String, shape: Vec<usize>) -> String {
        self.shapes.push((name.clone(), shape));
        name
    }

    /// A convolution (whose node has the given name), and its rectification.
    fn conv(&mut self, name: &str, x: usize, [from, to]: [usize; 2], kernel: usize, stride: usize) -> usize {
        let weight = self.array(format!("{name}.weight"), vec![to, from, kernel, kernel]);
        let padding = Padding::even(kernel / 2);
        let conv = Op::Conv { weight, bias: None, stride: [stride; 2], dilation: [1; 2], groups: 1, padding };
        let x = self.graph.add(format!("{name}/conv"), conv, &[x]);
        let mut vector = |part: &str| self.array(format!("{name}.{part}"), vec![to]);
        let norm = Op::BatchNorm {
            gamma: vector("gamma"),
            beta: vector("beta"),
            mean: vector("mean"),
            variance: vector("variance"),
            epsilon: EPSILON,
        };
        let x = self.graph.add(name, norm, &[x]);
        self.graph.add(format!("{name}/relu"), Op::Relu, &[x])
    }

    /// A convolution of 1 x 1 with bias and nothing after it.
    fn plain_conv(&mut self, name: &str, x: usize, [from, to]: [usize; 2]) -> usize {
        let weight = self.array(format!("{name}.weight"), vec![to, from, 1, 1]);
        let bias = Some(self.array(format!("{name}.bias"), vec![to]));
        let op =
            Op::Conv { weight, bias, stride: [1; 2], dilation: [1; 2], groups: 1, padding: Padding::even(0) };
        self.graph.add(name, op, &[x])
    }

    fn pool(&mut self, name: &str, x: usize, stride: usize) -> usize {
        let pool = Pool { kernel: [3; 2], stride: [stride; 2], padding: Padding::Same, ceil: false };
        self.graph.add(name, Op::MaxPool(pool), &[x])
    }

    fn mixed(&mut self, name: &str, x: usize, from: usize, widths: [usize; 6]) -> usize {
        let [one, three_in, three, five_in, five, pool] = widths;
        let a = self.conv(&format!("{name}/1x1"), x, [from, one], 1, 1);
        let reduced = self.conv(&format!("{name}/3x3_reduce"), x, [from, three_in], 1, 1);
        let b = self.conv(&format!("{name}/3x3"), reduced, [three_in, three], 3, 1);
        let reduced = self.conv(&format!("{name}/5x5_reduce"), x, [from, five_in], 1, 1);
        let c = self.conv(&format!("{name}/5x5"), reduced, [five_in, five], 5, 1);
        let pooled = self.pool(&format!("{name}/pooled"), x, 1);
        let d = self.conv(&format!("{name}/pool"), pooled, [from, pool], 1, 1);
        self.graph.add(name, Op::Concat, &[a, b, c, d])
    }
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
