//! Evaluating maps, whole or on a rectangle.
//!
//! The value of a cell is computed by the same operations in the same order whatever the rectangle, so a map that is
//! evaluated in parts equals the map evaluated at once, bit for bit.

use super::{Graph, Map, Node, Op};

/// Columns `left..right` and rows `top..bottom` of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Rect {
    /// The whole of a map.
    pub fn whole(side: usize) -> Self {
        Self { left: 0, top: 0, right: side, bottom: side }
    }

    /// A square.
    pub fn square(left: usize, top: usize, size: usize) -> Self {
        Self { left, top, right: left + size, bottom: top + size }
    }

    pub fn is_empty(&self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    pub fn area(&self) -> usize {
        if self.is_empty() { 0 } else { (self.right - self.left) * (self.bottom - self.top) }
    }

    /// The smallest rectangle around both.
    pub fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// What both have in common.
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

/// Buffers that are used again from one evaluation to the next.
#[derive(Default)]
pub struct Scratch {
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
    pub fn evaluate_rect(&self, node: Node, rect: Rect, maps: &mut [Map], scratch: &mut Scratch) {
        let (before, rest) = maps.split_at_mut(node);
        let out = &mut rest[0];
        let columns = rect.left..rect.right;
        match &self.ops[node] {
            Op::Channel(_) => {}
            Op::Sum(terms, bias) => {
                for y in rect.top..rect.bottom {
                    let row = out.row_mut(y, columns.clone());
                    row.fill(*bias);
                    for (input, weight) in terms {
                        for (sum, value) in row.iter_mut().zip(before[*input].row(y, columns.clone())) {
                            *sum += weight * value;
                        }
                    }
                }
            }
            Op::Convolve(input, across, down) => convolve(&before[*input], across, down, rect, out, scratch),
            Op::Halve(input) => halve(&before[*input], rect, out),
            Op::Shift(input, dx, dy) => shift(&before[*input], *dx, *dy, rect, out),
            Op::Product(a, b) => {
                for y in rect.top..rect.bottom {
                    let factors = before[*a].row(y, columns.clone()).iter().zip(before[*b].row(y, columns.clone()));
                    for (value, (p, q)) in out.row_mut(y, columns.clone()).iter_mut().zip(factors) {
                        *value = p * q;
                    }
                }
            }
            Op::Ratio(a, b, floor) => {
                for y in rect.top..rect.bottom {
                    let parts = before[*a].row(y, columns.clone()).iter().zip(before[*b].row(y, columns.clone()));
                    for (value, (p, q)) in out.row_mut(y, columns.clone()).iter_mut().zip(parts) {
                        *value = p / (q + floor);
                    }
                }
            }
            Op::Rectify(input) => pointwise(&before[*input], rect, out, |x| x.max(0.0)),
            Op::Saturate(input, half) => pointwise(&before[*input], rect, out, |x| x / (x + half)),
        }
    }
}

#[inline]
fn pointwise(input: &Map, rect: Rect, out: &mut Map, f: impl Fn(f32) -> f32) {
    for y in rect.top..rect.bottom {
        let columns = rect.left..rect.right;
        for (value, x) in out.row_mut(y, columns.clone()).iter_mut().zip(input.row(y, columns)) {
            *value = f(*x);
        }
    }
}

fn halve(input: &Map, rect: Rect, out: &mut Map) {
    for y in rect.top..rect.bottom {
        let columns = 2 * rect.left..2 * rect.right;
        let (upper, lower) = (input.row(2 * y, columns.clone()), input.row(2 * y + 1, columns));
        let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for (value, (a, b)) in out.row_mut(y, rect.left..rect.right).iter_mut().zip(pairs) {
            *value = 0.25 * ((a[0] + a[1]) + (b[0] + b[1]));
        }
    }
}

/// A coordinate moved onto the map.
#[inline]
pub fn clamped(i: isize, side: usize) -> usize {
    i.clamp(0, side as isize - 1) as usize
}

fn shift(input: &Map, dx: isize, dy: isize, rect: Rect, out: &mut Map) {
    let side = input.side;
    for y in rect.top..rect.bottom {
        let from = input.row(clamped(y as isize + dy, side), 0..side);
        for (i, value) in out.row_mut(y, rect.left..rect.right).iter_mut().enumerate() {
            *value = from[clamped((rect.left + i) as isize + dx, side)];
        }
    }
}

fn convolve(input: &Map, across: &[f32], down: &[f32], rect: Rect, out: &mut Map, scratch: &mut Scratch) {
    let side = input.side;
    let (rx, ry) = ((across.len() / 2) as isize, (down.len() / 2) as isize);
    let width = rect.right - rect.left;
    let height = rect.bottom - rect.top + down.len() - 1;
    scratch.rows.clear();
    scratch.rows.resize(width * height, 0.0);
    for (i, sums) in scratch.rows.chunks_exact_mut(width).enumerate() {
        let y = clamped((rect.top + i) as isize - ry, side);
        pad(input.row(y, 0..side), rect.left as isize - rx, width + across.len() - 1, &mut scratch.padded);
        weigh(across, sums, |k| &scratch.padded[k..k + width]);
    }
    for y in rect.top..rect.bottom {
        let first = (y - rect.top) * width;
        weigh(down, out.row_mut(y, rect.left..rect.right), |k| {
            &scratch.rows[first + k * width..first + (k + 1) * width]
        });
    }
}

/// The part of a row from `from` on, continued beyond the edges by the outermost values.
fn pad(row: &[f32], from: isize, length: usize, padded: &mut Vec<f32>) {
    padded.clear();
    let side = row.len() as isize;
    let to = from + length as isize;
    padded.extend((from..to.min(0)).map(|_| row[0]));
    padded.extend_from_slice(&row[from.clamp(0, side) as usize..to.clamp(0, side) as usize]);
    padded.extend((from.max(side)..to).map(|_| row[row.len() - 1]));
}

/// Weighted sums of rows: `out[i]` becomes the sum over k of `weights[k] * rows(k)[i]`.
#[inline]
fn weigh<'a>(weights: &[f32], out: &mut [f32], rows: impl Fn(usize) -> &'a [f32]) {
    match *weights {
        [w] => {
            for (value, a) in out.iter_mut().zip(rows(0)) {
                *value = w * a;
            }
        }
        [w0, w1, w2] => {
            let (a, b, c) = (rows(0), rows(1), rows(2));
            for (value, ((a, b), c)) in out.iter_mut().zip(a.iter().zip(b).zip(c)) {
                *value = w0 * a + w1 * b + w2 * c;
            }
        }
        _ => {
            out.fill(0.0);
            for (k, weight) in weights.iter().enumerate() {
                for (value, a) in out.iter_mut().zip(rows(k)) {
                    *value += weight * a;
                }
            }
        }
    }
}
