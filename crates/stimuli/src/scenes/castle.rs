//! Castles and arcades.

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, leaf_green, vivid};
use super::form::{cylinder, disc, polygon, slab, stroke};
use super::landscape::{any_mood, daylight, grass, sky, water};
use super::material::{Material, Pattern};
use crate::maths::{sin_turns, smoothstep};

/// A castle of round towers with pointed roofs and flags.
pub fn castle(s: &mut Scene) {
    let mood = any_mood(s);
    sky(s, mood, 150.0);
    let light = daylight(mood);
    let ground = s.dice.range(165.0, 190.0);
    let stone = Rgb::hsl(s.dice.range(0.05, 0.15), 0.15, s.dice.range(0.5, 0.72)).lit(light);
    let palette = s.palette;
    let masonry =
        Material::new(Pattern::Bricks, &s.dice, &palette, 15.0).turned(0.0).coloured(stone, stone * 0.75);
    let roof = vivid(&s.dice).shade(0.2).lit(light);
    let wall_top = ground - s.dice.range(40.0, 60.0);
    s.canvas.lay((25.0, wall_top - 8.0, 199.0, ground), |x, y| {
        let notch = y < wall_top && (x / 14.0).fract() < 0.5;
        (masonry.at(x, y), if notch { 0.0 } else { 1.0 })
    });
    let lamp = s.light;
    let glass = if light.0 < 0.6 { Rgb(1.0, 0.85, 0.4) } else { Rgb::BLACK.tint(0.1) };
    for x in [34.0, 190.0, s.dice.range(70.0, 100.0), s.dice.range(125.0, 155.0)] {
        let (half, tall) = (s.dice.range(11.0, 19.0), s.dice.range(70.0, 115.0));
        let f = Frame::new(x, ground, half);
        let high = tall / half;
        s.canvas.form(
            &f,
            high,
            |u, v| slab(u, v + high / 2.0, 1.0, high / 2.0, 0.0),
            |u, v, _| cylinder(masonry.at(x + u * half, v * half), u, lamp, 0.0),
        );
        let cone = [(0.0, -high - 2.3), (1.3, -high), (-1.3, -high)];
        s.canvas.form(
            &f,
            high + 2.5,
            |u, v| polygon(u, v, &cone),
            |u, v, _| cylinder(roof, u / (0.3 + (v + high + 2.3) * 0.45), lamp, 0.2),
        );
        let flag = [(0.05, -high - 2.9), (0.95, -high - 2.65), (0.05, -high - 2.4)];
        s.canvas.form(
            &f,
            high + 3.0,
            |u, v| polygon(u, v, &flag).min(slab(u, v + high + 2.6, 0.05, 0.4, 0.0)),
            |_, _, _| roof.tint(0.3),
        );
        for v in [-high + 0.9, -high * 0.5] {
            s.canvas.form(
                &f.at(0.0, v, 1.0),
                0.6,
                |u, v| stroke(u, v, (0.0, -0.2), (0.0, 0.2), 0.16, 0.16),
                |_, _, _| glass,
            );
        }
    }
    let gate = Frame::new(112.0, ground, 14.0);
    s.canvas.form(
        &gate,
        2.0,
        |u, v| disc(u, v + 1.0, 1.0).min(slab(u, v + 0.5, 1.0, 0.5, 0.0)),
        |u, _, _| Rgb::hex(0x3A2A1C) * (0.8 + 0.3 * sin_turns(u * 2.5)),
    );
    if s.dice.chance(0.4) { water(s, ground, mood) } else { grass(s, ground, light) }
}

/// Round arches in rows: an aqueduct, an arcade or a bridge over water.
pub fn arches(s: &mut Scene) {
    let mood = any_mood(s);
    sky(s, mood, 150.0);
    let light = daylight(mood);
    let ground = s.dice.range(165.0, 195.0);
    let back = leaf_green(&s.dice).lit(light);
    super::landscape::ridge(s, ground - 15.0, 30.0, 60.0, |_, _, _| back);
    let palette = s.palette;
    let stone =
        Rgb::hsl(s.dice.range(0.04, 0.13), s.dice.range(0.1, 0.4), s.dice.range(0.5, 0.75)).lit(light);
    let masonry =
        Material::new(Pattern::Bricks, &s.dice, &palette, 17.0).turned(0.0).coloured(stone, stone * 0.78);
    let tiers = s.dice.count(1, 3);
    let (mut top, mut span) = (s.dice.range(30.0, 70.0), 0.0);
    let height = (ground - top) / tiers as f32;
    for tier in 0..tiers {
        span = if tier == 0 || s.dice.chance(0.4) { s.dice.range(0.55, 0.95) * height } else { span };
        let shift = s.dice.unit() * span;
        let bottom = top + height;
        s.canvas.lay((0.0, top, SIZE, bottom + 1.0), |x, y| {
            let u = ((x + shift) / span).fract() * span - span / 2.0;
            let radius = span * 0.38;
            let spring = (top + radius + height * 0.16).min(bottom);
            let hole = if y < spring { disc(u, y - spring, radius) } else { u.abs() - radius };
            let rim = hole < 4.0;
            let shade = if y - top < 5.0 { 1.15 } else { 1.0 };
            let colour = if rim { stone * 1.12 } else { masonry.at(x, y) };
            (colour * shade, smoothstep(-0.6, 0.6, hole))
        });
        top = bottom;
    }
    if s.dice.chance(0.6) { water(s, ground, mood) } else { grass(s, ground, light) }
}
