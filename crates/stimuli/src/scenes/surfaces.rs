//! Scenes that are mostly surface: quilts, walls, floors, woodpiles, roofs, fences, ripples.

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, leaf_green, vivid};
use super::form::{disc, ellipse, length, polygon, slab};
use super::landscape::{any_mood, daylight, grass, sky};
use super::material::{Material, PRINTS, Pattern};
use super::noise::{cells, fbm, noise};
use super::{outdoors, plants, things};
use crate::maths::{angle_turns, sin_turns, smoothstep};

/// A quilt sewn from patches of different prints.
pub fn quilt(s: &mut Scene) {
    let n = s.dice.count(2, 4);
    let palette = s.palette;
    let patches: Vec<Material> = (0..n * n)
        .map(|_| {
            let period = s.dice.range(9.0, 24.0);
            if s.dice.chance(0.25) {
                Material::plain(s.dice.pick(&palette))
            } else {
                Material::new(s.dice.pick(&PRINTS), &s.dice, &palette, period)
            }
        })
        .collect();
    let (size, seed, tilt) = (SIZE / n as f32, s.dice.seed(), s.dice.range(-0.04, 0.04));
    let diamond = s.dice.chance(0.25);
    s.canvas.cover(|x, y| {
        let (x, y) = (x + tilt * (y - 112.0), y - tilt * (x - 112.0));
        let (u, v) = if diamond { ((x + y) * 0.7, (x - y) * 0.7 + 112.0) } else { (x, y) };
        let (i, j) = ((u / size).rem_euclid(n as f32), (v / size).rem_euclid(n as f32));
        let (du, dv) = ((i.fract() - 0.5).abs(), (j.fract() - 0.5).abs());
        let seam = smoothstep(0.5, 0.46, du.max(dv));
        let puff = 0.85 + 0.22 * noise(x / 14.0, y / 14.0, seed);
        patches[i as usize % n * n + j as usize % n].at(x, y) * (0.55 + 0.45 * seam) * puff
    });
}

/// Two or three folded cloths or papers side by side.
pub fn fabrics(s: &mut Scene) {
    let palette = s.palette;
    let count = s.dice.count(2, 4);
    let cloths: Vec<Material> = (0..count).map(|_| Material::print(&s.dice, &palette, 0.1)).collect();
    let (seed, waves, upright) = (s.dice.seed(), s.dice.range(30.0, 80.0), s.dice.chance(0.5));
    let depth = s.dice.range(0.1, 0.4);
    s.canvas.cover(|x, y| {
        let t = (if upright { x } else { y }) / SIZE * count as f32 + 0.15 * noise(x / 60.0, y / 60.0, seed);
        let cloth = cloths[(t as usize).min(count - 1)];
        let fold = fbm(x / waves, y / waves * 0.6, 2, seed);
        let slope = fold - fbm((x - 4.0) / waves, (y - 3.0) / waves * 0.6, 2, seed);
        let seam = smoothstep(0.0, 0.08, t.fract());
        cloth.at(x + 26.0 * fold, y + 18.0 * fold) * (0.9 + depth * 12.0 * slope) * (0.7 + 0.3 * seam)
    });
}

/// A wall with a plant, a poster, a lamp or a hole in it.
pub fn wall_piece(s: &mut Scene) {
    let palette = s.palette;
    let wall = Material::masonry(&s.dice, &palette);
    let (seed, rough) = (s.dice.seed(), s.dice.range(0.0, 0.3));
    s.canvas.cover(|x, y| wall.at(x, y) * (1.0 - rough * fbm(x / 40.0, y / 40.0, 4, seed)));
    match s.dice.below(4) {
        0 => {
            let plaster = s.dice.pick(&palette).tint(0.4);
            let cover = s.dice.range(0.42, 0.58);
            s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| {
                let body = fbm(x / 60.0, y / 60.0, 4, seed ^ 5);
                (
                    plaster * (0.92 + 0.1 * noise(x / 5.0, y / 5.0, seed)),
                    smoothstep(cover, cover + 0.015, body),
                )
            });
        }
        1 => {
            let f = Frame::new(s.dice.range(60.0, 164.0), 205.0, s.dice.range(30.0, 42.0));
            plants::potted(s, f);
        }
        2 => {
            let f =
                Frame::new(s.dice.range(65.0, 159.0), s.dice.range(70.0, 150.0), s.dice.range(34.0, 52.0));
            let poster = Material::print(&s.dice, &palette, 0.2);
            let k = f.scale;
            s.canvas.form(
                &f.turned(s.dice.range(-0.03, 0.03)),
                1.6,
                |u, v| slab(u, v, 0.85, 1.1, 0.0),
                |u, v, d| {
                    if d > -0.08 { Rgb::WHITE } else { poster.at(u * k, v * k) }
                },
            );
        }
        _ => {
            let f =
                Frame::new(s.dice.range(65.0, 159.0), s.dice.range(60.0, 165.0), s.dice.range(28.0, 48.0));
            things::clock_face(s, f);
        }
    }
}

/// A floor that runs to the horizon, with things on it.
pub fn floor(s: &mut Scene) {
    let mood = any_mood(s);
    let horizon = s.dice.range(50.0, 100.0);
    sky(s, mood, horizon);
    let light = daylight(mood);
    let palette = s.palette;
    let pattern = s.dice.pick(&[
        Pattern::Checks,
        Pattern::Checks,
        Pattern::Tiles,
        Pattern::Stripes,
        Pattern::Bricks,
        Pattern::Dots,
        Pattern::Honeycomb,
    ]);
    let tiles = Material::new(pattern, &s.dice, &palette, s.dice.range(22.0, 44.0));
    let turn = s.dice.range(-0.06, 0.06);
    s.canvas.lay((0.0, horizon, SIZE, SIZE), |x, y| {
        let z = 60.0 / (y - horizon + 1.5);
        let (u, v) = ((x - 112.0) * z, z * 160.0);
        let far = smoothstep(1.2, 4.0, z);
        ((tiles.at(u + turn * v, v - turn * u).mix(tiles.mean(), far) * (1.05 - 0.1 * far)).lit(light), 1.0)
    });
    let count = s.dice.count(0, 4);
    for (x, y) in s.places(count, (30.0, 194.0), (horizon + 45.0, 208.0), 42.0) {
        things::any(s, Frame::new(x, y, 10.0 + 0.27 * (y - horizon)));
    }
}

/// A pile of logs with their cut ends towards the viewer, in a yard.
pub fn logs(s: &mut Scene) {
    let mood = any_mood(s);
    let floor = s.dice.range(165.0, 205.0);
    sky(s, mood, floor - 30.0);
    let light = daylight(mood);
    let wood_behind = leaf_green(&s.dice).shade(0.3).lit(light);
    super::landscape::ridge(s, floor - 20.0, 40.0, 40.0, |x, y, _| {
        wood_behind * (0.8 + 0.4 * noise(x / 4.0, y / 4.0, 7))
    });
    grass(s, floor - 12.0, light);
    let bark = Rgb::hsl(0.07, 0.35, 0.18).lit(light);
    let wood = Rgb::hsl(s.dice.range(0.07, 0.11), s.dice.range(0.4, 0.6), s.dice.range(0.5, 0.66)).lit(light);
    let size = s.dice.range(12.0, 26.0);
    let (from, to) = (s.dice.range(-10.0, 70.0), s.dice.range(140.0, 240.0));
    let rows = s.dice.count(2, 5);
    for row in 0..rows {
        let y = floor - size - 1.74 * size * row as f32;
        let inset = size * row as f32;
        let mut x = from + inset;
        while x < to - inset {
            let f = Frame::new(x, y, size * s.dice.range(0.88, 1.0));
            log_end(s, f, wood, bark);
            x += size * 2.0;
        }
    }
}

fn log_end(s: &mut Scene, f: Frame, wood: Rgb, bark: Rgb) {
    let (seed, tone) = (s.dice.seed(), wood.vary(&s.dice, 0.07));
    let rings = s.dice.range(3.5, 6.5);
    s.canvas.form(
        &f,
        1.1,
        |u, v| disc(u, v, 1.0),
        |u, v, d| {
            if d > -0.13 {
                return bark * (0.7 + 0.6 * noise(angle_turns(v, u) * 30.0, 0.0, seed));
            }
            let r = length(u - 0.06, v - 0.04) + 0.1 * noise(u * 2.0, v * 2.0, seed);
            tone * (0.9 + 0.12 * sin_turns(r * rings)) * (1.05 - 0.15 * r)
        },
    );
}

/// A tiled roof with a chimney or a cat's-eye window, under the sky.
pub fn roof(s: &mut Scene) {
    let mood = any_mood(s);
    sky(s, mood, 140.0);
    let light = daylight(mood);
    let palette = s.palette;
    let clay = Rgb::hsl(
        s.dice.pick(&[0.02, 0.03, 0.05, 0.58, 0.9]),
        s.dice.range(0.25, 0.6),
        s.dice.range(0.35, 0.5),
    )
    .lit(light);
    let tiles = Material::new(Pattern::Scales, &s.dice, &palette, s.dice.range(14.0, 30.0))
        .turned(0.0)
        .coloured(clay * 0.65, clay.tint(0.15));
    let (top, slant) = (s.dice.range(30.0, 110.0), s.dice.range(-0.4, 0.4));
    let chimney = Frame::new(s.dice.range(40.0, 184.0), top + 14.0, 18.0);
    let brick = Material::new(Pattern::Bricks, &s.dice, &palette, 12.0)
        .turned(0.0)
        .coloured(Rgb(0.6, 0.28, 0.2).lit(light), Rgb(0.8, 0.75, 0.7).lit(light));
    s.canvas.form(
        &chimney,
        3.0,
        |u, v| slab(u, v + 0.8, 0.75, 1.4, 0.0).min(slab(u, v + 2.1, 0.95, 0.18, 0.0)),
        |u, v, _| brick.at(u * 18.0, v * 18.0),
    );
    s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| {
        let edge = top + slant * (x - 112.0);
        let ridge = if y - edge < 6.0 { 1.25 } else { 1.0 };
        (tiles.at(x, y) * ridge, smoothstep(-0.7, 0.7, y - edge))
    });
    if s.dice.chance(0.6) {
        let f = Frame::new(s.dice.range(55.0, 169.0), s.dice.range(140.0, 180.0), s.dice.range(24.0, 36.0));
        let glow = if light.0 < 0.6 { Rgb(1.0, 0.85, 0.45) } else { Rgb(0.35, 0.48, 0.6) };
        let gable = [(0.0, -1.3), (1.1, -0.5), (-1.1, -0.5)];
        s.canvas.form(
            &f,
            1.4,
            |u, v| slab(u, v, 0.8, 0.7, 0.0),
            |u, v, d| {
                if d > -0.14 || u.abs() < 0.05 || v.abs() < 0.05 { Rgb::WHITE.lit(light) } else { glow }
            },
        );
        s.canvas.form(&f, 1.6, |u, v| polygon(u, v, &gable), |_, _, _| clay * 0.8);
    }
}

/// A fence of boards or bars before a garden.
pub fn fence(s: &mut Scene) {
    let mood = any_mood(s);
    let horizon = s.dice.range(70.0, 120.0);
    sky(s, mood, horizon);
    let light = daylight(mood);
    grass(s, horizon, light);
    for _ in 0..s.dice.count(1, 3) {
        let f = Frame::new(
            s.dice.range(10.0, 214.0),
            s.dice.range(horizon + 10.0, 150.0),
            s.dice.range(30.0, 50.0),
        );
        super::trees::broadleaf(s, f, light);
    }
    outdoors::flower_dots(s, horizon + 20.0);
    let colour = (if s.dice.chance(0.5) { Rgb::WHITE } else { vivid(&s.dice).shade(0.2) }).lit(light);
    let (step, wide, top) = (s.dice.range(14.0, 30.0), s.dice.range(0.3, 0.62), s.dice.range(90.0, 150.0));
    let foot = top + s.dice.range(55.0, 85.0);
    let slant = s.dice.range(-0.12, 0.12);
    s.canvas.lay((0.0, top - 25.0, SIZE, SIZE), |x, y| {
        let rise = y + slant * (x - 112.0);
        let t = (x / step).fract() - 0.5;
        let pale = t.abs() < wide / 2.0 && rise > top - 9.0 + 18.0 * t.abs() && rise < foot;
        let rail = (rise - top - 14.0).abs() < 4.0 || (rise - foot + 16.0).abs() < 4.0;
        let shade = if pale { 1.0 - 0.5 * t } else { 0.8 };
        (colour * shade, if pale || rail { 1.0 } else { 0.0 })
    });
}

/// Rings on water, with leaves of water lilies.
pub fn ripples(s: &mut Scene) {
    let water = Rgb::hsl(s.dice.range(0.45, 0.64), s.dice.range(0.35, 0.7), s.dice.range(0.25, 0.45));
    let sources: Vec<(f32, f32, f32)> = (0..s.dice.count(1, 3))
        .map(|_| (s.dice.range(20.0, 204.0), s.dice.range(20.0, 204.0), s.dice.range(9.0, 20.0)))
        .collect();
    let (seed, reach) = (s.dice.seed(), s.dice.range(50.0, 130.0));
    s.canvas.cover(|x, y| {
        let mut wave = 0.6 * (fbm(x / 30.0, y / 18.0, 3, seed) - 0.5);
        for (cx, cy, period) in &sources {
            let d = length(x - cx, (y - cy) * 1.3);
            wave += sin_turns(d / period) * smoothstep(reach, 0.0, d);
        }
        (water * (1.0 + 0.45 * wave)).mix(Rgb::WHITE, smoothstep(0.7, 1.3, wave) * 0.6)
    });
    let green = leaf_green(&s.dice);
    let count = s.dice.count(0, 6);
    for (x, y) in s.places(count, (20.0, 204.0), (20.0, 204.0), 45.0) {
        let f = Frame::new(x, y, s.dice.range(14.0, 26.0)).turned(s.dice.unit());
        s.canvas.form(
            &f,
            1.1,
            |u, v| disc(u, v, 1.0).max(0.12 + 0.5 * u - v.abs()),
            |u, v, _| green * (0.9 + 0.12 * sin_turns(angle_turns(v, u) * 9.0)),
        );
        if s.dice.chance(0.4) {
            let petal = vivid(&s.dice).tint(0.4);
            s.canvas.form(
                &f,
                1.0,
                |u, v| super::form::star(u, v, 8.0, 0.25, 0.6, false),
                |u, v, _| petal * (0.75 + 0.5 * length(u, v)),
            );
        }
    }
}

/// Pebbles, shells and starfish on a beach.
pub fn shingle(s: &mut Scene) {
    let palette = s.palette;
    let size = s.dice.range(18.0, 46.0);
    let (seed, light) = (s.dice.seed(), s.light);
    let (a, b) = (s.dice.pick(&palette).tint(0.2), Rgb::hsl(0.08, 0.1, 0.5));
    let edge = s.dice.range(60.0, 165.0);
    s.canvas.cover(|x, y| {
        let c = cells(x / size, y / size, 0.8, seed);
        let round = smoothstep(0.02, 0.2, c.gap);
        let stone = b.mix(a, c.id)
            * (0.75 + 0.35 * noise(x / 4.0, y / 4.0, seed))
            * (1.1 + 0.5 * (c.offset.0 * light.0 + c.offset.1 * light.1));
        let pebbles = Rgb(0.1, 0.09, 0.09).mix(stone, round);
        let sand = Rgb::hsl(0.11, 0.45, 0.7) * (0.9 + 0.2 * noise(x / 1.5, y / 1.5, seed));
        sand.mix(pebbles, smoothstep(-3.0, 3.0, y - edge + 10.0 * noise(x / 25.0, 0.0, seed)))
    });
    let count = s.dice.count(0, 3);
    for (x, y) in s.places(count, (40.0, 184.0), (30.0, 194.0), 60.0) {
        let f = Frame::new(x, y, s.dice.range(18.0, 34.0)).turned(s.dice.unit());
        let colour = vivid(&s.dice).tint(0.15);
        s.canvas.shadow(&f.at(0.1, 0.1, 1.0), 1.2, 0.3, 0.4, |u, v| {
            super::form::star(u, v, 5.0, 0.35, 1.0, true)
        });
        if s.dice.chance(0.5) {
            s.canvas.form(
                &f,
                1.1,
                |u, v| super::form::star(u, v, 5.0, 0.35, 1.0, true),
                |u, v, _| colour * (0.8 + 0.25 * noise(u * 9.0, v * 9.0, seed)),
            );
        } else {
            s.canvas.form(
                &f,
                1.1,
                |u, v| ellipse(u, v, 0.9, 0.75),
                |u, v, _| {
                    colour.mix(Rgb::WHITE, 0.5 + 0.5 * sin_turns(angle_turns(v - 0.8, u) * 18.0))
                        * (1.0 - 0.2 * v)
                },
            );
        }
    }
}
