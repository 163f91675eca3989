//! Trains the demo network to name the kinds of scenes in a view.

use std::collections::BTreeMap;

use burn::tensor::module::batch_norm_train;
use burn::tensor::{Tensor, TensorData, activation};
use weber_stimuli::dice::Dice;

use super::adam::Adam;
use super::scenes::Scenes;
use crate::architecture::{DEMO_SIDE, demo};
use crate::card::Card;
use crate::network::{Array, Graph, Network, Op, Weights, device, values};
use crate::parallel;

/// Views per step, in shards that are computed side by side. Their number is fixed, so that results do not depend on the cores.
const SHARDS: usize = 4;
const SHARD: usize = 16;

/// How quickly the stored statistics of batch normalisation follow those of batches.
const MOMENTUM: f32 = 0.05;

const DECAY: f32 = 0.02;

/// The settings of a training.
#[derive(Clone, Debug)]
pub struct Training {
    pub seed: u64,
    /// Number of steps, of 64 views each.
    pub steps: usize,
    /// The largest step size of Adam. It rises over the first steps and falls to zero at the end, as a cosine.
    pub rate: f32,
}

/// What [`train_demo`] reports now and then.
pub struct Epoch<'a> {
    pub step: usize,
    /// Mean cross entropy since the last report.
    pub loss: f32,
    /// The weights so far.
    pub weights: &'a Weights,
}

/// The gradients of one shard, its loss, and the statistics of each batch normalisation.
struct Shard {
    loss: f32,
    gradients: BTreeMap<String, Vec<f32>>,
    statistics: BTreeMap<String, Vec<f32>>,
}

/// Trains the demo network on random views of the scenes.
pub fn train_demo(scenes: &Scenes, training: &Training, report: impl Fn(&Epoch<'_>)) -> Weights {
    let (graph, shapes) = demo(scenes.classes());
    let mut weights = initial(&shapes, &Dice::new(training.seed, "weights", 0));
    let (mut adam, mut loss) = (Adam::default(), 0.0);
    for step in 0..training.steps {
        let network = Network::new(graph.clone(), &weights);
        let places: Vec<usize> = (0..SHARDS).collect();
        let shards = parallel::map(&places, |place| {
            let dice = Dice::new(training.seed, "training", (step * SHARDS + place) as u64);
            shard(&network, scenes, &dice)
        });
        loss += shards.iter().map(|shard| shard.loss).sum::<f32>() / SHARDS as f32;
        adam.step(&mut weights, &mean(&shards, |shard| &shard.gradients), rate(training, step), DECAY);
        for (name, statistic) in mean(&shards, |shard| &shard.statistics) {
            let stored = weights.0.get_mut(&name).expect("statistics have names of weights");
            for (old, new) in stored.values.iter_mut().zip(statistic) {
                *old += MOMENTUM * (new - *old);
            }
        }
        if (step + 1) % 50 == 0 {
            report(&Epoch { step: step + 1, loss: loss / 50.0, weights: &weights });
            loss = 0.0;
        }
    }
    weights
}

fn rate(training: &Training, step: usize) -> f32 {
    const WARM: f32 = 100.0;
    let warm = ((step + 1) as f32 / WARM).min(1.0);
    let turn = std::f32::consts::PI * step as f32 / training.steps as f32;
    training.rate * warm * 0.5 * (1.0 + turn.cos())
}

/// The mean of a part over all shards.
fn mean(
    shards: &[Shard],
    part: impl Fn(&Shard) -> &BTreeMap<String, Vec<f32>>,
) -> BTreeMap<String, Vec<f32>> {
    let mut sums = part(&shards[0]).clone();
    for shard in &shards[1..] {
        for (name, numbers) in part(shard) {
            let sum = sums.get_mut(name).expect("all shards have the same arrays");
            sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
        }
    }
    for sum in sums.values_mut() {
        sum.iter_mut().for_each(|sum| *sum /= shards.len() as f32);
    }
    sums
}

fn shard(network: &Network, scenes: &Scenes, dice: &Dice) -> Shard {
    let mut pictures = Vec::with_capacity(SHARD * 3 * DEMO_SIDE * DEMO_SIDE);
    let shares: Vec<Vec<f32>> = (0..SHARD).map(|_| scenes.view(dice, &mut pictures)).collect();
    let input = TensorData::new(pictures, [SHARD, 3, DEMO_SIDE, DEMO_SIDE]);
    let input = Tensor::<4>::from_data(input, &device()).autodiff();
    let target = TensorData::new(shares.concat(), [SHARD, scenes.classes(), 1, 1]);
    let target = Tensor::<4>::from_data(target, &device()).autodiff();
    let network = network.trainable();
    let mut statistics = BTreeMap::new();
    let logits = network.graph().find("logits").expect("the demo has logits");
    let outputs = network.forward_with(input, &[logits], |op, mut inputs| match op {
        Op::BatchNorm { gamma, beta, mean, variance, epsilon } => {
            let x = inputs.pop().expect("a normalisation has an input");
            let normal = batch_norm_train(x, network.vector(gamma), network.vector(beta), *epsilon);
            statistics.insert(mean.clone(), values(normal.mean.inner()));
            statistics.insert(variance.clone(), values(normal.variance.inner()));
            normal.output
        }
        _ => network.apply(op, inputs),
    });
    let log = activation::log_softmax(outputs[0].clone(), 1);
    let loss = (log * target).sum() * (-1.0 / SHARD as f32);
    let mut gradients = network.gradients(&loss);
    // The stored statistics are no parameters.
    gradients.retain(|name, _| !statistics.contains_key(name));
    Shard { loss: loss.inner().into_scalar(), gradients, statistics }
}

/// Kernels with a variance that keeps that of rectified values (He et al. 2015), identities for normalisations, zeros for biases.
fn initial(shapes: &[(String, Vec<usize>)], dice: &Dice) -> Weights {
    let array = |(name, shape): &(String, Vec<usize>)| {
        let count: usize = shape.iter().product();
        let values = if shape.len() == 4 {
            let deviation = (2.0 / (count / shape[0]) as f32).sqrt();
            (0..count).map(|_| deviation * dice.normal()).collect()
        } else {
            let one = name.ends_with(".gamma") || name.ends_with(".variance");
            vec![f32::from(u8::from(one)); count]
        };
        (name.clone(), Array { shape: shape.clone(), values })
    };
    Weights(shapes.iter().map(array).collect())
}

/// The share of plain scenes whose kind the network names.
pub fn accuracy(graph: &Graph, weights: &Weights, scenes: &Scenes) -> f64 {
    let network = Network::new(graph.clone(), weights);
    let logits = graph.find("logits").expect("the demo has logits");
    let indices: Vec<usize> = (0..scenes.len()).collect();
    let chunks: Vec<&[usize]> = indices.chunks(16).collect();
    let right = parallel::map(&chunks, |chunk| {
        let pictures: Vec<_> = chunk.iter().map(|index| scenes.scene(*index).0).collect();
        let outputs = values(network.forward(Card::demo().input(&pictures), &[logits]).remove(0));
        let named = outputs
            .chunks(scenes.classes())
            .map(|row| (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).expect("there are kinds"));
        named.zip(*chunk).filter(|(named, index)| *named == scenes.scene(**index).1).count()
    });
    right.iter().sum::<usize>() as f64 / scenes.len() as f64
}
