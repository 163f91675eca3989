//! Night scenes: cities, lanterns, fireworks, lamps out of focus, the moon.

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, vivid};
use super::form::{disc, ellipse, length, slab, stroke};
use super::landscape::{Mood, bare_sky, ridge, sky, water};
use super::noise::{fbm, grain, noise};
use crate::maths::{cos_turns, sin_turns, smoothstep};

/// A city with lit windows, over water or a street.
pub fn city(s: &mut Scene) {
    sky(s, Mood::Night, 170.0);
    let from = s.dice.range(160.0, 200.0);
    let glow = Rgb::hsl(s.dice.pick(&[0.08, 0.1, 0.12, 0.55, 0.9]), 0.9, 0.65);
    for layer in 0..2 {
        let mut x = s.dice.range(-25.0, 0.0);
        while x < SIZE {
            let (width, top) = (s.dice.range(22.0, 55.0), s.dice.range(45.0, 125.0) + 22.0 * layer as f32);
            let wall = Rgb::hsl(0.65, 0.35, 0.07 + 0.05 * layer as f32);
            lit_tower(s, (x, top, width, from), wall, glow);
            x += width + s.dice.range(-4.0, 12.0);
        }
    }
    water(s, from, Mood::Night);
}

fn lit_tower(s: &mut Scene, (x0, top, width, bottom): (f32, f32, f32, f32), wall: Rgb, glow: Rgb) {
    let (px, py, share) = (s.dice.range(6.0, 10.0), s.dice.range(7.0, 11.0), s.dice.range(0.25, 0.8));
    let seed = s.dice.seed();
    s.canvas.lay((x0, top, x0 + width, bottom), |x, y| {
        let (u, v) = ((x - x0 - 2.0) / px, (y - top - 3.0) / py);
        let pane = (u.fract() - 0.5).abs() < 0.27
            && (v.fract() - 0.5).abs() < 0.3
            && u > 0.0
            && v > 0.0
            && x < x0 + width - 2.0;
        let on = grain(u as i32, v as i32, seed);
        (if pane && on < share { glow * (0.7 + on * 0.5) } else { wall }, 1.0)
    });
}

/// Paper lanterns or light bulbs on strings.
pub fn lanterns(s: &mut Scene) {
    let dusk = s.dice.chance(0.3);
    sky(s, if dusk { Mood::Dusk } else { Mood::Night }, 200.0);
    let dark = Rgb::hsl(0.65, 0.4, 0.06);
    let height = s.dice.range(10.0, 40.0);
    ridge(s, 205.0, height, 40.0, |_, _, _| dark);
    let paper = s.dice.chance(0.6);
    let colours = [vivid(&s.dice), Rgb(1.0, 0.75, 0.35), vivid(&s.dice)];
    for _ in 0..s.dice.count(2, 4) {
        let (y0, sag, n) = (s.dice.range(20.0, 120.0), s.dice.range(10.0, 40.0), s.dice.count(4, 8));
        let tilt = s.dice.range(-40.0, 40.0);
        let height =
            |x: f32| y0 + tilt * (x / SIZE - 0.5) + sag * (1.0 - (x / 112.0 - 1.0) * (x / 112.0 - 1.0));
        s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| (dark, smoothstep(1.2, 0.4, (y - height(x)).abs())));
        let size = if paper { s.dice.range(8.0, 17.0) } else { s.dice.range(4.0, 7.0) };
        for i in 0..n {
            let x = (i as f32 + 0.5) * SIZE / n as f32;
            let colour = s.dice.pick(&colours);
            let f = Frame::new(x, height(x) + size * 1.1, size);
            s.canvas.glow(f.x, f.y, size * 3.0, colour, 0.55);
            s.canvas.form(
                &f,
                1.3,
                |u, v| ellipse(u, v, 1.0, 1.05),
                |u, v, _| {
                    let ribs = if paper { 0.9 + 0.1 * sin_turns(v * 3.0) } else { 1.0 };
                    colour.mix(Rgb(1.0, 0.97, 0.8), smoothstep(1.0, 0.0, length(u, v)) * 0.8) * ribs
                },
            );
        }
    }
}

/// Fireworks over a skyline or the sea.
pub fn fireworks(s: &mut Scene) {
    sky(s, Mood::Night, 200.0);
    for _ in 0..s.dice.count(2, 4) {
        let (x, y, r) = (s.dice.range(35.0, 189.0), s.dice.range(30.0, 120.0), s.dice.range(28.0, 62.0));
        let colour = vivid(&s.dice).tint(0.2);
        s.canvas.glow(x, y, r * 1.3, colour, 0.4);
        let (rays, rings) = (s.dice.count(14, 26), s.dice.chance(0.4));
        let turn = s.dice.unit();
        for i in 0..rays {
            let angle = turn + i as f32 / rays as f32;
            let (c, d) = (cos_turns(angle), sin_turns(angle));
            let reach = s.dice.range(0.85, 1.0);
            let f = Frame::new(x, y, r);
            let from = if rings { 0.75 } else { 0.25 };
            s.canvas.form(
                &f,
                1.2,
                |u, v| stroke(u, v, (c * from, d * from), (c * reach, d * reach + 0.08), 0.008, 0.022),
                |u, v, _| colour.mix(Rgb::WHITE, smoothstep(0.6, 1.0, length(u, v))),
            );
            s.canvas.glow(x + c * r * reach, y + (d * reach + 0.08) * r, 5.0, colour, 0.8);
        }
    }
    if s.dice.chance(0.6) {
        let from = s.dice.range(165.0, 190.0);
        water(s, from, Mood::Night);
    } else {
        let wall = Rgb(0.03, 0.03, 0.07);
        let seed = s.dice.seed();
        s.canvas.lay((0.0, 150.0, SIZE, SIZE), |x, y| {
            let top = 165.0 + 35.0 * grain((x / 19.0) as i32, 0, seed);
            (wall, if y > top { 1.0 } else { 0.0 })
        });
    }
}

/// Discs of light: a street out of focus.
pub fn bokeh(s: &mut Scene) {
    let (hue, seed) = (s.dice.unit(), s.dice.seed());
    s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| {
        (Rgb::hsl(hue, 0.5, 0.04 + 0.1 * fbm(x / 60.0, y / 60.0, 3, seed)), 1.0)
    });
    let colours = [vivid(&s.dice), vivid(&s.dice), Rgb(1.0, 0.8, 0.4), Rgb::WHITE];
    let size = s.dice.range(7.0, 18.0);
    for _ in 0..s.dice.count(18, 60) {
        let (x, y) = (s.dice.range(0.0, SIZE), 112.0 + 45.0 * s.dice.normal());
        let (r, colour) = (size * s.dice.range(0.6, 1.3), s.dice.pick(&colours));
        let strength = s.dice.range(0.3, 0.85);
        s.canvas.lay((x - r, y - r, x + r, y + r), |px, py| {
            let d = length(px - x, py - y) / r;
            (colour * (0.75 + 0.35 * smoothstep(0.7, 1.0, d)), strength * smoothstep(1.0, 0.92, d))
        });
    }
    if s.dice.chance(0.5) {
        street_lamp(s);
    }
}

fn street_lamp(s: &mut Scene) {
    let f = Frame::new(s.dice.range(50.0, 174.0), 230.0, s.dice.range(70.0, 95.0));
    let iron = Rgb(0.03, 0.03, 0.04);
    s.canvas.glow(f.x, f.y - 1.75 * f.scale, f.scale, Rgb(1.0, 0.8, 0.45), 0.7);
    s.canvas.form(
        &f,
        2.5,
        |u, v| slab(u, v + 0.75, 0.035, 0.8, 0.0).min(slab(u, v + 1.52, 0.14, 0.03, 0.0)),
        |_, _, _| iron,
    );
    s.canvas.form(
        &f,
        2.5,
        |u, v| ellipse(u, v + 1.75, 0.17, 0.22),
        |_, v, _| Rgb(1.0, 0.93, 0.7) * (1.0 - 0.2 * (v + 1.75)),
    );
    s.canvas.form(
        &f,
        2.5,
        |u, v| ellipse(u, v + 1.96, 0.2, 0.08).min(slab(u, v + 1.75, 0.012, 0.22, 0.0)),
        |_, _, _| iron,
    );
}

/// A large moon or planet among stars, over hills.
pub fn moon(s: &mut Scene) {
    bare_sky(s, Mood::Night, 230.0);
    let (x, y, r) = (s.dice.range(60.0, 164.0), s.dice.range(55.0, 110.0), s.dice.range(26.0, 58.0));
    let colour = if s.dice.chance(0.6) { Rgb(0.93, 0.91, 0.82) } else { vivid(&s.dice).tint(0.25) };
    let (seed, bands) = (s.dice.seed(), s.dice.chance(0.4));
    let light = s.light;
    s.canvas.glow(x, y, r * 2.2, colour, 0.35);
    s.canvas.form(
        &Frame::new(x, y, r),
        1.05,
        |u, v| disc(u, v, 1.0),
        |u, v, _| {
            let spots = if bands {
                noise(v * 4.0 + 0.4 * noise(u, v * 3.0, seed), 0.5, seed)
            } else {
                fbm(u * 2.2 + 5.0, v * 2.2, 4, seed)
            };
            let w = (1.0 - u * u - v * v).max(0.0).sqrt();
            let shade = (u * light.0 + v * light.1 + w * light.2).max(0.0);
            colour * (0.25 + 0.75 * shade) * (0.6 + 0.7 * spots)
        },
    );
    if bands {
        let f = Frame::new(x, y, r).turned(s.dice.range(-0.08, 0.08));
        s.canvas.form(
            &f,
            2.0,
            |u, v| {
                (length(u, v * 4.5) - 1.55).abs() - 0.16
                    + if v < 0.0 && length(u, v) < 1.0 { 1.0 } else { 0.0 }
            },
            |u, _, _| colour.tint(0.4) * (0.7 + 0.3 * sin_turns(u)),
        );
    }
    let height = s.dice.range(15.0, 50.0);
    let hills = Rgb::hsl(0.65, 0.4, 0.07);
    ridge(s, 200.0, height, 60.0, |_, _, _| hills);
}
