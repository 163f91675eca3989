//! Underwater scenes: fish, weed and jellyfish.

use super::Scene;
use super::animals::eye;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, vivid};
use super::form::{ball, disc, ellipse, length, polygon};
use super::material::{Material, Pattern};
use super::noise::noise;
use crate::maths::{angle_turns, cos_turns, sin_turns, smoothstep};

/// Fish and weeds under water.
pub fn aquarium(s: &mut Scene) {
    let (hue, seed) = (s.dice.range(0.48, 0.62), s.dice.seed());
    let dark = s.dice.range(0.18, 0.42);
    s.canvas.cover(|x, y| {
        let ray = noise((x - y * 0.4) / 18.0, y / 300.0, seed) * (1.0 - y / SIZE);
        Rgb::hsl(hue, 0.65, dark + 0.25 * (1.0 - y / SIZE) + 0.14 * ray)
    });
    let sand = Rgb::hsl(0.11, 0.4, 0.55).mix(Rgb::hsl(hue, 0.6, 0.4), 0.35);
    s.canvas.lay((0.0, 180.0, SIZE, SIZE), |x, y| {
        let edge = 192.0 + 8.0 * noise(x / 35.0, 0.0, seed);
        (sand * (0.8 + 0.4 * noise(x / 3.0, y / 2.0, seed)), smoothstep(-2.0, 2.0, y - edge))
    });
    for _ in 0..s.dice.count(1, 6) {
        weed(s);
    }
    if s.dice.chance(0.4) {
        let f = Frame::new(s.dice.range(20.0, 204.0), 205.0, s.dice.range(12.0, 24.0));
        let stone = Rgb::hsl(0.08, 0.1, 0.4);
        super::outdoors::boulder(s, f, stone);
    }
    if s.dice.chance(0.2) {
        for _ in 0..s.dice.count(2, 4) {
            let f =
                Frame::new(s.dice.range(30.0, 194.0), s.dice.range(40.0, 120.0), s.dice.range(16.0, 34.0));
            jellyfish(s, f);
        }
        return;
    }
    let count = s.dice.count(1, 6);
    let big = if count < 3 { 1.8 } else { 1.0 };
    for (x, y) in s.places(count, (35.0, 189.0), (30.0, 175.0), 42.0) {
        let f = Frame::new(x, y, s.dice.range(18.0, 30.0) * big);
        fish(s, f);
    }
    for _ in 0..s.dice.count(0, 14) {
        let f = Frame::new(s.dice.range(0.0, SIZE), s.dice.range(0.0, 180.0), s.dice.range(1.5, 5.0));
        s.canvas.form(&f, 1.1, |u, v| disc(u, v, 1.0).abs() - 0.12, |_, _, _| Rgb::WHITE);
    }
}

fn weed(s: &mut Scene) {
    let green = Rgb::hsl(s.dice.range(0.25, 0.42), 0.5, s.dice.range(0.2, 0.38));
    let (x0, top, sway) = (s.dice.range(5.0, 219.0), s.dice.range(60.0, 160.0), s.dice.range(3.0, 9.0));
    let wide = s.dice.range(3.0, 6.0);
    s.canvas.lay((x0 - 25.0, top, x0 + 25.0, SIZE), |x, y| {
        let middle = x0 + sway * sin_turns(y / 50.0);
        let half = wide * ((y - top) / 20.0).min(1.0);
        (green * (0.8 + 0.3 * sin_turns(y / 12.0)), smoothstep(0.7, -0.7, (x - middle).abs() - half))
    });
}

fn fish(s: &mut Scene, f: Frame) {
    let left = s.dice.chance(0.5);
    let f = if left { f } else { f.turned(0.5) };
    let up = if left { 1.0 } else { -1.0 };
    let palette = s.palette;
    let (a, b) = (vivid(&s.dice), if s.dice.chance(0.5) { Rgb::WHITE } else { vivid(&s.dice) });
    let patterns = [
        Pattern::Stripes,
        Pattern::Stripes,
        Pattern::Scales,
        Pattern::Scales,
        Pattern::Dots,
        Pattern::Plain,
        Pattern::Waves,
    ];
    let period = s.dice.range(8.0, 18.0);
    let skin = Material::new(s.dice.pick(&patterns), &s.dice, &palette, period).coloured(a, b);
    let skin = skin.turned(s.dice.pick(&[0.0, 0.25, 0.25]));
    let (k, light) = (f.scale, s.light);
    let fin = a.mix(b, 0.4);
    let tall = s.dice.range(0.45, 0.72);
    let tail = [(0.75, 0.0), (1.4, -0.55), (1.25, 0.0), (1.4, 0.55)];
    s.canvas.form(
        &f,
        1.6,
        |u, v| polygon(u, v, &[tail[0], tail[1], tail[2]]).min(polygon(u, v, &[tail[0], tail[2], tail[3]])),
        |_, v, _| fin * (0.85 + 0.2 * sin_turns(v * 5.0)),
    );
    s.canvas.form(
        &f,
        1.4,
        |u, v| ellipse(u - 0.15, v + up * tall * 0.85, 0.5, 0.32),
        |u, _, _| fin * (0.85 + 0.2 * sin_turns(u * 6.0)),
    );
    s.canvas.form(
        &f,
        1.2,
        |u, v| ellipse(u, v, 1.0, tall),
        |u, v, _| {
            let body = if u < -0.55 { a.tint(0.15) } else { skin.at(u * k, v * k) };
            ball(body, u * 0.8, up * v / tall * 0.9, light, 0.3)
        },
    );
    s.canvas.form(
        &f,
        1.0,
        |u, v| ellipse(u - 0.1, v - up * 0.1, 0.28, 0.16),
        |u, _, _| fin * (0.9 + 0.2 * sin_turns(u * 8.0)),
    );
    eye(s, f.at(-0.68, -up * tall * 0.25, 0.13), Rgb::WHITE);
}

fn jellyfish(s: &mut Scene, f: Frame) {
    let colour = vivid(&s.dice).tint(0.3);
    for i in 0..7 {
        let x = -0.75 + 0.25 * i as f32;
        let phase = s.dice.unit();
        s.canvas.lay((f.x - 1.3 * f.scale, f.y, f.x + 1.3 * f.scale, f.y + 3.0 * f.scale), |px, py| {
            let t = (py - f.y) / f.scale;
            let middle = f.x + f.scale * (x + 0.12 * sin_turns(t * 0.9 + phase));
            (colour, 0.7 * smoothstep(2.0, 0.8, (px - middle).abs()) * smoothstep(2.8, 0.5, t))
        });
    }
    s.canvas.glow(f.x, f.y - f.scale * 0.3, f.scale * 2.0, colour, 0.35);
    s.canvas.form(
        &f,
        1.2,
        |u, v| ellipse(u, v, 1.0, 0.95).max(v - 0.15 - 0.06 * cos_turns(u * 3.0)),
        |u, v, _| {
            colour * (0.6 + 0.5 * length(u, v))
                + Rgb(0.1, 0.1, 0.1) * sin_turns(angle_turns(v - 0.3, u) * 10.0)
        },
    );
}
