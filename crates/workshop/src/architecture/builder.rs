//! Puts the graph of an architecture together, with the shapes of its weights.

use crate::network::{Graph, Op, Padding, Pool};

/// Shape of each array of weights, in the order of use.
pub type Shapes = Vec<(String, Vec<usize>)>;

/// The arrays of a convolution.
pub(super) struct Arrays {
    pub weight: String,
    pub after: After,
}

/// What follows the kernel of a convolution.
pub(super) enum After {
    Bias(String),
    Norm { gamma: String, beta: String, mean: String, variance: String, epsilon: f64 },
}

impl After {
    /// Batch normalisation with PyTorch's names.
    pub fn torch_norm(module: &str, epsilon: f64) -> Self {
        let array = |part: &str| format!("{module}.{part}");
        let (gamma, beta) = (array("weight"), array("bias"));
        Self::Norm { gamma, beta, mean: array("running_mean"), variance: array("running_var"), epsilon }
    }
}

/// The numbers of a square convolution.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    pub from: usize,
    pub to: usize,
    pub side: usize,
    pub stride: usize,
    pub groups: usize,
    pub padding: Padding,
}

impl Kernel {
    /// A convolution of all channels that keeps the size of the maps.
    pub const fn new(from: usize, to: usize, side: usize) -> Self {
        Self { from, to, side, stride: 1, groups: 1, padding: Padding::even(side / 2) }
    }

    pub const fn strided(self, stride: usize, padding: Padding) -> Self {
        Self { stride, padding, ..self }
    }

    /// Each channel by itself.
    pub const fn by_channel(self) -> Self {
        Self { groups: self.from, ..self }
    }
}

pub(super) struct Builder {
    graph: Graph,
    shapes: Shapes,
    /// The names of the arrays of a node.
    arrays: fn(&str) -> Arrays,
    /// What follows a unit.
    activation: Op,
}

impl Builder {
    pub fn new(arrays: fn(&str) -> Arrays, activation: Op) -> Self {
        Self { graph: Graph::new(), shapes: Shapes::new(), arrays, activation }
    }

    pub fn add(&mut self, name: &str, op: Op, inputs: &[usize]) -> usize {
        self.graph.add(name, op, inputs)
    }

    fn array(&mut self, name: String, shape: Vec<usize>) -> String {
        self.shapes.push((name.clone(), shape));
        name
    }

    /// A convolution with what follows its kernel: the node of this name.
    pub fn linear(&mut self, name: &str, x: usize, kernel: Kernel) -> usize {
        let Kernel { from, to, side, stride, groups, padding } = kernel;
        let arrays = (self.arrays)(name);
        let weight = self.array(arrays.weight, vec![to, from / groups, side, side]);
        let conv = |bias| Op::Conv { weight, bias, stride: [stride; 2], dilation: [1; 2], groups, padding };
        match arrays.after {
            After::Bias(bias) => {
                let bias = self.array(bias, vec![to]);
                self.graph.add(name, conv(Some(bias)), &[x])
            }
            After::Norm { gamma, beta, mean, variance, epsilon } => {
                let x = self.graph.add(format!("{name}/conv"), conv(None), &[x]);
                let [gamma, beta, mean, variance] =
                    [gamma, beta, mean, variance].map(|array| self.array(array, vec![to]));
                self.graph.add(name, Op::BatchNorm { gamma, beta, mean, variance, epsilon }, &[x])
            }
        }
    }

    /// [`Self::linear`], rectified.
    pub fn conv(&mut self, name: &str, x: usize, kernel: Kernel) -> usize {
        let x = self.linear(name, x, kernel);
        self.graph.add(format!("{name}/relu"), self.activation.clone(), &[x])
    }

    pub fn max_pool(&mut self, name: &str, x: usize, pool: Pool) -> usize {
        self.graph.add(name, Op::MaxPool(pool), &[x])
    }

    /// The mean over all places, a weighted sum per class (`logits`), and their shares (`softmax`).
    pub fn classify(
        mut self,
        x: usize,
        channels: usize,
        classes: usize,
        [weight, bias]: [&str; 2],
    ) -> (Graph, Shapes) {
        let mean = self.graph.add("mean", Op::GlobalAverage, &[x]);
        let weight = self.array(weight.into(), vec![classes, channels, 1, 1]);
        let bias = Some(self.array(bias.into(), vec![classes]));
        let padding = Padding::even(0);
        let logits = Op::Conv { weight, bias, stride: [1; 2], dilation: [1; 2], groups: 1, padding };
        let logits = self.graph.add("logits", logits, &[mean]);
        self.graph.add("softmax", Op::Softmax, &[logits]);
        (self.graph, self.shapes)
    }
}
