//! Evaluates maps, completely or on a rectangle.
//!
//! A cell is always computed by the same operations in the same order, so a map that is evaluated in parts equals a map that is
//! evaluated at once, bit for bit.

use super::{Graph, Map, Node, Op};
use crate::kernels::{add, map, map2, map3};

/// Columns `left..right` and rows `top..bottom` of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Rect {
    /// The rectangle of a complete map.
    pub fn whole(side: usize) -> Self {
        Self { left: 0, top: 0, right: side, bottom: side }
    }

    pub fn square(left: usize, top: usize, size: usize) -> Self {
        Self { left, top, right: left + size, bottom: top + size }
    }

    pub fn is_empty(&self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    pub fn area(&self) -> usize {
        if self.is_empty() { 0 } else { (self.right - self.left) * (self.bottom - self.top) }
    }

    /// The smallest rectangle that contains both.
    pub fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// The area that both share.
    pub fn intersection(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    /// This rectangle without `hole`, which lies inside it (or is empty), as up to four rectangles.
    pub fn without(self, hole: Self) -> impl Iterator<Item = Self> {
        let parts = if hole.is_empty() {
            [self, Self::EMPTY, Self::EMPTY, Self::EMPTY]
        } else {
            [
                Self { bottom: hole.top, ..self },
                Self { top: hole.bottom, ..self },
                Self { top: hole.top, bottom: hole.bottom, right: hole.left, ..self },
                Self { top: hole.top, bottom: hole.bottom, left: hole.right, ..self },
            ]
        };
        parts.into_iter().filter(|part| !part.is_empty())
    }

    const EMPTY: Self = Self { left: 0, top: 0, right: 0, bottom: 0 };
}

/// Buffers that evaluations reuse.
#[derive(Default)]
pub(super) struct Scratch {
    padded: Vec<f32>,
    rows: Vec<f32>,
}

impl Graph {
    /// All maps for a picture's three channels.
    pub fn evaluate(&self, channels: &[Map; 3]) -> Vec<Map> {
        let mut maps = self.blank();
        let mut scratch = Scratch::default();
        for node in 0..self.ops.len() {
            if let Op::Channel(channel) = self.ops[node] {
                maps[node].values.copy_from_slice(&channels[channel].values);
            } else {
                self.evaluate_rect(node, Rect::whole(self.sides[node]), &mut maps, &mut scratch);
            }
        }
        maps
    }

    /// Evaluates one map on a rectangle from the maps before it. Channels are left as they are.
    pub(super) fn evaluate_rect(&self, node: Node, rect: Rect, maps: &mut [Map], scratch: &mut Scratch) {
        let (before, rest) = maps.split_at_mut(node);
        let out = &mut rest[0];
        let columns = rect.left..rect.right;
        match &self.ops[node] {
            Op::Channel(_) => {}
            Op::Sum(terms, bias) => {
                for y in rect.top..rect.bottom {
                    let row = |input: Node| before[input].row(y, columns.clone());
                    weighted_sum(terms, *bias, row, out.row_mut(y, columns.clone()));
                }
            }
            Op::Convolve(input, across, down) => convolve(&before[*input], across, down, rect, out, scratch),
            Op::Halve(input) => halve(&before[*input], rect, out),
            Op::Shift(input, dx, dy) => shift(&before[*input], *dx, *dy, rect, out),
            Op::Product(a, b) => pairwise(&before[*a], &before[*b], rect, out, |p, q| p * q),
            Op::Ratio(a, b, floor) => pairwise(&before[*a], &before[*b], rect, out, |p, q| p / (q + floor)),
            Op::Rectify(input) => pointwise(&before[*input], rect, out, |x| x.max(0.0)),
            Op::Saturate(input, half) => pointwise(&before[*input], rect, out, |x| x / (x + half)),
        }
    }
}

#[inline(always)]
fn pointwise(input: &Map, rect: Rect, out: &mut Map, f: impl Fn(f32) -> f32) {
    let columns = rect.left..rect.right;
    for y in rect.top..rect.bottom {
        map(out.row_mut(y, columns.clone()), input.row(y, columns.clone()), &f);
    }
}

#[inline(always)]
fn pairwise(a: &Map, b: &Map, rect: Rect, out: &mut Map, f: impl Fn(f32, f32) -> f32) {
    let columns = rect.left..rect.right;
    for y in rect.top..rect.bottom {
        map2(out.row_mut(y, columns.clone()), a.row(y, columns.clone()), b.row(y, columns.clone()), &f);
    }
}

/// The weighted sum of rows, plus a constant.
fn weighted_sum<'a>(terms: &[(Node, f32)], bias: f32, row: impl Fn(Node) -> &'a [f32], out: &mut [f32]) {
    match *terms {
        [] => out.fill(bias),
        [(a, p)] => map(out, row(a), |a| bias + p * a),
        [(a, p), (b, q)] => map2(out, row(a), row(b), |a, b| bias + p * a + q * b),
        [(a, p), (b, q), (c, r), ref rest @ ..] => {
            map3(out, row(a), row(b), row(c), |a, b, c| bias + p * a + q * b + r * c);
            for (input, weight) in rest {
                add(out, *weight, row(*input));
            }
        }
    }
}

fn halve(input: &Map, rect: Rect, out: &mut Map) {
    for y in rect.top..rect.bottom {
        let columns = 2 * rect.left..2 * rect.right;
        let (upper, lower) = (input.row(2 * y, columns.clone()), input.row(2 * y + 1, columns));
        let row = out.row_mut(y, rect.left..rect.right);
        let mut i = 0;
        while i < row.len() {
            row[i] = 0.25 * ((upper[2 * i] + upper[2 * i + 1]) + (lower[2 * i] + lower[2 * i + 1]));
            i += 1;
        }
    }
}

/// Limits a coordinate to the map.
#[inline]
pub(super) fn clamped(i: isize, side: usize) -> usize {
    i.clamp(0, side as isize - 1) as usize
}

fn shift(input: &Map, dx: isize, dy: isize, rect: Rect, out: &mut Map) {
    let side = input.side;
    for y in rect.top..rect.bottom {
        let from = input.row(clamped(y as isize + dy, side), 0..side);
        let row = out.row_mut(y, rect.left..rect.right);
        let mut i = 0;
        while i < row.len() {
            row[i] = from[clamped((rect.left + i) as isize + dx, side)];
            i += 1;
        }
    }
}

fn convolve(input: &Map, across: &[f32], down: &[f32], rect: Rect, out: &mut Map, scratch: &mut Scratch) {
    let side = input.side;
    let (rx, ry) = (across.len() / 2, down.len() / 2);
    let width = rect.right - rect.left;
    let height = rect.bottom - rect.top + 2 * ry;
    let Scratch { padded, rows } = scratch;
    if rows.len() < width * height {
        rows.resize(width * height, 0.0);
    }
    let within = rect.left >= rx && rect.right + rx <= side;
    for i in 0..height {
        let y = clamped((rect.top + i) as isize - ry as isize, side);
        let line: &[f32] = if within {
            input.row(y, rect.left - rx..rect.right + rx)
        } else {
            pad(input.row(y, 0..side), rect.left as isize - rx as isize, width + 2 * rx, padded);
            &padded[..]
        };
        weigh(across, &mut rows[i * width..(i + 1) * width], |k| &line[k..k + width]);
    }
    for y in rect.top..rect.bottom {
        let first = (y - rect.top) * width;
        let row = |k: usize| &rows[first + k * width..first + (k + 1) * width];
        weigh(down, out.row_mut(y, rect.left..rect.right), row);
    }
}

/// The part of a row from `from` on. Beyond the edges it repeats the outermost values.
fn pad(row: &[f32], from: isize, length: usize, padded: &mut Vec<f32>) {
    padded.clear();
    let side = row.len() as isize;
    let to = from + length as isize;
    padded.resize((-from).clamp(0, length as isize) as usize, row[0]);
    padded.extend_from_slice(&row[from.clamp(0, side) as usize..to.clamp(0, side) as usize]);
    padded.resize(length, row[row.len() - 1]);
}

/// Weighted sums of rows: `out[i]` becomes the sum over k of `weights[k] * rows(k)[i]`.
#[inline(always)]
fn weigh<'a>(weights: &[f32], out: &mut [f32], rows: impl Fn(usize) -> &'a [f32]) {
    match *weights {
        [] => out.fill(0.0),
        [p] => map(out, rows(0), |a| p * a),
        [p, q] => map2(out, rows(0), rows(1), |a, b| p * a + q * b),
        [p, q, r, ref rest @ ..] => {
            map3(out, rows(0), rows(1), rows(2), |a, b, c| p * a + q * b + r * c);
            for (k, weight) in rest.iter().enumerate() {
                add(out, *weight, rows(k + 3));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{RETINA, retina};
    use crate::scenes;
    use proptest::prelude::*;

    /// A graph with one of each operation, and its last node.
    pub fn one_of_each(shift: (isize, isize), kernel: usize) -> (Graph, Node) {
        let mut graph = Graph::default();
        let [r, g, b] = [0, 1, 2].map(|channel| graph.add(Op::Channel(channel)));
        let grey = graph.add(Op::Sum(vec![(r, 0.3), (g, 0.6), (b, -0.2)], 0.1));
        let weights: Vec<f32> = (0..kernel).map(|k| 0.2 + 0.1 * k as f32).collect();
        let smooth = graph.add(Op::Convolve(grey, weights, vec![-0.5, 0.25, 0.5]));
        let half = graph.add(Op::Halve(smooth));
        let moved = graph.add(Op::Shift(half, shift.0, shift.1));
        let product = graph.add(Op::Product(half, moved));
        let positive = graph.add(Op::Rectify(product));
        let bounded = graph.add(Op::Saturate(positive, 0.05));
        let ratio = graph.add(Op::Ratio(moved, bounded, 0.3));
        let all = graph.add(Op::Sum(vec![(ratio, 1.0), (bounded, 0.5), (half, -0.3), (moved, 0.2)], -0.05));
        (graph, all)
    }

    #[test]
    fn a_hole_leaves_four_parts() {
        let whole = Rect { left: 2, top: 3, right: 12, bottom: 10 };
        let hole = Rect { left: 4, top: 5, right: 7, bottom: 8 };
        let parts: Vec<Rect> = whole.without(hole).collect();
        assert_eq!(parts.iter().map(Rect::area).sum::<usize>(), whole.area() - hole.area());
        for (i, a) in parts.iter().enumerate() {
            assert!(a.intersection(hole).is_empty());
            assert!(parts[i + 1..].iter().all(|b| a.intersection(*b).is_empty()));
        }
        assert_eq!(whole.without(Rect::EMPTY).collect::<Vec<_>>(), [whole]);
        assert_eq!(whole.without(whole).count(), 0);
    }

    #[test]
    fn operations_compute_their_definitions() {
        let mut graph = Graph::default();
        let r = graph.add(Op::Channel(0));
        let slope = graph.add(Op::Convolve(r, vec![-1.0, 0.0, 1.0], vec![1.0]));
        let half = graph.add(Op::Halve(r));
        let moved = graph.add(Op::Shift(r, 2, -1));
        let ramp = |x: usize, y: usize| 0.001 * x as f32 + 0.002 * y as f32;
        let mut red = Map::zeros(RETINA);
        for (i, value) in red.values.iter_mut().enumerate() {
            *value = ramp(i % RETINA, i / RETINA);
        }
        let maps = graph.evaluate(&[red, Map::zeros(RETINA), Map::zeros(RETINA)]);
        let at = |node: Node, x: usize, y: usize| maps[node].values[y * maps[node].side + x];
        let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
        assert!(near(at(slope, 50, 60), 0.002));
        assert!(near(at(slope, 0, 60), 0.001), "the outermost value is repeated beyond the edge");
        assert!(near(at(half, 10, 20), (ramp(20, 40) + ramp(21, 41)) / 2.0));
        assert!(near(at(moved, 30, 30), ramp(32, 29)));
        assert!(near(at(moved, 111, 0), ramp(111, 0)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn parts_equal_the_complete_map(
            left in 0usize..50, top in 0usize..50, width in 1usize..60, height in 1usize..60,
            dx in -9isize..9, dy in -9isize..9, kernel in 0usize..4,
        ) {
            let (graph, _) = one_of_each((dx, dy), 2 * kernel + 1);
            let whole = graph.evaluate(&retina(&scenes::paint(1, 12)));
            for node in 0..whole.len() {
                let side = graph.side(node);
                let rect = Rect { left, top, right: left + width, bottom: top + height };
                let rect = rect.intersection(Rect::whole(side));
                let mut maps = whole.clone();
                if !matches!(graph.ops[node], Op::Channel(_)) {
                    maps[node] = Map::zeros(side);
                }
                graph.evaluate_rect(node, rect, &mut maps, &mut Scratch::default());
                for y in rect.top..rect.bottom {
                    prop_assert_eq!(maps[node].row(y, rect.left..rect.right), whole[node].row(y, rect.left..rect.right));
                }
            }
        }
    }
}
