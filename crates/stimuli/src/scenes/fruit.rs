//! Fruit: apples, citrus, melons, grapes, pears.

use super::Scene;
use super::canvas::Frame;
use super::colour::{Rgb, leaf_green};
use super::form::{ball, disc, ellipse, leaf, length, stroke};
use super::noise::{cells, noise};
use super::things::ground_shadow;
use crate::maths::{sin_turns, smoothstep};

/// An orange, apple, lemon, pear, melon or a bunch of grapes, lying with its foot on the centre.
pub fn fruit(s: &mut Scene, f: Frame) {
    ground_shadow(s, &f, 0.8);
    match s.dice.below(6) {
        0 | 1 => apple(s, f.at(0.0, -0.72, 0.75)),
        2 => citrus(s, f.at(0.0, -0.7, 0.72)),
        3 => melon(s, f.at(0.0, -0.95, 1.0)),
        4 => grapes(s, f.at(0.0, -0.9, 0.9)),
        _ => pear(s, f),
    }
}

/// An apple of radius 1 around the centre.
pub fn apple(s: &mut Scene, f: Frame) {
    let colour = s.dice.pick(&[
        Rgb(0.82, 0.1, 0.12),
        Rgb(0.75, 0.14, 0.16),
        Rgb(0.55, 0.75, 0.18),
        Rgb(0.9, 0.75, 0.2),
    ]);
    let (seed, light) = (s.dice.seed(), s.light);
    let blush = colour.mix(Rgb(0.95, 0.7, 0.2), 0.5);
    s.canvas.form(
        &f,
        1.2,
        |u, v| ellipse(u, v, 1.0, 0.94).max(0.32 - length(u, v + 1.15)),
        |u, v, _| {
            let streak = noise(u * 4.0, v * 0.8, seed);
            ball(colour.mix(blush, smoothstep(0.5, 0.9, streak)), u, v, light, 0.6)
        },
    );
    s.canvas.form(
        &f,
        1.6,
        |u, v| stroke(u, v, (0.0, -0.8), (0.12, -1.25), 0.04, 0.06),
        |_, _, _| Rgb::hex(0x4A2F1B),
    );
    let green = leaf_green(&s.dice);
    s.canvas.form(
        &f.at(0.38, -1.15, 0.32).turned(0.2),
        1.1,
        |u, v| leaf(u, v, 0.4),
        |u, _, _| green * (1.0 + 0.4 * u),
    );
}

/// An orange or lemon of radius 1 around the centre.
pub fn citrus(s: &mut Scene, f: Frame) {
    let orange = s.dice.chance(0.6);
    let colour = if orange { Rgb(0.97, 0.55, 0.08) } else { Rgb(0.98, 0.86, 0.2) };
    let (seed, light, wide) = (s.dice.seed(), s.light, if orange { 1.0 } else { 1.2 });
    s.canvas.form(
        &f,
        1.3,
        |u, v| ellipse(u, v, wide, 1.0 / wide),
        |u, v, _| {
            ball(colour * (0.93 + 0.12 * noise(u * 14.0, v * 14.0, seed)), u / wide, v * wide, light, 0.35)
        },
    );
}

fn melon(s: &mut Scene, f: Frame) {
    let (dark, pale) = (Rgb(0.13, 0.36, 0.15), Rgb(0.55, 0.75, 0.35));
    let (seed, light) = (s.dice.seed(), s.light);
    if s.dice.chance(0.5) {
        s.canvas.form(
            &f,
            1.1,
            |u, v| disc(u, v, 1.0),
            |u, v, _| {
                let across = u / (1.0 - v * v).max(0.02).sqrt();
                let wave = sin_turns(across * 1.6 + 0.12 * noise(u * 5.0, v * 6.0, seed));
                ball(dark.mix(pale, smoothstep(-0.3, 0.3, wave)), u, v, light, 0.4)
            },
        );
    } else {
        s.canvas.form(
            &f.at(0.0, 0.2, 1.0),
            1.2,
            |u, v| disc(u, v + 0.2, 1.1).max(-v - 0.2),
            |u, v, d| {
                if d > -0.09 {
                    dark
                } else if d > -0.17 {
                    Rgb(0.88, 0.93, 0.78)
                } else if cells(u * 4.5, v * 4.5, 0.7, seed).distance < 0.16 {
                    Rgb::BLACK
                } else {
                    Rgb(0.92, 0.25, 0.27)
                }
            },
        );
    }
}

fn grapes(s: &mut Scene, f: Frame) {
    let colour = if s.dice.chance(0.5) { Rgb(0.35, 0.13, 0.42) } else { Rgb(0.62, 0.75, 0.28) };
    let light = s.light;
    for row in 0..5 {
        for i in 0..(5 - row) {
            let (u, v) = (0.42 * (i as f32 - (4 - row) as f32 / 2.0), -0.6 + 0.36 * row as f32);
            s.canvas.form(
                &f.at(u, v, 0.25),
                1.1,
                |u, v| disc(u, v, 1.0),
                |u, v, _| ball(colour, u, v, light, 0.8),
            );
        }
    }
    s.canvas.form(
        &f,
        1.4,
        |u, v| stroke(u, v, (0.0, -0.8), (0.1, -1.2), 0.05, 0.04),
        |_, _, _| Rgb::hex(0x6B4A33),
    );
}

fn pear(s: &mut Scene, f: Frame) {
    let colour = Rgb::hsl(s.dice.range(0.13, 0.22), 0.65, 0.5);
    let (seed, light) = (s.dice.seed(), s.light);
    s.canvas.form(
        &f,
        2.0,
        |u, v| {
            let (a, b) = (disc(u, v + 0.68, 0.68), disc(u, v + 1.4, 0.36));
            let h = (0.5 + 0.5 * (b - a) / 0.45).clamp(0.0, 1.0);
            b + (a - b) * h - 0.45 * h * (1.0 - h)
        },
        |u, v, _| {
            let half = 0.68 - 0.3 * smoothstep(-0.8, -1.5, v);
            ball(
                colour * (0.92 + 0.14 * noise(u * 16.0, v * 16.0, seed)),
                u / half,
                (v + 0.75) * 0.7,
                light,
                0.4,
            )
        },
    );
    s.canvas.form(
        &f,
        2.3,
        |u, v| stroke(u, v, (0.0, -1.7), (0.1, -2.05), 0.04, 0.05),
        |_, _, _| Rgb::hex(0x4A2F1B),
    );
}
