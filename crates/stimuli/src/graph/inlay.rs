//! Responses to a picture with an inserted square, for many positions of the square.
//!
//! For each position only the ring around the border of the square is recomputed, map by map. Outside it a map equals that of the
//! background, inside it that of the inlay, and integral images give both sums. Sums are of whole numbers (see [`fixed`]),
//! so the result equals exactly the response to the composed picture.

use super::forward::{Rect, Scratch};
use super::{Graph, Map, Node, Op, retina};
use crate::inlay::{Corner, Inlay, Patch};
use crate::picture::{Picture, SIDE, rounded_mean};

/// The side of the patch in retina cells.
const PATCH_CELLS: usize = PATCH / 2;

const PATCH: usize = Patch::STUDY.side;

/// A map's value as a multiple of 2^-20. Sums of whole numbers do not depend on their order.
#[inline]
fn fixed(value: f32) -> i64 {
    // A float times a power of two is exact, so this rounds half away from zero without a library.
    let scaled = f64::from(value) * 1_048_576.0;
    (scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i64
}

fn fixed_sum(values: &[f32]) -> i64 {
    let (mut sum, mut i) = (0, 0);
    while i < values.len() {
        sum += fixed(values[i]);
        i += 1;
    }
    sum
}

/// The mean of a map whose values as [`fixed`] add up to `sum`.
fn mean_of_fixed(sum: i64, side: usize) -> f64 {
    sum as f64 / 1_048_576.0 / (side * side) as f64
}

/// The mean of a map.
pub fn mean(map: &Map) -> f64 {
    mean_of_fixed(fixed_sum(&map.values), map.side)
}

/// Gives sums over rectangles in constant time.
struct Integral<T> {
    side: usize,
    sums: Vec<T>,
}

impl<T: Copy + Default + std::ops::Add<Output = T> + std::ops::Sub<Output = T>> Integral<T> {
    fn new(side: usize, value: impl Fn(usize, usize) -> T) -> Self {
        let mut sums = vec![T::default(); (side + 1) * (side + 1)];
        for y in 0..side {
            let mut row = T::default();
            for x in 0..side {
                row = row + value(x, y);
                sums[(y + 1) * (side + 1) + x + 1] = sums[y * (side + 1) + x + 1] + row;
            }
        }
        Self { side: side + 1, sums }
    }

    fn sum(&self, rect: Rect) -> T {
        if rect.is_empty() {
            return T::default();
        }
        let at = |x: usize, y: usize| self.sums[y * self.side + x];
        at(rect.right, rect.bottom) + at(rect.left, rect.top)
            - at(rect.left, rect.bottom)
            - at(rect.right, rect.top)
    }
}

/// The area where a map differs from the background's (`dirty`), and the area where it equals the inlay's (`inside`).
#[derive(Clone, Copy)]
struct Reach {
    dirty: Rect,
    inside: Rect,
}

impl Reach {
    /// The areas in a map computed by `op`, from the areas in the maps that it reads.
    fn through(op: &Op, reaches: &[Self], side: usize) -> Self {
        let of_inputs = || {
            let inputs = op.inputs();
            inputs.iter().map(|i| reaches[*i]).reduce(|a, b| Self {
                dirty: a.dirty.union(b.dirty),
                inside: a.inside.intersection(b.inside),
            })
        };
        match op {
            Op::Convolve(a, across, down) => reaches[*a].spread(across.len() / 2, down.len() / 2, side),
            Op::Shift(a, dx, dy) => reaches[*a].moved(*dx, *dy, side),
            Op::Halve(a) => reaches[*a].halved(),
            _ => of_inputs().unwrap_or(Self { dirty: Rect::whole(side), inside: Rect::whole(0) }),
        }
    }

    fn spread(self, rx: usize, ry: usize, side: usize) -> Self {
        let (d, i) = (self.dirty, self.inside);
        let dirty = Rect {
            left: d.left.saturating_sub(rx),
            top: d.top.saturating_sub(ry),
            right: (d.right + rx).min(side),
            bottom: (d.bottom + ry).min(side),
        };
        // At the edge of the map the inlay continues beyond it.
        let inside = Rect {
            left: if i.left == 0 { 0 } else { i.left + rx },
            top: if i.top == 0 { 0 } else { i.top + ry },
            right: if i.right == side { side } else { i.right.saturating_sub(rx) },
            bottom: if i.bottom == side { side } else { i.bottom.saturating_sub(ry) },
        };
        Self { dirty, inside }
    }

    fn moved(self, dx: isize, dy: isize, side: usize) -> Self {
        // A cell reads from `d` further. Beyond the edge it reads the outermost cell.
        let interval = |low: usize, high: usize, d: isize| {
            let onto = |i: usize| (i as isize - d).clamp(0, side as isize) as usize;
            (if low == 0 { 0 } else { onto(low) }, if high == side { side } else { onto(high) })
        };
        let rect = |r: Rect| {
            let (left, right) = interval(r.left, r.right, dx);
            let (top, bottom) = interval(r.top, r.bottom, dy);
            Rect { left, top, right, bottom }
        };
        Self { dirty: rect(self.dirty), inside: rect(self.inside) }
    }

    fn halved(self) -> Self {
        let (d, i) = (self.dirty, self.inside);
        Self {
            dirty: Rect {
                left: d.left / 2,
                top: d.top / 2,
                right: d.right.div_ceil(2),
                bottom: d.bottom.div_ceil(2),
            },
            inside: Rect {
                left: i.left.div_ceil(2),
                top: i.top.div_ceil(2),
                right: i.right / 2,
                bottom: i.bottom / 2,
            },
        }
    }
}

/// The content of the square.
enum Content<'a> {
    /// One colour: the mean of the picture there. The images give its sums per channel in px.
    Mean(Box<[Integral<u32>; 3]>),
    /// Another picture, with all its maps and the sums of the last one.
    Maps(&'a [Map], &'a Integral<i64>),
}

/// The mean of the map of `node`, the last of the `graph`, for the `background` with the inlay at each of the corners.
pub fn inlay_responses(
    graph: &Graph,
    node: Node,
    background: &Picture,
    inlay: Inlay<'_>,
    corners: &[Corner],
) -> Vec<f64> {
    let maps = graph.evaluate(&retina(background));
    match inlay {
        Inlay::MeanColour => {
            let sums = [0, 1, 2].map(|c| Integral::new(SIDE, |x, y| u32::from(background.pixel(x, y)[c])));
            Search::new(graph, node, maps, &Content::Mean(Box::new(sums))).responses(corners)
        }
        Inlay::Of(picture) => {
            let inner = graph.evaluate(&retina(picture));
            let integral = integral_of(&inner[node]);
            Search::new(graph, node, maps, &Content::Maps(&inner, &integral)).responses(corners)
        }
    }
}

fn integral_of(map: &Map) -> Integral<i64> {
    Integral::new(map.side, |x, y| fixed(map.values[y * map.side + x]))
}

struct Search<'a> {
    graph: &'a Graph,
    node: Node,
    content: &'a Content<'a>,
    background: Vec<Map>,
    integral: Integral<i64>,
    /// The maps of the composed picture; equal to those of the background between two positions.
    composed: Vec<Map>,
    scratch: Scratch,
}

impl<'a> Search<'a> {
    fn new(graph: &'a Graph, node: Node, background: Vec<Map>, content: &'a Content<'a>) -> Self {
        let integral = integral_of(&background[node]);
        let composed = background.clone();
        Self { graph, node, content, background, integral, composed, scratch: Scratch::default() }
    }

    fn responses(mut self, corners: &[Corner]) -> Vec<f64> {
        corners.iter().map(|corner| self.response(*corner)).collect()
    }

    fn response(&mut self, corner: Corner) -> f64 {
        let patch = Rect::square(corner.x / 2, corner.y / 2, PATCH_CELLS);
        let mut reaches: Vec<Reach> = Vec::with_capacity(self.graph.ops.len());
        for node in 0..self.graph.ops.len() {
            let side = self.graph.sides[node];
            let reach = match &self.graph.ops[node] {
                Op::Channel(_) => Reach { dirty: patch, inside: patch },
                op => Reach::through(op, &reaches, side),
            };
            if 2 * reach.inside.area() < reach.dirty.area() {
                // The ring is most of the area, and one rectangle is faster than four.
                self.graph.evaluate_rect(node, reach.dirty, &mut self.composed, &mut self.scratch);
            } else {
                self.fill_inside(node, reach.inside, corner);
                for part in reach.dirty.without(reach.inside) {
                    self.graph.evaluate_rect(node, part, &mut self.composed, &mut self.scratch);
                }
            }
            reaches.push(reach);
        }
        let sum = self.sum(reaches[self.node]);
        for (node, reach) in reaches.iter().enumerate() {
            self.restore(node, reach.dirty);
        }
        mean_of_fixed(sum, self.graph.sides[self.node])
    }

    /// Fills the area where a map equals that of the inlay.
    fn fill_inside(&mut self, node: Node, inside: Rect, corner: Corner) {
        if inside.is_empty() {
            return;
        }
        match self.content {
            Content::Maps(inner, _) => copy(&inner[node], inside, &mut self.composed[node]),
            Content::Mean(sums) => {
                let value = if let Op::Channel(channel) = self.graph.ops[node] {
                    let px = Rect::square(corner.x, corner.y, PATCH);
                    // As on the retina: four equal bytes, divided once.
                    f32::from(4 * u16::from(rounded_mean(sums[channel].sum(px), px.area() as u32))) / 1020.0
                } else {
                    // All cells inside see one colour only, so one of them gives the value of all.
                    let one = Rect { right: inside.left + 1, bottom: inside.top + 1, ..inside };
                    self.graph.evaluate_rect(node, one, &mut self.composed, &mut self.scratch);
                    self.composed[node].row(inside.top, inside.left..inside.left + 1)[0]
                };
                for y in inside.top..inside.bottom {
                    self.composed[node].row_mut(y, inside.left..inside.right).fill(value);
                }
            }
        }
    }

    /// The sum of the last map: background, ring and inlay.
    fn sum(&self, reach: Reach) -> i64 {
        let map = &self.composed[self.node];
        let all = Rect::whole(map.side);
        let mut sum = self.integral.sum(all) - self.integral.sum(reach.dirty);
        for part in reach.dirty.without(reach.inside) {
            for y in part.top..part.bottom {
                sum += fixed_sum(map.row(y, part.left..part.right));
            }
        }
        if reach.inside.is_empty() {
            return sum;
        }
        sum + match self.content {
            Content::Maps(_, integral) => integral.sum(reach.inside),
            Content::Mean(_) => {
                let value = map.row(reach.inside.top, reach.inside.left..reach.inside.left + 1)[0];
                fixed(value) * reach.inside.area() as i64
            }
        }
    }

    fn restore(&mut self, node: Node, rect: Rect) {
        copy(&self.background[node], rect, &mut self.composed[node]);
    }
}

fn copy(from: &Map, rect: Rect, to: &mut Map) {
    for y in rect.top..rect.bottom {
        to.row_mut(y, rect.left..rect.right).copy_from_slice(from.row(y, rect.left..rect.right));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes;
    use proptest::prelude::*;

    #[test]
    fn sums_are_of_whole_numbers() {
        assert_eq!(fixed(1.0), 1 << 20);
        assert_eq!(fixed(-0.5 / 1_048_576.0), -1);
        assert_eq!(fixed(0.4 / 1_048_576.0), 0);
        let map = Map { side: 2, values: vec![0.5, -0.25, 1.0, 0.75] };
        assert_eq!(mean(&map), 0.5);
    }

    #[test]
    fn integral_images_add_up() {
        let integral = Integral::new(5, |x, y| (x + 10 * y) as i64);
        let rect = Rect { left: 1, top: 2, right: 4, bottom: 5 };
        let direct: usize = (2..5).flat_map(|y| (1..4).map(move |x| x + 10 * y)).sum();
        assert_eq!(integral.sum(rect), direct as i64);
        assert_eq!(integral.sum(Rect { left: 3, ..Rect::whole(3) }), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn the_ring_is_enough(
            x in 0usize..=67, y in 0usize..=67, dx in -20isize..20, dy in -20isize..20, kernel in 0usize..6, window: bool,
        ) {
            let mut graph = Graph::default();
            let [r, g, b] = [0, 1, 2].map(|channel| graph.add(Op::Channel(channel)));
            let grey = graph.add(Op::Sum(vec![(r, 0.5), (g, 0.3), (b, -0.4)], 0.0));
            let box_ = vec![0.3; 2 * kernel + 1];
            let smooth = graph.add(Op::Convolve(grey, box_.clone(), vec![0.5, -0.2, 0.5]));
            let half = graph.add(Op::Halve(smooth));
            let moved = graph.add(Op::Shift(half, dx, dy));
            let product = graph.add(Op::Product(half, moved));
            let quarter = graph.add(Op::Halve(product));
            let last = graph.add(Op::Convolve(quarter, vec![-0.5, 0.0, 0.5], box_));
            let (background, other) = (scenes::paint(1, 31), scenes::paint(1, 7));
            let inlay = if window { Inlay::Of(&other) } else { Inlay::MeanColour };
            let at = Corner { x: 2 * x, y: 2 * y };
            let expected = mean(&graph.evaluate(&retina(&Patch::STUDY.compose(&background, inlay, at)))[last]);
            let far = Corner { x: 134 - 2 * x, y: 0 };
            let found = inlay_responses(&graph, last, &background, inlay, &[far, at, at]);
            // The previous position must not change the result.
            prop_assert_eq!(&found[1..], &[expected, expected]);
        }
    }
}
