//! Feature visualisation: makes several different images that maximise the response of a unit.
//!
//! As in the study: Adam on a parametrisation that prefers coarse structure, random shifts at each step, and a term that keeps the Gram
//! matrices of the images apart. The parameters are the levels of a pyramid instead of Fourier coefficients, so that no
//! transform is needed.

use super::dice::Dice;
use super::graph::{Graph, Map, Node, Op, RETINA};
use super::kernels::{add, dot, map2, map3};
use super::machine::Differentiable;
use super::picture::Picture;

/// The settings of the optimisation.
#[derive(Clone, Debug)]
pub struct Ascent {
    /// Number of steps.
    pub steps: usize,
    /// Adam's step size, on the parameters.
    pub rate: f32,
    /// The largest random shift per step, in cells of the retina.
    pub jitter: usize,
    /// Weight of the diversity term against the response, both gradients scaled to the same length.
    pub diversity: f32,
}

impl Default for Ascent {
    fn default() -> Self {
        Self { steps: 60, rate: 0.12, jitter: 8, diversity: 0.25 }
    }
}

/// Sides of the pyramid's levels.
const LEVELS: [usize; 5] = [7, 14, 28, 56, 112];
/// Weight of each level in the image, coarse to fine.
const WEIGHTS: [f32; 5] = [1.0, 1.0, 1.0, 0.8, 0.5];
/// How red, green and blue follow from a pixel's three parameters (light, red against green, blue against yellow).
const COLOURS: [[f32; 3]; 3] = [[1.0, 1.0, 0.5], [1.0, -1.0, 0.5], [1.0, 0.0, -1.2]];

/// How many rounds of optimisation images below the target get.
const ROUNDS: usize = 6;

/// Makes `count` different images to which the unit responds more strongly than `target`.
///
/// All are optimised together. Images below the target are optimised further, or started again from other noise if they have not
/// reached half of it, in a few rounds at most.
pub fn visualise<M: Differentiable>(
    machine: &M,
    unit: usize,
    count: usize,
    target: f64,
    ascent: &Ascent,
    dice: &Dice,
) -> Vec<Picture> {
    let style = Style::new();
    let mut canvases: Vec<Pyramid> = (0..count).map(|_| Pyramid::noise(dice)).collect();
    let mut short: Vec<usize> = (0..count).collect();
    let mut pictures = Vec::new();
    for _ in 0..ROUNDS {
        optimise(machine, unit, &mut canvases, &short, &style, ascent, dice);
        pictures = canvases.iter().map(Pyramid::picture).collect();
        let responses: Vec<f64> = pictures.iter().map(|picture| machine.response(unit, picture)).collect();
        short = (0..count).filter(|i| responses[*i] <= target).collect();
        for i in short.iter().filter(|i| responses[**i] < 0.5 * target) {
            canvases[*i] = Pyramid::noise(dice);
        }
        if short.is_empty() {
            break;
        }
    }
    pictures
}

/// Optimises the images of `which` canvases, and keeps them different from each other and from the rest.
fn optimise<M: Differentiable>(
    machine: &M,
    unit: usize,
    canvases: &mut [Pyramid],
    which: &[usize],
    style: &Style,
    ascent: &Ascent,
    dice: &Dice,
) {
    for _ in 0..ascent.steps {
        let images: Vec<[Map; 3]> = canvases.iter().map(Pyramid::image).collect();
        let shift = || dice.below(2 * ascent.jitter + 1) + RETINA - ascent.jitter;
        let shifts: Vec<(usize, usize)> = images.iter().map(|_| (shift(), shift())).collect();
        let seen: Vec<[Map; 3]> = images
            .iter()
            .zip(&shifts)
            .map(|(image, (dx, dy))| [0, 1, 2].map(|c| rolled(&image[c], *dx, *dy)))
            .collect();
        for (i, similarity) in which.iter().zip(style.gradients(&seen, which)) {
            let (_, up) = machine.gradient(unit, &seen[*i]);
            let (unit_length, away) =
                (1.0 / norm(&up).max(1e-20), ascent.diversity / norm(&similarity).max(1e-20));
            let (dx, dy) = shifts[*i];
            let gradient = [0, 1, 2].map(|c| {
                let mut both = Map::zeros(RETINA);
                map2(&mut both.values, &up[c].values, &similarity[c].values, |u, s| {
                    u * unit_length - s * away
                });
                rolled(&both, 2 * RETINA - dx, 2 * RETINA - dy)
            });
            canvases[*i].climb(&images[*i], &gradient, ascent.rate);
        }
    }
}

fn norm(maps: &[Map; 3]) -> f32 {
    maps.iter().map(|map| dot(&map.values, &map.values)).sum::<f32>().sqrt()
}

/// A map shifted cyclically.
fn rolled(map: &Map, dx: usize, dy: usize) -> Map {
    let side = map.side;
    let mut out = Map::zeros(side);
    for y in 0..side {
        let from = &map.values[(y + dy) % side * side..][..side];
        let cut = dx % side;
        out.values[y * side..y * side + side - cut].copy_from_slice(&from[cut..]);
        out.values[y * side + side - cut..(y + 1) * side].copy_from_slice(&from[..cut]);
    }
    out
}

/// The map at twice the side, by repetition and smoothing, with joined edges.
fn enlarged(small: &Map) -> Map {
    let (half, side) = (small.side, small.side * 2);
    let mut out = Map::zeros(side);
    for (y, row) in out.values.chunks_exact_mut(side).enumerate() {
        let from = &small.values[y / 2 * half..][..half];
        let mut x = 0;
        while x < side {
            row[x] = from[x / 2];
            x += 1;
        }
    }
    smoothed(&out)
}

/// The transpose of [`enlarged`].
fn reduced(large: &Map) -> Map {
    let smooth = smoothed(large);
    let (side, half) = (large.side, large.side / 2);
    let mut out = Map::zeros(half);
    for (y, row) in out.values.chunks_exact_mut(half).enumerate() {
        let (upper, lower) =
            (&smooth.values[2 * y * side..][..side], &smooth.values[(2 * y + 1) * side..][..side]);
        let mut x = 0;
        while x < half {
            row[x] = (upper[2 * x] + upper[2 * x + 1]) + (lower[2 * x] + lower[2 * x + 1]);
            x += 1;
        }
    }
    out
}

/// Smooths binomially over 3 x 3 cells, with joined edges.
fn smoothed(map: &Map) -> Map {
    let side = map.side;
    let weigh = |a: f32, b: f32, c: f32| 0.25 * a + 0.5 * b + 0.25 * c;
    let mut rows = Map::zeros(side);
    for (row, out) in map.values.chunks_exact(side).zip(rows.values.chunks_exact_mut(side)) {
        map3(&mut out[1..side - 1], row, &row[1..], &row[2..], weigh);
        out[0] = weigh(row[side - 1], row[0], row[1]);
        out[side - 1] = weigh(row[side - 2], row[side - 1], row[0]);
    }
    let mut out = Map::zeros(side);
    for (y, values) in out.values.chunks_exact_mut(side).enumerate() {
        let line = |y: usize| &rows.values[y % side * side..][..side];
        map3(values, line(y + side - 1), line(y), line(y + 1), weigh);
    }
    out
}

/// One level of the pyramid.
struct Level {
    /// Per colour axis: parameters and the mean of their gradients.
    axes: [(Map, Map); 3],
    /// The mean square of the level's gradients. Adam has one per parameter; one for all keeps parameters that do not matter to
    /// the unit unchanged.
    square: f32,
}

/// The parameters of one image, with their moments.
struct Pyramid {
    levels: Vec<Level>,
    /// The part that the moments still lack, since they start at zero: beta to the power of the number of steps.
    bias: (f32, f32),
}

impl Pyramid {
    /// Noise in which coarse structure is strongest.
    fn noise(dice: &Dice) -> Self {
        let level = |(level, side): (usize, &usize)| {
            let strength = if level < 3 { NOISE } else { 0.15 * NOISE };
            let axes = [0, 1, 2].map(|_| {
                let values = (0..side * side).map(|_| strength * dice.normal()).collect();
                (Map { side: *side, values }, Map::zeros(*side))
            });
            Level { axes, square: 0.0 }
        };
        Self { levels: LEVELS.iter().enumerate().map(level).collect(), bias: (1.0, 1.0) }
    }

    /// The image: red, green, blue, 0 to 1.
    fn image(&self) -> [Map; 3] {
        let axes = [0, 1, 2].map(|axis| {
            let mut sum = Map::zeros(LEVELS[0]);
            for (level, weight) in self.levels.iter().zip(WEIGHTS) {
                let parameters = &level.axes[axis].0;
                if parameters.side > sum.side {
                    sum = enlarged(&sum);
                }
                add(&mut sum.values, weight, &parameters.values);
            }
            sum
        });
        COLOURS.map(|[p, q, r]| {
            let mut map = Map::zeros(RETINA);
            map3(&mut map.values, &axes[0].values, &axes[1].values, &axes[2].values, |a, b, c| {
                let x = p * a + q * b + r * c;
                MIDDLE + RANGE * x / (1.0 + x * x).sqrt()
            });
            map
        })
    }

    fn picture(&self) -> Picture {
        let [red, green, blue] = self.image();
        Picture::from_half_size(&red.values, &green.values, &blue.values)
    }

    /// One step of Adam (Kingma and Ba 2015) up the gradient with respect to the image.
    fn climb(&mut self, image: &[Map; 3], gradient: &[Map; 3], rate: f32) {
        let mut slopes = [Map::zeros(RETINA), Map::zeros(RETINA), Map::zeros(RETINA)];
        for ((slope, image), gradient) in slopes.iter_mut().zip(image).zip(gradient) {
            // With s = x / sqrt(1 + x^2), ds/dx is (1 - s^2) to the power of 3/2.
            map2(&mut slope.values, &image.values, &gradient.values, |value, g| {
                let s = (value - MIDDLE) / RANGE;
                let rest = (1.0 - s * s).max(0.0);
                g * rest * rest.sqrt()
            });
        }
        let axes = [0, 1, 2].map(|axis| {
            let mut map = Map::zeros(RETINA);
            for (slope, colour) in slopes.iter().zip(COLOURS) {
                add(&mut map.values, colour[axis], &slope.values);
            }
            map
        });
        self.bias = (self.bias.0 * BETA_1, self.bias.1 * BETA_2);
        let (first, second) = (1.0 - self.bias.0, 1.0 - self.bias.1);
        let mut gradients = axes;
        for (level, weight) in self.levels.iter_mut().zip(WEIGHTS).rev() {
            let count = (3 * gradients[0].values.len()) as f32;
            let length = norm(&gradients);
            let square = weight * weight * length * length / count;
            level.square = BETA_2 * level.square + (1.0 - BETA_2) * square;
            let scale = rate / first / ((level.square / second).sqrt() + 1e-12);
            for ((parameters, mean), gradient) in level.axes.iter_mut().zip(&gradients) {
                let before = mean.values.clone();
                map2(&mut mean.values, &before, &gradient.values, |m, g| {
                    BETA_1 * m + (1.0 - BETA_1) * weight * g
                });
                let before = parameters.values.clone();
                map2(&mut parameters.values, &before, &mean.values, |p, m| (p + scale * m) * DECAY);
            }
            gradients = gradients.map(|map| if map.side > LEVELS[0] { reduced(&map) } else { map });
        }
    }
}

/// The range of the images' values: a little less than a screen's, which is more pleasant.
const MIDDLE: f32 = 0.5;
const RANGE: f32 = 0.47;
/// Strength of the noise at the start.
const NOISE: f32 = 0.5;
/// The share of a parameter that remains after a step without gradient.
const DECAY: f32 = 0.99;
const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.99;

/// Compares images by the Gram matrix of a few simple features.
struct Style {
    graph: Graph,
    features: Vec<Node>,
}

impl Style {
    /// Lightness, red against green and blue against yellow at a quarter of the resolution, and their slopes.
    fn new() -> Self {
        let mut graph = Graph::default();
        let [r, g, b] = [0, 1, 2].map(|channel| {
            let whole = graph.add(Op::Channel(channel));
            let half = graph.add(Op::Halve(whole));
            graph.add(Op::Halve(half))
        });
        let opponents = [
            (vec![(r, 0.33), (g, 0.33), (b, 0.33)], -0.5),
            (vec![(r, 1.0), (g, -1.0)], 0.0),
            (vec![(r, -0.5), (g, -0.5), (b, 1.0)], 0.0),
        ];
        let (smooth, slope) = (vec![0.25, 0.5, 0.25], vec![-0.5, 0.0, 0.5]);
        let mut features = Vec::new();
        for (terms, bias) in opponents {
            let map = graph.add(Op::Sum(terms, bias));
            features.push(map);
            features.push(graph.add(Op::Convolve(map, slope.clone(), smooth.clone())));
            features.push(graph.add(Op::Convolve(map, smooth.clone(), slope.clone())));
        }
        Self { graph, features }
    }

    /// For each of `which` images the gradient of the summed similarity (cosine) of its Gram matrix to those of all others.
    fn gradients(&self, images: &[[Map; 3]], which: &[usize]) -> Vec<[Map; 3]> {
        let maps: Vec<Vec<Map>> = images.iter().map(|image| self.graph.evaluate(image)).collect();
        let grams: Vec<Vec<f32>> = maps.iter().map(|maps| self.gram(maps)).collect();
        let lengths: Vec<f32> = grams.iter().map(|gram| dot(gram, gram).sqrt().max(1e-12)).collect();
        which
            .iter()
            .map(|&i| {
                let mut slope = vec![0.0; grams[i].len()];
                for j in (0..images.len()).filter(|j| *j != i) {
                    let cosine = dot(&grams[i], &grams[j]) / (lengths[i] * lengths[j]);
                    for (k, value) in slope.iter_mut().enumerate() {
                        *value += grams[j][k] / (lengths[i] * lengths[j])
                            - cosine * grams[i][k] / (lengths[i] * lengths[i]);
                    }
                }
                self.graph.gradient(&maps[i], self.seeds(&maps[i], &slope), 0.0)
            })
            .collect()
    }

    fn gram(&self, maps: &[Map]) -> Vec<f32> {
        let pairs = self.features.iter().flat_map(|a| self.features.iter().map(move |b| (*a, *b)));
        pairs.map(|(a, b)| dot(&maps[a].values, &maps[b].values)).collect()
    }

    /// The gradient with respect to the features, given that with respect to the (symmetric) Gram matrix.
    fn seeds(&self, maps: &[Map], slope: &[f32]) -> Vec<(Node, Map)> {
        let n = self.features.len();
        let seed = |a: usize| {
            let mut seed = Map::zeros(maps[self.features[a]].side);
            for (b, other) in self.features.iter().enumerate() {
                add(&mut seed.values, 2.0 * slope[a * n + b], &maps[*other].values);
            }
            (self.features[a], seed)
        };
        (0..n).map(seed).collect()
    }
}
