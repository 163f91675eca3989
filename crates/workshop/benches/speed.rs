//! Measures the workshop on this machine: networks, the search for positions of the patch, and the ranking of images. Prints tables for
//! docs/stimuli.md. `script/bench stimuli` runs it, and PyTorch on the same networks beside it.

#![expect(clippy::print_stdout, reason = "the tables are the result")]

use std::path::Path;
use std::time::{Duration, Instant};

use burn::tensor::{Tensor, TensorData};
use weber_stimuli::dice::Dice;
use weber_stimuli::inlay::{Inlay, Patch};
use weber_stimuli::scenes;
use weber_workshop::architecture::{Architecture, Shapes};
use weber_workshop::card::Card;
use weber_workshop::model::Model;
use weber_workshop::network::{Array, Network, Weights, device, folded};
use weber_workshop::parallel;
use weber_workshop::pool::{Pool, Views};
use weber_workshop::probe::Probe;
use weber_workshop::search::{Ends, Search, extremes};
use weber_workshop::unit::Direction;

/// Pictures per batch, and batches per measurement.
const BATCH: usize = 8;
const BATCHES: usize = 8;

/// The best of this many runs is taken.
const RUNS: usize = 3;

fn best(run: impl Fn()) -> Duration {
    let one = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..RUNS).map(|_| one()).min().unwrap_or_default()
}

fn random(shapes: &Shapes) -> Weights {
    let dice = Dice::new(1, "bench", 0);
    let array = |shape: &Vec<usize>| {
        let count: usize = shape.iter().product();
        let deviation = (2.0 / (count / shape[0]).max(1) as f32).sqrt();
        let value = |_| if shape.len() == 4 { deviation * dice.normal() } else { 1.0 };
        Array { shape: shape.clone(), values: (0..count).map(value).collect() }
    };
    Weights(shapes.iter().map(|(name, shape)| (name.clone(), array(shape))).collect())
}

/// ms per picture for a forward pass, and for one with the gradient of a channel's mean with respect to the pictures.
fn network(architecture: Architecture, size: usize) -> [f64; 2] {
    let (graph, shapes) = architecture.graph(1_000);
    let (graph, weights) = folded(&graph, &random(&shapes));
    let network = Network::new(graph, &weights);
    let learner = network.differentiable();
    let last = network.graph().find("mean").unwrap_or(network.graph().nodes().len() - 3);
    let dice = Dice::new(2, "bench", 0);
    let values: Vec<f32> = (0..BATCH * 3 * size * size).map(|_| dice.normal()).collect();
    let input = || Tensor::<4>::from_data(TensorData::new(values.clone(), [BATCH, 3, size, size]), &device());
    let batches: Vec<usize> = (0..BATCHES).collect();
    let forward = best(|| {
        parallel::map(&batches, |_| network.forward(input(), &[last]).remove(0).into_data());
    });
    let gradient = best(|| {
        parallel::map(&batches, |_| {
            let x = input().autodiff().require_grad();
            let mean = learner.forward(x.clone(), &[last]).remove(0).narrow(1, 0, 1).mean();
            x.grad(&mean.backward()).map(|gradient| gradient.into_data())
        });
    });
    [forward, gradient].map(|time| time.as_secs_f64() * 1e3 / (BATCH * BATCHES) as f64)
}

/// s on one core for the search of one base image: a full pass per position, changed regions, and the coarse search.
fn search(model: &Model, layer: &str) -> [f64; 3] {
    let picture = scenes::paint(1, 3);
    let node = model.network.graph().find(layer).unwrap_or_default();
    let probe = Probe::new(model, node, &Direction::Channel(3));
    let patch = Patch::STUDY;
    let positions = patch.corners().len();
    let times = parallel::map(&[()], |()| {
        let start = Instant::now();
        let batch: Vec<_> = patch
            .corners()
            .iter()
            .step_by(73)
            .map(|at| patch.compose(&picture, Inlay::MeanColour, *at))
            .collect();
        model.means(&batch.iter().collect::<Vec<_>>(), &[node]);
        let full = start.elapsed().as_secs_f64() * positions as f64 / batch.len() as f64;
        let asked = probe.ask(&picture, patch, Inlay::MeanColour);
        let run = |search| {
            let start = Instant::now();
            extremes(search, Ends::Both, patch, |corners| asked.responses(corners));
            start.elapsed().as_secs_f64()
        };
        [full, run(Search::Exhaustive), run(Search::Coarse)]
    });
    times[0]
}

fn main() {
    println!("| network, input | forward, ms per image | with input gradient, ms per image |");
    println!("|---|---|---|");
    for (architecture, size) in
        [(Architecture::InceptionV1, 224), (Architecture::EfficientnetLite0, 224), (Architecture::Demo, 112)]
    {
        let [forward, gradient] = network(architecture, size);
        println!("| {}, {size} px | {forward:.1} | {gradient:.1} |", architecture.name());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/network.safetensors");
    let weights = Weights::read(&path).expect("the demo network is part of the repository");
    let model = Model::new(&Architecture::Demo.graph(50).0, &weights, Card::demo());
    println!(
        "\n| layer of the demo network | full pass per position, s | changed regions, s | coarse, s | gain |"
    );
    println!("|---|---|---|---|---|");
    let mut gains = Vec::new();
    for block in ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"] {
        let layer = format!("mixed{block}/3x3");
        let [full, regions, coarse] = search(&model, &layer);
        gains.push(full / coarse);
        println!("| {layer} | {full:.1} | {regions:.1} | {coarse:.2} | {:.1} |", full / coarse);
    }
    println!("\nMean gain of the coarse search: {:.1}", gains.iter().sum::<f64>() / gains.len() as f64);
    let pool = Views::demo(1, 512);
    let images: Vec<usize> = (0..512).collect();
    let layers = [model.network.graph().find("mixed5b/3x3").unwrap_or_default()];
    let start = Instant::now();
    parallel::map(&images, |image| pool.picture(*image).map(|picture| model.means(&[&picture], &layers)));
    println!(
        "\nRanking: {:.1} ms per view of the demo, painting included",
        start.elapsed().as_secs_f64() * 1e3 / 512.0
    );
}
