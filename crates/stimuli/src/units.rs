//! The demo's units: nine layers of growing complexity in two branches, fine and coarse.
//!
//! | layer | units respond to |
//! |---|---|
//! | colour | a hue: small things (fine), large things (coarse) |
//! | contrast | spots brighter or darker than what surrounds them |
//! | orientation | lines of one direction: thin (fine), broad (coarse) |
//! | frequency | detail of one size in any direction |
//! | texture | lines of two directions crossing |
//! | contour | round outlines: dark things (fine), arches (coarse) |
//! | shape | rings and discs: small (fine), large (coarse) |
//! | pattern | one feature repeated: bars side by side, spots in rows |
//! | composition | one thing within or above another |
//!
//! Each is inhibited by an opponent: the opposite hue, the perpendicular direction, dark against bright ...
//!
//! The study asks about one unit of each layer and branch. Other units are for the trials that must be easy: a person can say in a few
//! words what they respond to.

use super::graph::Node;
use super::machine::{GraphMachine, Unit};
use super::recipe::Role;
use super::vision::{Hue, Vision};

use Role::{Catch, Easy, Instruction, Main, Obvious};

#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Its layer.
    pub layer: &'static str,
    /// The branch, `fine` or `coarse`.
    pub branch: &'static str,
    /// The number within layer and branch.
    pub channel: usize,
    /// What it is for.
    pub role: Role,
    /// What it responds to, as words that can follow "it likes".
    pub likes: &'static str,
}

const fn unit(
    layer: &'static str,
    branch: &'static str,
    channel: usize,
    role: Role,
    likes: &'static str,
) -> Definition {
    Definition { layer, branch, channel, role, likes }
}

/// All units of the demo.
#[rustfmt::skip]
pub const UNITS: [Definition; 34] = [
    unit("colour", "fine", 2, Main, "small yellow things"),
    unit("colour", "coarse", 6, Main, "something large and pink"),
    unit("contrast", "fine", 0, Main, "bright specks"),
    unit("contrast", "coarse", 1, Main, "dark blobs"),
    unit("orientation", "fine", 1, Main, "thin level lines"),
    unit("orientation", "coarse", 0, Main, "broad upright bars"),
    unit("frequency", "fine", 1, Main, "fine detail"),
    unit("frequency", "coarse", 0, Main, "coarse detail and no fine one"),
    unit("texture", "fine", 0, Main, "grids"),
    unit("texture", "coarse", 1, Main, "diagonal lattices"),
    unit("contour", "fine", 1, Main, "small dark round things"),
    unit("contour", "coarse", 2, Main, "arches"),
    unit("shape", "fine", 0, Main, "small rings"),
    unit("shape", "coarse", 0, Main, "large discs and rings"),
    unit("pattern", "fine", 0, Main, "bars side by side"),
    unit("pattern", "coarse", 2, Main, "spots in rows"),
    unit("composition", "fine", 1, Main, "something bright in the dark"),
    unit("composition", "coarse", 0, Main, "blue above green"),
    unit("colour", "coarse", 5, Catch, "something large and blue"),
    unit("colour", "coarse", 3, Catch, "something large and green"),
    unit("composition", "fine", 0, Catch, "something warm on a cool ground"),
    unit("colour", "coarse", 2, Obvious, "something large and yellow"),
    unit("colour", "coarse", 4, Obvious, "something large and turquoise"),
    unit("colour", "coarse", 1, Obvious, "something large and orange"),
    unit("colour", "fine", 3, Easy, "small green things"),
    unit("colour", "fine", 5, Easy, "small blue things"),
    unit("orientation", "fine", 2, Easy, "thin falling lines"),
    unit("orientation", "coarse", 1, Easy, "broad level bars"),
    unit("pattern", "fine", 1, Easy, "thin bars one above the other"),
    unit("pattern", "coarse", 0, Easy, "broad bars side by side"),
    unit("composition", "coarse", 1, Easy, "light above dark"),
    unit("colour", "coarse", 0, Instruction, "something large and red"),
    unit("orientation", "fine", 0, Instruction, "thin upright lines"),
    unit("contrast", "coarse", 0, Instruction, "bright blobs"),
];

/// The demo's machine, with the role of each of its units.
pub fn machine() -> (GraphMachine, Vec<Role>) {
    let mut v = Vision::default();
    let units = UNITS
        .iter()
        .map(|definition| {
            let Definition { layer, branch, channel, .. } = *definition;
            let node = map_of(&mut v, layer, branch == "fine", channel);
            (Unit { layer: layer.into(), branch: branch.into(), channel }, node)
        })
        .collect();
    (GraphMachine::new(&v.graph, units), UNITS.iter().map(|definition| definition.role).collect())
}

/// How strongly a unit is inhibited by the preferred feature of its opponent.
const INHIBITION: f32 = 0.6;

/// The map whose mean is the unit's response: its excitation minus the excitation of its opponent. So the correct query hides the
/// opponent's feature, and a rule about conspicuousness does not answer the trials.
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

/// Fine: something warm on a cool ground (0), bright in the dark (1). Coarse: calm blue above green (0), light above dark (1). The
/// opponent is reversed.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::inlay::{Corner, Inlay, Patch};
    use crate::machine::Machine;
    use crate::scenes;
    use crate::synthetic::{Ascent, visualise};

    #[test]
    fn the_units_follow_the_design() {
        let (machine, roles) = machine();
        let count = |role| roles.iter().filter(|r| **r == role).count();
        assert_eq!([Main, Catch, Obvious, Easy, Instruction].map(count), [18, 3, 3, 7, 3]);
        let mut names: Vec<String> = machine.units().iter().map(Unit::name).collect();
        assert_eq!(names[0], "colour-fine-2");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 34);
        let mut main: Vec<(&str, &str)> =
            UNITS.iter().filter(|unit| unit.role == Main).map(|unit| (unit.layer, unit.branch)).collect();
        main.sort_unstable();
        main.dedup();
        assert_eq!(main.len(), 18, "one unit of each layer and branch");
    }

    #[test]
    fn the_search_agrees_with_brute_force_for_every_unit() {
        let (machine, _) = machine();
        let (first, second) = (scenes::paint(5, 21), scenes::paint(5, 34));
        let dice = Dice::new(1, "corners", 0);
        let mut corners: Vec<Corner> =
            [(0, 0), (134, 0), (0, 134), (134, 134), (2, 66)].map(|(x, y)| Corner { x, y }).to_vec();
        corners.extend((0..8).map(|_| Corner { x: 2 * dice.below(68), y: 2 * dice.below(68) }));
        for unit in 0..machine.units().len() {
            for (background, inlay) in [(&first, Inlay::MeanColour), (&second, Inlay::Of(&first))] {
                let searched = machine.inlay_responses(unit, background, inlay, &corners);
                let brute: Vec<f64> = corners
                    .iter()
                    .map(|at| machine.response(unit, &Patch::STUDY.compose(background, inlay, *at)))
                    .collect();
                assert_eq!(searched, brute, "{}", machine.units()[unit].name());
            }
        }
    }

    #[test]
    fn one_pass_gives_the_responses_of_all_units() {
        let (machine, _) = machine();
        let scene = scenes::paint(2, 8);
        let all = machine.responses(&scene);
        for (unit, response) in all.iter().enumerate() {
            assert_eq!(*response, machine.response(unit, &scene));
        }
    }

    #[test]
    fn units_respond_to_what_their_description_says() {
        let (machine, _) = machine();
        let unit = |name: &str| machine.units().iter().position(|unit| unit.name() == name).unwrap();
        let stripes = |across: bool| {
            crate::picture::Picture::from_fn(|x, y| {
                [if (if across { x } else { y }) / 10 % 2 == 0 { 230 } else { 20 }; 3]
            })
        };
        let (upright, level) = (unit("orientation-coarse-0"), unit("orientation-coarse-1"));
        assert!(machine.response(upright, &stripes(true)) > 0.3);
        assert!(machine.response(upright, &stripes(false)) < 0.0, "inhibited by the other direction");
        assert!(machine.response(level, &stripes(false)) > 0.3);
        let disc = |colour: [u8; 3]| {
            crate::picture::Picture::from_fn(|x, y| {
                let (dx, dy) = (x as i32 - 80, y as i32 - 120);
                if dx * dx + dy * dy < 900 { colour } else { [128; 3] }
            })
        };
        let red = unit("colour-coarse-0");
        assert!(machine.response(red, &disc([230, 20, 20])) > 0.001);
        assert!(machine.response(red, &disc([20, 220, 220])) < 0.0);
    }

    #[test]
    fn synthetic_images_beat_natural_ones() {
        let (machine, _) = machine();
        let pool: Vec<Vec<f64>> = (0..104).map(|scene| machine.responses(&scenes::paint(1, scene))).collect();
        let ascent = Ascent { steps: 12, ..Ascent::default() };
        for unit in (0..machine.units().len()).step_by(3) {
            let strongest = pool.iter().map(|scene| scene[unit]).fold(f64::MIN, f64::max);
            let images = visualise(&machine, unit, 2, strongest, &ascent, &Dice::new(1, "test", unit as u64));
            for image in &images {
                let response = machine.response(unit, image);
                assert!(response > strongest, "{}: {response} <= {strongest}", machine.units()[unit].name());
            }
            assert_ne!(images[0], images[1]);
        }
    }
}
