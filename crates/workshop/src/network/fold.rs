//! Batch normalisation as part of the convolution before it, which saves a pass over each map.

use super::graph::{Graph, Node, Op};
use super::weights::{Array, Weights};

/// A batch normalisation and the convolution whose only reader it is.
struct Pair<'a> {
    conv: &'a Node,
    norm: &'a Node,
}

/// The same network in which each convolution that only a batch normalisation reads is one node with it. That node has the name of
/// the normalisation. All other nodes stay.
pub fn folded(graph: &Graph, weights: &Weights) -> (Graph, Weights) {
    let nodes = graph.nodes();
    let mut readers = vec![0; nodes.len()];
    nodes.iter().flat_map(|node| &node.inputs).for_each(|input| readers[*input] += 1);
    let pair = |norm: &Node| -> Option<usize> {
        let input = *norm.inputs.first()?;
        let folds = matches!((&norm.op, &nodes[input].op), (Op::BatchNorm { .. }, Op::Conv { .. }));
        (folds && readers[input] == 1).then_some(input)
    };
    let goes: Vec<usize> = nodes.iter().filter_map(pair).collect();
    let (mut result, mut arrays) = (Graph::new(), Weights::default());
    let mut places = vec![0; nodes.len()];
    for (index, node) in nodes.iter().enumerate().skip(1).filter(|(index, _)| !goes.contains(index)) {
        let (op, source) = match pair(node) {
            Some(conv) => (Pair { conv: &nodes[conv], norm: node }.fold(weights, &mut arrays), &nodes[conv]),
            None => (node.op.clone(), node),
        };
        let inputs: Vec<usize> = source.inputs.iter().map(|input| places[*input]).collect();
        places[index] = result.add(node.name.clone(), op, &inputs);
    }
    for name in result.arrays() {
        if let Some(array) = weights.get(name) {
            arrays.0.entry(name.to_owned()).or_insert_with(|| array.clone());
        }
    }
    (result, arrays)
}

impl Pair<'_> {
    /// One convolution that computes both. Its arrays are added.
    fn fold(&self, weights: &Weights, arrays: &mut Weights) -> Op {
        let (
            Op::Conv { weight, bias, stride, dilation, groups, padding },
            Op::BatchNorm { gamma, beta, mean, variance, epsilon },
        ) = (&self.conv.op, &self.norm.op)
        else {
            unreachable!("a pair is a convolution and a normalisation")
        };
        let values = |name: &str| &weights.0[name].values;
        let factors: Vec<f64> = values(gamma)
            .iter()
            .zip(values(variance))
            .map(|(gamma, variance)| f64::from(*gamma) / (f64::from(*variance) + epsilon).sqrt())
            .collect();
        let kernel = &weights.0[weight];
        let per_channel = kernel.values.len() / factors.len();
        let scaled = kernel.values.chunks(per_channel).zip(&factors);
        let scaled =
            scaled.flat_map(|(part, factor)| part.iter().map(move |w| (f64::from(*w) * factor) as f32));
        let kernel = Array { shape: kernel.shape.clone(), values: scaled.collect() };
        let shift = |channel: usize| {
            let bias = bias.as_ref().map_or(0.0, |name| f64::from(values(name)[channel]));
            let mean = f64::from(values(mean)[channel]);
            (f64::from(values(beta)[channel]) + (bias - mean) * factors[channel]) as f32
        };
        let shifts = Array { shape: vec![factors.len()], values: (0..factors.len()).map(shift).collect() };
        // Arrays may be shared with other nodes, so they are not overwritten.
        let (weight, bias) =
            (format!("{}/folded.weight", self.norm.name), format!("{}/folded.bias", self.norm.name));
        arrays.0.insert(weight.clone(), kernel);
        arrays.0.insert(bias.clone(), shifts);
        let (stride, dilation, groups, padding) = (*stride, *dilation, *groups, *padding);
        Op::Conv { weight, bias: Some(bias), stride, dilation, groups, padding }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Tensor, TensorData};
    use weber_stimuli::dice::Dice;

    use super::*;
    use crate::architecture::Architecture;
    use crate::network::{Network, device, values};
    use crate::testing::random_weights;

    #[test]
    fn folding_changes_no_values() {
        for architecture in [Architecture::Demo, Architecture::EfficientnetLite0] {
            let (graph, shapes) = architecture.graph(5);
            let weights = random_weights(&shapes, 3);
            let (less, arrays) = folded(&graph, &weights);
            assert!(!less.nodes().iter().any(|node| matches!(node.op, Op::BatchNorm { .. })));
            let names: Vec<&str> = less.nodes().iter().map(|node| node.name.as_str()).collect();
            let dice = Dice::new(1, "fold", 0);
            let input = (0..3 * 64 * 64).map(|_| dice.normal()).collect::<Vec<f32>>();
            let input = || Tensor::<4>::from_data(TensorData::new(input.clone(), [1, 3, 64, 64]), &device());
            let of =
                |network: &Graph| -> Vec<usize> { names.iter().map(|n| network.find(n).unwrap()).collect() };
            let before = Network::new(graph.clone(), &weights).forward(input(), &of(&graph));
            let after = Network::new(less.clone(), &arrays).forward(input(), &of(&less));
            for (name, (a, b)) in names.iter().zip(before.into_iter().zip(after)) {
                let (a, b) = (values(a), values(b));
                let size = a.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                let off = a.iter().zip(&b).fold(0.0_f32, |most, (x, y)| most.max((x - y).abs()));
                assert!(off <= 1e-4 * size, "{name}: {off} of {size}");
            }
        }
    }

    #[test]
    fn a_convolution_that_others_read_stays() {
        let mut graph = Graph::new();
        let conv = Op::Conv {
            weight: "w".into(),
            bias: None,
            stride: [1; 2],
            dilation: [1; 2],
            groups: 1,
            padding: crate::network::Padding::even(0),
        };
        let conv = graph.add("conv", conv, &[0]);
        let array = |name: &str| name.to_owned();
        let (gamma, beta, mean, variance) = (array("g"), array("b"), array("m"), array("v"));
        let norm = graph.add("norm", Op::BatchNorm { gamma, beta, mean, variance, epsilon: 0.0 }, &[conv]);
        graph.add("sum", Op::Add, &[conv, norm]);
        assert_eq!(folded(&graph, &Weights::default()).0, graph);
    }
}
