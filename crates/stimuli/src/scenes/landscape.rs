//! Sky and land: mountains, seas, meadows, fields, deserts, snow.

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, leaf_green, vivid};
use super::form::disc;
use super::noise::{fbm, grain, noise};
use super::{outdoors, trees};
use crate::maths::{exp, sin_turns, smoothstep};

/// The time of day.
#[derive(Clone, Copy, PartialEq)]
pub enum Mood {
    Day,
    Dusk,
    Night,
    Grey,
}

/// Paints the whole canvas as sky, with clouds, sun, moon or stars; returns the colour of the haze at the horizon.
pub fn sky(s: &mut Scene, mood: Mood, horizon: f32) -> Rgb {
    let low = bare_sky(s, mood, horizon);
    sun_or_moon(s, mood, horizon);
    if mood != Mood::Night && s.dice.chance(0.65) {
        clouds(s, mood, horizon, low);
    }
    low
}

/// The sky without clouds, sun or moon, but with stars at night.
pub fn bare_sky(s: &mut Scene, mood: Mood, horizon: f32) -> Rgb {
    let d = &s.dice;
    let (top, low) = match mood {
        Mood::Day => {
            let hue = d.range(0.54, 0.6);
            (
                Rgb::hsl(hue, d.range(0.55, 0.9), d.range(0.42, 0.62)),
                Rgb::hsl(hue - 0.02, 0.6, d.range(0.82, 0.92)),
            )
        }
        Mood::Dusk => (
            Rgb::hsl(d.range(0.62, 0.95), d.range(0.35, 0.6), d.range(0.3, 0.5)),
            Rgb::hsl(d.range(0.02, 0.13), d.range(0.85, 1.0), d.range(0.58, 0.7)),
        ),
        Mood::Night => {
            (Rgb::hsl(0.65, 0.6, d.range(0.05, 0.1)), Rgb::hsl(d.range(0.58, 0.72), 0.5, d.range(0.16, 0.28)))
        }
        Mood::Grey => (Rgb::hsl(0.58, 0.1, d.range(0.55, 0.7)), Rgb::hsl(0.57, 0.1, d.range(0.78, 0.88))),
    };
    let seed = d.seed();
    s.canvas.lay((0.0, 0.0, SIZE, SIZE), |_, y| {
        let t = (y / horizon).min(1.0);
        (top.mix(low, t * t.sqrt()), 1.0)
    });
    if mood == Mood::Night {
        let density = s.dice.range(0.985, 0.996);
        s.canvas.lay((0.0, 0.0, SIZE, horizon), |x, y| {
            let star = grain((x / 1.5) as i32, (y / 1.5) as i32, seed);
            (Rgb::WHITE, if star > density { (star - density) / (1.0 - density) } else { 0.0 })
        });
    }
    low
}

fn sun_or_moon(s: &mut Scene, mood: Mood, horizon: f32) {
    let chance = match mood {
        Mood::Day => 0.3,
        Mood::Dusk => 0.8,
        Mood::Night => 0.75,
        Mood::Grey => 0.1,
    };
    if !s.dice.chance(chance) {
        return;
    }
    let (x, r) = (s.dice.range(35.0, 190.0), s.dice.range(9.0, 26.0));
    let low = if mood == Mood::Dusk { 0.95 } else { 0.6 };
    let y = s.dice.range(r + 6.0, (horizon * low).max(r + 8.0));
    let colour = match mood {
        Mood::Night => Rgb(0.95, 0.93, 0.82),
        Mood::Dusk => Rgb(1.0, 0.86, 0.5),
        _ => Rgb(1.0, 0.96, 0.75),
    };
    s.canvas.glow(x, y, r * 3.2, colour, 0.5);
    let seed = s.dice.seed();
    s.canvas.form(
        &Frame::new(x, y, r),
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, _| {
            if mood == Mood::Night { colour * (0.82 + 0.25 * fbm(u * 2.0, v * 2.0, 3, seed)) } else { colour }
        },
    );
}

fn clouds(s: &mut Scene, mood: Mood, horizon: f32, low: Rgb) {
    let seed = s.dice.seed();
    let (cover, size) = (s.dice.range(0.42, 0.6), s.dice.range(26.0, 60.0));
    let white = match mood {
        Mood::Dusk => Rgb(1.0, 0.72, 0.6),
        Mood::Grey => Rgb(0.62, 0.64, 0.68),
        _ => Rgb::WHITE,
    };
    s.canvas.lay((0.0, 0.0, SIZE, horizon), |x, y| {
        let k = size * (0.5 + 0.8 * (1.0 - y / horizon));
        let body = fbm(x / k, y / k * 2.0, 4, seed);
        let light = fbm(x / k, (y - 5.0) / k * 2.0, 3, seed);
        let colour = white.mix(low * 0.85, smoothstep(-0.02, 0.12, body - light + 0.03) * 0.25);
        (colour, smoothstep(cover, cover + 0.16, body) * 0.92)
    });
}

/// A mood, most often day.
pub fn any_mood(s: &mut Scene) -> Mood {
    s.dice.pick(&[Mood::Day, Mood::Day, Mood::Day, Mood::Dusk, Mood::Dusk, Mood::Night, Mood::Grey])
}

/// A line of hills or mountains. It paints everything below a wavy line.
pub fn ridge(s: &mut Scene, base: f32, height: f32, wave: f32, paint: impl Fn(f32, f32, f32) -> Rgb) {
    let seed = s.dice.seed();
    let shift = s.dice.range(0.0, 100.0);
    let line: Vec<f32> = (0..=SIZE as usize)
        .map(|x| base - height * (fbm(x as f32 / wave + shift, 0.5, 4, seed) * 1.6 - 0.3))
        .collect();
    s.canvas.lay((0.0, base - height * 1.4, SIZE, SIZE), |x, y| {
        let top = line[x as usize];
        (paint(x, y, y - top), smoothstep(-0.7, 0.7, y - top))
    });
}

/// A light on the landscape for the time of day.
pub fn daylight(mood: Mood) -> Rgb {
    match mood {
        Mood::Day => Rgb(1.0, 1.0, 0.99),
        Mood::Dusk => Rgb(1.0, 0.84, 0.74),
        Mood::Night => Rgb(0.42, 0.48, 0.7),
        Mood::Grey => Rgb(0.86, 0.88, 0.9),
    }
}

/// Ridge behind ridge, with snow on the far peaks and a lake, a wood or a meadow in front.
pub fn mountains(s: &mut Scene) {
    let mood = any_mood(s);
    let horizon = s.dice.range(120.0, 165.0);
    let haze = sky(s, mood, horizon);
    let light = daylight(mood);
    let rock = Rgb::hsl(s.dice.range(0.55, 0.75), s.dice.range(0.1, 0.35), s.dice.range(0.3, 0.45));
    let snow = s.dice.chance(0.6);
    let (peak, wave) = (s.dice.range(60.0, 95.0), s.dice.range(60.0, 110.0));
    let seed = s.dice.seed();
    ridge(s, horizon, peak, wave, |x, y, depth| {
        let face = noise(x / 9.0 + y / 14.0, y / 16.0 - x / 30.0, seed);
        let stone = (rock * (0.65 + 0.75 * face)).lit(light);
        let line = 14.0 + 16.0 * noise(x / 8.0, y / 10.0, seed ^ 1);
        let white = if snow { smoothstep(line + 4.0, line - 4.0, depth) } else { 0.0 };
        stone.mix((Rgb::WHITE * (0.8 + 0.25 * face)).lit(light), white).mix(haze, 0.25)
    });
    let layers = s.dice.count(1, 3);
    for layer in 0..layers {
        let green = leaf_green(&s.dice).shade(0.15).lit(light);
        let base = horizon + 6.0 + 14.0 * layer as f32;
        let seed = s.dice.seed();
        ridge(s, base, 26.0, 70.0, |x, y, _| {
            (green * (0.8 + 0.4 * fbm(x / 5.0, y / 4.0, 2, seed))).mix(haze, 0.35 / (1.0 + layer as f32))
        });
    }
    foreground(s, mood, horizon + 14.0 * layers as f32);
}

/// The land in front of the hills.
fn foreground(s: &mut Scene, mood: Mood, from: f32) {
    let light = daylight(mood);
    match s.dice.below(4) {
        0 => water(s, from.min(185.0), mood),
        1 => {
            let near = from.min(190.0);
            grass(s, near, light);
            for _ in 0..s.dice.count(3, 9) {
                let (x, y) = (s.dice.range(0.0, SIZE), s.dice.range(near + 8.0, 215.0));
                let size = 14.0 + 0.25 * (y - near);
                trees::conifer(s, Frame::new(x, y, size), light);
            }
        }
        2 => {
            grass(s, from.min(185.0), light);
            outdoors::homestead(s, from.min(185.0), light);
        }
        _ => {
            grass(s, from.min(180.0), light);
            outdoors::flower_dots(s, from.min(180.0) + 6.0);
        }
    }
}

/// Grass from a line down to the lower edge.
pub fn grass(s: &mut Scene, from: f32, light: Rgb) {
    let green = leaf_green(&s.dice).lit(light);
    let seed = s.dice.seed();
    let waves = s.dice.range(10.0, 40.0);
    s.canvas.lay((0.0, from, SIZE, SIZE), |x, y| {
        let near = (y - from) / (SIZE - from);
        let blade = noise(x / 1.7, y / 7.0, seed) - 0.5;
        let patch = noise(x / waves, y / waves * 3.0, seed ^ 7) - 0.5;
        (green * (0.8 + 0.3 * near + (0.15 + 0.4 * near) * blade + 0.35 * patch), 1.0)
    });
}

/// Water below a line, which mirrors what is above it.
pub fn water(s: &mut Scene, from: f32, mood: Mood) {
    let seed = s.dice.seed();
    let (chop, calm) = (s.dice.range(2.0, 12.0), s.dice.range(0.2, 0.8));
    let deep = Rgb::hsl(s.dice.range(0.48, 0.62), s.dice.range(0.4, 0.75), s.dice.range(0.25, 0.42))
        .lit(daylight(mood));
    let mirror = s.canvas.mirrored(from);
    s.canvas.lay((0.0, from, SIZE, SIZE), |x, y| {
        let depth = y - from;
        let length = 3.0 + 0.12 * depth;
        let wave = noise(x / (length * 4.0), y / length, seed) - 0.5;
        let sx = (x + wave * chop).clamp(0.0, SIZE - 1.0);
        let sy = (from - depth * 1.1 + wave * chop * 2.0).clamp(0.0, SIZE - 1.0);
        let image = mirror[sy as usize * SIZE as usize + sx as usize];
        let crest = smoothstep(0.25, 0.45, wave) * 0.35;
        (
            image
                .mix(deep * (1.0 + 0.5 * wave), 1.0 - calm * exp(-depth / 90.0))
                .mix(Rgb::WHITE, crest * (1.0 - calm * 0.5)),
            1.0,
        )
    });
}

/// The sea with waves and boats, and sometimes a beach with parasols or a lighthouse.
pub fn seaside(s: &mut Scene) {
    let mood = any_mood(s);
    let horizon = s.dice.range(75.0, 135.0);
    sky(s, mood, horizon);
    if s.dice.chance(0.4) {
        let blue = Rgb::hsl(s.dice.range(0.55, 0.65), 0.3, 0.5);
        let height = s.dice.range(8.0, 25.0);
        ridge(s, horizon + 2.0, height, 60.0, |_, _, _| blue.lit(daylight(mood)));
    }
    water(s, horizon, mood);
    let light = daylight(mood);
    for _ in 0..s.dice.count(0, 3) {
        let y = s.dice.range(horizon + 8.0, horizon + 60.0);
        let x = s.dice.range(20.0, 204.0);
        let size = 12.0 + 0.75 * (y - horizon);
        outdoors::sailing_boat(s, Frame::new(x, y, size), light);
    }
    match s.dice.below(3) {
        0 => outdoors::beach(s, light),
        1 => outdoors::lighthouse_rock(s, light),
        _ => {}
    }
    if mood != Mood::Night && s.dice.chance(0.4) {
        outdoors::birds(s, horizon);
    }
}

/// A meadow under a wide sky, with flowers, trees, a house or balloons.
pub fn meadow(s: &mut Scene) {
    let mood = any_mood(s);
    let horizon = s.dice.range(80.0, 150.0);
    let haze = sky(s, mood, horizon);
    let light = daylight(mood);
    let hill = leaf_green(&s.dice).lit(light).mix(haze, 0.4);
    let height = s.dice.range(10.0, 36.0);
    ridge(s, horizon + 4.0, height, 90.0, |_, _, depth| hill * (1.05 - depth.min(40.0) * 0.004));
    grass(s, horizon + 6.0, light);
    match s.dice.below(4) {
        0 => outdoors::flower_dots(s, horizon + 10.0),
        1 => outdoors::homestead(s, horizon, light),
        2 => {
            for _ in 0..s.dice.count(1, 4) {
                let (x, y) = (s.dice.range(15.0, 209.0), s.dice.range(horizon + 14.0, 205.0));
                trees::broadleaf(s, Frame::new(x, y, 26.0 + 0.35 * (y - horizon)), light);
            }
        }
        _ => outdoors::balloons(s, horizon),
    }
    if s.dice.chance(0.15) && mood != Mood::Night {
        rainbow(s, horizon);
    }
}

fn rainbow(s: &mut Scene, horizon: f32) {
    let (x, r, w) = (s.dice.range(40.0, 190.0), s.dice.range(70.0, 120.0), s.dice.range(12.0, 24.0));
    s.canvas.lay((0.0, 0.0, SIZE, horizon + 6.0), |px, py| {
        let d = (((px - x) * (px - x) + (py - horizon) * (py - horizon)).sqrt() - r) / w;
        (Rgb::hsl(0.8 * (1.0 - d), 0.9, 0.6), 0.75 * smoothstep(0.0, 0.15, d) * smoothstep(1.0, 0.85, d))
    });
}

/// Rows of crops that run towards the horizon.
pub fn fields(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Day, Mood::Day, Mood::Dusk, Mood::Grey]);
    let horizon = s.dice.range(65.0, 115.0);
    let haze = sky(s, mood, horizon);
    let light = daylight(mood);
    let hill = leaf_green(&s.dice).shade(0.2).lit(light);
    let height = s.dice.range(6.0, 26.0);
    ridge(s, horizon + 3.0, height, 70.0, |_, _, _| hill.mix(haze, 0.45));
    let crop = (if s.dice.chance(0.35) { vivid(&s.dice) } else { leaf_green(&s.dice) }).lit(light);
    let soil = Rgb::hsl(s.dice.range(0.05, 0.12), 0.4, s.dice.range(0.25, 0.6)).lit(light);
    let (point, rows) = (s.dice.range(20.0, 204.0), s.dice.range(0.35, 1.1));
    let seed = s.dice.seed();
    s.canvas.lay((0.0, horizon + 2.0, SIZE, SIZE), |x, y| {
        let depth = (y - horizon) / 20.0;
        let row = (x - point) / (depth * 20.0) * 4.0 * rows;
        let ruffle = (noise(x / (1.0 + depth), y / (1.0 + depth), seed) - 0.5) * 0.4;
        let t = smoothstep(-0.35, 0.35, sin_turns(row) + ruffle);
        let plain = crop.mix(soil, 0.35);
        let visible = smoothstep(0.15, 0.8, depth / rows);
        (plain.mix(soil.mix(crop, t), visible) * (0.9 + ruffle * 0.6), 1.0)
    });
    match s.dice.below(4) {
        0 => outdoors::homestead(s, horizon, light),
        1 => outdoors::windmill_hill(s, horizon, light),
        2 => trees::avenue(s, horizon, light),
        _ => {}
    }
}

/// Dunes with ripples, perhaps cacti or palms.
pub fn desert(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Day, Mood::Day, Mood::Dusk, Mood::Dusk, Mood::Night]);
    let horizon = s.dice.range(70.0, 120.0);
    sky(s, mood, horizon + 30.0);
    let light = daylight(mood);
    let sand = Rgb::hsl(s.dice.range(0.05, 0.12), s.dice.range(0.45, 0.75), s.dice.range(0.5, 0.66));
    for layer in 0..s.dice.count(2, 4) {
        let base = horizon + 26.0 * layer as f32;
        let seed = s.dice.seed();
        let ripple = s.dice.range(3.0, 9.0);
        let slant = s.dice.range(-0.5, 0.5);
        ridge(s, base, 30.0, 110.0, |x, y, depth| {
            let wind = y + slant * x + 6.0 * noise(x / 30.0, y / 30.0, seed);
            let wave = sin_turns(wind / (ripple + 0.02 * y)) * smoothstep(10.0, 40.0, depth);
            (sand * (0.8 + 0.1 * wave + 0.3 * exp(-depth / 12.0) - 0.05 * layer as f32)).lit(light)
        });
    }
    for _ in 0..s.dice.count(0, 4) {
        let (x, y) = (s.dice.range(20.0, 204.0), s.dice.range(horizon + 45.0, 210.0));
        let frame = Frame::new(x, y, 18.0 + 0.2 * (y - horizon));
        if s.dice.chance(0.6) {
            trees::cactus(s, frame)
        } else {
            trees::palm(s, frame.at(0.0, 0.0, 1.5), light)
        }
    }
}
