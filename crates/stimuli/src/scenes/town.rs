//! Buildings: fronts with windows, rows of houses, castles, arcades, bridges.

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, leaf_green, vivid};
use super::form::{disc, ellipse, polygon, slab};
use super::landscape::{Mood, any_mood, daylight, grass, sky, water};
use super::material::{Material, Pattern};
use super::noise::{fbm, grain, noise};
use super::outdoors;
use crate::maths::{sin_turns, smoothstep};

/// The front of a house: rows of windows, a door, perhaps an awning, balconies, a climbing plant.
pub fn front(s: &mut Scene) {
    let palette = s.palette;
    let pattern =
        s.dice.pick(&[Pattern::Bricks, Pattern::Bricks, Pattern::Mottled, Pattern::Planks, Pattern::Plain]);
    let base = Rgb::hsl(s.dice.unit(), s.dice.range(0.1, 0.6), s.dice.range(0.4, 0.8));
    let brick = Rgb::hsl(s.dice.range(0.0, 0.08), s.dice.range(0.3, 0.55), s.dice.range(0.35, 0.6));
    let ground = if matches!(pattern, Pattern::Bricks) { brick } else { base };
    let period = s.dice.range(14.0, 26.0);
    let wall = Material::new(pattern, &s.dice, &palette, period)
        .turned(0.0)
        .coloured(ground, ground.mix(Rgb::WHITE, 0.3));
    s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| (wall.at(x, y) * (1.02 - 0.06 * y / SIZE), 1.0));
    let (columns, rows) = (s.dice.count(2, 5), s.dice.count(2, 4));
    let street = s.dice.range(190.0, 212.0);
    let (dx, dy) = (SIZE / columns as f32, street / rows as f32);
    let look = Window::any(s);
    let door = if s.dice.chance(0.7) { s.dice.below(columns) } else { columns };
    let gap = if s.dice.chance(0.4) { s.dice.range(0.1, 0.4) } else { 0.0 };
    for row in 0..rows {
        for column in 0..columns {
            let (x, y) = ((column as f32 + 0.5) * dx, (row as f32 + 0.5) * dy);
            if row + 1 == rows && column == door {
                door_at(s, Frame::new(x, street, dy * 0.42));
            } else if !s.dice.chance(gap) {
                window(s, Frame::new(x, y, dx.min(dy) * 0.32), &look);
            }
        }
    }
    if s.dice.chance(0.45) {
        let (left, width) = (s.dice.range(-20.0, 100.0), s.dice.range(80.0, 200.0));
        awning(s, left, street - dy * 0.95, width, dy * 0.35);
    }
    if s.dice.chance(0.3) {
        ivy(s);
    }
    let stone = Rgb::hsl(0.1, 0.08, 0.55);
    let slabs = s.dice.range(16.0, 40.0);
    s.canvas.lay((0.0, street, SIZE, SIZE), |x, _| {
        (stone * if (x / slabs).fract() < 0.04 { 0.7 } else { 1.0 }, 1.0)
    });
    if s.dice.chance(0.4) {
        let frame = Frame::new(s.dice.range(20.0, 204.0), street + 6.0, s.dice.range(14.0, 24.0));
        super::plants::potted(s, frame);
    }
}

/// Properties that all windows of a house share.
struct Window {
    frame: Rgb,
    glass: Rgb,
    lit: f32,
    shutter: Option<Rgb>,
    bars: f32,
    tall: f32,
    arched: bool,
    box_: bool,
}

impl Window {
    fn any(s: &mut Scene) -> Self {
        let night = s.dice.chance(0.2);
        Self {
            frame: if s.dice.chance(0.7) { Rgb::WHITE } else { vivid(&s.dice).shade(0.3) },
            glass: Rgb::hsl(0.58, s.dice.range(0.1, 0.5), s.dice.range(0.15, 0.5)),
            lit: if night { 0.6 } else { 0.06 },
            shutter: if s.dice.chance(0.45) {
                Some(vivid(&s.dice).shade(s.dice.range(0.1, 0.5)))
            } else {
                None
            },
            bars: s.dice.pick(&[1.0, 2.0, 2.0, 3.0]),
            tall: s.dice.range(1.0, 1.6),
            arched: s.dice.chance(0.25),
            box_: s.dice.chance(0.3),
        }
    }
}

fn window(s: &mut Scene, f: Frame, look: &Window) {
    let (half, tall) = (0.62, 0.62 * look.tall);
    let outline = |u: f32, v: f32, grow: f32| {
        if look.arched {
            slab(u, v, half + grow, tall + grow, 0.0).max(if v < -tall + half {
                disc(u, v + tall - half, half + grow)
            } else {
                -1.0
            })
        } else {
            slab(u, v, half + grow, tall + grow, 0.0)
        }
    };
    if let Some(colour) = look.shutter {
        for side in [-1.0, 1.0] {
            s.canvas.form(
                &f.at(side * (half + 0.3), 0.0, 1.0),
                2.0,
                |u, v| slab(u, v, 0.27, tall, 0.0),
                |_, v, _| colour * (0.85 + 0.25 * sin_turns(v * 5.0)),
            );
        }
    }
    let glass = if s.dice.chance(look.lit) { Rgb(1.0, 0.86, 0.5) } else { look.glass };
    s.canvas.form(&f, 2.0, |u, v| outline(u, v, 0.1), |_, _, _| look.frame * 0.92);
    s.canvas.form(
        &f,
        2.0,
        |u, v| outline(u, v, 0.0),
        |u, v, _| {
            let pane = |t: f32, n: f32, size: f32| ((t / size * 0.5 + 0.5) * n).fract() * size * 2.0 / n;
            let bar = pane(u, 2.0, half).min(pane(v, look.bars, tall));
            if bar < 0.07 { look.frame } else { glass.mix(Rgb::WHITE, 0.25 * smoothstep(0.3, -0.8, u + v)) }
        },
    );
    s.canvas.form(
        &f,
        2.0,
        |u, v| slab(u, v - tall - 0.16, half + 0.2, 0.07, 0.0),
        |_, _, _| look.frame * 0.8,
    );
    if look.box_ {
        let colour = vivid(&s.dice);
        let seed = s.dice.seed();
        s.canvas.form(
            &f,
            2.0,
            |u, v| slab(u, v - tall + 0.02, half, 0.2, 0.1) + 0.15 * (noise(u * 8.0, v * 8.0, seed) - 0.5),
            |u, v, _| if noise(u * 9.0, v * 9.0, seed ^ 1) > 0.55 { colour } else { Rgb(0.2, 0.45, 0.18) },
        );
    }
}

fn door_at(s: &mut Scene, f: Frame) {
    let colour = vivid(&s.dice).shade(0.25);
    let arched = s.dice.chance(0.5);
    let shape = |u: f32, v: f32, k: f32| {
        let d = slab(u, v + 0.8, 0.5 + k, 0.82 + k, 0.0);
        if arched && v < -1.1 { d.max(disc(u, v + 1.1, 0.5 + k)) } else { d }
    };
    s.canvas.form(&f, 2.0, |u, v| shape(u, v, 0.1), |_, _, _| Rgb::WHITE * 0.9);
    s.canvas.form(
        &f,
        2.0,
        |u, v| shape(u, v, 0.0),
        |u, v, _| {
            let panel = slab(u.abs() - 0.25, (v + 0.8).abs() - 0.4, 0.16, 0.3, 0.02).abs();
            colour * if panel < 0.03 { 0.7 } else { 1.0 }
        },
    );
    s.canvas.form(&f.at(0.36, -0.75, 0.06), 1.2, |u, v| disc(u, v, 1.0), |_, _, _| Rgb::hex(0xFFD166));
}

fn awning(s: &mut Scene, left: f32, top: f32, width: f32, height: f32) {
    let (a, b) = (vivid(&s.dice), Rgb::WHITE);
    let period = s.dice.range(14.0, 30.0);
    s.canvas.lay((left - 6.0, top + height, left + width + 6.0, top + height + 16.0), |_, y| {
        (Rgb::BLACK, 0.35 * smoothstep(16.0, 0.0, y - top - height))
    });
    s.canvas.lay((left - 8.0, top, left + width + 8.0, top + height + 6.0), |x, y| {
        let t = (y - top) / height;
        let side = 8.0 * t.min(1.0);
        let scallop = 1.0 + 0.12 * sin_turns((x / period) - 0.25).abs();
        let inside = x > left - side && x < left + width + side && t < scallop;
        let stripe = smoothstep(-0.1, 0.1, sin_turns(x / period));
        (a.mix(b, stripe) * (1.05 - 0.2 * t), if inside { 1.0 } else { 0.0 })
    });
}

fn ivy(s: &mut Scene) {
    let green = leaf_green(&s.dice);
    let (seed, x0, width) = (s.dice.seed(), s.dice.range(0.0, 180.0), s.dice.range(30.0, 90.0));
    s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| {
        let body = fbm(x / 20.0, y / 20.0, 3, seed) - ((x - x0).abs() / width) * 0.6 + 0.1;
        let leaf = noise(x / 4.0, y / 4.0, seed ^ 5);
        (green * (0.55 + 0.8 * leaf), smoothstep(0.3, 0.36, body + 0.12 * (leaf - 0.5)))
    });
}

/// A street of narrow coloured houses, by a canal or under a hill.
pub fn terrace(s: &mut Scene) {
    let mood = any_mood(s);
    sky(s, mood, 120.0);
    let light = daylight(mood);
    let ground = s.dice.range(150.0, 195.0);
    let mut x = s.dice.range(-30.0, 0.0);
    while x < SIZE {
        let width = s.dice.range(34.0, 62.0);
        let height = s.dice.range(70.0, 130.0);
        narrow_house(s, (x, ground, width, height), light);
        x += width;
    }
    if s.dice.chance(0.6) {
        water(s, ground, mood);
    } else {
        grass(s, ground, light);
        outdoors::flower_dots(s, ground + 4.0);
    }
}

fn narrow_house(s: &mut Scene, (x, ground, width, height): (f32, f32, f32, f32), light: Rgb) {
    let colour = if s.dice.chance(0.7) { s.dice.pick(&s.palette) } else { vivid(&s.dice) };
    let wall = colour.vary(&s.dice, 0.06).lit(light);
    let roof = Rgb::hsl(s.dice.range(0.0, 0.06), 0.45, s.dice.range(0.22, 0.4)).lit(light);
    let f = Frame::new(x + width / 2.0, ground, width / 2.0);
    let tall = height / (width / 2.0);
    let gable = s.dice.below(3);
    let top = -tall;
    let stepped = |u: f32, v: f32| {
        let rise = -tall - v;
        slab(u, v + tall / 2.0, 0.96, tall / 2.0, 0.0).min(if rise > 0.0 {
            u.abs() - (0.95 - (rise * 4.0).floor() / 4.0)
        } else {
            1.0
        })
    };
    match gable {
        0 => s.canvas.form(&f, tall + 1.0, stepped, |_, _, _| wall),
        1 => {
            s.canvas.form(&f, tall, |u, v| slab(u, v + tall / 2.0, 0.96, tall / 2.0, 0.0), |_, _, _| wall);
            let cap = [(0.0, top - 0.9), (1.08, top), (-1.08, top)];
            s.canvas.form(
                &f,
                tall + 1.0,
                |u, v| polygon(u, v, &cap),
                |_, v, _| roof * (0.85 + 0.2 * sin_turns(v * 6.0)),
            );
        }
        _ => {
            s.canvas.form(&f, tall, |u, v| slab(u, v + tall / 2.0, 0.96, tall / 2.0, 0.0), |_, _, _| wall);
            s.canvas.form(&f, tall + 0.5, |u, v| slab(u, v - top + 0.1, 1.02, 0.14, 0.0), |_, _, _| roof);
        }
    }
    let glass = if light.0 < 0.6 { Rgb(1.0, 0.85, 0.45) } else { Rgb(0.25, 0.33, 0.42) };
    let trim = Rgb::WHITE.lit(light);
    let (columns, floors) = (s.dice.count(2, 3), ((tall - 0.9) / 0.95) as usize);
    for floor in 0..floors {
        for column in 0..columns {
            let u = (column as f32 + 0.5) / columns as f32 * 1.8 - 0.9;
            let pane = f.at(u, top + 0.55 + 0.95 * floor as f32, 1.0);
            let half = 0.5 / columns as f32;
            s.canvas.form(&pane, 0.6, |u, v| slab(u, v, half + 0.05, 0.33, 0.0), |_, _, _| trim);
            s.canvas.form(
                &pane,
                0.6,
                |u, v| slab(u, v, half, 0.28, 0.0),
                |u, v, _| if u.abs() < 0.02 || v.abs() < 0.02 { trim } else { glass },
            );
        }
    }
    let door = s.dice.range(-0.4, 0.4);
    let wood = vivid(&s.dice).shade(0.35).lit(light);
    s.canvas.form(&f, 1.5, |u, v| slab(u - door, v + 0.38, 0.22, 0.4, 0.0), |_, _, _| wood);
}

/// Towers with many windows, by day.
pub fn high_rises(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Day, Mood::Day, Mood::Dusk, Mood::Grey]);
    let haze = sky(s, mood, 200.0);
    let light = daylight(mood);
    for layer in 0..3 {
        let mut x = s.dice.range(-20.0, 10.0);
        while x < SIZE {
            let (width, top) = (s.dice.range(26.0, 60.0), s.dice.range(30.0, 120.0) + 25.0 * layer as f32);
            let wall = s.dice.pick(&s.palette).mix(haze, 0.5 - 0.2 * layer as f32).lit(light);
            tower(s, (x, top, width), wall, wall.luminance() > 0.5);
            x += width + if s.dice.chance(0.5) { s.dice.range(0.0, 30.0) } else { 0.0 };
        }
    }
    if s.dice.chance(0.5) {
        let from = s.dice.range(185.0, 205.0);
        grass(s, from, light);
    }
}

/// One tower with a grid or bands of windows.
fn tower(s: &mut Scene, (x0, top, width): (f32, f32, f32), wall: Rgb, bright: bool) {
    let (px, py) = (s.dice.range(6.0, 13.0), s.dice.range(7.0, 15.0));
    let bands = s.dice.below(4);
    let glass = if bright { wall * 0.45 } else { wall.tint(0.45) };
    let seed = s.dice.seed();
    s.canvas.lay((x0, top, x0 + width, SIZE), |x, y| {
        let (u, v) = ((x - x0) / px, (y - top) / py);
        let on = |t: f32| smoothstep(0.2, 0.28, t.fract()) * smoothstep(0.9, 0.82, t.fract());
        let pane = match bands {
            0 => on(v),
            1 => on(u),
            _ => on(u) * on(v),
        };
        let sheen = 0.8 + 0.4 * grain(u as i32, v as i32, seed);
        let edge = (x - x0).min(x0 + width - x).min(y - top);
        (
            if edge < 3.0 { wall } else { wall.mix(glass * sheen, pane) } * (1.06 - 0.14 * (x - x0) / width),
            1.0,
        )
    });
    if s.dice.chance(0.3) {
        let f = Frame::new(x0 + width / 2.0, top, 10.0);
        s.canvas.form(
            &f,
            3.0,
            |u, v| slab(u, v + 1.0, 0.08, 1.2, 0.0).min(ellipse(u, v, 0.5, 0.3)),
            |_, _, _| wall * 0.7,
        );
    }
}
