//! The demo's units: nine layers of growing complexity in two branches, fine and coarse.
//!
//! | layer | units respond to |
//! |---|---|
//! | colour | a hue: small things (fine), wide areas (coarse) |
//! | contrast | spots brighter or darker than what surrounds them |
//! | orientation | lines of one direction: thin (fine), broad (coarse) |
//! | frequency | detail of one size, whatever its direction |
//! | texture | lines of two directions crossing |
//! | contour | round outlines: dark things (fine), arches (coarse) |
//! | shape | rings and discs: small (fine), large (coarse) |
//! | pattern | one feature repeated: bars side by side, spots in rows |
//! | composition | one thing within or above another |
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
    ("colour", "fine", 2, Main),        // small yellow things
    ("colour", "coarse", 6, Main),      // much pink
    ("contrast", "fine", 0, Main),      // bright specks
    ("contrast", "coarse", 1, Main),    // dark blobs
    ("orientation", "fine", 1, Main),   // thin level lines
    ("orientation", "coarse", 0, Main), // broad upright bars
    ("frequency", "fine", 1, Main),     // fine detail
    ("frequency", "coarse", 0, Main),   // coarse detail and no fine one
    ("texture", "fine", 0, Main),       // grids
    ("texture", "coarse", 1, Main),     // diagonal lattices
    ("contour", "fine", 1, Main),       // small dark round things
    ("contour", "coarse", 2, Main),     // arches
    ("shape", "fine", 0, Main),         // small rings
    ("shape", "coarse", 0, Main),       // large discs and rings
    ("pattern", "fine", 0, Main),       // bars side by side
    ("pattern", "coarse", 2, Main),     // spots in rows
    ("composition", "fine", 1, Main),   // something bright in the dark
    ("composition", "coarse", 0, Main), // blue above green
    ("colour", "fine", 0, Catch),       // small red things
    ("colour", "fine", 6, Catch),       // small pink things
    ("composition", "fine", 0, Catch),  // something warm on a cool ground
    ("colour", "coarse", 0, Obvious),   // much red
    ("colour", "fine", 4, Obvious),     // small turquoise things
    ("composition", "coarse", 3, Obvious), // red to yellow above green to blue
    ("colour", "fine", 1, Easy),        // small orange things
    ("colour", "fine", 3, Easy),        // small green things
    ("colour", "coarse", 5, Easy),      // much blue
    ("orientation", "fine", 2, Easy),   // thin falling lines
    ("orientation", "coarse", 1, Easy), // broad level bars
    ("colour", "coarse", 4, Easy),      // much turquoise
    ("pattern", "fine", 1, Easy),       // bars one above the other
    ("colour", "fine", 5, Instruction), // small blue things
    ("orientation", "fine", 0, Instruction), // thin upright lines
    ("composition", "coarse", 1, Instruction), // light above dark
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

/// The map whose mean is the unit's response.
fn map_of(v: &mut Vision, layer: &str, fine: bool, channel: usize) -> Node {
    match layer {
        "colour" => colour(v, fine, channel),
        "contrast" => contrast(v, fine, channel),
        "orientation" => orientation(v, fine, channel),
        "frequency" => frequency(v, fine, channel),
        "texture" => texture(v, fine, channel),
        "contour" => contour(v, fine, channel),
        "shape" => shape(v, fine),
        "pattern" => pattern(v, fine, channel),
        _ => composition(v, fine, channel),
    }
}

/// Red, orange, yellow, green, turquoise, blue, pink: spots of it on a ground of another hue, or wide areas.
fn colour(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let hue = [Hue::Red, Hue::Orange, Hue::Yellow, Hue::Green, Hue::Turquoise, Hue::Blue, Hue::Pink][channel];
    if fine {
        let hue = v.hue(hue, 1);
        let around = v.smooth(hue, 9);
        let spot = v.sum(&[(hue, 1.0), (around, -1.5)], -0.05);
        v.positive(spot)
    } else {
        let hue = v.hue(hue, 2);
        let area = v.smooth(hue, 2);
        v.square(area)
    }
}

/// Bright spots (0), dark spots (1).
fn contrast(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let l = v.luminance(if fine { 0 } else { 2 });
    let spots = v.spots(l, 4, channel == 0);
    v.square(spots)
}

/// Upright (0), level (1), falling (2) and rising (3) lines.
fn orientation(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let l = v.luminance(if fine { 0 } else { 2 });
    v.lines(l, DIRECTIONS[channel], if fine { 3 } else { 2 }, 0.01)
}

/// Directions of slope, in turns, of upright, level, falling and rising lines. (The slope of a falling line rises.)
const DIRECTIONS: [f32; 4] = [0.0, 0.25, 0.375, 0.125];

/// Detail of one size and no other: each band of frequencies inhibits the others. From fine 0 over fine 1 and coarse 0 to
/// coarse 1 the size doubles.
fn frequency(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let bands: Vec<Node> = (0..4).map(|level| v.band_energy(level, 3)).collect();
    let weights = match (fine, channel) {
        (true, 0) => [1.0, -0.3, -0.5, -0.5],
        (true, _) => [-0.5, 1.0, -0.5, -0.5],
        (false, 0) => [-1.0, -0.7, 1.0, -0.5],
        (false, _) => [-1.5, -1.0, -0.5, 1.0],
    };
    let terms: Vec<(Node, f32)> = bands.into_iter().zip(weights).collect();
    let excess = v.sum(&terms, -0.001);
    let excess = v.positive(excess);
    v.saturate(excess, 0.02)
}

/// Level lines crossing upright ones (0), rising ones crossing falling ones (1).
fn texture(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let l = v.luminance(if fine { 1 } else { 2 });
    let [upright, level, falling, rising] = DIRECTIONS.map(|turns| {
        let lines = v.lines(l, turns, 1, 0.003);
        v.smooth(lines, 3)
    });
    let (grid, lattice) = (v.both(upright, level), v.both(falling, rising));
    let (wanted, other) = if channel == 0 { (grid, lattice) } else { (lattice, grid) };
    let excess = v.sum(&[(wanted, 1.0), (other, -1.0)], -0.05);
    v.positive(excess)
}

/// Bright (0) and dark (1) things with round or pointed outlines; outlines that are round at their top (2).
fn contour(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let l = v.luminance(if fine { 1 } else { 2 });
    let l = v.smooth(l, 1);
    let bend = v.curvature(l);
    let (bright, dark) = (v.sum(&[(bend, 1.0)], -0.01), v.sum(&[(bend, -1.0)], -0.01));
    let (bright, dark) = (v.positive(bright), v.positive(dark));
    match channel {
        0 => bright,
        1 => dark,
        _ => {
            // Bright below its upper edge, or dark below it.
            let (_, down) = v.slopes(l);
            let up = v.sum(&[(down, -1.0)], 0.0);
            let (down, up) = (v.positive(down), v.positive(up));
            let (bright, dark) = (v.product(bright, down), v.product(dark, up));
            v.sum(&[(bright, 10.0), (dark, 10.0)], 0.0)
        }
    }
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

/// Upright bars side by side (0), level bars one above the other (1), bright spots in rows and columns (2).
fn pattern(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let l = v.luminance(if fine { 1 } else { 2 });
    let period = 5;
    if channel == 2 {
        let spots = v.spots(l, 3, true);
        let spots = v.saturate(spots, 0.05);
        let rows = [(0, 0), (-period, 0), (period, 0), (0, -period), (0, period)];
        return v.arrangement(&rows.map(|(dx, dy)| (spots, dx, dy)), 0.4);
    }
    let bars = v.lines(l, DIRECTIONS[channel], 1, 0.003);
    let steps = [-2, -1, 0, 1, 2].map(|i| if channel == 0 { (bars, i * period, 0) } else { (bars, 0, i * period) });
    v.arrangement(&steps, 0.6)
}

/// Fine: something warm on a cool ground (0), bright in the dark (1), dark before the light (2).
/// Coarse: blue above green (0), light above dark (1), warm above cool (3).
fn composition(v: &mut Vision, fine: bool, channel: usize) -> Node {
    let (light, dark) = v.light_and_dark();
    let (first, second) = match (fine, channel) {
        (true, 0) | (false, 3) => (v.warm(2), v.cool(2)),
        (true, 1) | (false, 1) => (light, dark),
        (true, _) => (dark, light),
        (false, _) => {
            let (blue, turquoise) = (v.hue(Hue::Blue, 2), v.hue(Hue::Turquoise, 2));
            (v.sum(&[(blue, 1.0), (turquoise, 1.0)], 0.0), v.hue(Hue::Green, 2))
        }
    };
    if fine { v.within(first, second) } else { v.above(first, second) }
}
