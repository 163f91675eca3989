//! Plants close up: flowers, leaves, mushrooms, pots.

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, leaf_green, vivid};
use super::form::{ball, cylinder, disc, ellipse, leaf, length, polygon, slab, star, stroke};
use super::material::Material;
use super::noise::{fbm, noise};
use crate::maths::{angle_turns, cos_turns, sin_turns, smoothstep};

/// A soft background of blurred greens or another hue.
fn soft_ground(s: &mut Scene, hue: f32) {
    let seed = s.dice.seed();
    let (saturation, dark) = (s.dice.range(0.2, 0.6), s.dice.range(0.18, 0.6));
    s.canvas.cover(|x, y| {
        let t = fbm(x / 70.0, y / 70.0, 2, seed);
        Rgb::hsl(hue + 0.08 * (t - 0.5), saturation, dark + 0.3 * (t - 0.5))
    });
    for _ in 0..s.dice.count(0, 10) {
        let (x, y, r) = (s.dice.range(0.0, SIZE), s.dice.range(0.0, SIZE), s.dice.range(8.0, 26.0));
        s.canvas.lay((x - r, y - r, x + r, y + r), |px, py| {
            (Rgb::WHITE, 0.1 * smoothstep(1.0, 0.85, length(px - x, py - y) / r))
        });
    }
}

/// One or a few large flowers with stems and leaves.
pub fn flowers(s: &mut Scene) {
    let hue = if s.dice.chance(0.6) { s.dice.range(0.22, 0.42) } else { s.dice.unit() };
    soft_ground(s, hue);
    let count = s.dice.count(1, 5);
    let places = s.places(count, (30.0, 194.0), (45.0, 150.0), 52.0);
    let green = leaf_green(&s.dice);
    for (x, y) in &places {
        let bend = s.dice.range(-20.0, 20.0);
        s.canvas.form(
            &Frame::new(0.0, 0.0, 1.0),
            300.0,
            |u, v| stroke(u, v, (*x, *y), (*x + bend, 240.0), 2.0, 3.5),
            |_, _, _| green,
        );
        let side = if s.dice.chance(0.5) { 0.1 } else { -0.1 };
        let f = Frame::new(x + bend * 0.5 + side * 180.0, 185.0, 26.0).turned(side * 2.0);
        veined_leaf(s, f, green, 0.35);
    }
    let petals = vivid(&s.dice);
    for (x, y) in places {
        let size = s.dice.range(22.0, 36.0) * if count == 1 { 1.9 } else { 1.0 };
        let colour = petals.vary(&s.dice, 0.06);
        let f = Frame::new(x, y, size).turned(s.dice.unit());
        match s.dice.below(4) {
            0 => tulip(s, Frame::new(x, y, size), colour),
            1 => sunflower(s, f),
            _ => daisy(s, f, colour),
        }
    }
}

fn daisy(s: &mut Scene, f: Frame, colour: Rgb) {
    let petals = s.dice.pick(&[5.0, 6.0, 8.0, 12.0]);
    let heart = if s.dice.chance(0.7) { Rgb(0.98, 0.78, 0.2) } else { Rgb(0.3, 0.15, 0.1) };
    let inner = s.dice.range(0.3, 0.6);
    s.canvas.shadow(&f, 1.1, 0.25, 0.3, |u, v| star(u, v, petals, inner, 1.0, true));
    s.canvas.form(
        &f,
        1.1,
        |u, v| star(u, v, petals, inner, 1.0, true),
        |u, v, _| {
            let line = cos_turns((angle_turns(v, u) + 0.25) * petals);
            colour * (0.7 + 0.2 * line + 0.3 * length(u, v))
        },
    );
    let (light, seed) = (s.light, s.dice.seed());
    s.canvas.form(
        &f.at(0.0, 0.0, 0.3),
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, _| ball(heart * (0.75 + 0.5 * noise(u * 6.0, v * 6.0, seed)), u, v, light, 0.0),
    );
}

fn sunflower(s: &mut Scene, f: Frame) {
    for (turn, size, shade) in [(0.03, 1.0, 0.85), (0.0, 0.92, 1.0)] {
        s.canvas.form(
            &f.turned(turn),
            1.1,
            |u, v| star(u, v, 16.0, 0.6 * size, size, false),
            |u, v, _| Rgb(1.0, 0.76, 0.1) * (shade * (0.6 + 0.45 * length(u, v))),
        );
    }
    s.canvas.form(
        &f,
        1.0,
        |u, v| disc(u, v, 0.52),
        |u, v, _| {
            let r = length(u, v);
            let spiral =
                sin_turns(angle_turns(v, u) * 13.0 + r * 7.0) * sin_turns(angle_turns(v, u) * 8.0 - r * 9.0);
            Rgb(0.34, 0.19, 0.08) * (0.75 + 0.5 * spiral + 0.5 * r)
        },
    );
}

fn tulip(s: &mut Scene, f: Frame, colour: Rgb) {
    let light = s.light;
    for (x, turn, shade) in [(-0.35, -0.04, 0.8), (0.35, 0.04, 0.8), (0.0, 0.0, 1.0)] {
        let petal = f.at(x, 0.0, 0.95).turned(turn);
        s.canvas.form(
            &petal,
            1.1,
            |u, v| leaf(u, v * 0.95, 0.55),
            |u, v, _| cylinder(colour * (shade * (1.0 - 0.15 * v)), u * 1.5, light, 0.2),
        );
    }
}

/// A leaf with ribs, tip up, 2 units long.
pub fn veined_leaf(s: &mut Scene, f: Frame, green: Rgb, width: f32) {
    let ribs = s.dice.range(2.5, 5.0);
    s.canvas.form(
        &f,
        1.1,
        |u, v| leaf(u, v, width),
        |u, v, _| {
            let rib = sin_turns((v + u.abs() * 0.8) * ribs);
            let spine = smoothstep(0.05, 0.02, u.abs());
            (green * (0.85 + 0.2 * rib + if u > 0.0 { 0.08 } else { -0.05 })).mix(green.tint(0.5), spine)
        },
    );
}

/// Leaves that fill the picture: a jungle, a fern, autumn leaves.
pub fn leaves(s: &mut Scene) {
    let autumn = s.dice.chance(0.35);
    let hue = if autumn { s.dice.range(0.02, 0.12) } else { s.dice.range(0.2, 0.45) };
    soft_ground(s, hue);
    let fern = s.dice.chance(0.35);
    if fern {
        for _ in 0..s.dice.count(2, 5) {
            let f =
                Frame::new(s.dice.range(20.0, 204.0), s.dice.range(90.0, 200.0), s.dice.range(55.0, 95.0));
            frond(s, f, autumn);
        }
        return;
    }
    let (count, size) = (s.dice.count(8, 26), s.dice.range(20.0, 55.0));
    let width = s.dice.range(0.3, 0.6);
    for _ in 0..count {
        let base = if autumn {
            Rgb::hsl(s.dice.range(0.0, 0.15), s.dice.range(0.6, 0.9), s.dice.range(0.35, 0.55))
        } else {
            leaf_green(&s.dice)
        };
        let f =
            Frame::new(s.dice.range(-10.0, 234.0), s.dice.range(-10.0, 234.0), size * s.dice.range(0.7, 1.3));
        let f = f.turned(s.dice.unit());
        s.canvas.shadow(&f.at(0.06, 0.08, 1.0), 1.1, 0.2, 0.4, |u, v| leaf(u, v, width));
        veined_leaf(s, f, base, width);
    }
    if s.dice.chance(0.4) {
        let f = Frame::new(s.dice.range(60.0, 164.0), s.dice.range(60.0, 164.0), s.dice.range(22.0, 40.0));
        if s.dice.chance(0.5) {
            let colour = vivid(&s.dice);
            daisy(s, f, colour);
        } else {
            super::animals::ladybird(s, f);
        }
    }
}

fn frond(s: &mut Scene, f: Frame, autumn: bool) {
    let green = if autumn { Rgb::hsl(0.09, 0.6, 0.4) } else { leaf_green(&s.dice) };
    let f = f.turned(s.dice.range(-0.12, 0.12));
    s.canvas.form(&f, 1.2, |u, v| stroke(u, v, (0.0, 1.0), (0.0, -1.0), 0.025, 0.01), |_, _, _| green * 0.7);
    for i in 0..13 {
        let t = i as f32 / 12.0;
        let size = 0.5 * (1.0 - t) * (0.4 + 2.0 * t).min(1.0) + 0.06;
        for side in [-1.0, 1.0] {
            let blade = f.at(side * size * 0.85, 0.85 - 1.75 * t - size * 0.35, size).turned(side * 0.19);
            s.canvas.form(&blade, 1.1, |u, v| leaf(u, v, 0.2), |u, _, _| green * (0.9 + 0.6 * u));
        }
    }
}

/// Mushrooms on the forest floor.
pub fn mushrooms(s: &mut Scene) {
    soft_ground(s, 0.28);
    let floor = s.dice.range(150.0, 190.0);
    super::landscape::grass(s, floor, Rgb(0.8, 0.8, 0.75));
    let cap =
        if s.dice.chance(0.6) { Rgb(0.83, 0.12, 0.1) } else { Rgb::hsl(s.dice.range(0.03, 0.12), 0.5, 0.42) };
    let count = s.dice.count(1, 4);
    for (x, y) in s.places(count, (35.0, 189.0), (floor + 8.0, 205.0), 45.0) {
        let size = s.dice.range(22.0, 42.0) * if count == 1 { 1.5 } else { 1.0 };
        let f = Frame::new(x, y, size);
        let light = s.light;
        s.canvas.form(
            &f,
            1.9,
            |u, v| stroke(u, v, (0.0, 0.0), (0.0, -1.2), 0.3, 0.2),
            |u, _, _| cylinder(Rgb(0.95, 0.92, 0.85), u * 3.3, light, 0.0),
        );
        let seed = s.dice.seed();
        let dome = |u: f32, v: f32| ellipse(u, v + 1.1, 1.0, 0.85).max(v + 1.02 - 0.1 * (1.0 - u * u));
        s.canvas.form(&f, 2.1, dome, |u, v, _| {
            let c = super::noise::cells(u * 2.6 + 3.0, v * 3.0, 0.6, seed);
            let dot = smoothstep(0.3, 0.24, c.distance);
            ball(cap.mix(Rgb::WHITE, dot), u * 0.95, (v + 1.1) * 1.1, light, 0.4)
        });
    }
}

/// A pot with a plant, foot at the centre, about 3 units high.
pub fn potted(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let pot = Material::print(&s.dice, &palette, 0.5).turned(0.0);
    let (k, light) = (f.scale, s.light);
    let green = leaf_green(&s.dice);
    match s.dice.below(3) {
        0 => {
            for i in 0..9 {
                let turn = -0.2 + 0.05 * i as f32;
                let blade = f.at(sin_turns(turn) * 1.0, -1.0 - cos_turns(turn) * 0.9, 1.0).turned(turn);
                veined_leaf(s, blade, green.shade(0.04 * (i % 3) as f32), 0.22);
            }
        }
        1 => {
            let seed = s.dice.seed();
            let bloom = vivid(&s.dice);
            s.canvas.form(
                &f.at(0.0, -1.9, 1.05),
                1.4,
                |u, v| disc(u, v, 1.0) + 0.25 * (noise(u * 4.0, v * 4.0, seed) - 0.5),
                |u, v, _| {
                    let c = super::noise::cells(u * 4.0, v * 4.0, 0.8, seed);
                    (green * (0.6 + 0.6 * noise(u * 7.0, v * 7.0, seed)))
                        .mix(bloom, smoothstep(0.36, 0.3, c.distance))
                },
            );
        }
        _ => super::trees::cactus(s, f.at(0.0, -0.9, 1.0)),
    }
    let shape = [(-0.8, -1.0), (0.8, -1.0), (0.55, 0.0), (-0.55, 0.0)];
    s.canvas.form(
        &f,
        1.4,
        |u, v| polygon(u, v, &shape).min(slab(u, v + 1.0, 0.88, 0.12, 0.04)),
        |u, v, _| cylinder(pot.at(u * k, v * k), u * 1.2, light, 0.15),
    );
}
