//! Animals: fish, butterflies, ladybirds, owls, snails, bees, grazing animals.

use super::Scene;
use super::canvas::Frame;
use super::colour::{Rgb, vivid};
use super::form::{ball, disc, ellipse, leaf, length, polygon, slab, stroke};
use super::landscape::{Mood, daylight, grass, sky};
use super::material::{Material, Pattern};
use super::noise::{cells, fbm, noise};
use crate::maths::{angle_turns, sin_turns, smoothstep};

pub fn eye(s: &mut Scene, f: Frame, iris: Rgb) {
    s.canvas.form(
        &f,
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, _| {
            if disc(u + 0.2, v + 0.25, 0.18) < 0.0 {
                Rgb::WHITE
            } else if disc(u, v, 0.5) < 0.0 {
                Rgb::BLACK
            } else if disc(u, v, 0.85) < 0.0 {
                iris
            } else {
                Rgb::WHITE
            }
        },
    );
}

/// Butterflies and flowers.
pub fn butterflies(s: &mut Scene) {
    let (hue, seed, dark) = (s.dice.range(0.18, 0.45), s.dice.seed(), s.dice.range(0.3, 0.65));
    s.canvas.cover(|x, y| Rgb::hsl(hue, 0.4, dark + 0.3 * (fbm(x / 50.0, y / 50.0, 3, seed) - 0.5)));
    if s.dice.chance(0.5) {
        super::outdoors::flower_dots(s, 60.0);
    }
    let count = s.dice.count(1, 4);
    let size = if count == 1 { 58.0 } else { 34.0 };
    for (x, y) in s.places(count, (50.0, 174.0), (50.0, 174.0), 70.0) {
        let f = Frame::new(x, y, size).turned(s.dice.range(-0.12, 0.12));
        butterfly(s, f);
    }
}

fn butterfly(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let (a, b) = (vivid(&s.dice), if s.dice.chance(0.5) { Rgb::BLACK } else { vivid(&s.dice) });
    let pattern =
        s.dice.pick(&[Pattern::Dots, Pattern::Rings, Pattern::Scales, Pattern::Stripes, Pattern::Plain]);
    let print = Material::new(pattern, &s.dice, &palette, s.dice.range(9.0, 20.0)).coloured(a, b);
    let k = f.scale;
    let wings = |u: f32, v: f32| {
        let x = u.abs();
        let (ru, rv) = (x * 0.8 + (v + 0.35) * -0.6, x * 0.6 + (v + 0.35) * 0.8);
        ellipse(ru - 0.62, rv - 0.05, 0.68, 0.4).min(ellipse(x - 0.48, v - 0.42, 0.42, 0.38))
    };
    s.canvas.shadow(&f.at(0.06, 0.14, 1.0), 1.4, 0.2, 0.3, wings);
    s.canvas.form(&f, 1.4, wings, |u, v, d| {
        if d > -0.07 { b } else { print.at(u.abs() * k, v * k) * (0.85 + 0.3 * u.abs()) }
    });
    s.canvas.form(&f, 1.1, |u, v| ellipse(u, v, 0.08, 0.55), |_, _, _| Rgb::BLACK);
    s.canvas.form(
        &f,
        1.2,
        |u, v| stroke(u.abs(), v, (0.03, -0.5), (0.25, -0.95), 0.015, 0.03),
        |_, _, _| Rgb::BLACK,
    );
}

/// A ladybird of radius 1, seen from above.
pub fn ladybird(s: &mut Scene, f: Frame) {
    let f = f.turned(s.dice.unit());
    let shell = if s.dice.chance(0.8) { Rgb(0.87, 0.13, 0.1) } else { Rgb(0.95, 0.65, 0.1) };
    let light = s.light;
    s.canvas.shadow(&f.at(0.1, 0.15, 1.0), 1.2, 0.4, 0.45, |u, v| disc(u, v, 1.0));
    s.canvas.form(
        &f,
        1.5,
        |u, v| ellipse(u, v + 0.85, 0.55, 0.45),
        |u, v, _| {
            if disc(u.abs() - 0.28, v + 1.0, 0.1) < 0.0 { Rgb::WHITE } else { Rgb::BLACK }
        },
    );
    s.canvas.form(
        &f,
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, _| {
            let spots = disc(u.abs() - 0.45, v + 0.3, 0.19)
                .min(disc(u.abs() - 0.55, v - 0.3, 0.17))
                .min(disc(u.abs() - 0.2, v - 0.65, 0.14));
            let black = spots < 0.0 || u.abs() < 0.03 || disc(u, v + 0.72, 0.2) < 0.0;
            ball(if black { Rgb::BLACK } else { shell }, u, v, light, 0.7)
        },
    );
}

/// An owl on a branch, at night or in the day.
pub fn owl(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Night, Mood::Night, Mood::Dusk, Mood::Day]);
    sky(s, mood, 220.0);
    let count = s.dice.count(1, 3);
    let y = s.dice.range(165.0, 190.0);
    let palette = s.palette;
    let bark = Rgb::hex(0x5A4030);
    s.canvas.form(
        &Frame::new(112.0, y, 1.0),
        130.0,
        |u, v| stroke(u, v, (-120.0, 8.0), (120.0, -4.0), 9.0, 6.0),
        |u, v, _| bark * (0.8 + 0.4 * sin_turns(v / 6.0 + noise(u / 20.0, 0.0, 3))),
    );
    for i in 0..count {
        let x = 112.0 + (i as f32 - (count as f32 - 1.0) / 2.0) * 72.0;
        let k = if count == 1 { 58.0 } else { 33.0 };
        let f = Frame::new(x, y - k * 0.95, k);
        let feather = Rgb::hsl(s.dice.range(0.04, 0.12), s.dice.range(0.15, 0.5), s.dice.range(0.3, 0.55));
        let plumage = Material::new(Pattern::Scales, &s.dice, &palette, k * 0.32)
            .turned(0.0)
            .coloured(feather * 0.7, feather.tint(0.35));
        s.canvas.form(
            &f,
            1.5,
            |u, v| {
                ellipse(u, v, 0.75, 1.0).min(polygon(
                    u.abs(),
                    v,
                    &[(0.25, -0.85), (0.62, -1.25), (0.66, -0.55)],
                ))
            },
            |u, v, _| {
                if u.abs() > 0.48 {
                    feather * 0.8
                } else if v < -0.1 {
                    feather
                } else {
                    plumage.at(u * k, v * k)
                }
            },
        );
        let iris = s.dice.pick(&[Rgb(1.0, 0.75, 0.1), Rgb(0.95, 0.5, 0.1), Rgb(0.6, 0.8, 0.2)]);
        for side in [-1.0, 1.0] {
            s.canvas.form(
                &f.at(side * 0.3, -0.45, 0.33),
                1.1,
                |u, v| disc(u, v, 1.0),
                |_, _, _| feather.tint(0.55),
            );
            eye(s, f.at(side * 0.28, -0.45, 0.24), iris);
        }
        s.canvas.form(
            &f,
            1.0,
            |u, v| polygon(u, v, &[(-0.09, -0.35), (0.09, -0.35), (0.0, -0.1)]),
            |_, _, _| Rgb(0.95, 0.65, 0.15),
        );
    }
}

/// Snails in the grass.
pub fn snails(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Day, Mood::Grey, Mood::Dusk]);
    sky(s, mood, 150.0);
    let light = daylight(mood);
    let floor = s.dice.range(120.0, 165.0);
    grass(s, floor, light);
    let count = s.dice.count(1, 3);
    let skin = Rgb::hsl(0.1, 0.3, 0.55);
    for (x, y) in s.places(count, (60.0, 164.0), (floor + 15.0, 195.0), 75.0) {
        let f = Frame::new(x, y, if count == 1 { 48.0 } else { 27.0 });
        let (a, b) = (vivid(&s.dice).shade(0.1), s.dice.pick(&s.palette));
        let lamp = s.light;
        s.canvas.form(
            &f,
            2.2,
            |u, v| {
                stroke(u, v, (-1.4, 0.0), (1.2, 0.0), 0.08, 0.24).min(stroke(
                    u,
                    v,
                    (1.2, 0.0),
                    (1.5, -0.7),
                    0.24,
                    0.18,
                ))
            },
            |_, v, _| skin * (1.0 - 0.4 * v),
        );
        s.canvas.form(
            &f,
            2.2,
            |u, v| {
                stroke(u, v, (1.45, -0.8), (1.4, -1.25), 0.05, 0.08).min(stroke(
                    u,
                    v,
                    (1.6, -0.8),
                    (1.85, -1.2),
                    0.05,
                    0.08,
                ))
            },
            |_, _, _| skin * 0.85,
        );
        s.canvas.form(
            &f.at(-0.1, -0.85, 0.95),
            1.1,
            |u, v| disc(u, v, 1.0),
            |u, v, _| {
                let spiral = sin_turns(length(u, v) * 2.6 - angle_turns(v, u));
                ball(a.mix(b, smoothstep(-0.3, 0.3, spiral)), u, v, lamp, 0.4)
            },
        );
    }
}

/// The patterned coat of a zebra, leopard, giraffe, tiger or cow at a point, in lengths of about one patch.
fn coat(kind: usize, u: f32, v: f32, colour: Rgb, seed: u32) -> Rgb {
    let warp = fbm(u * 0.5, v * 0.5, 3, seed);
    match kind {
        0 => Rgb::BLACK.mix(Rgb::WHITE, smoothstep(-0.25, 0.25, sin_turns(u * 0.8 + 1.2 * warp))),
        1 => {
            let k = cells(u * 0.9, v * 0.9, 0.7, seed);
            let ring = smoothstep(0.13, 0.07, (k.distance - 0.3 + 0.1 * warp).abs());
            colour.mix(Rgb::hex(0x2B1A0E), ring.max(0.35 * smoothstep(0.3, 0.1, k.distance)))
        }
        2 => {
            let k = cells(u * 0.6, v * 0.6, 0.9, seed);
            Rgb(0.93, 0.85, 0.68).mix(Rgb::hex(0x8A4B1E), smoothstep(0.06, 0.12, k.gap))
        }
        3 => Rgb(0.93, 0.5, 0.12).mix(Rgb::BLACK, smoothstep(0.35, 0.6, sin_turns(u * 0.7 + 1.5 * warp))),
        4 => Rgb::WHITE.mix(Rgb::BLACK, smoothstep(0.54, 0.58, fbm(u * 0.45, v * 0.45, 2, seed))),
        _ => colour * (0.9 + 0.15 * warp),
    }
}

/// Animals of the savanna or the pasture, from the side.
pub fn herd(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Day, Mood::Day, Mood::Dusk, Mood::Grey]);
    let horizon = s.dice.range(90.0, 130.0);
    sky(s, mood, horizon);
    let light = daylight(mood);
    grass(s, horizon, light);
    if s.dice.chance(0.5) {
        let f = Frame::new(s.dice.range(20.0, 204.0), horizon + 10.0, s.dice.range(30.0, 50.0));
        super::trees::broadleaf(s, f, light);
    }
    let count = s.dice.count(1, 3);
    let kind = s.dice.below(6);
    for (x, y) in s.places(count, (60.0, 164.0), (horizon + 60.0, 205.0), 55.0) {
        let size = if count == 1 { s.dice.range(56.0, 74.0) } else { s.dice.range(34.0, 44.0) };
        quadruped(s, Frame::new(x, y, size), kind, light);
    }
}

fn quadruped(s: &mut Scene, f: Frame, kind: usize, light: Rgb) {
    let (seed, k) = (s.dice.seed(), s.dice.range(2.6, 4.0));
    let colour = if kind == 1 {
        Rgb::hsl(0.1, 0.6, 0.6)
    } else {
        Rgb::hsl(s.dice.range(0.03, 0.1), s.dice.range(0.05, 0.5), s.dice.range(0.3, 0.6))
    };
    let lamp = s.light;
    let side = if s.dice.chance(0.5) { 1.0 } else { -1.0 };
    let neck = if kind == 2 { (1.15, -2.3) } else { (1.05, -1.45) };
    let skin =
        move |u: f32, v: f32, shade: f32| (coat(kind, u * k * side, v * k, colour, seed) * shade).lit(light);
    s.canvas.shadow(&f, 1.3, 0.25, 0.35, |u, v| ellipse(u, v, 1.0, 0.1));
    for (x, shade) in [(-0.55, 0.6), (0.65, 0.6), (-0.75, 0.9), (0.5, 0.9)] {
        s.canvas.form(
            &f,
            1.4,
            |u, v| stroke(u * side, v, (x, -0.7), (x + 0.02, -0.02), 0.15, 0.08),
            |u, v, _| {
                if v > -0.09 { Rgb::BLACK } else { skin(u, v, shade) }
            },
        );
    }
    s.canvas.form(
        &f,
        1.6,
        |u, v| stroke(u * side, v, (-0.95, -1.1), (-1.2, -0.5), 0.04, 0.07),
        |u, v, _| skin(u, v, 0.7),
    );
    s.canvas.form(
        &f,
        2.8,
        |u, v| stroke(u * side, v, (0.7, -1.0), neck, 0.3, 0.17),
        |u, v, _| skin(u, v, 0.95),
    );
    s.canvas.form(
        &f,
        1.8,
        |u, v| ellipse(u, v + 0.95, 1.0, 0.5),
        |u, v, _| ball(skin(u, v, 1.0), u * 0.5, (v + 0.95) * 1.3, lamp, 0.0),
    );
    s.canvas.form(
        &f,
        3.0,
        |u, v| stroke(u * side, v, (neck.0 - 0.05, neck.1), (neck.0 + 0.42, neck.1 + 0.16), 0.21, 0.13),
        |u, v, _| {
            if u * side > neck.0 + 0.36 { Rgb(0.2, 0.16, 0.15) } else { skin(u, v, 1.0) }
        },
    );
    s.canvas.form(
        &f,
        3.0,
        |u, v| stroke(u * side, v, (neck.0 - 0.1, neck.1 - 0.12), (neck.0 - 0.18, neck.1 - 0.36), 0.07, 0.04),
        |u, v, _| skin(u, v, 0.8),
    );
    eye(s, f.at(side * (neck.0 + 0.1), neck.1 - 0.03, 0.055), Rgb(0.3, 0.2, 0.1));
}

/// Bees over a honeycomb or flowers.
pub fn bees(s: &mut Scene) {
    let palette = s.palette;
    let honey = Rgb::hsl(s.dice.range(0.09, 0.13), 0.9, 0.5);
    let comb = Material::new(Pattern::Honeycomb, &s.dice, &palette, s.dice.range(16.0, 34.0))
        .turned(0.0)
        .coloured(honey * 0.55, honey);
    let over = s.dice.chance(0.5);
    if over {
        let seed = s.dice.seed();
        s.canvas.cover(|x, y| comb.at(x, y) * (0.75 + 0.45 * fbm(x / 40.0, y / 40.0, 2, seed)));
    } else {
        sky(s, Mood::Day, 160.0);
        grass(s, 140.0, Rgb::WHITE);
        super::outdoors::flower_dots(s, 150.0);
    }
    let count = s.dice.count(1, 5);
    for (x, y) in s.places(count, (40.0, 184.0), (40.0, 184.0), 55.0) {
        let f = Frame::new(x, y, if count < 3 { 32.0 } else { 20.0 }).turned(s.dice.range(-0.1, 0.1));
        let light = s.light;
        s.canvas.shadow(&f.at(0.1, 0.4, 1.0), 1.3, 0.4, 0.3, |u, v| ellipse(u, v, 1.1, 0.6));
        for (x, turn) in [(0.1, 0.08), (-0.3, -0.02)] {
            s.canvas.form(
                &f.at(x, -0.85, 0.62).turned(turn),
                1.1,
                |u, v| leaf(u, v, 0.45),
                |_, v, _| Rgb(0.85, 0.92, 0.98) * (1.0 + 0.1 * v),
            );
        }
        s.canvas.form(
            &f,
            1.3,
            |u, v| ellipse(u, v, 1.1, 0.68),
            |u, v, _| {
                let band = smoothstep(-0.15, 0.15, sin_turns(u * 1.6 + 0.1));
                ball(Rgb::BLACK.mix(Rgb(1.0, 0.78, 0.12), band), u * 0.8, v * 1.2, light, 0.3)
            },
        );
        eye(s, f.at(0.85, -0.1, 0.17), Rgb::WHITE);
        s.canvas.form(&f, 1.8, |u, v| slab(u + 1.2, v, 0.16, 0.03, 0.03), |_, _, _| Rgb::BLACK);
    }
}
