//! Things seen from above: buttons, coins, sweets, pencils, plates, sewing and writing tables, and gardens.

use std::f32::consts::TAU;

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, leaf_green, vivid};
use super::form::{ball, disc, heart, length, polygon, ring, slab, star};
use super::fruit;
use super::material::{Material, Pattern};
use super::noise::{cells, noise};
use crate::maths::{angle_turns, cos_turns, sin_turns, smoothstep};

/// A table top that fills the picture.
fn surface(s: &mut Scene) {
    let palette = s.palette;
    let kind = s.dice.pick(&[
        Pattern::Plain,
        Pattern::Plain,
        Pattern::Planks,
        Pattern::Marble,
        Pattern::Weave,
        Pattern::Mottled,
        Pattern::Tartan,
        Pattern::Checks,
    ]);
    let top = Material::new(kind, &s.dice, &palette, s.dice.range(20.0, 44.0));
    let wood = Rgb::hsl(0.08, s.dice.range(0.3, 0.5), s.dice.range(0.3, 0.6));
    let top = if matches!(kind, Pattern::Planks) { top.coloured(wood, wood * 0.6) } else { top };
    let seed = s.dice.seed();
    s.canvas.cover(|x, y| top.at(x, y) * (0.97 + 0.06 * noise(x / 50.0, y / 50.0, seed)));
}

/// Many small things of one kind strewn or laid in rows.
pub fn collection(s: &mut Scene) {
    surface(s);
    let paint = s.dice.pick(&[
        button,
        button,
        coin,
        cookie,
        sweet,
        heart_shape,
        star_shape,
        flower_head,
        plate,
        citrus_slice,
        doughnut,
        die,
    ]);
    let rows = s.dice.chance(0.4);
    if rows {
        let n = s.dice.count(2, 5);
        let step = SIZE / n as f32;
        let (missing, turn) = (s.dice.range(0.0, 0.35), s.dice.range(-0.02, 0.02));
        for i in 0..n * n {
            if !s.dice.chance(missing) {
                let f = Frame::new(
                    (i % n) as f32 * step + step / 2.0,
                    (i / n) as f32 * step + step / 2.0,
                    step * 0.38,
                );
                paint(s, f.turned(turn));
            }
        }
        return;
    }
    let size = s.dice.range(13.0, 36.0);
    let count = s.dice.count(3, 16);
    for (x, y) in s.places(count, (20.0, 204.0), (20.0, 204.0), size * 2.05) {
        let f = Frame::new(x, y, size * s.dice.range(0.8, 1.0)).turned(s.dice.unit());
        paint(s, f);
    }
}

fn cast(s: &mut Scene, f: &Frame) {
    s.canvas.shadow(
        &Frame::new(f.x - s.light.0 * 0.25 * f.scale, f.y - s.light.1 * 0.25 * f.scale, f.scale),
        1.1,
        0.3,
        0.45,
        |u, v| disc(u, v, 0.95),
    );
}

fn button(s: &mut Scene, f: Frame) {
    let colour = s.dice.pick(&s.palette).vary(&s.dice, 0.05);
    let (light, holes) = (s.light, s.dice.pick(&[2, 4]));
    cast(s, &f);
    s.canvas.form(
        &f,
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, d| {
            let rim = smoothstep(-0.3, -0.24, d) * 0.2;
            let hole = (0..holes).any(|i| {
                let t = i as f32 / holes as f32 + 0.125;
                disc(u - 0.28 * cos_turns(t), v - 0.28 * sin_turns(t), 0.12) < 0.0
            });
            if hole { colour * 0.3 } else { ball(colour * (0.95 + rim), u * 0.6, v * 0.6, light, 0.4) }
        },
    );
}

fn coin(s: &mut Scene, f: Frame) {
    let metal = s.dice.pick(&[Rgb(0.83, 0.66, 0.3), Rgb(0.72, 0.72, 0.74), Rgb(0.72, 0.45, 0.28)]);
    let (light, points) = (s.light, s.dice.pick(&[5.0, 6.0, 8.0]));
    cast(s, &f);
    s.canvas.form(
        &f,
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, d| {
            let relief = if d > -0.12 {
                1.2
            } else if star(u, v, points, 0.25, 0.55, false) < 0.0 {
                1.25
            } else {
                0.9
            };
            ball(metal * relief, u * 0.7, v * 0.7, light, 0.7)
        },
    );
}

fn cookie(s: &mut Scene, f: Frame) {
    let (seed, light) = (s.dice.seed(), s.light);
    let dough = Rgb::hsl(0.09, 0.55, s.dice.range(0.4, 0.6));
    cast(s, &f);
    s.canvas.form(
        &f,
        1.1,
        |u, v| disc(u, v, 0.97) + 0.06 * noise(u * 4.0, v * 4.0, seed),
        |u, v, _| {
            let chip = smoothstep(0.26, 0.2, cells(u * 2.6, v * 2.6, 0.9, seed).distance);
            let crumb = dough * (0.85 + 0.3 * noise(u * 12.0, v * 12.0, seed));
            ball(crumb.mix(Rgb(0.2, 0.1, 0.05), chip), u * 0.7, v * 0.7, light, 0.1)
        },
    );
}

/// A swirled lollipop or a plain sweet.
fn sweet(s: &mut Scene, f: Frame) {
    let (a, b) = (vivid(&s.dice), if s.dice.chance(0.6) { Rgb::WHITE } else { vivid(&s.dice) });
    let (arms, light) = (s.dice.pick(&[1.0, 3.0, 5.0, 6.0]), s.light);
    let twist = s.dice.range(0.5, 1.5);
    cast(s, &f);
    s.canvas.form(
        &f,
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, _| {
            let swirl = sin_turns(
                angle_turns(v, u) * arms + length(u, v) * twist * if arms < 2.0 { 2.5 } else { 1.0 },
            );
            ball(a.mix(b, smoothstep(-0.2, 0.2, swirl)), u * 0.8, v * 0.8, light, 0.6)
        },
    );
}

fn doughnut(s: &mut Scene, f: Frame) {
    let (dough, icing, light) = (Rgb(0.82, 0.58, 0.3), vivid(&s.dice).tint(0.2), s.light);
    let seed = s.dice.seed();
    cast(s, &f);
    s.canvas.form(
        &f,
        1.1,
        |u, v| ring(u, v, 0.66, 0.34),
        |u, v, d| {
            let glazed = d + 0.1 * noise(u * 5.0, v * 5.0, seed) < -0.07;
            let c = cells(u * 5.0, v * 5.0, 0.9, seed);
            let sprinkle = glazed && c.distance < 0.17;
            let base = if sprinkle {
                Rgb::hsl(c.id * 3.0, 0.8, 0.6)
            } else if glazed {
                icing
            } else {
                dough
            };
            ball(base, u * 0.6, v * 0.6, light, 0.3) * (0.75 + 0.35 * smoothstep(0.0, -0.3, d))
        },
    );
}

fn die(s: &mut Scene, f: Frame) {
    let colour = if s.dice.chance(0.5) { Rgb::WHITE } else { s.dice.pick(&s.palette) };
    let (pip, face, light) =
        (if colour.luminance() > 0.5 { Rgb::BLACK } else { Rgb::WHITE }, s.dice.count(1, 6), s.light);
    let pips: &[(f32, f32)] = match face {
        1 => &[(0.0, 0.0)],
        2 => &[(-0.4, -0.4), (0.4, 0.4)],
        3 => &[(-0.45, -0.45), (0.0, 0.0), (0.45, 0.45)],
        4 => &[(-0.4, -0.4), (0.4, 0.4), (-0.4, 0.4), (0.4, -0.4)],
        5 => &[(-0.42, -0.42), (0.42, 0.42), (-0.42, 0.42), (0.42, -0.42), (0.0, 0.0)],
        _ => &[(-0.4, -0.45), (-0.4, 0.0), (-0.4, 0.45), (0.4, -0.45), (0.4, 0.0), (0.4, 0.45)],
    };
    cast(s, &f);
    s.canvas.form(
        &f,
        1.3,
        |u, v| slab(u, v, 0.85, 0.85, 0.2),
        |u, v, d| {
            let dot = pips.iter().any(|p| disc(u - p.0, v - p.1, 0.16) < 0.0);
            if dot {
                pip
            } else {
                ball(colour, u * 0.5, v * 0.5, light, 0.3) * (0.85 + 0.15 * smoothstep(0.0, -0.2, d))
            }
        },
    );
}

fn heart_shape(s: &mut Scene, f: Frame) {
    let (colour, light) = (vivid(&s.dice), s.light);
    cast(s, &f);
    s.canvas.form(&f, 1.2, heart, |u, v, d| {
        ball(colour, u * 0.7, v * 0.7, light, 0.5) * (0.8 + 0.25 * smoothstep(0.0, -0.3, d))
    });
}

fn star_shape(s: &mut Scene, f: Frame) {
    let (colour, light) = (vivid(&s.dice), s.light);
    let points = s.dice.pick(&[5.0, 5.0, 6.0, 8.0]);
    cast(s, &f);
    s.canvas.form(
        &f,
        1.2,
        |u, v| star(u, v, points, 0.4, 1.0, false),
        |u, v, _| {
            let facet = angle_turns(v, u) * points * 2.0;
            ball(colour, u * 0.7, v * 0.7, light, 0.3) * if facet.floor() % 2.0 == 0.0 { 1.1 } else { 0.88 }
        },
    );
}

fn flower_head(s: &mut Scene, f: Frame) {
    let (colour, petals) = (vivid(&s.dice), s.dice.pick(&[5.0, 6.0, 8.0]));
    cast(s, &f);
    s.canvas.form(
        &f,
        1.1,
        |u, v| star(u, v, petals, 0.45, 1.0, true),
        |u, v, _| {
            if length(u, v) < 0.28 { Rgb(1.0, 0.82, 0.25) } else { colour * (0.7 + 0.4 * length(u, v)) }
        },
    );
}

fn plate(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let (rim, light) = (s.dice.pick(&palette), s.light);
    let beads = s.dice.count(0, 24) as f32;
    let food = s.dice.below(4);
    cast(s, &f);
    s.canvas.form(
        &f,
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, d| {
            let bead = beads > 8.0 && sin_turns(angle_turns(v, u) * beads) > 0.0;
            let paint = d > -0.28 && d < -0.1 && (bead || beads <= 8.0);
            ball(if paint { rim } else { Rgb::WHITE }, u * 0.45, v * 0.45, light, 0.3)
                * if d < -0.36 { 0.94 } else { 1.0 }
        },
    );
    match food {
        0 => fruit::apple(s, f.at(0.0, 0.0, 0.4)),
        1 => fruit::citrus(s, f.at(0.0, 0.0, 0.4)),
        2 => citrus_slice(s, f.at(0.0, 0.0, 0.45)),
        _ => {}
    }
}

fn citrus_slice(s: &mut Scene, f: Frame) {
    let hue = s.dice.pick(&[0.02, 0.08, 0.14, 0.24]);
    let (rind, flesh) = (Rgb::hsl(hue, 0.9, 0.5), Rgb::hsl(hue + 0.01, 0.85, 0.62));
    let n = s.dice.pick(&[8.0, 9.0, 10.0]);
    cast(s, &f);
    s.canvas.form(
        &f,
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, d| {
            let r = length(u, v);
            let wedge = (angle_turns(v, u) * n).rem_euclid(1.0) - 0.5;
            let skin = (0.5 - wedge.abs()) * r * TAU / n < 0.035;
            if d > -0.1 {
                rind
            } else if d > -0.18 || skin || r < 0.08 {
                Rgb(0.98, 0.95, 0.85)
            } else {
                flesh * (0.95 + 0.1 * r)
            }
        },
    );
}

/// Pencils, brushes, ribbons or spoons laid side by side, or strewn.
pub fn pencils(s: &mut Scene) {
    surface(s);
    let strewn = s.dice.chance(0.4);
    let turn = s.dice.unit();
    let (count, half) = (s.dice.count(4, 11), s.dice.range(5.0, 9.0));
    let (c, d) = (cos_turns(turn), sin_turns(turn));
    let from = s.dice.range(-20.0, 60.0);
    for i in 0..count {
        let colour = vivid(&s.dice);
        let across = (i as f32 - count as f32 / 2.0) * half * 2.6 + from - 20.0;
        let along = s.dice.range(-22.0, 22.0);
        let f = if strewn {
            Frame::new(s.dice.range(30.0, 194.0), s.dice.range(30.0, 194.0), half).turned(s.dice.unit())
        } else {
            Frame::new(112.0 - d * across - c * along, 112.0 + c * across - d * along, half)
                .turned(turn - 0.25)
        };
        let long = 75.0 / half;
        let body = move |u: f32, v: f32| {
            slab(u, v - 0.6, 1.0, long - 1.2, 0.0).min(polygon(
                u,
                v,
                &[(0.0, -long - 2.2), (1.0, -long + 1.9), (-1.0, -long + 1.9)],
            ))
        };
        s.canvas.shadow(&f.at(0.4, 0.5, 1.0), long + 2.5, 0.8, 0.4, body);
        s.canvas.form(&f, long + 2.5, body, |u, v, _| {
            if v < -long + 1.8 {
                if v < -long { colour * 0.9 } else { Rgb(0.9, 0.75, 0.55) }
            } else if v > long - 2.2 {
                Rgb(0.95, 0.6, 0.62)
            } else {
                colour
                    * if u < -0.33 {
                        1.15
                    } else if u < 0.33 {
                        0.95
                    } else {
                        0.72
                    }
            }
        });
    }
}

/// A bed of lettuce, cabbages or coral seen from above, between paths.
pub fn garden(s: &mut Scene) {
    let soil = Rgb::hsl(0.07, 0.35, 0.25);
    let seed = s.dice.seed();
    s.canvas.cover(|x, y| soil * (0.75 + 0.5 * noise(x / 4.0, y / 4.0, seed)));
    let n = s.dice.count(2, 5);
    let step = SIZE / n as f32;
    for i in 0..n * n {
        let green = if s.dice.chance(0.2) { vivid(&s.dice).shade(0.2) } else { leaf_green(&s.dice) };
        let f =
            Frame::new((i % n) as f32 * step + step / 2.0, (i / n) as f32 * step + step / 2.0, step * 0.46)
                .turned(s.dice.unit());
        for (size, turn) in [(1.0, 0.0), (0.75, 0.06), (0.5, 0.02), (0.28, 0.07)] {
            s.canvas.form(
                &f.at(0.0, 0.0, size).turned(turn),
                1.1,
                |u, v| star(u, v, 7.0, 0.75, 1.0, true),
                |u, v, d| {
                    let vein = cos_turns((angle_turns(v, u) + 0.25) * 7.0);
                    green.tint(0.25 * (1.0 - size)) * (0.7 + 0.12 * vein + 0.3 * smoothstep(-0.5, 0.0, d))
                },
            );
        }
    }
}
