//! The demo's units: nine layers of growing complexity in two branches, fine and coarse.
//!
//! | layer | units respond to |
//! |---|---|
//! | colour | a hue: small spots of it (fine), wide areas (coarse) |
//! | contrast | spots that are brighter or darker than what surrounds them |
//! | orientation | lines and edges of one direction |
//! | frequency | detail of one fineness, whatever its direction |
//! | texture | two directions crossing, or dots |
//! | contour | corners, curves, arches |
//! | shape | rings and discs, crosses, gables |
//! | pattern | one feature repeated at regular distances |
//! | composition | one thing above or within another |

use super::graph::{Graph, Node, Op};
use super::machine::{GraphMachine, Unit};
use super::maths::{cos_turns, sin_turns};

/// Builds maps in the words of vision science.
#[derive(Default)]
pub struct Vision {
    pub graph: Graph,
}

const BINOMIAL_3: [f32; 3] = [0.25, 0.5, 0.25];
const BINOMIAL_5: [f32; 5] = [0.0625, 0.25, 0.375, 0.25, 0.0625];

impl Vision {
    pub fn sum(&mut self, terms: &[(Node, f32)], bias: f32) -> Node {
        self.graph.add(Op::Sum(terms.to_vec(), bias))
    }

    pub fn positive(&mut self, a: Node) -> Node {
        self.graph.add(Op::Rectify(a))
    }

    pub fn product(&mut self, a: Node, b: Node) -> Node {
        self.graph.add(Op::Product(a, b))
    }

    pub fn square(&mut self, a: Node) -> Node {
        self.product(a, a)
    }

    pub fn saturate(&mut self, a: Node, half: f32) -> Node {
        self.graph.add(Op::Saturate(a, half))
    }

    pub fn shift(&mut self, a: Node, dx: isize, dy: isize) -> Node {
        self.graph.add(Op::Shift(a, dx, dy))
    }

    /// The smaller of two maps: a - (a - b)+.
    pub fn min(&mut self, a: Node, b: Node) -> Node {
        let more = self.sum(&[(a, 1.0), (b, -1.0)], 0.0);
        let more = self.positive(more);
        self.sum(&[(a, 1.0), (more, -1.0)], 0.0)
    }

    /// sqrt(a b): high only where both are.
    pub fn both(&mut self, a: Node, b: Node) -> Node {
        let product = self.product(a, b);
        self.graph.add(Op::Root(product))
    }

    /// A map smoothed over about `reach` cells to each side: 1, 2 or, by a box, more.
    pub fn smooth(&mut self, a: Node, reach: usize) -> Node {
        let kernel = match reach {
            1 => BINOMIAL_3.to_vec(),
            2 => BINOMIAL_5.to_vec(),
            n => vec![1.0 / (2 * n + 1) as f32; 2 * n + 1],
        };
        self.graph.add(Op::Convolve(a, kernel.clone(), kernel))
    }

    /// Half the resolution, smoothed before.
    pub fn halve(&mut self, a: Node) -> Node {
        let smooth = self.smooth(a, 1);
        self.graph.add(Op::Halve(smooth))
    }

    /// A map at a coarser level: 0 is the retina, each further one has half the resolution.
    pub fn level(&mut self, a: Node, level: usize) -> Node {
        (0..level).fold(a, |map, _| self.halve(map))
    }

    pub fn channel(&mut self, channel: usize) -> Node {
        self.graph.add(Op::Channel(channel))
    }

    pub fn luminance(&mut self) -> Node {
        let (r, g, b) = (self.channel(0), self.channel(1), self.channel(2));
        self.sum(&[(r, 0.3), (g, 0.59), (b, 0.11)], 0.0)
    }

    /// How much of a hue there is, 0 to about 0.8.
    pub fn hue(&mut self, hue: Hue) -> Node {
        let (r, g, b) = (self.channel(0), self.channel(1), self.channel(2));
        let opponent = match hue {
            Hue::Red => self.primary(r, g, b),
            Hue::Green => self.primary(g, r, b),
            Hue::Blue => self.primary(b, r, g),
            Hue::Yellow => self.secondary(r, g, b),
            Hue::Turquoise => self.secondary(g, b, r),
            Hue::Pink => self.secondary(r, b, g),
            Hue::Orange => {
                let (warm, yellowish) = (self.sum(&[(r, 1.0), (g, -1.0)], -0.05), self.sum(&[(g, 1.0), (b, -1.0)], -0.05));
                self.min(warm, yellowish)
            }
        };
        self.positive(opponent)
    }

    /// One channel above both others.
    fn primary(&mut self, high: Node, low: Node, other: Node) -> Node {
        let (a, b) = (self.sum(&[(high, 1.0), (low, -1.0)], -0.12), self.sum(&[(high, 1.0), (other, -1.0)], -0.12));
        self.min(a, b)
    }

    /// Two channels, about equal, above the third.
    fn secondary(&mut self, a: Node, b: Node, low: Node) -> Node {
        let least = self.min(a, b);
        let (over_a, over_b) = (self.sum(&[(a, 1.0), (b, -1.0)], 0.0), self.sum(&[(b, 1.0), (a, -1.0)], 0.0));
        let (over_a, over_b) = (self.positive(over_a), self.positive(over_b));
        self.sum(&[(least, 1.0), (low, -1.0), (over_a, -0.7), (over_b, -0.7)], -0.1)
    }

    /// Red, orange and yellow.
    pub fn warm(&mut self) -> Node {
        let hues = [self.hue(Hue::Red), self.hue(Hue::Orange), self.hue(Hue::Yellow)];
        self.sum(&hues.map(|hue| (hue, 1.0)), 0.0)
    }

    /// Green, turquoise and blue.
    pub fn cool(&mut self) -> Node {
        let hues = [self.hue(Hue::Green), self.hue(Hue::Turquoise), self.hue(Hue::Blue)];
        self.sum(&hues.map(|hue| (hue, 1.0)), 0.0)
    }

    /// What is lighter and what is darker than middle grey, at a quarter of the resolution.
    pub fn light_and_dark(&mut self) -> (Node, Node) {
        let l = self.luminance();
        let l = self.level(l, 2);
        let (light, dark) = (self.sum(&[(l, 1.0)], -0.5), self.sum(&[(l, -1.0)], 0.33));
        (self.positive(light), self.positive(dark))
    }

    /// The slopes of a map, across and down.
    pub fn slopes(&mut self, a: Node) -> (Node, Node) {
        let slope = [-0.5, 0.0, 0.5];
        let across = self.graph.add(Op::Convolve(a, slope.to_vec(), BINOMIAL_3.to_vec()));
        let down = self.graph.add(Op::Convolve(a, BINOMIAL_3.to_vec(), slope.to_vec()));
        (across, down)
    }

    /// How the edges of a map run: energy along a direction of their slope (0 across, that is upright lines; 0.25 down,
    /// level lines; 0.125 and 0.375 the diagonals, in turns) minus that at right angles to it, and energy in all.
    pub fn edges(&mut self, a: Node, turns: f32) -> (Node, Node) {
        let (gx, gy) = self.slopes(a);
        let (xx, yy, xy) = (self.square(gx), self.square(gy), self.product(gx, gy));
        let (c, s) = (cos_turns(2.0 * turns), sin_turns(2.0 * turns));
        (self.sum(&[(xx, c), (yy, -c), (xy, 2.0 * s)], 0.0), self.sum(&[(xx, 1.0), (yy, 1.0)], 0.0))
    }

    /// Lines of one direction and no other, within `reach` cells: 0 to 1, 0.5 at the energy `half`.
    pub fn lines(&mut self, a: Node, turns: f32, reach: usize, half: f32) -> Node {
        let (along, all) = self.edges(a, turns);
        let (along, all) = (self.smooth(along, reach), self.smooth(all, reach));
        let pure = self.sum(&[(along, 2.0), (all, -1.0)], 0.0);
        let pure = self.positive(pure);
        self.saturate(pure, half)
    }

    /// Lines of one direction, whatever else is there.
    pub fn edges_near(&mut self, a: Node, turns: f32, reach: usize, half: f32) -> Node {
        let (along, _) = self.edges(a, turns);
        let along = self.positive(along);
        let pooled = self.smooth(along, reach);
        self.saturate(pooled, half)
    }

    /// Brighter than the surround, per cell: the map minus its smoothed self, positive part.
    pub fn bright_spots(&mut self, a: Node, reach: usize) -> Node {
        let surround = self.smooth(a, reach);
        let centre = self.smooth(a, 1);
        let excess = self.sum(&[(centre, 1.0), (surround, -1.0)], -0.02);
        self.positive(excess)
    }

    /// Darker than the surround.
    pub fn dark_spots(&mut self, a: Node, reach: usize) -> Node {
        let surround = self.smooth(a, reach);
        let centre = self.smooth(a, 1);
        let excess = self.sum(&[(centre, -1.0), (surround, 1.0)], -0.02);
        self.positive(excess)
    }

    /// Curvature of the outlines times their contrast, positive where a bright thing is round: minus the second
    /// derivative along the edge.
    pub fn curvature(&mut self, a: Node) -> Node {
        let (gx, gy) = self.slopes(a);
        let bend = [1.0, -2.0, 1.0];
        let xx = self.graph.add(Op::Convolve(a, bend.to_vec(), BINOMIAL_3.to_vec()));
        let yy = self.graph.add(Op::Convolve(a, BINOMIAL_3.to_vec(), bend.to_vec()));
        let (xy, _) = self.slopes(gy);
        let (gxx, gyy, gxy) = (self.square(gx), self.square(gy), self.product(gx, gy));
        let (p, q, r) = (self.product(gyy, xx), self.product(gxx, yy), self.product(gxy, xy));
        let numerator = self.sum(&[(p, -1.0), (q, -1.0), (r, 2.0)], 0.0);
        let energy = self.sum(&[(gxx, 1.0), (gyy, 1.0)], 0.0);
        self.graph.add(Op::Ratio(numerator, energy, 4e-4))
    }

    /// Whether several features lie in an arrangement: the sum of maps, each read (dx, dy) cells away, above a threshold
    /// (as a share of the largest sum).
    pub fn arrangement(&mut self, parts: &[(Node, isize, isize)], threshold: f32) -> Node {
        let weight = 1.0 / parts.len() as f32;
        let terms: Vec<(Node, f32)> = parts.iter().map(|(map, dx, dy)| (self.shift(*map, *dx, *dy), weight)).collect();
        let sum = self.sum(&terms, -threshold);
        self.positive(sum)
    }
}

/// The hues that units of the first layer like.
#[derive(Clone, Copy)]
pub enum Hue {
    Red,
    Orange,
    Yellow,
    Green,
    Turquoise,
    Blue,
    Pink,
}

const HUES: [Hue; 7] = [Hue::Red, Hue::Orange, Hue::Yellow, Hue::Green, Hue::Turquoise, Hue::Blue, Hue::Pink];

/// All units of the demo.
pub fn machine() -> GraphMachine {
    let mut v = Vision::default();
    let mut units = Vec::new();
    let mut layer = |name: &str, branch: &str, nodes: Vec<Node>| {
        for (channel, node) in nodes.into_iter().enumerate() {
            units.push((Unit { layer: name.into(), branch: branch.into(), channel }, node));
        }
    };
    layer("colour", "fine", colour_fine(&mut v));
    layer("colour", "coarse", colour_coarse(&mut v));
    layer("contrast", "fine", contrast(&mut v, 0, 4));
    layer("contrast", "coarse", contrast(&mut v, 2, 4));
    layer("orientation", "fine", orientation(&mut v, 0, 3));
    layer("orientation", "coarse", orientation(&mut v, 2, 2));
    layer("frequency", "fine", frequency(&mut v, true));
    layer("frequency", "coarse", frequency(&mut v, false));
    layer("texture", "fine", texture(&mut v, 0));
    layer("texture", "coarse", texture(&mut v, 1));
    layer("contour", "fine", contour(&mut v, 1));
    layer("contour", "coarse", contour(&mut v, 2));
    layer("shape", "fine", shape(&mut v, 1, 4));
    layer("shape", "coarse", shape(&mut v, 2, 5));
    layer("pattern", "fine", pattern(&mut v, 1));
    layer("pattern", "coarse", pattern(&mut v, 2));
    layer("composition", "fine", composition_fine(&mut v));
    layer("composition", "coarse", composition_coarse(&mut v));
    GraphMachine::new(&v.graph, units)
}

/// Spots of a hue on a ground of another.
fn colour_fine(v: &mut Vision) -> Vec<Node> {
    HUES.iter()
        .map(|hue| {
            let hue = v.hue(*hue);
            let hue = v.level(hue, 1);
            let around = v.smooth(hue, 9);
            let spot = v.sum(&[(hue, 1.0), (around, -1.5)], -0.05);
            v.positive(spot)
        })
        .collect()
}

/// Wide areas of a hue.
fn colour_coarse(v: &mut Vision) -> Vec<Node> {
    HUES.iter()
        .map(|hue| {
            let hue = v.hue(*hue);
            let hue = v.level(hue, 2);
            let area = v.smooth(hue, 2);
            v.square(area)
        })
        .collect()
}

/// Bright spots (0) and dark spots (1) of the size of a level.
fn contrast(v: &mut Vision, level: usize, reach: usize) -> Vec<Node> {
    let l = v.luminance();
    let l = v.level(l, level);
    let (bright, dark) = (v.bright_spots(l, reach), v.dark_spots(l, reach));
    vec![v.square(bright), v.square(dark)]
}

/// Upright (0), level (1), falling (2) and rising (3) lines.
fn orientation(v: &mut Vision, level: usize, reach: usize) -> Vec<Node> {
    let l = v.luminance();
    let l = v.level(l, level);
    [0.0, 0.25, 0.125, 0.375].iter().map(|turns| v.lines(l, *turns, reach, 0.01)).collect()
}

/// Detail of one size and no other: each band of frequencies inhibits the others.
fn frequency(v: &mut Vision, fine: bool) -> Vec<Node> {
    let l = v.luminance();
    let mut bands = Vec::new();
    for level in 0..4 {
        let map = v.level(l, level);
        let smooth = v.smooth(map, 2);
        let band = v.sum(&[(map, 1.0), (smooth, -1.0)], 0.0);
        let energy = v.square(band);
        let energy = v.smooth(energy, 1);
        // All at the same resolution.
        let energy = (level..3).fold(energy, |e, _| v.halve(e));
        bands.push(v.smooth(energy, 1));
    }
    let only = |v: &mut Vision, weights: [f32; 4]| {
        let terms: Vec<(Node, f32)> = bands.iter().copied().zip(weights).collect();
        let excess = v.sum(&terms, -0.001);
        let excess = v.positive(excess);
        v.saturate(excess, 0.02)
    };
    if fine {
        vec![only(v, [1.0, -0.3, -0.5, -0.5]), only(v, [-0.5, 1.0, -0.5, -0.5])]
    } else {
        vec![only(v, [-1.0, -0.7, 1.0, -0.5]), only(v, [-1.5, -1.0, -0.5, 1.0])]
    }
}

/// Level lines crossing upright ones (0), rising ones crossing falling ones (1).
fn texture(v: &mut Vision, level: usize) -> Vec<Node> {
    let l = v.luminance();
    let l = v.level(l, level);
    let [upright, flat, falling, rising] = [0.0, 0.25, 0.125, 0.375].map(|turns| v.edges_near(l, turns, 4, 0.004));
    let (grid, lattice) = (v.both(upright, flat), v.both(falling, rising));
    let only = |v: &mut Vision, a: Node, b: Node| {
        let excess = v.sum(&[(a, 1.0), (b, -1.0)], -0.05);
        v.positive(excess)
    };
    vec![only(v, grid, lattice), only(v, lattice, grid)]
}

/// Bright (0) and dark (1) rounded or pointed things; arches (2), bowls (3).
fn contour(v: &mut Vision, level: usize) -> Vec<Node> {
    let l = v.luminance();
    let l = v.level(l, level);
    let l = v.smooth(l, 1);
    let bend = v.curvature(l);
    let bend_dark = v.sum(&[(bend, -1.0)], -0.01);
    let bend_bright = v.sum(&[(bend, 1.0)], -0.01);
    let (bright, dark) = (v.positive(bend_bright), v.positive(bend_dark));
    let (_, gy) = v.slopes(l);
    let downwards = v.positive(gy);
    let upwards = v.sum(&[(gy, -1.0)], 0.0);
    let upwards = v.positive(upwards);
    // Round on top: bright below its upper edge, or dark below it.
    let arch = |v: &mut Vision, down: Node, up: Node| {
        let (a, b) = (v.product(bright, down), v.product(dark, up));
        v.sum(&[(a, 10.0), (b, 10.0)], 0.0)
    };
    vec![bright, dark, arch(v, downwards, upwards), arch(v, upwards, downwards)]
}

/// Rings and discs (0), crosses (1), gables (2), boxes (3), with the edges `r` cells from the centre.
fn shape(v: &mut Vision, level: usize, r: isize) -> Vec<Node> {
    let l = v.luminance();
    let l = v.level(l, level);
    let [upright, flat, falling, rising] = [0.0, 0.25, 0.125, 0.375].map(|turns| v.lines(l, turns, 1, 0.003));
    let d = (r as f32 * 0.71 + 0.5) as isize;
    let ring = [
        (upright, -r, 0),
        (upright, r, 0),
        (flat, 0, -r),
        (flat, 0, r),
        (falling, d, d),
        (falling, -d, -d),
        (rising, d, -d),
        (rising, -d, d),
    ];
    let cross = [(upright, 0, -r), (upright, 0, r), (flat, -r, 0), (flat, r, 0)];
    // The slope of a rising edge points along the falling diagonal.
    let gable = [(falling, -d, 0), (rising, d, 0), (falling, -r - d / 2, d), (rising, r + d / 2, d)];
    let frame = [
        (upright, -r, 0),
        (upright, r, 0),
        (flat, 0, -r),
        (flat, 0, r),
        (upright, -r, r / 2),
        (upright, r, -r / 2),
        (flat, -r / 2, -r),
        (flat, r / 2, r),
    ];
    vec![v.arrangement(&ring, 0.45), v.arrangement(&cross, 0.5), v.arrangement(&gable, 0.5), v.arrangement(&frame, 0.5)]
}

/// Upright bars side by side (0), level bars one above the other (1), spots in rows and columns (2).
fn pattern(v: &mut Vision, level: usize) -> Vec<Node> {
    let l = v.luminance();
    let l = v.level(l, level);
    let [upright, flat] = [0.0, 0.25].map(|turns| v.lines(l, turns, 1, 0.003));
    let spots = v.bright_spots(l, 3);
    let spots = v.saturate(spots, 0.05);
    let p = 5;
    let pickets = [(upright, -2 * p, 0), (upright, -p, 0), (upright, 0, 0), (upright, p, 0), (upright, 2 * p, 0)];
    let steps = [(flat, 0, -2 * p), (flat, 0, -p), (flat, 0, 0), (flat, 0, p), (flat, 0, 2 * p)];
    let rows = [(spots, -p, 0), (spots, p, 0), (spots, 0, 0), (spots, 0, -p), (spots, 0, p)];
    vec![v.arrangement(&pickets, 0.6), v.arrangement(&steps, 0.6), v.arrangement(&rows, 0.4)]
}

/// A warm thing on a cool ground (0), a bright thing in the dark (1), a dark thing before the light (2).
fn composition_fine(v: &mut Vision) -> Vec<Node> {
    let (warm, cool) = (v.warm(), v.cool());
    let (warm, cool) = (v.level(warm, 2), v.level(cool, 2));
    let (light, dark) = v.light_and_dark();
    let within = |v: &mut Vision, thing: Node, ground: Node| {
        let (thing, ground) = (v.saturate(thing, 0.15), v.saturate(ground, 0.1));
        let around = v.smooth(ground, 7);
        // Nearly all of the surround has to be ground.
        let around = v.square(around);
        v.product(thing, around)
    };
    vec![within(v, warm, cool), within(v, light, dark), within(v, dark, light)]
}

/// Blue above green (0), light above dark (1), dark above light (2), warm above cool (3), pink above green (4).
fn composition_coarse(v: &mut Vision) -> Vec<Node> {
    let above = |v: &mut Vision, a: Node, b: Node| {
        let (a, b) = (v.saturate(a, 0.15), v.saturate(b, 0.15));
        let (a, b) = (v.smooth(a, 4), v.smooth(b, 4));
        let (a, b) = (v.shift(a, 0, -5), v.shift(b, 0, 5));
        let (a, b) = (v.square(a), v.square(b));
        v.product(a, b)
    };
    let (blue, turquoise, green, pink) = (v.hue(Hue::Blue), v.hue(Hue::Turquoise), v.hue(Hue::Green), v.hue(Hue::Pink));
    let sky = v.sum(&[(blue, 1.0), (turquoise, 1.0)], 0.0);
    let (warm, cool) = (v.warm(), v.cool());
    let [sky, green, warm, cool, pink] = [sky, green, warm, cool, pink].map(|map| v.level(map, 2));
    let (light, dark) = v.light_and_dark();
    vec![above(v, sky, green), above(v, light, dark), above(v, dark, light), above(v, warm, cool), above(v, pink, green)]
}
