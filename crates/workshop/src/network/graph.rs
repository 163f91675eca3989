//! The operations of a network and how they depend on each other.

/// How the edges of a map are padded before a convolution or a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Rows above, columns left, rows below, columns right.
    Explicit([usize; 4]),
    /// As TensorFlow does: the output has the input's side divided by the stride, rounded up; an odd rest goes below and right.
    Same,
    /// As PyTorch's networks do: half of the kernel (rounded down) on all sides.
    Symmetric,
}

impl Padding {
    /// The same number of rows and columns on all four sides.
    pub const fn even(n: usize) -> Self {
        Self::Explicit([n; 4])
    }

    /// Rows above, columns left, rows below, columns right, for an input of `height` x `width`.
    pub fn resolve(self, [height, width]: [usize; 2], kernel: [usize; 2], stride: [usize; 2]) -> [usize; 4] {
        match self {
            Self::Explicit(sides) => sides,
            Self::Symmetric => {
                let [y, x] = kernel.map(|side| (side - 1) / 2);
                [y, x, y, x]
            }
            Self::Same => {
                let along = |side: usize, kernel: usize, stride: usize| {
                    let all = ((side.div_ceil(stride) - 1) * stride + kernel).saturating_sub(side);
                    (all / 2, all - all / 2)
                };
                let (top, bottom) = along(height, kernel[0], stride[0]);
                let (left, right) = along(width, kernel[1], stride[1]);
                [top, left, bottom, right]
            }
        }
    }
}

/// The window of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Distance of neighbouring windows.
    pub stride: [usize; 2],
    /// Padding of the edges.
    pub padding: Padding,
    /// Whether a window that reaches beyond the padded edge counts (PyTorch's `ceil_mode`).
    pub ceil: bool,
}

/// One operation. Names refer to [`super::Weights`].
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The preprocessed pictures.
    Input,
    /// A convolution: weights `[out, in / groups, height, width]`, and an optional bias `[out]`.
    Conv {
        weight: String,
        bias: Option<String>,
        stride: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
        padding: Padding,
    },
    /// Batch normalisation with its stored mean and variance.
    BatchNorm { gamma: String, beta: String, mean: String, variance: String, epsilon: f64 },
    /// max(x, 0).
    Relu,
    /// x, at least `low` and at most `high`.
    Clip { low: f32, high: f32 },
    /// 1 / (1 + exp(-x)).
    Sigmoid,
    /// The largest value of each window. Padding counts as minus infinity.
    MaxPool(Pool),
    /// The mean of each window. `count_padding` says whether padding counts as zeros or not at all.
    AveragePool { pool: Pool, count_padding: bool },
    /// The mean of each map.
    GlobalAverage,
    /// Local response normalisation over channels (Krizhevsky et al. 2012): `x / (k + alpha / size * sum of squares)^beta`.
    LocalResponse { size: usize, alpha: f64, beta: f64, k: f64 },
    /// The maps of all inputs, one after the other.
    Concat,
    /// The sum of all inputs.
    Add,
    /// The product of both inputs. An input of 1 x 1 scales whole maps.
    Multiply,
    /// All values of a picture as channels of 1 x 1.
    Flatten,
    /// Exponentials that add up to 1 over channels.
    Softmax,
}

/// One operation with its name and the nodes that it reads, which come before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: String,
    pub op: Op,
    pub inputs: Vec<usize>,
}

/// Operations in an order in which each follows its inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
}

impl Graph {
    /// A graph that starts with the node `input`.
    pub fn new() -> Self {
        Self { nodes: vec![Node { name: "input".into(), op: Op::Input, inputs: Vec::new() }] }
    }

    /// Adds an operation and returns its index. The inputs must exist.
    pub fn add(&mut self, name: impl Into<String>, op: Op, inputs: &[usize]) -> usize {
        assert!(inputs.iter().all(|input| *input < self.nodes.len()), "an operation follows its inputs");
        self.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec() });
        self.nodes.len() - 1
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The index of the node with this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }

    /// The graph with another `wanted` padding in place of both [`Padding::Same`] and [`Padding::Symmetric`].
    #[must_use]
    pub fn with_padding(mut self, wanted: Padding) -> Self {
        for node in &mut self.nodes {
            match &mut node.op {
                Op::Conv { padding, .. }
                | Op::MaxPool(Pool { padding, .. })
                | Op::AveragePool { pool: Pool { padding, .. }, .. }
                    if matches!(padding, Padding::Same | Padding::Symmetric) =>
                {
                    *padding = wanted;
                }
                _ => {}
            }
        }
        self
    }

    /// For each node whether one of the `wanted` depends on it.
    pub fn needed(&self, wanted: &[usize]) -> Vec<bool> {
        let mut needed = vec![false; self.nodes.len()];
        for node in wanted {
            needed[*node] = true;
        }
        for index in (0..self.nodes.len()).rev() {
            if needed[index] {
                for input in &self.nodes[index].inputs {
                    needed[*input] = true;
                }
            }
        }
        needed
    }

    /// For each node the last node that reads it, so that its values can be dropped afterwards. Wanted nodes are kept.
    pub(super) fn last_readers(&self, wanted: &[usize]) -> Vec<usize> {
        let needed = self.needed(wanted);
        let mut last: Vec<usize> = (0..self.nodes.len()).collect();
        for (index, node) in self.nodes.iter().enumerate().filter(|(index, _)| needed[*index]) {
            for input in &node.inputs {
                last[*input] = index;
            }
        }
        for node in wanted {
            last[*node] = usize::MAX;
        }
        last
    }

    /// The names of all arrays that the operations read.
    pub fn arrays(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().flat_map(|node| match &node.op {
            Op::Conv { weight, bias, .. } => {
                vec![weight.as_str()].into_iter().chain(bias.as_deref()).collect()
            }
            Op::BatchNorm { gamma, beta, mean, variance, .. } => {
                vec![gamma.as_str(), beta.as_str(), mean.as_str(), variance.as_str()]
            }
            _ => Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_follows_tensorflow() {
        let resolve = |side, kernel, stride| Padding::Same.resolve([side; 2], [kernel; 2], [stride; 2]);
        assert_eq!(resolve(224, 7, 2), [2, 2, 3, 3]);
        assert_eq!(resolve(112, 3, 2), [0, 0, 1, 1]);
        assert_eq!(resolve(7, 3, 1), [1, 1, 1, 1]);
        assert_eq!(resolve(7, 3, 2), [1, 1, 1, 1]);
        assert_eq!(resolve(8, 1, 2), [0, 0, 0, 0]);
        assert_eq!(Padding::Symmetric.resolve([8; 2], [7, 3], [2; 2]), [3, 1, 3, 1]);
    }

    #[test]
    fn only_needed_nodes_are_found() {
        let mut graph = Graph::new();
        let a = graph.add("a", Op::Relu, &[0]);
        let b = graph.add("b", Op::Relu, &[a]);
        let c = graph.add("c", Op::Add, &[0, a]);
        assert_eq!(graph.needed(&[b]), [true, true, true, false]);
        assert_eq!(graph.last_readers(&[b]), [a, b, usize::MAX, c]);
        assert_eq!((graph.find("c"), graph.find("d")), (Some(c), None));
    }
}
