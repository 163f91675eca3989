//! A network that ends in the one map of a unit.
//!
//! The last convolution has many channels, of which a unit needs one (or a weighted sum, which is again one convolution). So it is
//! replaced by a convolution with one channel.

use burn::tensor::{Tensor, TensorData};

use super::forward::{Network, device, values};
use super::graph::{Op, Padding};
use crate::unit::Direction;

/// The names of the node and of the arrays that compute the unit.
const NODE: &str = "unit";
const WEIGHT: &str = "unit.weight";
const BIAS: &str = "unit.bias";

/// A convolution: its kernel by output channel, and a bias for each.
struct Linear {
    kernels: Vec<Vec<f32>>,
    biases: Vec<f32>,
}

impl Network {
    /// The number of channels of a node's maps, for pictures of `size` px.
    pub fn channels(&self, node: usize, size: usize) -> usize {
        let picture = Tensor::<4>::zeros([1, 3, size, size], &device());
        self.forward(picture, &[node]).remove(0).dims()[1]
    }

    /// The same network with one node more, whose only map is the unit's. Returns that node.
    pub fn with_unit(&self, layer: usize, channels: usize, direction: &Direction) -> (Self, usize) {
        let factors = direction.factors(channels);
        let node = &self.graph.nodes()[layer];
        match &node.op {
            Op::Conv { weight, stride, dilation, groups: 1, padding, .. } => {
                let [_, from, height, width] = self.kernels[weight].dims();
                let op = unit_conv(*stride, *dilation, *padding);
                self.with_last(
                    op,
                    node.inputs[0],
                    &self.linear(layer).weighted(&factors),
                    [from, height, width],
                )
            }
            _ => {
                let alone = (factors.clone(), 0.0);
                let op = unit_conv([1; 2], [1; 2], Padding::even(0));
                self.with_last(op, layer, &alone, [factors.len(), 1, 1])
            }
        }
    }

    fn with_last(
        &self,
        op: Op,
        input: usize,
        (kernel, bias): &(Vec<f32>, f32),
        [from, height, width]: [usize; 3],
    ) -> (Self, usize) {
        let mut network =
            Self { graph: self.graph.clone(), vectors: self.vectors.clone(), kernels: self.kernels.clone() };
        let data = TensorData::new(kernel.clone(), [1, from, height, width]);
        network.kernels.insert(WEIGHT.into(), Tensor::from_data(data, &device()));
        network.vectors.insert(BIAS.into(), Tensor::from_data(TensorData::new(vec![*bias], [1]), &device()));
        let node = network.graph.add(NODE, op, &[input]);
        (network, node)
    }

    fn linear(&self, conv: usize) -> Linear {
        let Op::Conv { weight, bias, .. } = &self.graph.nodes()[conv].op else {
            unreachable!("only convolutions are read")
        };
        let kernel = self.kernels[weight].clone();
        let channels = kernel.dims()[0];
        let numbers = values(kernel);
        let kernels = numbers.chunks(numbers.len() / channels).map(<[f32]>::to_vec).collect();
        let biases = bias.as_ref().map_or_else(|| vec![0.0; channels], |name| values(self.vector(name)));
        Linear { kernels, biases }
    }
}

impl Linear {
    /// The sum of the channels, each times its factor.
    fn weighted(&self, factors: &[f32]) -> (Vec<f32>, f32) {
        let mut sum = vec![0.0; self.kernels[0].len()];
        let mut bias = 0.0;
        for ((kernel, own), factor) in self.kernels.iter().zip(&self.biases).zip(factors) {
            sum.iter_mut().zip(kernel).for_each(|(sum, k)| *sum += factor * k);
            bias += factor * own;
        }
        (sum, bias)
    }
}

fn unit_conv(stride: [usize; 2], dilation: [usize; 2], padding: Padding) -> Op {
    Op::Conv { weight: WEIGHT.into(), bias: Some(BIAS.into()), stride, dilation, groups: 1, padding }
}
