//! Computes the gradient of a map's sum with respect to the picture.

use super::forward::clamped;
use super::{Graph, Map, Node, Op, RETINA};
use crate::kernels;

impl Graph {
    /// Computes the gradient of a quantity with respect to the three channels, from all maps and the quantity's gradients with
    /// respect to some of them (`seeds`).
    ///
    /// A rectification passes the share `leak` of the gradient where its input is negative: 0 gives the exact gradient, and more
    /// helps where no unit responds yet (Olah et al., "Feature Visualization", Distill 2017, do the same).
    pub fn gradient(&self, maps: &[Map], seeds: Vec<(Node, Map)>, leak: f32) -> [Map; 3] {
        let mut gradients: Vec<Option<Map>> = vec![None; self.ops.len()];
        for (node, seed) in seeds {
            add(&mut gradients[node], seed);
        }
        let mut channels = [Map::zeros(RETINA), Map::zeros(RETINA), Map::zeros(RETINA)];
        for node in (0..self.ops.len()).rev() {
            let Some(gradient) = gradients[node].take() else { continue };
            match &self.ops[node] {
                Op::Channel(channel) => channels[*channel] = gradient,
                op => {
                    for (input, part) in back(op, maps, gradient, leak) {
                        add(&mut gradients[input], part);
                    }
                }
            }
        }
        channels
    }
}

fn add(sum: &mut Option<Map>, part: Map) {
    match sum {
        None => *sum = Some(part),
        Some(sum) => {
            kernels::add(&mut sum.values, 1.0, &part.values);
        }
    }
}

/// `gradient` (consumed) with each value multiplied by the slope at the input's value.
#[inline(always)]
fn scaled(mut gradient: Map, input: &Map, slope: impl Fn(f32) -> f32) -> Map {
    kernels::scale(&mut gradient.values, &input.values, slope);
    gradient
}

/// The gradients that an operation passes back to its inputs.
fn back(op: &Op, maps: &[Map], gradient: Map, leak: f32) -> Vec<(Node, Map)> {
    match op {
        Op::Channel(_) => Vec::new(),
        Op::Sum(terms, _) => {
            let part = |weight: f32| {
                let mut part = Map::zeros(gradient.side);
                kernels::add(&mut part.values, weight, &gradient.values);
                part
            };
            terms.iter().map(|(input, weight)| (*input, part(*weight))).collect()
        }
        Op::Convolve(input, across, down) => vec![(*input, convolve_back(&gradient, across, down))],
        Op::Halve(input) => vec![(*input, halve_back(&gradient))],
        Op::Shift(input, dx, dy) => {
            let side = gradient.side;
            let mut out = Map::zeros(side);
            for (i, value) in gradient.values.iter().enumerate() {
                let x = clamped((i % side) as isize + dx, side);
                let y = clamped((i / side) as isize + dy, side);
                out.values[y * side + x] += value;
            }
            vec![(*input, out)]
        }
        Op::Product(a, b) => {
            let first = scaled(gradient.clone(), &maps[*b], |x| x);
            vec![(*a, first), (*b, scaled(gradient, &maps[*a], |x| x))]
        }
        Op::Ratio(a, b, floor) => {
            let first = scaled(gradient.clone(), &maps[*b], |q| 1.0 / (q + floor));
            let second =
                scaled(scaled(gradient, &maps[*a], |p| -p), &maps[*b], |q| 1.0 / ((q + floor) * (q + floor)));
            vec![(*a, first), (*b, second)]
        }
        Op::Rectify(input) => {
            vec![(*input, scaled(gradient, &maps[*input], |x| if x > 0.0 { 1.0 } else { leak }))]
        }
        Op::Saturate(input, half) => {
            vec![(*input, scaled(gradient, &maps[*input], |x| half / ((x + half) * (x + half))))]
        }
    }
}

fn halve_back(gradient: &Map) -> Map {
    let (half, side) = (gradient.side, gradient.side * 2);
    let mut out = Map::zeros(side);
    for y in 0..side {
        let (from, row) = (gradient.row(y / 2, 0..half), out.row_mut(y, 0..side));
        let mut x = 0;
        while x < side {
            row[x] = 0.25 * from[x / 2];
            x += 1;
        }
    }
    out
}

/// The transpose of the convolution, edges included.
fn convolve_back(gradient: &Map, across: &[f32], down: &[f32]) -> Map {
    let side = gradient.side;
    let (rx, ry) = (across.len() / 2, down.len() / 2);
    let mut rows = Map::zeros(side);
    for y in 0..side {
        for (k, weight) in down.iter().enumerate() {
            let target = clamped((y + k) as isize - ry as isize, side);
            kernels::add(rows.row_mut(target, 0..side), *weight, gradient.row(y, 0..side));
        }
    }
    let mut out = Map::zeros(side);
    let mut padded = vec![0.0; side + across.len() - 1];
    for y in 0..side {
        padded.fill(0.0);
        for (k, weight) in across.iter().enumerate() {
            kernels::add(&mut padded[k..k + side], *weight, rows.row(y, 0..side));
        }
        // Values beyond the edges belong to the outermost cells.
        let row = out.row_mut(y, 0..side);
        row.copy_from_slice(&padded[rx..rx + side]);
        row[0] += padded[..rx].iter().sum::<f32>();
        row[side - 1] += padded[rx + side..].iter().sum::<f32>();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::retina;
    use crate::scenes;

    /// The mean of the last map, in double precision.
    fn quantity(graph: &Graph, node: Node, image: &[Map; 3]) -> f64 {
        graph.evaluate(image)[node].values.iter().map(|value| f64::from(*value)).sum()
    }

    fn gradient(graph: &Graph, node: Node, image: &[Map; 3], leak: f32) -> [Map; 3] {
        let maps = graph.evaluate(image);
        let mut seed = Map::zeros(maps[node].side);
        seed.values.fill(1.0);
        graph.gradient(&maps, vec![(node, seed)], leak)
    }

    /// Compares the gradient along random directions with the difference of two evaluations.
    fn check(graph: &Graph, node: Node) {
        let image = retina(&scenes::paint(4, 30));
        let gradient = gradient(graph, node, &image, 0.0);
        let dice = crate::dice::Dice::new(1, "directions", 0);
        for _ in 0..4 {
            let step = 1e-3;
            let direction =
                [0, 1, 2].map(|_| (0..RETINA * RETINA).map(|_| dice.range(-1.0, 1.0)).collect::<Vec<f32>>());
            let moved = |sign: f32| {
                let mut moved = image.clone();
                for (map, d) in moved.iter_mut().zip(&direction) {
                    kernels::add(&mut map.values, sign * step, d);
                }
                quantity(graph, node, &moved)
            };
            let measured = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step));
            let computed: f64 = gradient
                .iter()
                .zip(&direction)
                .flat_map(|(map, d)| map.values.iter().zip(d))
                .map(|(g, d)| f64::from(*g) * f64::from(*d))
                .sum();
            let scale = measured.abs().max(computed.abs()).max(1.0);
            assert!((measured - computed).abs() < 0.03 * scale, "{measured} measured, {computed} computed");
        }
    }

    #[test]
    fn each_operation_passes_its_gradient_back() {
        let mut graph = Graph::default();
        let [r, g, b] = [0, 1, 2].map(|channel| graph.add(Op::Channel(channel)));
        let sum = graph.add(Op::Sum(vec![(r, 0.5), (g, -0.25), (b, 1.5)], 0.1));
        let product = graph.add(Op::Product(r, sum));
        let positive = graph.add(Op::Rectify(product));
        for op in [
            Op::Convolve(product, vec![0.5, -1.0, 0.25], vec![1.0, 2.0, -0.5, 0.3, 0.1]),
            Op::Halve(product),
            Op::Shift(product, 7, -3),
            Op::Rectify(product),
            Op::Saturate(positive, 0.1),
            Op::Ratio(product, positive, 0.2),
        ] {
            let node = graph.add(op);
            check(&graph, node);
        }
        check(&graph, product);
    }

    #[test]
    fn closed_rectifications_leak_if_told_to() {
        let mut graph = Graph::default();
        let r = graph.add(Op::Channel(0));
        let below = graph.add(Op::Sum(vec![(r, 1.0)], -2.0));
        let closed = graph.add(Op::Rectify(below));
        let image = retina(&scenes::paint(4, 30));
        let sum = |leak| gradient(&graph, closed, &image, leak)[0].values.iter().sum::<f32>();
        assert_eq!(sum(0.0), 0.0);
        assert!((sum(0.1) - 0.1 * (RETINA * RETINA) as f32).abs() < 0.5);
    }
}
