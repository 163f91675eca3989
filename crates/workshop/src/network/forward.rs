//! Forward passes and gradients.

use std::collections::BTreeMap;

use burn::tensor::module::{avg_pool2d, batch_norm, conv2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions};
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::graph::{Graph, Op, Padding, Pool};
use super::pool;
use super::weights::{Array, Weights};

/// Where tensors are computed: the processor.
pub fn device() -> Device {
    Device::flex()
}

/// A graph with its weights as tensors.
pub struct Network {
    pub(super) graph: Graph,
    /// One-dimensional arrays.
    pub(super) vectors: BTreeMap<String, Tensor<1>>,
    /// Kernels of convolutions.
    pub(super) kernels: BTreeMap<String, Tensor<4>>,
}

/// An array of the weights as a tensor of `D` dimensions.
fn tensor<const D: usize>(array: &Array, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(array.values.clone(), array.shape.clone()), device)
}

/// The numbers of a tensor, the last dimension varying fastest.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("tensors here hold 32-bit numbers")
}

impl Network {
    /// Prepares the graph for computing. Every array that the graph names must exist with as many dimensions as its use needs.
    pub fn new(graph: Graph, weights: &Weights) -> Self {
        let (mut vectors, mut kernels) = (BTreeMap::new(), BTreeMap::new());
        for name in graph.arrays() {
            let array = &weights.0[name];
            if array.shape.len() == 4 {
                kernels.insert(name.to_owned(), tensor(array, &device()));
            } else {
                vectors.insert(name.to_owned(), tensor(array, &device()));
            }
        }
        Self { graph, vectors, kernels }
    }

    /// The same network for computing gradients with respect to its input. The numbers are shared.
    pub fn differentiable(&self) -> Self {
        Self {
            graph: self.graph.clone(),
            vectors: self
                .vectors
                .iter()
                .map(|(name, tensor)| (name.clone(), tensor.clone().autodiff()))
                .collect(),
            kernels: self
                .kernels
                .iter()
                .map(|(name, tensor)| (name.clone(), tensor.clone().autodiff()))
                .collect(),
        }
    }

    /// The same network with gradients with respect to its weights, for training.
    pub(crate) fn trainable(&self) -> Self {
        let leaf =
            |(name, tensor): (&String, &Tensor<1>)| (name.clone(), tensor.clone().autodiff().require_grad());
        let kernel =
            |(name, tensor): (&String, &Tensor<4>)| (name.clone(), tensor.clone().autodiff().require_grad());
        Self {
            graph: self.graph.clone(),
            vectors: self.vectors.iter().map(leaf).collect(),
            kernels: self.kernels.iter().map(kernel).collect(),
        }
    }

    /// The gradients of a loss with respect to all weights of a [trainable](Self::trainable) network.
    pub(crate) fn gradients(&self, loss: &Tensor<1>) -> BTreeMap<String, Vec<f32>> {
        let gradients = loss.backward();
        let vectors = self.vectors.iter().filter_map(|(name, tensor)| {
            tensor.grad(&gradients).map(|gradient| (name.clone(), values(gradient)))
        });
        let kernels = self.kernels.iter().filter_map(|(name, tensor)| {
            tensor.grad(&gradients).map(|gradient| (name.clone(), values(gradient)))
        });
        vectors.chain(kernels).collect()
    }

    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The values of the `wanted` nodes for a batch `[pictures, channels, height, width]`. Nothing else is computed.
    pub fn forward(&self, batch: Tensor<4>, wanted: &[usize]) -> Vec<Tensor<4>> {
        self.forward_with(batch, wanted, |op, inputs| self.apply(op, inputs))
    }

    /// [`Self::forward`] in which operations are computed by `apply`.
    pub(crate) fn forward_with(
        &self,
        batch: Tensor<4>,
        wanted: &[usize],
        mut apply: impl FnMut(&Op, Vec<Tensor<4>>) -> Tensor<4>,
    ) -> Vec<Tensor<4>> {
        let needed = self.graph.needed(wanted);
        let last = self.graph.last_readers(wanted);
        let mut values: Vec<Option<Tensor<4>>> = vec![None; self.graph.nodes().len()];
        let mut batch = Some(batch);
        for (index, node) in self.graph.nodes().iter().enumerate().filter(|(index, _)| needed[*index]) {
            let mut inputs = Vec::with_capacity(node.inputs.len());
            for (place, input) in node.inputs.iter().enumerate() {
                // A value that is not read later is handed over, so that the operation can reuse its memory.
                let again = last[*input] != index || node.inputs[place + 1..].contains(input);
                let value = if again { values[*input].clone() } else { values[*input].take() };
                inputs.push(value.expect("inputs are computed before"));
            }
            values[index] = Some(match node.op {
                Op::Input => batch.take().expect("there is one input"),
                _ => apply(&node.op, inputs),
            });
        }
        wanted.iter().map(|node| values[*node].clone().expect("wanted nodes are computed")).collect()
    }

    pub(crate) fn vector(&self, name: &str) -> Tensor<1> {
        self.vectors[name].clone()
    }

    /// One operation.
    pub(crate) fn apply(&self, op: &Op, mut inputs: Vec<Tensor<4>>) -> Tensor<4> {
        match op {
            Op::Concat => return Tensor::cat(inputs, 1),
            Op::Add => return inputs.into_iter().reduce(|a, b| a + b).expect("a sum has terms"),
            Op::Multiply => return inputs.into_iter().reduce(|a, b| a * b).expect("a product has factors"),
            _ => {}
        }
        let x = inputs.pop().expect("an operation has an input");
        match op {
            Op::Conv { weight, bias, stride, dilation, groups, padding } => {
                let kernel = self.kernels[weight].clone();
                let bias = bias.as_ref().map(|name| self.vector(name));
                let [_, _, kh, kw] = kernel.dims();
                let [_, _, height, width] = x.dims();
                let reach = [(kh - 1) * dilation[0] + 1, (kw - 1) * dilation[1] + 1];
                let [top, left, bottom, right] = padding.resolve([height, width], reach, *stride);
                let sides = [(top, bottom), (left, right)];
                conv2d(x, kernel, bias, ConvOptions::new_with_padding(*stride, sides, *dilation, *groups))
            }
            Op::BatchNorm { gamma, beta, mean, variance, epsilon } => batch_norm(
                x,
                self.vector(gamma),
                self.vector(beta),
                self.vector(mean),
                self.vector(variance),
                *epsilon,
            ),
            Op::Relu => activation::relu(x),
            Op::Clip { low, high } => x.clamp(*low, *high),
            Op::Sigmoid => activation::sigmoid(x),
            Op::MaxPool(window) => pool::max(x, window),
            Op::AveragePool { pool, count_padding } => average(x, pool, *count_padding),
            Op::GlobalAverage => x.mean_dim(2).mean_dim(3),
            Op::LocalResponse { size, alpha, beta, k } => local_response(x, *size, *alpha, *beta, *k),
            Op::Flatten => {
                let [n, c, h, w] = x.dims();
                x.reshape([n, c * h * w, 1, 1])
            }
            Op::Softmax => activation::softmax(x, 1),
            Op::Input | Op::Concat | Op::Add | Op::Multiply => unreachable!("handled before"),
        }
    }
}

fn average(x: Tensor<4>, pool: &Pool, count_padding: bool) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let [top, left, bottom, right] = pool.padding.resolve([height, width], pool.kernel, pool.stride);
    let options = AvgPoolOptions::new(pool.kernel)
        .with_stride(pool.stride)
        .with_padding_pairs([(top, bottom), (left, right)])
        .with_count_include_pad(count_padding && pool.padding != Padding::Same)
        .with_ceil_mode(pool.ceil);
    avg_pool2d(x, options)
}

/// Normalises each value by those of neighbouring channels, with zeros beyond the first and the last channel.
fn local_response(x: Tensor<4>, size: usize, alpha: f64, beta: f64, k: f64) -> Tensor<4> {
    let channels = x.dims()[1];
    let before = (size - 1) / 2;
    let padded = x.clone().square().pad([(before, size - 1 - before), (0, 0), (0, 0)], 0.0);
    let sum = (0..size)
        .map(|start| padded.clone().narrow(1, start, channels))
        .reduce(|a, b| a + b)
        .expect("a neighbourhood has channels");
    let scale = (sum * (alpha / size as f64) + k).powf_scalar(-beta);
    x * scale
}

#[cfg(test)]
mod tests {
    use weber_stimuli::dice::Dice;

    use super::*;

    /// The gradient of a weighted sum of an operation's values equals that by differences.
    fn gradient_is_right(op: &str, apply: impl Fn(Tensor<4>) -> Tensor<4>) {
        const SHAPE: [usize; 4] = [1, 12, 5, 4];
        let dice = Dice::new(1, "gradient", 0);
        let input: Vec<f32> = (0..SHAPE.iter().product()).map(|_| 3.0 * dice.normal()).collect();
        let tensor = |values: Vec<f32>| Tensor::<4>::from_data(TensorData::new(values, SHAPE), &device());
        let count = values(apply(tensor(input.clone()))).len();
        let pattern: Vec<f32> = (0..count).map(|_| 1.0 + 0.1 * dice.normal()).collect();
        let sum = |input: Vec<f32>| -> f64 {
            let found = values(apply(tensor(input)));
            found.iter().zip(&pattern).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let leaf = tensor(input.clone()).autodiff().require_grad();
        let output = apply(leaf.clone());
        let weights = Tensor::<4>::from_data(TensorData::new(pattern.clone(), output.dims()), &device());
        let gradients = (output * weights.autodiff()).sum().backward();
        let found = values(leaf.grad(&gradients).expect("the output depends on the input"));
        for place in (0..input.len()).step_by(7) {
            let moved = |by: f32| {
                let mut input = input.clone();
                input[place] += by;
                sum(input)
            };
            let expected = (moved(0.01) - moved(-0.01)) / 0.02;
            let off = (f64::from(found[place]) - expected).abs();
            assert!(off < 0.01, "{op}, {place}: {}, not {expected}", found[place]);
        }
    }

    #[test]
    fn gradients_of_responses_are_right() {
        gradient_is_right("square", |x| x.square());
        gradient_is_right("pad", |x| x.pad([(4, 4), (0, 0), (0, 0)], 0.0).square());
        gradient_is_right("narrow", |x| x.clone().narrow(1, 2, 8) + x.narrow(1, 3, 8));
        gradient_is_right("powf", |x| (x.square() + 1.0).powf_scalar(-0.5));
        gradient_is_right("local response", |x| local_response(x, 9, 0.5, 0.5, 1.0));
    }
}
