//! Indoor scenes: things on tables and shelves before walls.

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, leaf_green, vivid};
use super::form::{ellipse, polygon, slab};
use super::material::{Material, PRINTS, Pattern};
use super::noise::{fbm, noise};
use super::{fruit, plants, things};
use crate::dice::Dice;
use crate::maths::{sin_turns, smoothstep};

const WOOD: Rgb = Rgb::hex(0xA9713F);

/// Wooden boards of some kind of tree.
fn wood(dice: &Dice, period: f32) -> Material {
    let tone = Rgb::hsl(dice.range(0.05, 0.1), dice.range(0.3, 0.6), dice.range(0.25, 0.6));
    Material::new(Pattern::Planks, dice, &[tone; 5], period)
        .turned(dice.pick(&[0.0, 0.25]))
        .coloured(tone, tone.shade(0.5))
}

/// A wall: paint, paper with a print, bricks or boards.
fn wall(s: &mut Scene) {
    let palette = s.palette;
    let material = match s.dice.below(6) {
        0 | 1 => Material::plain(s.dice.pick(&palette).tint(s.dice.range(0.0, 0.5))),
        2 => Material::masonry(&s.dice, &palette),
        3 => wood(&s.dice, 30.0),
        _ => {
            let print = Material::new(s.dice.pick(&PRINTS), &s.dice, &palette, s.dice.range(12.0, 30.0));
            let quiet = print.ground.mix(print.figure, s.dice.range(0.25, 0.8));
            print.coloured(print.ground, quiet)
        }
    };
    let (seed, from) = (s.dice.seed(), s.dice.range(-0.3, 0.3));
    s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| {
        let light = 1.05 - 0.2 * ((x / SIZE - 0.5 + from).abs() + 0.4 * y / SIZE)
            + 0.03 * noise(x / 60.0, y / 60.0, seed);
        (material.at(x, y) * light, 1.0)
    });
}

/// A table top from a line down: boards or a cloth seen at a slant.
fn table(s: &mut Scene, edge: f32) {
    let palette = s.palette;
    let top = match s.dice.below(5) {
        0 | 1 => wood(&s.dice, 26.0),
        2 => Material::plain(s.dice.pick(&palette)),
        3 => Material::new(
            s.dice.pick(&[Pattern::Marble, Pattern::Tiles, Pattern::Terrazzo]),
            &s.dice,
            &palette,
            26.0,
        ),
        _ => Material::new(s.dice.pick(&PRINTS), &s.dice, &palette, s.dice.range(16.0, 30.0)),
    };
    let drop = s.dice.range(205.0, 260.0);
    s.canvas.lay((0.0, edge, SIZE, SIZE), |x, y| {
        let depth = 1.0 + (y - edge) / 160.0;
        let (u, v) = ((x - 112.0) / depth, (y - edge) * 1.9 / depth);
        let colour = if y > drop { top.at(u, v) * 0.75 } else { top.at(u, v) };
        (colour * (0.92 + 0.1 * (y - edge) / 80.0), 1.0)
    });
    s.canvas.lay((0.0, edge - 8.0, SIZE, edge), |_, y| (Rgb::BLACK, 0.25 * smoothstep(edge - 8.0, edge, y)));
}

/// Something on the wall: a picture, a clock, a window, a shelf.
fn on_the_wall(s: &mut Scene, edge: f32) {
    let (x, y) = (s.dice.range(45.0, 179.0), edge * s.dice.range(0.32, 0.5));
    match s.dice.below(5) {
        0 => picture_frame(s, Frame::new(x, y, s.dice.range(22.0, 34.0))),
        1 => {
            let f = Frame::new(x, y, s.dice.range(20.0, 32.0));
            s.canvas.shadow(&f.at(0.1, 0.15, 1.0), 1.2, 0.25, 0.35, |u, v| super::form::disc(u, v, 1.0));
            things::clock_face(s, f);
        }
        2 => window(s, Frame::new(x, y, s.dice.range(30.0, 42.0))),
        3 => curtain(s, edge),
        _ => {}
    }
}

fn picture_frame(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let art = Material::print(&s.dice, &palette, 0.2);
    let rim = if s.dice.chance(0.5) { WOOD } else { Rgb::BLACK };
    let wide = s.dice.range(0.8, 1.3);
    let k = f.scale;
    s.canvas.shadow(&f.at(0.1, 0.15, 1.0), wide + 0.5, 0.2, 0.35, |u, v| slab(u, v, wide, 1.0, 0.0));
    s.canvas.form(
        &f,
        wide + 0.3,
        |u, v| slab(u, v, wide, 1.0, 0.0),
        |u, v, d| {
            if d > -0.12 {
                rim * (1.0 + 0.3 * (u - v) * 0.3)
            } else if d > -0.28 {
                Rgb::WHITE
            } else {
                art.at(u * k, v * k)
            }
        },
    );
}

fn window(s: &mut Scene, f: Frame) {
    let sky = Rgb::hsl(0.56, 0.7, s.dice.range(0.55, 0.8));
    let hill = leaf_green(&s.dice);
    let seed = s.dice.seed();
    s.canvas.form(
        &f,
        1.6,
        |u, v| slab(u, v, 0.95, 1.15, 0.0),
        |u, v, d| {
            if d > -0.1 || u.abs() < 0.05 || (v + 0.1).abs() < 0.05 {
                return Rgb::WHITE;
            }
            let land = v - 0.45 + 0.5 * noise(u * 1.5, 0.0, seed);
            let cloud = smoothstep(0.5, 0.65, fbm(u * 2.0, v * 3.0, 3, seed));
            if land > 0.0 {
                hill * (0.8 + 0.4 * noise(u * 12.0, v * 12.0, seed))
            } else {
                sky.mix(Rgb::WHITE, cloud)
            }
        },
    );
}

fn curtain(s: &mut Scene, edge: f32) {
    let palette = s.palette;
    let cloth = Material::print(&s.dice, &palette, 0.5);
    let (wide, folds, right) = (s.dice.range(50.0, 95.0), s.dice.range(12.0, 22.0), s.dice.chance(0.5));
    s.canvas.lay((0.0, 0.0, SIZE, edge), |x, y| {
        let t = if right { SIZE - x } else { x };
        let fold = sin_turns(t / folds + 0.1 * sin_turns(y / 180.0));
        (
            cloth.at(t + 2.0 * fold, y) * (0.85 + 0.25 * fold),
            smoothstep(wide + 3.0 * fold + 1.0, wide + 3.0 * fold - 1.0, t),
        )
    });
}

/// Things on a table before a wall.
pub fn table_scene(s: &mut Scene) {
    wall(s);
    let edge = s.dice.range(110.0, 160.0);
    on_the_wall(s, edge);
    table(s, edge);
    let count = s.dice.pick(&[1, 2, 3, 3, 4, 5]);
    let gap = 150.0 / count as f32;
    for (x, y) in s.places(count, (34.0, 190.0), (edge + 12.0, 205.0), gap.min(48.0)) {
        let size = match count {
            1 => s.dice.range(46.0, 62.0),
            2 => s.dice.range(34.0, 48.0),
            _ => s.dice.range(24.0, 36.0),
        };
        things::any(s, Frame::new(x, y, size * (0.75 + 0.25 * (y - edge) / 60.0)));
    }
}

/// Fruit on a cloth or in bowls.
pub fn fruit_scene(s: &mut Scene) {
    wall(s);
    let edge = s.dice.range(80.0, 140.0);
    table(s, edge);
    let count = s.dice.count(3, 9);
    for (x, y) in s.places(count, (26.0, 198.0), (edge + 22.0, 212.0), 34.0) {
        let size = s.dice.range(20.0, 30.0) * (0.8 + 0.3 * (y - edge) / 80.0);
        let f = Frame::new(x, y, size);
        if s.dice.chance(0.12) { things::bowl(s, f.at(0.0, 0.0, 1.2)) } else { fruit::fruit(s, f) }
    }
}

/// A bookcase that fills the picture, or a few boards on a wall, with books and things.
pub fn shelves(s: &mut Scene) {
    let board = wood(&s.dice, 24.0);
    let rows = s.dice.count(2, 4);
    let height = SIZE / rows as f32;
    let bookish = s.dice.range(0.1, 0.8);
    if s.dice.chance(0.35) {
        s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| (board.at(x, y) * 0.5, 1.0));
        for row in 1..=rows {
            shelf(s, &board, (0.0, SIZE), row as f32 * height - 8.0, height, bookish);
        }
    } else {
        wall(s);
        let upper = s.dice.chance(0.5);
        for row in if upper { 1..rows } else { rows - 1..rows } {
            let left = s.dice.range(0.0, 70.0);
            let right = s.dice.range(left + 90.0, 260.0);
            shelf(s, &board, (left, right), row as f32 * height, height, bookish);
        }
        if s.dice.chance(0.6) {
            let f = Frame::new(s.dice.range(50.0, 174.0), SIZE - 4.0, 26.0);
            plants::potted(s, f);
        }
    }
}

/// One board from left to right with what stands on it.
fn shelf(s: &mut Scene, board: &Material, (left, right): (f32, f32), floor: f32, height: f32, bookish: f32) {
    let f = Frame::new(0.0, floor, 1.0);
    let mut x = left + s.dice.range(2.0, 10.0);
    while x < right - 10.0 {
        if s.dice.chance(bookish) {
            let run = (x + s.dice.range(25.0, 90.0)).min(right - 6.0);
            while x < run {
                let (width, tall) = (s.dice.range(7.0, 17.0), height * s.dice.range(0.6, 0.86));
                things::book_spine(s, &f, x, width, tall);
                x += width;
            }
            x += s.dice.range(0.0, 30.0);
        } else {
            let size = height * s.dice.range(0.28, 0.36);
            if x + size * 1.5 < right {
                things::any(s, Frame::new(x + size, floor, size));
            }
            x += size * 2.1;
        }
    }
    s.canvas.lay((left, floor, right, floor + 8.0), |x, y| {
        (board.at(x, y * 3.0) * (1.25 - 0.06 * (y - floor)), 1.0)
    });
    s.canvas.lay((left, floor + 8.0, right, floor + 18.0), |_, y| {
        (Rgb::BLACK, 0.4 * smoothstep(floor + 18.0, floor + 8.0, y))
    });
}

/// An armchair, sofa or bed with cushions, in a room.
pub fn room(s: &mut Scene) {
    wall(s);
    let edge = s.dice.range(150.0, 180.0);
    on_the_wall(s, edge * 0.75);
    let palette = s.palette;
    let floor = if s.dice.chance(0.6) {
        wood(&s.dice, 18.0)
    } else {
        Material::new(Pattern::Checks, &s.dice, &palette, 24.0)
    };
    s.canvas.lay((0.0, edge, SIZE, SIZE), |x, y| {
        let depth = 1.0 + (y - edge) / 50.0;
        (floor.at((x - 112.0) / depth * 1.4, (y - edge) * 2.6 / depth) * (0.8 + 0.2 * depth * 0.5), 1.0)
    });
    let carpet = Material::new(s.dice.pick(&PRINTS), &s.dice, &palette, s.dice.range(10.0, 18.0));
    if s.dice.chance(0.6) {
        let f = Frame::new(112.0, (edge + SIZE) / 2.0 + 6.0, 90.0);
        s.canvas.form(
            &f,
            1.2,
            |u, v| ellipse(u, v, 1.05, 0.24),
            |u, v, d| if d > -0.05 { carpet.figure } else { carpet.at(u * 90.0, v * 240.0) },
        );
    }
    let f = Frame::new(s.dice.range(80.0, 144.0), edge + 22.0, s.dice.range(36.0, 50.0));
    sofa(s, f);
    let plant =
        Frame::new(if f.x > 112.0 { f.x - f.scale * 1.9 } else { f.x + f.scale * 1.9 }, edge + 18.0, 15.0);
    if s.dice.chance(0.7) {
        plants::potted(s, plant);
    }
}

fn sofa(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let cloth = Material::print(&s.dice, &palette, 0.45);
    let k = f.scale;
    let wide = s.dice.range(0.9, 1.5);
    let paint = |u: f32, v: f32, light: f32| cloth.at(u * k, v * k) * light;
    s.canvas.shadow(&f, wide + 0.3, 0.2, 0.4, |u, v| slab(u, v, wide, 0.1, 0.0));
    s.canvas.form(
        &f,
        2.0,
        |u, v| slab(u, v + 0.85, wide, 0.6, 0.2),
        |u, v, _| paint(u, v, 0.85 - 0.15 * (v + 0.8)),
    );
    s.canvas.form(
        &f,
        2.0,
        |u, v| slab(u, v + 0.35, wide, 0.25, 0.08),
        |u, v, _| paint(u, v, 1.0 - 0.4 * (v + 0.35)),
    );
    for side in [-1.0, 1.0] {
        s.canvas.form(
            &f.at(side * wide, -0.42, 1.0),
            1.0,
            |u, v| slab(u, v, 0.22, 0.42, 0.18),
            |u, v, _| paint(u, v, 1.05 - 0.25 * u.abs()),
        );
    }
    for _ in 0..s.dice.count(1, 3) {
        let cushion = Material::print(&s.dice, &palette, 0.3);
        let colour = vivid(&s.dice);
        let x = s.dice.range(-wide * 0.7, wide * 0.7);
        let c = f.at(x, -0.8, 0.33).turned(s.dice.range(-0.06, 0.06));
        let puff = [
            (-1.0, -1.0),
            (0.0, -0.86),
            (1.0, -1.0),
            (0.86, 0.0),
            (1.0, 1.0),
            (0.0, 0.86),
            (-1.0, 1.0),
            (-0.86, 0.0),
        ];
        let bright = matches!(cushion.pattern, Pattern::Plain);
        s.canvas.form(
            &c,
            1.4,
            |u, v| slab(u, v, 0.95, 0.95, 0.15).max(polygon(u, v, &[puff[0], puff[2], puff[4], puff[6]])),
            |u, v, d| {
                let base = if bright { colour } else { cushion.at(u * k * 0.33, v * k * 0.33) };
                base * (0.8 + 0.3 * smoothstep(0.0, -0.6, d))
            },
        );
    }
}
