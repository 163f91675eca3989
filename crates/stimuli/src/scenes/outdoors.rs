//! Things that stand in landscapes: houses, mills, boats, lighthouses, balloons, flowers, birds.

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, vivid};
use super::form::{ball, cylinder, disc, ellipse, polygon, slab, stroke};
use super::material::{Material, Pattern};
use super::noise::noise;
use super::trees;
use crate::maths::{cos_turns, sin_turns, smoothstep};

/// A house or two with trees around them, standing on the land below `horizon`.
pub fn homestead(s: &mut Scene, horizon: f32, light: Rgb) {
    for _ in 0..s.dice.count(1, 3) {
        let (x, y) = (s.dice.range(30.0, 194.0), s.dice.range(horizon + 22.0, horizon + 58.0).min(208.0));
        house(s, Frame::new(x, y, 16.0 + 0.4 * (y - horizon)), light);
    }
    for _ in 0..s.dice.count(0, 3) {
        let (x, y) = (s.dice.range(5.0, 219.0), s.dice.range(horizon + 25.0, horizon + 65.0).min(212.0));
        trees::broadleaf(s, Frame::new(x, y, 18.0 + 0.3 * (y - horizon)), light);
    }
}

/// A small house, foot at the centre, 2 units wide and about 2 high.
pub fn house(s: &mut Scene, f: Frame, light: Rgb) {
    let wall = Rgb::hsl(s.dice.unit(), s.dice.range(0.05, 0.5), s.dice.range(0.7, 0.9)).lit(light);
    let roof =
        Rgb::hsl(s.dice.pick(&[0.0, 0.02, 0.04, 0.6]), s.dice.range(0.4, 0.7), s.dice.range(0.3, 0.45))
            .lit(light);
    let tiles = s.dice.range(5.0, 9.0);
    let night = light.0 < 0.6;
    let glass = if night { Rgb(1.0, 0.85, 0.45) } else { Rgb(0.3, 0.4, 0.5) };
    s.canvas.form(&f, 1.5, |u, v| slab(u, v + 0.55, 0.95, 0.6, 0.0), |u, _, _| wall * (1.0 - 0.1 * u));
    let gable = [(-0.75, -1.95), (0.75, -1.95), (1.2, -1.0), (-1.2, -1.0)];
    s.canvas.form(
        &f,
        2.2,
        |u, v| polygon(u, v, &gable),
        |_, v, _| roof * (0.85 + 0.2 * sin_turns(v * tiles)),
    );
    s.canvas.form(&f, 2.5, |u, v| slab(u - 0.55, v + 2.0, 0.13, 0.3, 0.0), |_, _, _| roof * 0.8);
    for (x, y) in [(-0.55, -0.65), (0.55, -0.65)] {
        let window = f.at(x, y, 1.0);
        s.canvas.form(
            &window,
            0.5,
            |u, v| slab(u, v, 0.24, 0.24, 0.0),
            |u, v, _| {
                if u.abs() < 0.03 || v.abs() < 0.03 || u.abs().max(v.abs()) > 0.2 {
                    Rgb::WHITE * light.1
                } else {
                    glass
                }
            },
        );
    }
    s.canvas.form(&f, 0.9, |u, v| slab(u, v + 0.35, 0.17, 0.38, 0.02), |_, _, _| roof * 0.7);
}

/// A windmill on a rise.
pub fn windmill_hill(s: &mut Scene, horizon: f32, light: Rgb) {
    let (x, size) = (s.dice.range(50.0, 174.0), s.dice.range(26.0, 44.0));
    let f = Frame::new(x, horizon + 30.0, size);
    let wall = Rgb::WHITE.vary(&s.dice, 0.1).lit(light);
    let lamp = s.light;
    let body = [(-0.32, -1.7), (0.32, -1.7), (0.55, 0.0), (-0.55, 0.0)];
    s.canvas.form(&f, 1.9, |u, v| polygon(u, v, &body), |u, _, _| cylinder(wall, u * 1.9, lamp, 0.0));
    let cap = vivid(&s.dice).shade(0.3).lit(light);
    s.canvas.form(&f, 2.4, |u, v| ellipse(u, v + 1.75, 0.4, 0.35).max(v + 1.65), |_, _, _| cap);
    let turn = s.dice.range(0.03, 0.22);
    let sail = Rgb::WHITE.lit(light);
    for arm in 0..4 {
        let vane = f.at(0.0, -1.75, 1.0).turned(turn + 0.25 * arm as f32);
        s.canvas.form(
            &vane,
            1.6,
            |u, v| slab(u - 0.13, v + 0.8, 0.17, 0.62, 0.0),
            |u, v, _| {
                let lattice = sin_turns(u * 8.0).max(sin_turns(v * 7.0));
                sail.mix(Rgb::hex(0x6B4A33), smoothstep(0.6, 0.8, lattice))
            },
        );
        s.canvas.form(
            &vane,
            1.6,
            |u, v| slab(u, v + 0.72, 0.04, 0.72, 0.0),
            |_, _, _| Rgb::hex(0x4A3424) * light.1,
        );
    }
}

/// A sailing boat on the water, waterline at the centre, about 2 units high.
pub fn sailing_boat(s: &mut Scene, f: Frame, light: Rgb) {
    let hull = (s.dice.pick(&s.palette)).lit(light);
    let palette = s.palette;
    let plain = s.dice.chance(0.5);
    let mut cloth = Material::print(&s.dice, &palette, 0.2);
    if plain {
        cloth = Material::plain(Rgb::WHITE);
    }
    let lean = s.dice.range(-0.02, 0.02);
    let k = f.scale;
    let f = f.turned(lean);
    let body = [(-0.95, -0.22), (1.05, -0.22), (0.7, 0.12), (-0.7, 0.12)];
    s.canvas.form(
        &f,
        1.2,
        |u, v| polygon(u, v, &body),
        |_, v, _| if v < -0.12 { Rgb::WHITE * light.1 } else { hull },
    );
    s.canvas.form(&f, 2.2, |u, v| slab(u, v + 1.1, 0.025, 0.9, 0.0), |_, _, _| Rgb::hex(0x5B4636) * light.1);
    let main = [(0.06, -1.95), (0.95, -0.4), (0.06, -0.4)];
    let fore = [(-0.06, -1.7), (-0.06, -0.4), (-0.8, -0.4)];
    s.canvas.form(
        &f,
        2.2,
        |u, v| polygon(u, v, &main),
        |u, v, _| cloth.at(u * k, v * k).lit(light) * (1.0 - 0.2 * u),
    );
    s.canvas.form(&f, 2.2, |u, v| polygon(u, v, &fore), |u, _, _| (Rgb::WHITE * (0.95 + 0.2 * u)).lit(light));
}

/// Sand along the lower edge, with parasols and balls.
pub fn beach(s: &mut Scene, light: Rgb) {
    let from = s.dice.range(165.0, 190.0);
    let sand = Rgb::hsl(0.11, 0.5, 0.74).lit(light);
    let seed = s.dice.seed();
    s.canvas.lay((0.0, from - 12.0, SIZE, SIZE), |x, y| {
        let edge = from - 6.0 + 8.0 * noise(x / 40.0, 0.3, seed);
        let foam = smoothstep(5.0, 0.0, (y - edge).abs());
        (
            (sand * (0.92 + 0.14 * noise(x / 2.0, y / 2.0, seed))).mix(Rgb::WHITE, 0.8 * foam),
            smoothstep(-2.0, 1.0, y - edge),
        )
    });
    for _ in 0..s.dice.count(1, 3) {
        let frame =
            Frame::new(s.dice.range(30.0, 194.0), s.dice.range(from + 8.0, 218.0), s.dice.range(24.0, 38.0));
        parasol(s, frame);
    }
    if s.dice.chance(0.5) {
        let frame =
            Frame::new(s.dice.range(20.0, 204.0), s.dice.range(from + 14.0, 214.0), s.dice.range(7.0, 12.0));
        beach_ball(s, frame);
    }
}

/// A striped parasol, foot at the centre, about 2 units high.
pub fn parasol(s: &mut Scene, f: Frame) {
    let (a, b) = (vivid(&s.dice), if s.dice.chance(0.6) { Rgb::WHITE } else { vivid(&s.dice) });
    let f = f.turned(s.dice.range(-0.05, 0.05));
    s.canvas.form(&f, 2.0, |u, v| slab(u, v + 0.9, 0.03, 0.9, 0.0), |_, _, _| Rgb::WHITE * 0.8);
    let panels = s.dice.pick(&[4.0, 5.0, 6.0]);
    s.canvas.form(
        &f.at(0.0, -1.2, 1.0),
        1.2,
        |u, v| disc(u, v * 1.2, 1.0).max(v - 0.02 + 0.05 * cos_turns(u * panels)),
        |u, v, _| {
            // Panels as seen from the side: narrow towards the rims.
            let half = (1.0 - (v * 1.2) * (v * 1.2)).max(0.01).sqrt();
            let across = crate::maths::angle_turns(
                (u / half).clamp(-1.0, 1.0),
                (1.0 - (u / half) * (u / half)).max(0.0).sqrt(),
            );
            let t = smoothstep(-0.1, 0.1, sin_turns(across * panels));
            a.mix(b, t) * (0.95 - 0.18 * u)
        },
    );
}

/// A ball in coloured segments.
pub fn beach_ball(s: &mut Scene, f: Frame) {
    let colours = [vivid(&s.dice), Rgb::WHITE, vivid(&s.dice), Rgb::WHITE, vivid(&s.dice), Rgb::WHITE];
    let turn = s.dice.unit();
    let (cu, cv) = (s.dice.range(-0.4, 0.4), s.dice.range(-0.4, 0.4));
    let light = s.light;
    s.canvas.shadow(&f.at(0.15, 0.75, 1.0), 1.2, 0.5, 0.35, |u, v| ellipse(u, v, 0.9, 0.25));
    s.canvas.form(
        &f,
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, _| {
            let sector = (crate::maths::angle_turns(v - cv, u - cu) + turn + 1.0) * 6.0;
            ball(colours[sector as usize % 6], u, v, light, 0.6)
        },
    );
}

/// A lighthouse on a rock.
pub fn lighthouse_rock(s: &mut Scene, light: Rgb) {
    let x = s.dice.range(50.0, 174.0);
    let rock = Rgb::hsl(0.08, 0.15, 0.33).lit(light);
    let seed = s.dice.seed();
    let f = Frame::new(x, s.dice.range(160.0, 200.0), s.dice.range(40.0, 62.0));
    s.canvas.form(
        &f,
        1.6,
        |u, v| ellipse(u, v - 0.35, 1.3, 0.55) + 0.15 * (noise(u * 4.0, v * 4.0, seed) - 0.5),
        |u, v, _| rock * (0.6 + 0.8 * noise(u * 6.0, v * 6.0, seed)),
    );
    let (a, b) = (vivid(&s.dice).lit(light), Rgb::WHITE.lit(light));
    let (lamp, bands) = (s.light, s.dice.range(1.6, 2.6));
    let tower = [(-0.2, -1.9), (0.2, -1.9), (0.36, 0.0), (-0.36, 0.0)];
    s.canvas.form(
        &f,
        2.0,
        |u, v| polygon(u, v, &tower),
        |u, v, _| cylinder(a.mix(b, smoothstep(-0.08, 0.08, sin_turns(v * bands))), u * 3.0, lamp, 0.1),
    );
    s.canvas.form(&f, 2.3, |u, v| slab(u, v + 2.0, 0.17, 0.13, 0.0), |_, _, _| Rgb(1.0, 0.93, 0.6));
    s.canvas.form(&f, 2.6, |u, v| polygon(u, v, &[(0.0, -2.42), (0.24, -2.12), (-0.24, -2.12)]), |_, _, _| a);
    s.canvas.form(&f, 2.3, |u, v| slab(u, v + 1.87, 0.27, 0.04, 0.0), |_, _, _| Rgb::BLACK);
}

/// Hot-air balloons in the sky.
pub fn balloons(s: &mut Scene, horizon: f32) {
    for _ in 0..s.dice.count(1, 4) {
        let size = s.dice.range(13.0, 42.0);
        let (x, y) = (s.dice.range(25.0, 199.0), s.dice.range(size, horizon.max(size + 20.0)));
        hot_air_balloon(s, Frame::new(x, y, size));
    }
}

/// A hot-air balloon with gores or a print; the envelope has radius 1.
pub fn hot_air_balloon(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let (a, b) = (vivid(&s.dice), if s.dice.chance(0.5) { Rgb::WHITE } else { vivid(&s.dice) });
    let gores = s.dice.chance(0.65);
    let print = Material::new(
        s.dice.pick(&[Pattern::Stripes, Pattern::Zigzag, Pattern::Checks]),
        &s.dice,
        &palette,
        9.0,
    );
    let print = print.turned(0.0).coloured(a, b);
    let (n, k, light) = (s.dice.pick(&[3.0, 4.0, 5.0]), f.scale, s.light);
    s.canvas.form(
        &f,
        1.7,
        |u, v| {
            disc(u, v, 1.0).min(polygon(u, v, &[(-0.93, 0.37), (0.93, 0.37), (0.22, 1.25), (-0.22, 1.25)]))
        },
        |u, v, _| {
            let half = if v < 0.37 { (1.0 - v * v).max(0.02).sqrt() } else { 0.93 - (v - 0.37) * 0.8 };
            let across = (u / half).clamp(-1.0, 1.0);
            let angle = crate::maths::angle_turns(across, (1.0 - across * across).max(0.0).sqrt());
            let cloth = if gores {
                a.mix(b, smoothstep(-0.12, 0.12, sin_turns(angle * n * 2.0)))
            } else {
                print.at(u * k, v * k)
            };
            cylinder(cloth, across * 0.95, light, 0.1)
        },
    );
    for side in [-1.0, 1.0] {
        s.canvas.form(
            &f,
            1.9,
            |u, v| stroke(u, v, (side * 0.2, 1.25), (side * 0.13, 1.5), 0.015, 0.015),
            |_, _, _| Rgb::BLACK,
        );
    }
    s.canvas.form(&f, 1.9, |u, v| slab(u, v - 1.6, 0.16, 0.12, 0.03), |_, _, _| Rgb::hex(0x8B5A2B));
}

/// Flowers in the grass, as dots that grow towards the viewer.
pub fn flower_dots(s: &mut Scene, from: f32) {
    let colours = [vivid(&s.dice), vivid(&s.dice), Rgb::WHITE];
    let kinds = s.dice.count(1, 3);
    let count = s.dice.count(40, 140);
    for i in 0..count {
        let y = from + (SIZE - from) * (i as f32 / count as f32);
        let x = s.dice.range(0.0, SIZE);
        let near = (y - from) / (SIZE - from);
        let colour = colours[s.dice.below(kinds)].vary(&s.dice, 0.08);
        let f = Frame::new(x, y, 1.2 + 4.8 * near * near);
        let heart = Rgb(0.98, 0.8, 0.2);
        s.canvas.form(
            &f,
            1.2,
            |u, v| disc(u, v * 1.25, 1.0),
            |u, v, _| if disc(u, v * 1.25, 0.35) < 0.0 { heart } else { colour },
        );
    }
}

/// A flight of birds.
pub fn birds(s: &mut Scene, horizon: f32) {
    let (cx, cy) = (s.dice.range(40.0, 184.0), s.dice.range(15.0, horizon * 0.7));
    for _ in 0..s.dice.count(3, 9) {
        let f = Frame::new(cx + 22.0 * s.dice.normal(), cy + 12.0 * s.dice.normal(), s.dice.range(4.0, 8.0));
        s.canvas.form(
            &f,
            1.4,
            |u, v| {
                stroke(u.abs(), v, (0.0, 0.15), (0.45, -0.25), 0.13, 0.1).min(stroke(
                    u.abs(),
                    v,
                    (0.45, -0.25),
                    (1.1, 0.0),
                    0.1,
                    0.04,
                ))
            },
            |_, _, _| Rgb::BLACK.tint(0.1),
        );
    }
}

/// A round stone or boulder of radius 1.
pub fn boulder(s: &mut Scene, f: Frame, colour: Rgb) {
    let (seed, light) = (s.dice.seed(), s.light);
    s.canvas.form(
        &f,
        1.3,
        |u, v| ellipse(u, v, 1.0, 0.75) + 0.2 * (noise(u * 2.0, v * 2.0, seed) - 0.5),
        |u, v, _| ball(colour * (0.7 + 0.5 * noise(u * 5.0, v * 5.0, seed)), u * 0.9, v, light, 0.0),
    );
}
