//! Values and input gradients of every layer of each named architecture equal those of PyTorch on the same random weights.
//!
//! The numbers under `tests/reference` come from `script/torch-reference`, which runs the networks' definitions in other packages.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use serde::Deserialize;
use weber_workshop::architecture::Architecture;
use weber_workshop::network::{Array, Network, Weights, device, folded};

/// The largest difference, in mean sizes of a layer's values.
const TOLERANCE: f64 = 1e-3;

#[derive(Deserialize)]
struct Reference {
    side: usize,
    scale: f32,
    full_side: usize,
    layers: BTreeMap<String, Layer>,
    logits: Summary,
}

#[derive(Deserialize)]
struct Layer {
    forward: Summary,
    gradient: Summary,
}

/// The mean size of values, and some of them with their places.
#[derive(Deserialize)]
struct Summary {
    size: f64,
    values: Vec<(usize, f64)>,
}

impl Summary {
    fn compare<const D: usize>(&self, tensor: Tensor<D>, what: &str) {
        let values: Vec<f32> = tensor.into_data().try_to_vec().expect("tensors hold 32-bit numbers");
        let size = values.iter().map(|value| f64::from(value.abs())).sum::<f64>() / values.len() as f64;
        assert!((size - self.size).abs() <= TOLERANCE * self.size, "{what}: size {size}, not {}", self.size);
        for (place, expected) in &self.values {
            let value = f64::from(values[*place]);
            assert!(
                (value - expected).abs() <= TOLERANCE * self.size,
                "{what}: {value} at {place}, not {expected}"
            );
        }
    }
}

/// Numbers from 0 to 1 that depend on a name (hashed by FNV-1a) and a place (mixed by SplitMix64; Steele et al. 2014).
fn draw(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let seed = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    (1..=count as u64).map(move |i| {
        let z = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 24)
    })
}

/// As `weights` in `script/torch/reference.py`.
fn weights(name: &str, shape: &[usize]) -> Array {
    let part = name.rsplit_once('.').map_or(name, |(_, part)| part);
    let bound = (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt();
    let number = |u: f64| match part {
        _ if shape.len() > 1 => (2.0 * u - 1.0) * bound,
        "weight" | "running_var" | "gamma" | "variance" => 0.75 + 0.5 * u,
        _ => 0.4 * u - 0.2,
    };
    let values = draw(name, shape.iter().product()).map(|u| number(u) as f32).collect();
    Array { shape: shape.into(), values }
}

fn picture(side: usize, scale: f32) -> Tensor<4> {
    let values = draw("input", 3 * side * side).map(|u| (f64::from(scale) * (2.0 * u - 1.0)) as f32);
    Tensor::from_data(TensorData::new(values.collect::<Vec<f32>>(), [1, 3, side, side]), &device())
}

fn agrees(architecture: Architecture) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
    let text = std::fs::read_to_string(folder.join(format!("{}.json", architecture.name())))
        .expect("stored numbers");
    let reference: Reference = serde_json::from_str(&text).expect("stored numbers");
    let classes = architecture.classes(&Weights::default());
    let (graph, shapes) = architecture.graph(classes);
    let arrays = shapes.iter().map(|(name, shape)| (name.clone(), weights(name, shape)));
    let arrays = Weights(arrays.collect());
    let network = Network::new(graph.clone(), &arrays);
    let node = |name: &str| graph.find(name).unwrap_or_else(|| panic!("no node {name}"));

    let names: Vec<&String> = reference.layers.keys().collect();
    let nodes: Vec<usize> = names.iter().map(|name| node(name)).collect();
    let values = network.forward(picture(reference.side, reference.scale), &nodes);
    for (name, values) in names.iter().zip(values) {
        reference.layers[*name].forward.compare(values, &format!("{name}, forward"));
    }
    let (folded, folded_arrays) = folded(&graph, &arrays);
    let full = picture(reference.full_side, reference.scale);
    let logits = folded.find("logits").expect("a node for the classes");
    let values = Network::new(folded, &folded_arrays).forward(full, &[logits]).remove(0);
    reference.logits.compare(values, "logits");

    let network = network.differentiable();
    for (name, layer) in &reference.layers {
        let input = picture(reference.side, reference.scale).autodiff().require_grad();
        let values = network.forward(input.clone(), &[node(name)]).remove(0);
        let pattern: Vec<f32> =
            draw("pattern", values.shape().num_elements()).map(|u| (2.0 * u - 1.0) as f32).collect();
        let pattern = Tensor::<4>::from_data(TensorData::new(pattern, values.dims()), &device()).autodiff();
        let gradients = (values * pattern).sum().backward();
        let gradient = input.grad(&gradients).expect("the layer depends on the input");
        layer.gradient.compare(gradient, &format!("{name}, gradient"));
    }
}

#[test]
fn inception_v1_equals_lucents() {
    agrees(Architecture::InceptionV1);
}

#[test]
fn googlenet_equals_torchvisions() {
    agrees(Architecture::Googlenet);
}

#[test]
fn lite0_equals_its_package() {
    agrees(Architecture::EfficientnetLite0);
}

#[test]
fn the_demo_network_equals_its_description() {
    agrees(Architecture::Demo);
}
