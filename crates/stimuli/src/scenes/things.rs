//! Household things: vessels, fruit, books, candles, clocks, cakes. Each stands on the centre of its frame, unless its comment says
//! that it lies around it.

use super::Scene;
use super::canvas::Frame;
use super::colour::{Rgb, leaf_green, vivid};
use super::form::{ball, cylinder, disc, ellipse, leaf, length, polygon, ring, slab, stroke};
use super::fruit;
use super::material::Material;
use super::noise::cells;
use crate::maths::{angle_turns, sin_turns, smoothstep};

/// A random thing, about 2 units high and 1 to 2 wide.
pub fn any(s: &mut Scene, f: Frame) {
    let paint = s.dice.pick(&[
        vase,
        vase,
        bottle,
        cup,
        cup,
        fruit::fruit,
        fruit::fruit,
        fruit::fruit,
        books,
        candle,
        clock,
        bowl,
        toy_ball,
        lamp,
        jar,
        cake,
    ]);
    paint(s, f);
}

/// The shadow that a thing casts on its ground.
pub fn ground_shadow(s: &mut Scene, f: &Frame, half: f32) {
    let side = -s.light.0 * 0.5;
    s.canvas.shadow(&f.at(side, 0.0, 1.0), half, 0.35, 0.4, |u, v| ellipse(u, v, half, 0.16));
}

/// Half the width of a turned vessel at the height `t` from 0 (foot) to 1 (rim).
fn profile(shape: usize, t: f32) -> f32 {
    match shape {
        0 => 0.32 + 0.5 * sin_turns(t * 0.46) * (1.0 - 0.55 * t),
        1 => 0.55 - 0.3 * t + 0.28 * smoothstep(0.75, 1.0, t) + 0.12 * sin_turns(t * 0.5),
        2 => 0.3 + 0.32 * t * t,
        3 => 0.28 + 0.42 * sin_turns(0.08 + t * 0.4),
        _ => 0.6 - 0.36 * smoothstep(0.35, 0.7, t),
    }
}

/// A vase, perhaps with flowers.
pub fn vase(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let glaze = Material::print(&s.dice, &palette, 0.35).turned(s.dice.pick(&[0.0, 0.0, 0.25]));
    let (shape, tall, k, light) = (s.dice.below(5), s.dice.range(1.3, 2.0), f.scale, s.light);
    ground_shadow(s, &f, 0.7);
    if s.dice.chance(0.45) {
        bouquet(s, f.at(0.0, -tall, 1.0));
    }
    s.canvas.form(
        &f,
        tall + 0.1,
        |u, v| {
            let t = -v / tall;
            (u.abs() - profile(shape, t.clamp(0.0, 1.0))).max(v - 0.0).max(-tall - v)
        },
        |u, v, _| {
            cylinder(glaze.at(u * k, v * k), u / profile(shape, (-v / tall).clamp(0.0, 1.0)), light, 0.4)
        },
    );
}

fn bouquet(s: &mut Scene, f: Frame) {
    let green = leaf_green(&s.dice);
    let colour = vivid(&s.dice);
    for _ in 0..s.dice.count(3, 7) {
        let (x, y) = (s.dice.range(-0.7, 0.7), s.dice.range(-1.0, -0.4));
        s.canvas.form(&f, 1.6, |u, v| stroke(u, v, (0.0, 0.1), (x, y), 0.025, 0.02), |_, _, _| green);
        let bloom = colour.vary(&s.dice, 0.1);
        let petals = s.dice.pick(&[5.0, 6.0, 8.0]);
        s.canvas.form(
            &f.at(x, y, 0.3),
            1.1,
            |u, v| super::form::star(u, v, petals, 0.5, 1.0, true),
            |u, v, _| {
                if length(u, v) < 0.3 { Rgb(1.0, 0.82, 0.25) } else { bloom * (0.75 + 0.35 * length(u, v)) }
            },
        );
    }
}

/// A bottle with a label.
pub fn bottle(s: &mut Scene, f: Frame) {
    let glass = Rgb::hsl(s.dice.unit(), s.dice.range(0.2, 0.7), s.dice.range(0.18, 0.42));
    let palette = s.palette;
    let label = Material::print(&s.dice, &palette, 0.3);
    let (k, light) = (f.scale, s.light);
    ground_shadow(s, &f, 0.5);
    let half = |v: f32| 0.42 - 0.27 * smoothstep(-1.15, -1.5, v);
    s.canvas.form(
        &f,
        2.3,
        |u, v| (u.abs() - half(v)).max(v).max(-2.1 - v),
        |u, v, _| {
            if v > -0.95 && v < -0.35 {
                cylinder(label.at(u * k, v * k), u / 0.42, light, 0.1)
            } else if v < -1.9 {
                cylinder(Rgb::hex(0xB08D57), u / 0.15, light, 0.3)
            } else {
                cylinder(glass, u / half(v), light, 0.9)
            }
        },
    );
}

/// A cup with a handle, perhaps on a saucer.
pub fn cup(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let glaze = Material::print(&s.dice, &palette, 0.35).turned(s.dice.pick(&[0.0, 0.25]));
    let (k, light) = (f.scale, s.light);
    let side = if s.dice.chance(0.5) { 1.0 } else { -1.0 };
    ground_shadow(s, &f, 0.9);
    if s.dice.chance(0.4) {
        s.canvas.form(&f, 1.2, |u, v| ellipse(u, v, 1.1, 0.2), |u, v, _| glaze.ground * (0.9 - v + 0.1 * u));
    }
    s.canvas.form(
        &f.at(side * 0.72, -0.62, 1.0),
        0.6,
        |u, v| ring(u, v, 0.28, 0.08),
        |_, v, _| glaze.ground * (0.85 - 0.4 * v),
    );
    let body = [(-0.78, -1.15), (0.78, -1.15), (0.58, 0.05), (-0.58, 0.05)];
    s.canvas.form(
        &f,
        1.3,
        |u, v| polygon(u, v, &body),
        |u, v, _| cylinder(glaze.at(u * k, v * k), u * 1.35, light, 0.4),
    );
    let drink = s.dice.pick(&[Rgb::hex(0x3B2314), Rgb::hex(0x9C5A1A), Rgb::hex(0xC8A26B)]);
    s.canvas.form(&f, 1.4, |u, v| ellipse(u, v + 1.15, 0.78, 0.16), |_, _, _| glaze.ground * 1.1);
    s.canvas.form(&f, 1.4, |u, v| ellipse(u, v + 1.13, 0.68, 0.11), |_, _, _| drink);
}

/// A few books, standing.
pub fn books(s: &mut Scene, f: Frame) {
    ground_shadow(s, &f, 0.9);
    let mut x = -0.85;
    while x < 0.7 {
        let (width, tall) = (s.dice.range(0.16, 0.34), s.dice.range(1.2, 1.9));
        book_spine(s, &f, x, width, tall);
        x += width;
    }
}

/// The back of a book from `x` on, standing on the frame's line.
pub fn book_spine(s: &mut Scene, f: &Frame, x: f32, width: f32, tall: f32) {
    let colour = if s.dice.chance(0.7) { s.dice.pick(&s.palette) } else { vivid(&s.dice).shade(0.2) };
    let colour = colour.vary(&s.dice, 0.06);
    let bands = s.dice.below(3);
    let gold = if colour.luminance() > 0.5 { colour * 0.5 } else { Rgb(0.9, 0.75, 0.4) };
    s.canvas.form(
        f,
        tall + x.abs() + width,
        |u, v| slab(u - x - width / 2.0, v + tall / 2.0, width / 2.0 - 0.005, tall / 2.0, 0.02),
        |u, v, _| {
            let t = -v / tall;
            let band = match bands {
                0 => (t - 0.85).abs() < 0.02 || (t - 0.15).abs() < 0.02,
                1 => (t - 0.6).abs() < 0.12,
                _ => false,
            };
            let round = 1.0 - 0.5 * ((u - x) / width - 0.5).abs();
            if band { gold } else { colour * (0.65 + 0.45 * round) }
        },
    );
}

/// A burning candle.
pub fn candle(s: &mut Scene, f: Frame) {
    let wax = if s.dice.chance(0.5) { Rgb(0.95, 0.92, 0.85) } else { vivid(&s.dice) };
    let (light, tall) = (s.light, s.dice.range(0.9, 1.6));
    ground_shadow(s, &f, 0.6);
    s.canvas.form(&f, 0.8, |u, v| ellipse(u, v, 0.55, 0.13), |_, _, _| Rgb::hex(0xB08D57));
    s.canvas.form(
        &f,
        tall + 0.2,
        |u, v| slab(u, v + tall / 2.0, 0.22, tall / 2.0, 0.04),
        |u, v, _| {
            cylinder(
                wax.mix(Rgb(1.0, 0.8, 0.5), 0.5 * smoothstep(-tall + 0.5, -tall, v)),
                u / 0.22,
                light,
                0.2,
            )
        },
    );
    let (x, y) = f.point(0.0, -tall - 0.25);
    s.canvas.glow(x, y, f.scale * 1.3, Rgb(1.0, 0.7, 0.3), 0.5);
    s.canvas.form(
        &f.at(0.0, -tall - 0.27, 0.26),
        1.1,
        |u, v| leaf(u, v, 0.42),
        |_, v, _| Rgb(1.0, 0.62, 0.12).mix(Rgb(1.0, 0.97, 0.7), smoothstep(-0.5, 0.6, v)),
    );
}

/// A round clock of radius 1, standing.
pub fn clock(s: &mut Scene, f: Frame) {
    ground_shadow(s, &f, 0.7);
    clock_face(s, f.at(0.0, -0.95, 0.95));
}

/// A round clock of radius 1 around the centre.
pub fn clock_face(s: &mut Scene, f: Frame) {
    let rim = vivid(&s.dice).shade(0.2);
    let face = if s.dice.chance(0.75) { Rgb::WHITE } else { rim.shade(0.6) };
    let ink = if face.luminance() > 0.5 { Rgb::BLACK } else { Rgb::WHITE };
    let light = s.light;
    s.canvas.form(&f, 1.1, |u, v| disc(u, v, 1.0), |u, v, _| ball(rim, u * 0.7, v * 0.7, light, 0.5));
    s.canvas.form(
        &f,
        1.0,
        |u, v| disc(u, v, 0.84),
        |u, v, _| {
            let mark = angle_turns(v, u) * 12.0;
            let near = (mark - mark.round()).abs();
            if length(u, v) > 0.66 && length(u, v) < 0.78 && near < 0.1 { ink } else { face }
        },
    );
    for (reach, turn, half) in [(0.45, s.dice.unit(), 0.05), (0.62, s.dice.unit(), 0.035)] {
        s.canvas.form(
            &f.turned(turn),
            0.9,
            |u, v| stroke(u, v, (0.0, 0.0), (0.0, -reach), half, half),
            |_, _, _| ink,
        );
    }
}

/// A bowl with fruit in it.
pub fn bowl(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let glaze = Material::print(&s.dice, &palette, 0.4).turned(s.dice.pick(&[0.0, 0.25]));
    let (k, light) = (f.scale, s.light);
    ground_shadow(s, &f, 1.2);
    for x in [-0.75, 0.0, 0.75, -0.38, 0.38] {
        let fruit = f.at(x, -1.05 - if x.abs() < 0.5 { 0.25 } else { 0.0 }, 0.45);
        if s.dice.chance(0.5) { fruit::apple(s, fruit) } else { fruit::citrus(s, fruit) }
    }
    s.canvas.form(
        &f,
        1.5,
        |u, v| ellipse(u, v + 0.85, 1.35, 0.85).max(-v - 0.8),
        |u, v, _| cylinder(glaze.at(u * k, v * k), u / 1.35, light, 0.4),
    );
}

fn toy_ball(s: &mut Scene, f: Frame) {
    if s.dice.chance(0.4) {
        super::outdoors::beach_ball(s, f.at(0.0, -0.85, 0.85));
        return;
    }
    let palette = s.palette;
    let skin = Material::print(&s.dice, &palette, 0.2);
    let (k, light) = (f.scale, s.light);
    ground_shadow(s, &f, 0.8);
    s.canvas.form(
        &f.at(0.0, -0.85, 0.85),
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, _| {
            // The print bulges towards the viewer.
            let bulge = 1.0 + 0.35 * (u * u + v * v);
            ball(skin.at(u * k * bulge, v * k * bulge), u, v, light, 0.6)
        },
    );
}

fn lamp(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let shade = Material::print(&s.dice, &palette, 0.5).turned(s.dice.pick(&[0.0, 0.25]));
    let (k, light, foot) = (f.scale, s.light, vivid(&s.dice).shade(0.4));
    ground_shadow(s, &f, 0.6);
    s.canvas.form(
        &f,
        1.3,
        |u, v| {
            slab(u, v + 0.5, 0.06, 0.55, 0.0).min(ellipse(u, v, 0.45, 0.12)).min(ellipse(
                u,
                v + 0.45,
                0.22,
                0.3,
            ))
        },
        |u, _, _| cylinder(foot, u * 3.0, light, 0.5),
    );
    let (x, y) = f.point(0.0, -1.4);
    s.canvas.glow(x, y, f.scale * 1.8, Rgb(1.0, 0.85, 0.55), 0.4);
    let cone = [(-0.45, -1.95), (0.45, -1.95), (0.8, -1.0), (-0.8, -1.0)];
    s.canvas.form(
        &f,
        2.1,
        |u, v| polygon(u, v, &cone),
        |u, v, _| {
            shade.at(u * k, v * k).mix(Rgb(1.0, 0.92, 0.7), 0.45)
                * (1.1 - 0.3 * u.abs() - 0.2 * (v + 1.5).abs())
        },
    );
}

fn jar(s: &mut Scene, f: Frame) {
    let (lid, seed, light) = (vivid(&s.dice).shade(0.2), s.dice.seed(), s.light);
    let sweets = [vivid(&s.dice), vivid(&s.dice), vivid(&s.dice), Rgb::WHITE];
    ground_shadow(s, &f, 0.8);
    s.canvas.form(
        &f,
        1.7,
        |u, v| slab(u, v + 0.75, 0.7, 0.75, 0.18),
        |u, v, _| {
            let c = cells(u * 4.5, v * 4.5, 0.5, seed);
            let sweet = ball(sweets[(c.id * 3.99) as usize], c.offset.0 * 2.0, c.offset.1 * 2.0, light, 0.4);
            let glass = Rgb(0.8, 0.87, 0.9);
            cylinder(
                if v < -1.15 { glass } else { sweet.mix(glass, smoothstep(0.44, 0.56, c.distance)) },
                u / 0.72,
                light,
                0.8,
            )
        },
    );
    s.canvas.form(
        &f,
        1.9,
        |u, v| slab(u, v + 1.55, 0.66, 0.15, 0.05),
        |u, _, _| cylinder(lid, u / 0.7, light, 0.4),
    );
}

/// A cake in layers on a stand.
pub fn cake(s: &mut Scene, f: Frame) {
    let (dough, cream, top) =
        (Rgb::hsl(0.08, 0.5, s.dice.range(0.25, 0.6)), Rgb::WHITE, vivid(&s.dice).tint(0.25));
    let (light, layers) = (s.light, s.dice.pick(&[2.0, 3.0]));
    ground_shadow(s, &f, 1.0);
    s.canvas.form(&f, 1.3, |u, v| ellipse(u, v, 1.15, 0.15), |_, _, _| Rgb(0.85, 0.88, 0.9));
    s.canvas.form(
        &f,
        1.4,
        |u, v| slab(u, v + 0.6, 0.92, 0.6, 0.05),
        |u, v, _| {
            let layer = smoothstep(0.55, 0.7, sin_turns(v * layers / 1.2));
            let icing = v < -0.95 + 0.12 * sin_turns(u * 3.0);
            cylinder(if icing { top } else { dough.mix(cream, layer) }, u / 0.95, light, 0.1)
        },
    );
    for i in 0..5 {
        let f = f.at(-0.72 + 0.36 * i as f32, -1.3, 0.13);
        s.canvas.form(
            &f,
            1.1,
            |u, v| disc(u, v, 1.0),
            |u, v, _| ball(Rgb(0.82, 0.1, 0.15), u, v, light, 0.7),
        );
    }
}
