//! Scenes of travel: tents, pyramids, beach huts, trains, laundry on a line.

use std::f32::consts::TAU;

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, leaf_green, vivid};
use super::form::{cylinder, disc, polygon, slab, stroke};
use super::landscape::{Mood, any_mood, daylight, grass, ridge, sky, water};
use super::material::{Material, Pattern};
use super::noise::{fbm, noise};
use super::{outdoors, trees};
use crate::maths::{sin_turns, smoothstep};

/// Tents among firs.
pub fn camp(s: &mut Scene) {
    let mood = any_mood(s);
    let horizon = s.dice.range(95.0, 135.0);
    let haze = sky(s, mood, horizon);
    let light = daylight(mood);
    let wood = Rgb::hsl(0.38, 0.3, 0.25).lit(light);
    let height = s.dice.range(15.0, 55.0);
    ridge(s, horizon + 5.0, height, 50.0, |x, _, _| {
        wood.mix(haze, 0.4) * (0.9 + 0.2 * noise(x / 4.0, 0.0, 5))
    });
    grass(s, horizon + 5.0, light);
    for (x, y) in s.places(4, (5.0, 219.0), (horizon + 10.0, horizon + 30.0), 30.0) {
        trees::conifer(s, Frame::new(x, y, s.dice.range(26.0, 44.0)), light);
    }
    let count = s.dice.count(1, 4);
    for (x, y) in s.places(count, (40.0, 184.0), (horizon + 40.0, 208.0), 62.0) {
        let size = (if count == 1 { 52.0 } else { 32.0 }) * (0.8 + 0.3 * (y - horizon) / 100.0);
        tent(s, Frame::new(x, y, size), light);
    }
}

fn tent(s: &mut Scene, f: Frame, light: Rgb) {
    let colour = vivid(&s.dice).lit(light);
    let side = if s.dice.chance(0.5) { 1.0 } else { -1.0 };
    let mirror = |p: (f32, f32)| (p.0 * side, p.1);
    let flank = [(-0.35, -1.25), (0.95, -1.05), (1.35, -0.1), (0.55, 0.0)].map(mirror);
    let front = [(-0.35, -1.25), (0.55, 0.0), (-1.1, 0.0)].map(mirror);
    let door = [(-0.35, -1.0), (0.12, 0.0), (-0.65, 0.0)].map(mirror);
    let shape = |u: f32, v: f32, corners: &[(f32, f32)]| {
        // Mirroring reversed the order of the corners.
        if side > 0.0 {
            polygon(u, v, corners)
        } else {
            polygon(-u, v, &corners.iter().map(|p| (-p.0, p.1)).collect::<Vec<_>>())
        }
    };
    s.canvas.shadow(&f, 1.5, 0.25, 0.4, |u, v| slab(u, v, 1.2, 0.06, 0.0));
    s.canvas.form(&f, 1.6, |u, v| shape(u, v, &flank), |_, v, _| colour * (0.72 - 0.15 * v));
    s.canvas.form(&f, 1.6, |u, v| shape(u, v, &front), |_, v, _| colour * (1.05 + 0.1 * v));
    let inside = if light.0 < 0.6 { Rgb(1.0, 0.8, 0.45) } else { Rgb::BLACK.tint(0.06) };
    s.canvas.form(&f, 1.6, |u, v| shape(u, v, &door), |_, _, _| inside);
}

/// Pyramids in the sand.
pub fn pyramids(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Day, Mood::Day, Mood::Dusk, Mood::Dusk, Mood::Night]);
    let horizon = s.dice.range(120.0, 165.0);
    sky(s, mood, horizon);
    let light = daylight(mood);
    let sand = Rgb::hsl(s.dice.range(0.07, 0.12), 0.55, s.dice.range(0.55, 0.66));
    let bright = if s.dice.chance(0.5) { -1.0 } else { 1.0 };
    let seed = s.dice.seed();
    for (x, y) in s.places(s.dice.count(1, 4), (20.0, 204.0), (horizon, horizon + 26.0), 38.0) {
        let f = Frame::new(x, y, s.dice.range(35.0, 85.0));
        let ridge_at = s.dice.range(-0.2, 0.25);
        let courses = s.dice.range(4.0, 9.0);
        s.canvas.form(
            &f,
            1.4,
            |u, v| polygon(u, v, &[(0.0, -1.05), (1.0, 0.0), (-1.0, 0.0)]),
            |u, v, _| {
                let lit_side = if (u - ridge_at * (v + 1.05)) * bright > 0.0 { 1.08 } else { 0.62 };
                let stone =
                    0.92 + 0.12 * sin_turns(v * courses) + 0.12 * (noise(u * 12.0, v * 12.0, seed) - 0.5);
                (sand * (lit_side * stone)).lit(light)
            },
        );
    }
    ridge(s, horizon + 16.0, 10.0, 60.0, |x, y, _| {
        (sand * (0.88 + 0.15 * sin_turns((y + 5.0 * noise(x / 25.0, y / 25.0, seed)) / 9.0) * 0.4)).lit(light)
    });
    for (x, y) in s.places(s.dice.count(0, 3), (20.0, 204.0), (horizon + 30.0, 212.0), 40.0) {
        trees::palm(s, Frame::new(x, y, s.dice.range(28.0, 44.0)), light);
    }
}

/// A row of colourful huts on the beach.
pub fn beach_huts(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Day, Mood::Day, Mood::Day, Mood::Dusk, Mood::Grey]);
    sky(s, mood, 150.0);
    let light = daylight(mood);
    let floor = s.dice.range(165.0, 195.0);
    let n = s.dice.count(2, 5);
    let wide = SIZE / n as f32;
    let white = Rgb::WHITE.lit(light);
    for i in 0..n {
        let f = Frame::new((i as f32 + 0.5) * wide, floor, wide * 0.5);
        let colour = vivid(&s.dice).tint(s.dice.range(0.0, 0.4)).lit(light);
        let (boards, level) = (s.dice.pick(&[2.0, 3.0, 4.0, 6.0]), s.dice.chance(0.3));
        let paint = move |t: f32| colour.mix(white, smoothstep(-0.1, 0.1, sin_turns(t * boards)));
        let tall = s.dice.range(1.3, 2.0).min(floor / f.scale - 1.0);
        let body = [(-0.85, -tall), (0.0, -tall - 0.75), (0.85, -tall), (0.85, 0.0), (-0.85, 0.0)];
        s.canvas.form(
            &f,
            tall + 1.0,
            |u, v| polygon(u, v, &body),
            |u, v, _| paint(if level { v } else { u }),
        );
        let edge = stroke_roof(tall);
        s.canvas.form(&f, tall + 1.0, edge, |_, _, _| white);
        let door = vivid(&s.dice).lit(light);
        s.canvas.form(
            &f,
            tall + 1.0,
            |u, v| slab(u, v + 0.55, 0.33, 0.56, 0.02),
            |u, _, _| door * (0.95 + 0.1 * sin_turns(u * 6.0)),
        );
        s.canvas.form(&f, tall + 1.0, |u, v| disc(u, v + tall + 0.12, 0.17), |_, _, _| white);
        s.canvas.form(&f, tall + 1.0, |u, v| disc(u, v + tall + 0.12, 0.11), |_, _, _| Rgb(0.25, 0.35, 0.45));
    }
    let (sand, seed) = (Rgb::hsl(0.11, 0.5, 0.74).lit(light), s.dice.seed());
    s.canvas
        .lay((0.0, floor, SIZE, SIZE), |x, y| (sand * (0.92 + 0.14 * noise(x / 2.0, y / 2.0, seed)), 1.0));
    if s.dice.chance(0.4) {
        let f = Frame::new(s.dice.range(20.0, 204.0), floor + 14.0, s.dice.range(8.0, 13.0));
        outdoors::beach_ball(s, f);
    }
}

fn stroke_roof(tall: f32) -> impl Fn(f32, f32) -> f32 {
    move |u, v| stroke(u.abs(), v, (0.0, -tall - 0.75), (0.98, -tall + 0.06), 0.07, 0.07)
}

/// Shirts, socks and towels on a line.
pub fn laundry(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Day, Mood::Day, Mood::Dusk, Mood::Grey]);
    if s.dice.chance(0.35) {
        let palette = s.palette;
        let wall = Material::masonry(&s.dice, &palette);
        s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| (wall.at(x, y) * 0.95, 1.0));
    } else {
        let horizon = s.dice.range(140.0, 185.0);
        sky(s, mood, horizon);
        let light = daylight(mood);
        let hill = leaf_green(&s.dice).lit(light);
        ridge(s, horizon, 25.0, 80.0, |_, _, _| hill * 0.85);
        grass(s, horizon, light);
    }
    let palette = s.palette;
    let (y0, sag) = (s.dice.range(35.0, 75.0), s.dice.range(4.0, 16.0));
    let height = |x: f32| y0 + sag * (1.0 - (x / 112.0 - 1.0) * (x / 112.0 - 1.0));
    s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| (Rgb::BLACK, smoothstep(1.3, 0.6, (y - height(x)).abs())));
    let n = s.dice.count(2, 5);
    let step = SIZE / n as f32;
    for i in 0..n {
        let x = (i as f32 + 0.5) * step;
        let cloth = Material::print(&s.dice, &palette, 0.2).turned(s.dice.pick(&[0.0, 0.0, 0.25, 0.125]));
        let size = step.min(80.0) * 0.46;
        let f = Frame::new(x, height(x), size).turned(s.dice.range(-0.02, 0.02));
        let kind = s.dice.below(4);
        let garment = move |u: f32, v: f32| match kind {
            0 | 1 => {
                let sleeves = polygon(u.abs(), v, &[(0.4, 0.0), (1.0, 0.45), (0.72, 0.75), (0.4, 0.5)]);
                slab(u, v - 0.95, 0.58, 0.97, 0.03).min(sleeves).max(0.2 - disc(u, v + 0.05, 0.0).abs())
            }
            2 => slab(u, v - 0.9, 0.8, 0.9, 0.02),
            _ => slab(u.abs() - 0.38, v - 0.6, 0.2, 0.6, 0.05).min(slab(
                u.abs() - 0.5,
                v - 1.15,
                0.32,
                0.17,
                0.15,
            )),
        };
        let wave = s.dice.range(2.0, 4.0);
        s.canvas.form(&f, 2.1, garment, |u, v, _| {
            cloth.at(u * size, v * size) * (0.95 + 0.1 * sin_turns(u * wave))
        });
        for side in [-0.45, 0.45] {
            s.canvas.form(
                &f.at(side, 0.02, 1.0),
                0.3,
                |u, v| slab(u, v, 0.04, 0.14, 0.01),
                |_, _, _| Rgb::hex(0xC89B6A),
            );
        }
    }
}

/// A train or a tram in the country.
pub fn train(s: &mut Scene) {
    let mood = any_mood(s);
    let horizon = s.dice.range(85.0, 135.0);
    let haze = sky(s, mood, horizon);
    let light = daylight(mood);
    let far = leaf_green(&s.dice).lit(light).mix(haze, 0.35);
    let height = s.dice.range(12.0, 60.0);
    ridge(s, horizon + 4.0, height, 80.0, |x, y, _| far * (0.9 + 0.2 * fbm(x / 9.0, y / 9.0, 2, 3)));
    if s.dice.chance(0.3) {
        water(s, horizon + 4.0, mood)
    } else {
        grass(s, horizon + 4.0, light)
    }
    let rail = s.dice.range(165.0, 195.0);
    s.canvas.lay((0.0, rail, SIZE, rail + 10.0), |x, y| {
        let tie = (x / 9.0).fract() < 0.5;
        (
            if y - rail < 2.5 {
                Rgb(0.55, 0.55, 0.58)
            } else if tie {
                Rgb(0.3, 0.22, 0.16)
            } else {
                Rgb(0.5, 0.47, 0.44)
            }
            .lit(light),
            1.0,
        )
    });
    let tall = s.dice.range(38.0, 58.0);
    let (a, b) = (
        vivid(&s.dice).lit(light),
        if s.dice.chance(0.5) { Rgb::WHITE } else { s.dice.pick(&s.palette) }.lit(light),
    );
    let wagon = s.dice.range(90.0, 150.0);
    let pane = s.dice.range(12.0, 24.0);
    let glass = if light.0 < 0.6 { Rgb(1.0, 0.86, 0.5) } else { Rgb(0.22, 0.3, 0.38) };
    let from = s.dice.range(-40.0, 70.0);
    s.canvas.lay((from, rail - tall - 6.0, SIZE, rail - 6.0), |x, y| {
        let t = (x - from).rem_euclid(wagon);
        let h = (y - rail + tall + 6.0) / tall;
        let nose = if x - from < wagon { ((x - from) / 26.0).min(1.0) } else { 1.0 };
        let gap = t < 3.0 || h < 0.08 || h < 0.55 * (1.0 - nose);
        let window = h > 0.22 && h < 0.52 && (t / pane).fract() > 0.22 && t > 10.0 && t < wagon - 8.0;
        let band = (h - 0.66).abs() < 0.06;
        let body = if window {
            glass
        } else if band || h < 0.14 {
            b
        } else {
            a
        };
        (body * (1.08 - 0.3 * h), if gap { 0.0 } else { 1.0 })
    });
    let mut x = from + 16.0;
    while x < SIZE {
        let lamp = s.light;
        s.canvas.form(
            &Frame::new(x, rail - 5.0, 6.0),
            1.1,
            |u, v| disc(u, v, 1.0),
            |u, v, _| {
                if disc(u, v, 0.4) < 0.0 {
                    Rgb(0.7, 0.7, 0.72)
                } else {
                    cylinder(Rgb(0.16, 0.16, 0.18), u * 0.5, lamp, 0.0)
                }
            },
        );
        x += wagon / 5.0;
    }
}

/// Stained glass: a round window in a dark wall, or panes that fill the picture.
pub fn stained_glass(s: &mut Scene) {
    let palette = s.palette;
    let wall = Material::new(Pattern::Bricks, &s.dice, &palette, 20.0)
        .turned(0.0)
        .coloured(Rgb(0.24, 0.22, 0.21), Rgb(0.15, 0.14, 0.14));
    s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| (wall.at(x, y), 1.0));
    let first = vivid(&s.dice).shade(0.2);
    let colours = [first, first.vary(&s.dice, 0.15), first.vary(&s.dice, 0.15), vivid(&s.dice).shade(0.2)];
    let (seed, n) = (s.dice.seed(), s.dice.pick(&[6.0, 8.0, 10.0, 12.0]));
    if s.dice.chance(0.5) {
        let f = Frame::new(112.0, s.dice.range(95.0, 125.0), s.dice.range(62.0, 92.0));
        s.canvas.glow(f.x, f.y, f.scale * 1.5, Rgb(0.9, 0.8, 0.6), 0.3);
        s.canvas.form(
            &f,
            1.1,
            |u, v| disc(u, v, 1.0),
            |u, v, _| {
                let r = super::form::length(u, v);
                let t = crate::maths::angle_turns(v, u) * n;
                let lead = (t - t.round()).abs() * r * TAU / n;
                let zone = (r * 3.6) as usize;
                if lead < 0.02 || (r * 3.6).fract() < 0.1 || r > 0.95 {
                    Rgb::BLACK
                } else {
                    colours[(zone + (t.floor().rem_euclid(n) as usize)) % 4]
                        * (0.8 + 0.5 * noise(u * 4.0, v * 4.0, seed))
                }
            },
        );
        return;
    }
    for side in if s.dice.chance(0.5) { vec![0.0] } else { vec![-50.0, 50.0] } {
        let f = Frame::new(112.0 + side, 120.0, if side == 0.0 { 62.0 } else { 38.0 });
        let tall = 1.4;
        s.canvas.glow(f.x, f.y, f.scale * 2.0, Rgb(0.9, 0.8, 0.6), 0.25);
        s.canvas.form(
            &f,
            2.5,
            |u, v| {
                slab(u, v - 0.1, 1.0, tall, 0.0).max(if v < -0.3 {
                    super::form::length(u.abs() + 0.6, v + 0.3) - 1.6
                } else {
                    -1.0
                })
            },
            |u, v, d| {
                let c = super::noise::cells(u * 3.2, v * 3.2, 0.75, seed);
                if d > -0.05 || c.gap < 0.07 {
                    Rgb::BLACK
                } else {
                    colours[(c.id * 3.99) as usize] * (0.75 + 0.5 * noise(u * 3.0, v * 3.0, seed))
                }
            },
        );
    }
}
