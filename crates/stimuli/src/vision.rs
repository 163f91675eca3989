//! Builds the maps of the demo's units from concepts of vision science, as operations of a [`Graph`].

use super::graph::{Graph, Node, Op};
use super::maths::{cos_turns, sin_turns};

/// Adds maps to a graph.
#[derive(Default)]
pub struct Vision {
    /// The graph with all operations so far.
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

    /// A map smoothed over about `reach` cells to each side: 1, 2 or, by a box, more.
    pub fn smooth(&mut self, a: Node, reach: usize) -> Node {
        let kernel = match reach {
            1 => BINOMIAL_3.to_vec(),
            2 => BINOMIAL_5.to_vec(),
            n => vec![1.0 / (2 * n + 1) as f32; 2 * n + 1],
        };
        self.graph.add(Op::Convolve(a, kernel.clone(), kernel))
    }

    /// The map at half the resolution, smoothed first.
    pub fn halve(&mut self, a: Node) -> Node {
        let smooth = self.smooth(a, 1);
        self.graph.add(Op::Halve(smooth))
    }

    /// A map at a coarser level: 0 is the retina, each further one has half the resolution.
    pub fn level(&mut self, a: Node, level: usize) -> Node {
        (0..level).fold(a, |map, _| self.halve(map))
    }

    /// Red (0), green (1) or blue (2) at a level.
    fn channel(&mut self, channel: usize, level: usize) -> Node {
        let channel = self.graph.add(Op::Channel(channel));
        self.level(channel, level)
    }

    /// Lightness at a level, 0 to 1.
    pub fn luminance(&mut self, level: usize) -> Node {
        let channels = [0, 1, 2].map(|channel| self.graph.add(Op::Channel(channel)));
        let luminance = self.sum(&[(channels[0], 0.3), (channels[1], 0.59), (channels[2], 0.11)], 0.0);
        self.level(luminance, level)
    }

    /// The strength of a hue at a level, 0 to about 0.8.
    pub fn hue(&mut self, hue: Hue, level: usize) -> Node {
        let [r, g, b] = [0, 1, 2].map(|channel| self.channel(channel, level));
        let opponent = match hue {
            Hue::Red => self.primary(r, g, b),
            Hue::Green => self.primary(g, r, b),
            Hue::Blue => self.primary(b, r, g),
            Hue::Yellow => self.secondary(r, g, b),
            Hue::Turquoise => self.secondary(g, b, r),
            Hue::Pink => self.secondary(r, b, g),
            Hue::Orange => {
                let (warm, yellowish) =
                    (self.sum(&[(r, 1.0), (g, -1.0)], -0.05), self.sum(&[(g, 1.0), (b, -1.0)], -0.05));
                self.min(warm, yellowish)
            }
        };
        self.positive(opponent)
    }

    /// One channel above both others.
    fn primary(&mut self, high: Node, low: Node, other: Node) -> Node {
        let (a, b) =
            (self.sum(&[(high, 1.0), (low, -1.0)], -0.12), self.sum(&[(high, 1.0), (other, -1.0)], -0.12));
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
    pub fn warm(&mut self, level: usize) -> Node {
        let hues = [Hue::Red, Hue::Orange, Hue::Yellow].map(|hue| self.hue(hue, level));
        self.sum(&hues.map(|hue| (hue, 1.0)), 0.0)
    }

    /// Green, turquoise and blue.
    pub fn cool(&mut self, level: usize) -> Node {
        let hues = [Hue::Green, Hue::Turquoise, Hue::Blue].map(|hue| self.hue(hue, level));
        self.sum(&hues.map(|hue| (hue, 1.0)), 0.0)
    }

    /// The parts that are lighter and darker than middle grey, at a quarter of the resolution.
    pub fn light_and_dark(&mut self) -> (Node, Node) {
        let l = self.luminance(2);
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

    /// The direction of a map's edges: energy along a direction of their slope (0 across, that is upright lines; 0.25 down, level lines;
    /// 0.125 and 0.375 the diagonals, in turns) minus that at right angles to it, and the total energy.
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

    /// Spots brighter (or darker) than their surround within `reach` cells.
    pub fn spots(&mut self, a: Node, reach: usize, bright: bool) -> Node {
        let (centre, surround) = (self.smooth(a, 1), self.smooth(a, reach));
        let sign = if bright { 1.0 } else { -1.0 };
        let excess = self.sum(&[(centre, sign), (surround, -sign)], -0.02);
        self.positive(excess)
    }

    /// The energy of the detail that one level has and the next has not, at the resolution of the level `at`.
    pub fn band_energy(&mut self, level: usize, at: usize) -> Node {
        let map = self.luminance(level);
        let smooth = self.smooth(map, 2);
        let band = self.sum(&[(map, 1.0), (smooth, -1.0)], 0.0);
        let energy = self.square(band);
        let energy = self.smooth(energy, 1);
        let energy = self.level(energy, at - level);
        self.smooth(energy, 1)
    }

    /// How little detail there is, 0 to 1, at level 2.
    pub fn calm(&mut self) -> Node {
        let detail = self.band_energy(1, 2);
        let detail = self.smooth(detail, 2);
        let detail = self.saturate(detail, 0.0006);
        self.sum(&[(detail, -1.0)], 1.0)
    }

    /// A thing on a ground of another kind (both at level 2): nearly all of the surround must be ground.
    pub fn within(&mut self, thing: Node, ground: Node) -> Node {
        let (thing, ground) = (self.saturate(thing, 0.15), self.saturate(ground, 0.1));
        let around = self.smooth(ground, 7);
        let around = self.square(around);
        self.product(thing, around)
    }

    /// One thing above another (both at level 2).
    pub fn above(&mut self, upper: Node, lower: Node) -> Node {
        let (upper, lower) = (self.saturate(upper, 0.15), self.saturate(lower, 0.15));
        let (upper, lower) = (self.smooth(upper, 4), self.smooth(lower, 4));
        let (upper, lower) = (self.shift(upper, 0, -5), self.shift(lower, 0, 5));
        let (upper, lower) = (self.square(upper), self.square(lower));
        self.product(upper, lower)
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
        let terms: Vec<(Node, f32)> =
            parts.iter().map(|(map, dx, dy)| (self.shift(*map, *dx, *dy), weight)).collect();
        let sum = self.sum(&terms, -threshold);
        self.positive(sum)
    }
}

/// The hues that units of the first layer respond to.
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
