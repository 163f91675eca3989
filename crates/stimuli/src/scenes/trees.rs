//! Trees and forests, palms and cacti.

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, leaf_green};
use super::form::{cylinder, disc, leaf, polygon, slab, stroke};
use super::landscape::{Mood, daylight, grass, sky};
use super::noise::{fbm, noise};
use crate::maths::{cos_turns, sin_turns};

const BARK: Rgb = Rgb::hex(0x6B4A33);

/// A fir whose foot is the frame's centre and whose height is about 2 units.
pub fn conifer(s: &mut Scene, f: Frame, light: Rgb) {
    let green =
        Rgb::hsl(s.dice.range(0.34, 0.45), s.dice.range(0.25, 0.5), s.dice.range(0.16, 0.3)).lit(light);
    let seed = s.dice.seed();
    s.canvas.form(&f, 0.4, |u, v| slab(u, v + 0.15, 0.07, 0.2, 0.0), |_, _, _| BARK.lit(light));
    for tier in 0..4 {
        let t = tier as f32;
        let (y, half) = (-0.3 - 0.42 * t, 0.62 - 0.12 * t);
        let outline = [(0.0, y - 0.75), (half, y), (0.0, y + 0.1), (-half, y)];
        s.canvas.form(
            &f,
            2.4,
            |u, v| polygon(u, v, &outline),
            |u, v, _| green * (0.75 + 0.5 * noise(u * 14.0, v * 9.0, seed) + 0.25 * u),
        );
    }
}

/// A round-crowned tree, foot at the centre, about 2 units high.
pub fn broadleaf(s: &mut Scene, f: Frame, light: Rgb) {
    let autumn = s.dice.chance(0.3);
    let hue = if autumn { s.dice.range(0.0, 0.13) } else { s.dice.range(0.2, 0.36) };
    let green = Rgb::hsl(hue, s.dice.range(0.45, 0.75), s.dice.range(0.3, 0.45)).lit(light);
    let seed = s.dice.seed();
    s.canvas.form(
        &f,
        1.2,
        |u, v| stroke(u, v, (0.0, 0.0), (0.0, -1.0), 0.1, 0.06),
        |_, _, _| BARK.lit(light),
    );
    let lamp = s.light;
    s.canvas.form(
        &f.at(0.0, -1.3, 0.75),
        1.5,
        |u, v| disc(u, v * 1.05, 1.0 + 0.25 * (fbm(u * 2.5, v * 2.5, 3, seed) - 0.5)),
        |u, v, _| {
            let clump = fbm(u * 5.0, v * 5.0, 3, seed ^ 3);
            green * (0.5 + 0.75 * clump + 0.28 * (u * lamp.0 + v * lamp.1))
        },
    );
}

/// A palm, foot at the centre, about 2 units high.
pub fn palm(s: &mut Scene, f: Frame, light: Rgb) {
    let lean = s.dice.range(-0.4, 0.4);
    s.canvas.form(
        &f,
        2.2,
        |u, v| stroke(u, v, (0.0, 0.0), (lean, -1.6), 0.09, 0.05),
        |_, v, _| BARK.tint(0.2).lit(light) * (0.85 + 0.2 * sin_turns(v * 7.0)),
    );
    let green = leaf_green(&s.dice).lit(light);
    for i in 0..9 {
        let angle = -0.5 + i as f32 / 8.0 * 1.0 + 0.02;
        let (c, d) = (sin_turns(angle * 0.9), -cos_turns(angle * 0.9));
        let crown = f.at(lean + c * 0.45, -1.6 + d * 0.3 + c.abs() * 0.15, 0.5).turned(angle * 0.9);
        s.canvas.form(
            &crown,
            1.1,
            |u, v| leaf(u, v, 0.22),
            |u, v, _| green * (0.8 + 0.3 * sin_turns(v * 6.0 + u.abs() * 8.0)),
        );
    }
}

/// A cactus with arms, foot at the centre.
pub fn cactus(s: &mut Scene, f: Frame) {
    let green = Rgb::hsl(s.dice.range(0.28, 0.42), 0.4, s.dice.range(0.3, 0.42));
    let light = s.light;
    let side = if s.dice.chance(0.5) { 1.0 } else { -1.0 };
    let ribs = move |u: f32, half: f32| {
        cylinder(green * (0.8 + 0.3 * sin_turns(u / half * 2.0)), u / half, light, 0.1)
    };
    let arm = move |u: f32, v: f32, k: f32, low: f32, high: f32| {
        stroke(u, v, (0.0, low), (k * 0.5, low), 0.14, 0.14).min(stroke(
            u,
            v,
            (k * 0.5, low),
            (k * 0.5, high),
            0.14,
            0.14,
        ))
    };
    s.canvas.form(
        &f,
        2.2,
        |u, v| arm(u, v, side, -0.7, -1.3).min(arm(u, v, -side, -1.0, -1.6)),
        |u, _, _| ribs((u.abs() - 0.5) * side, 0.3),
    );
    s.canvas.form(&f, 2.3, |u, v| stroke(u, v, (0.0, 0.0), (0.0, -1.9), 0.2, 0.2), |u, _, _| ribs(u, 0.2));
}

/// Two rows of trees that run towards the horizon.
pub fn avenue(s: &mut Scene, horizon: f32, light: Rgb) {
    let fir = s.dice.chance(0.4);
    for step in (0..6).rev() {
        let near = 1.0 / (1.0 + step as f32);
        let y = horizon + 4.0 + 100.0 * near;
        for side in [-1.0, 1.0] {
            let frame = Frame::new(112.0 + side * (8.0 + 105.0 * near), y, 6.0 + 50.0 * near);
            if fir { conifer(s, frame, light) } else { broadleaf(s, frame, light) }
        }
    }
}

/// Upright trunks one behind the other: birches, pines or an autumn wood.
pub fn forest(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Day, Mood::Day, Mood::Dusk, Mood::Grey, Mood::Night]);
    let haze = sky(s, mood, 150.0);
    let light = daylight(mood);
    let autumn = s.dice.chance(0.35);
    let hue = if autumn { s.dice.range(0.03, 0.14) } else { s.dice.range(0.2, 0.4) };
    let foliage = Rgb::hsl(hue, s.dice.range(0.4, 0.8), s.dice.range(0.3, 0.5)).lit(light);
    let seed = s.dice.seed();
    s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| {
        let leaves = fbm(x / 14.0, y / 14.0, 4, seed);
        (foliage.mix(haze, 0.4) * (0.55 + 0.8 * leaves), 0.75)
    });
    let floor = s.dice.range(150.0, 190.0);
    grass(s, floor, light);
    let birch = s.dice.chance(0.4);
    let bark = if birch {
        Rgb(0.9, 0.9, 0.86)
    } else {
        Rgb::hsl(s.dice.range(0.04, 0.09), 0.35, s.dice.range(0.18, 0.4))
    };
    let count = s.dice.count(5, 14);
    for i in 0..count {
        let near = (i as f32 + 0.5) / count as f32;
        let half = 2.0 + 9.0 * near * near;
        let (x, lean) = (s.dice.range(0.0, SIZE), s.dice.range(-0.03, 0.03));
        let foot = floor + 32.0 * near;
        let colour = bark.lit(light).mix(haze, 0.55 * (1.0 - near));
        let seed = s.dice.seed();
        let lamp = s.light;
        s.canvas.form(
            &Frame::new(x, foot, half),
            300.0 / half,
            |u, v| slab(u + lean * v, v + 150.0 / half, 1.0, 150.0 / half, 0.1),
            |u, v, _| {
                let rough = noise(u * 2.0, v * 0.25, seed);
                let mark = birch && noise(u * 0.8, v * 0.9, seed) > 0.72;
                cylinder(
                    if mark { Rgb::BLACK.tint(0.1) } else { colour * (0.75 + 0.4 * rough) },
                    u,
                    lamp,
                    0.0,
                )
            },
        );
    }
    s.canvas.lay((0.0, 0.0, SIZE, 90.0), |x, y| {
        let leaves = fbm(x / 9.0, y / 9.0, 3, seed ^ 9);
        let rim = 45.0 + 30.0 * noise(x / 30.0, 0.0, seed);
        (foliage * (0.5 + 0.9 * leaves), if leaves > 0.4 + 0.5 * y / rim * 0.6 { 0.95 } else { 0.0 })
    });
}
