//! The demo's units: nine layers of growing complexity in two branches, fine and coarse.
//!
//! | layer | units respond to |
//! |---|---|
//! | colour | a hue: small things (fine), large things (coarse) |
//! | contrast | spots brighter or darker than what surrounds them |
//! | orientation | lines of one direction: thin (fine), broad (coarse) |
//! | frequency | detail of one size, whatever its direction |
//! | texture | lines of two directions crossing |
//! | contour | round outlines: dark things (fine), arches (coarse) |
//! | shape | rings and discs: small (fine), large (coarse) |
//! | pattern | one feature repeated: bars side by side, spots in rows |
//! | composition | one thing within or above another |
//!
//! Each is inhibited by an opponent: the opposite hue, the direction at right angles, dark against bright ...
//!
//! One unit of each layer and branch is studied. The others stand beside them, for the trials that have to be easy: they
//! were picked by hand because a person can say in a few words what they like.

use super::graph::Node;
use super::machine::{GraphMachine, Unit};
use super::vision::{Hue, Vision};

/// What a unit is for in the demo study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One of the 18 units that are studied.
    Main,
    /// A catch trial.
    Catch,
    /// An obvious practice trial.
    Obvious,
    /// Another practice trial.
    Easy,
    /// A trial shown in the instructions.
    Instruction,
}

use Role::{Catch, Easy, Instruction, Main, Obvious};

/// All units: layer, branch, channel, role.
const UNITS: [(&str, &str, usize, Role); 34] = [
    ("colour", "fine", 2, Main),             // small yellow things
    ("colour", "coarse", 6, Main),           // something large and pink
    ("contrast", "fine", 0, Main),           // bright specks
    ("contrast", "coarse", 1, Main),         // dark blobs
    ("orientation", "fine", 1, Main),        // thin level lines
    ("orientation", "coarse", 0, Main),      // broad upright bars
    ("frequency", "fine", 1, Main),          // fine detail
    ("frequency", "coarse", 0, Main),        // coarse detail and no fine one
    ("texture", "fine", 0, Main),            // grids
    ("texture", "coarse", 1, Main),          // diagonal lattices
    ("contour", "fine", 1, Main),            // small dark round things
    ("contour", "coarse", 2, Main),          // arches
    ("shape", "fine", 0, Main),              // small rings
    ("shape", "coarse", 0, Main),            // large discs and rings
    ("pattern", "fine", 0, Main),            // bars side by side
    ("pattern", "coarse", 2, Main),          // spots in rows
    ("composition", "fine", 1, Main),        // something bright in the dark
    ("composition", "coarse", 0, Main),      // blue above green
    ("colour", "coarse", 5, Catch),          // something large and blue
    ("colour", "coarse", 3, Catch),          // something large and green
    ("composition", "fine", 0, Catch),       // something warm on a cool ground
    ("colour", "coarse", 2, Obvious),        // something large and yellow
    ("colour", "coarse", 4, Obvious),        // something large and turquoise
    ("colour", "coarse", 1, Obvious),        // something large and orange
    ("colour", "fine", 3, Easy),             // small green things
    ("colour", "fine", 5, Easy),             // small blue things
    ("orientation", "fine", 2, Easy),        // thin falling lines
    ("orientation", "coarse", 1, Easy),      // broad level bars
    ("pattern", "fine", 1, Easy),            // thin bars one above the other
    ("pattern", "coarse", 0, Easy),          // broad bars side by side
    ("composition", "coarse", 1, Easy),      // light above dark
    ("colour", "coarse", 0, Instruction),    // something large and red
    ("orientation", "fine", 0, Instruction), // thin upright lines
    ("contrast", "coarse", 0, Instruction),  // bright blobs
];

/// The demo's machine, and the role of each of its units.
pub fn machine() -> (GraphMachine, Vec<Role>) {
    let mut v = Vision::default();
    let unit = |v: &mut Vision, (layer, branch, channel, _): (&str, &str, usize, Role)| {
        let node = map_of(v, layer, branch == "fine", channel);
        (Unit { layer: layer.into(), branch: branch.into(), channel }, node)
    };
    let units = UNITS.iter().map(|definition| unit(&mut v, *definition)).collect();
    (GraphMachine::new(&v.graph, units), UNITS.iter().map(|definition| definition.3).collect())
}

/// How strongly a unit is inhibited by what its opponent likes.
const INHIBITION: f32 = 0.6;

/// The map whose mean is the unit's response: what excites it minus what excites its opponent. So the correct query of a
/// trial hides something else, not just nothing, and no rule about conspicuousness answers the trials.
fn map_of(v: &mut Vision, layer: &str, fine: bool, channel: usize) -> Node {
    let (excitation, inhibition) = match layer {
        "colour" => {
            let opposite =
                [Hue::Turquoise, Hue::Blue, Hue::Blue, Hue::Pink, Hue::Red, Hue::Orange, Hue::Green];
            (colour(v, fine, HUES[channel]), colour(v, fine, opposite[channel]))
        }
        "contrast" => (contrast(v, fine, channel == 0), contrast(v, fine, channel != 0)),
        "orientation" => (orientation(v, fine, channel), orientation(v, fine, channel ^ 1)),
        "frequency" => (frequency(v, fine), frequency(v, !fine)),
        "texture" => (texture(v, fine, channel == 0), texture(v, fine, channel != 0)),
        "contour" => (contour(v, fine, channel), contour(v, fine, channel ^ 1)),
        // A circle has no opposite.
        "shape" => return shape(v, fine),
        "pattern" => (pattern(v, fine, channel), pattern(v, fine, channel ^ 1)),
        _ => composition(v, fine, channel),
    };
    v.sum(&[(excitation, 1.0), (inhibition, -INHIBITION)], 0.0)
}

const HUES: [Hue; 7] = [Hue::Red, Hue::Orange, Hue::Yellow, Hue::Green, Hue::Turquoise, Hue::Blue, Hue::Pink];

/// Small or large things of a hue on a ground of another.
fn colour(v: &mut Vision, fine: bool, hue: Hue) -> Node {
    if fine {
        let hue = v.hue(hue, 1);
        let around = v.smooth(hue, 9);
        let spot = v.sum(&[(hue, 1.0), (around, -1.5)], -0.05);
        v.positive(spot)
    } else {
        let hue = v.hue(hue, 2);
        let (centre, around) = (v.smooth(hue, 2), v.smooth(hue, 10));
        let thing = v.sum(&[(centre, 1.0), (around, -1.5)], -0.02);
        let thing = v.positive(thing);
        v.square(thing)
    }
}

/// Bright or dark spots.
fn contrast(v: &mut Vision, fine: bool, bright: bool) -> Node {
    let l = v.luminance(if fine { 0 } else { 2 });
    let spots = v.spots(l, 4, bright);
    v.square(spots)
}

/// Upright (0), level (1), falling (2) and rising (3) lines.
fn orientation(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let l = v.luminance(if fine { 0 } else { 2 });
    v.lines(l, DIRECTIONS[channel], if fine { 3 } else { 2 }, 0.01)
}

/// Directions of slope, in turns, of upright, level, falling and rising lines. (The slope of a falling line rises.)
const DIRECTIONS: [f32; 4] = [0.0, 0.25, 0.375, 0.125];

/// Detail of about 4 px (fine) or 8 px (coarse) and of no other size: each band of frequencies inhibits the others.
fn frequency(v: &mut Vision, fine: bool) -> Node {
    let bands: Vec<Node> = (0..4).map(|level| v.band_energy(level, 3)).collect();
    let weights = if fine { [-0.5, 1.0, -0.5, -0.5] } else { [-1.0, -0.7, 1.0, -0.5] };
    let terms: Vec<(Node, f32)> = bands.into_iter().zip(weights).collect();
    let excess = v.sum(&terms, -0.001);
    let excess = v.positive(excess);
    v.saturate(excess, 0.02)
}

/// Grids of level and upright lines, or lattices of rising and falling ones.
fn texture(v: &mut Vision, fine: bool, grid: bool) -> Node {
    let l = v.luminance(if fine { 1 } else { 2 });
    let directions = if grid { [DIRECTIONS[0], DIRECTIONS[1]] } else { [DIRECTIONS[2], DIRECTIONS[3]] };
    let [first, second] = directions.map(|turns| {
        let lines = v.lines(l, turns, 1, 0.003);
        v.smooth(lines, 3)
    });
    v.min(first, second)
}

/// Bright (0) and dark (1) things with round or pointed outlines; outlines round at their top (2), at their bottom (3).
fn contour(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let l = v.luminance(if fine { 1 } else { 2 });
    let l = v.smooth(l, 1);
    let bend = v.curvature(l);
    let (bright, dark) = (v.sum(&[(bend, 1.0)], -0.01), v.sum(&[(bend, -1.0)], -0.01));
    let (bright, dark) = (v.positive(bright), v.positive(dark));
    if channel < 2 {
        return [bright, dark][channel];
    }
    let (_, down) = v.slopes(l);
    let up = v.sum(&[(down, -1.0)], 0.0);
    let (down, up) = (v.positive(down), v.positive(up));
    // Round on top: bright below its edge, or dark below it. Round below: the reverse.
    let (of_bright, of_dark) = if channel == 2 { (down, up) } else { (up, down) };
    let (bright, dark) = (v.product(bright, of_bright), v.product(dark, of_dark));
    v.sum(&[(bright, 10.0), (dark, 10.0)], 0.0)
}

/// Rings and discs whose outline is about `r` cells from the centre.
fn shape(v: &mut Vision, fine: bool) -> Node {
    let (level, r) = if fine { (1, 4) } else { (2, 5) };
    let l = v.luminance(level);
    let [upright, flat, falling, rising] = DIRECTIONS.map(|turns| v.lines(l, turns, 1, 0.003));
    let d = (r * 5 + 3) / 7;
    let sides = [(upright, -r, 0), (upright, r, 0), (flat, 0, -r), (flat, 0, r)];
    let corners = [(rising, d, d), (rising, -d, -d), (falling, d, -d), (falling, -d, d)];
    v.arrangement(&[sides, corners].concat(), 0.45)
}

/// Upright bars side by side (0), level bars one above the other (1), bright (2) and dark (3) spots in rows and columns.
fn pattern(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let l = v.luminance(if fine { 1 } else { 2 });
    let period = 5;
    if channel >= 2 {
        let spots = v.spots(l, 3, channel == 2);
        let spots = v.saturate(spots, 0.05);
        let rows = [(0, 0), (-period, 0), (period, 0), (0, -period), (0, period)];
        return v.arrangement(&rows.map(|(dx, dy)| (spots, dx, dy)), 0.4);
    }
    let bars = v.lines(l, DIRECTIONS[channel], 1, 0.003);
    let steps =
        [-2, -1, 0, 1, 2].map(|i| if channel == 0 { (bars, i * period, 0) } else { (bars, 0, i * period) });
    v.arrangement(&steps, 0.6)
}

/// Fine: something warm on a cool ground (0), bright in the dark (1). Coarse: calm blue above green (0), light above dark (1).
/// The opponent has both the other way round.
fn composition(v: &mut Vision, fine: bool, channel: usize) -> (Node, Node) {
    let (first, second) = match (fine, channel) {
        (true, 0) => (v.warm(2), v.cool(2)),
        (false, 0) => {
            let (blue, turquoise) = (v.hue(Hue::Blue, 2), v.hue(Hue::Turquoise, 2));
            let sky = v.sum(&[(blue, 1.0), (turquoise, 1.0)], 0.0);
            let (calm, green) = (v.calm(), v.hue(Hue::Green, 2));
            (v.product(sky, calm), green)
        }
        _ => v.light_and_dark(),
    };
    if fine {
        (v.within(first, second), v.within(second, first))
    } else {
        (v.above(first, second), v.above(second, first))
    }
}
