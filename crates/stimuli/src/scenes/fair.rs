//! Wheels, and the fun fair.

use std::f32::consts::TAU;

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::{Rgb, vivid};
use super::form::{ball, disc, length, polygon, ring, slab, stroke};
use super::landscape::{Mood, any_mood, daylight, grass, sky};
use super::material::{Material, PRINTS};
use super::outdoors;
use crate::maths::{angle_turns, cos_turns, sin_turns, smoothstep};

/// A bicycle or cart wheel, a Ferris wheel, a steering wheel, before a wall or the sky.
pub fn wheels(s: &mut Scene) {
    let mood = any_mood(s);
    if s.dice.chance(0.5) {
        sky(s, mood, 190.0);
        grass(s, 190.0, daylight(mood));
        let f = Frame::new(s.dice.range(95.0, 129.0), 105.0, s.dice.range(62.0, 82.0));
        ferris_wheel(s, f);
        return;
    }
    let palette = s.palette;
    let wall = Material::masonry(&s.dice, &palette);
    s.canvas.cover(|x, y| wall.at(x, y) * (1.0 - 0.15 * y / SIZE));
    s.canvas.lay((0.0, 185.0, SIZE, SIZE), |_, _| (Rgb(0.45, 0.43, 0.42), 1.0));
    let frame = vivid(&s.dice);
    let r = s.dice.range(40.0, 52.0);
    let (a, b) = ((58.0, 190.0 - r), (166.0, 190.0 - r));
    for (x, y) in [a, b] {
        spoked_wheel(s, Frame::new(x, y, r), Rgb::BLACK, 18);
    }
    let f = Frame::new(0.0, 0.0, 1.0);
    let (seat, bars, crank) = ((88.0, 190.0 - 1.9 * r), (146.0, 190.0 - 1.95 * r), (106.0, 190.0 - r));
    for (from, to) in [(a, seat), (a, crank), (seat, crank), (crank, bars), (seat, bars), (b, bars)] {
        s.canvas.form(&f, SIZE, |u, v| stroke(u, v, from, to, 2.4, 2.4), |_, _, _| frame);
    }
    s.canvas.form(
        &f,
        SIZE,
        |u, v| {
            slab(u - seat.0, v - seat.1 + 6.0, 13.0, 3.0, 3.0).min(stroke(
                u,
                v,
                bars,
                (bars.0 + 14.0, bars.1 - 10.0),
                2.5,
                2.5,
            ))
        },
        |_, _, _| Rgb::BLACK,
    );
}

fn spoked_wheel(s: &mut Scene, f: Frame, tyre: Rgb, spokes: usize) {
    let n = spokes as f32;
    s.canvas.form(
        &f,
        1.1,
        |u, v| {
            let spoke = (angle_turns(v, u) * n).fract().abs();
            let spoke = (spoke.min(1.0 - spoke) * length(u, v) * TAU / n - 0.006).max(length(u, v) - 0.9);
            ring(u, v, 0.93, 0.07).min(spoke).min(disc(u, v, 0.1))
        },
        |u, v, _| if length(u, v) > 0.86 { tyre } else { Rgb(0.75, 0.76, 0.78) },
    );
}

fn ferris_wheel(s: &mut Scene, f: Frame) {
    let iron = vivid(&s.dice).tint(0.3);
    let n = s.dice.count(8, 14);
    for side in [-0.5, 0.5] {
        s.canvas.form(
            &f,
            1.6,
            |u, v| stroke(u, v, (0.0, 0.0), (side, 1.2), 0.025, 0.04),
            |_, _, _| iron * 0.7,
        );
    }
    spoked_wheel(s, f, iron, n);
    s.canvas.form(&f, 1.1, |u, v| ring(u, v, 0.78, 0.015), |_, _, _| iron);
    let colours = [vivid(&s.dice), vivid(&s.dice), vivid(&s.dice)];
    for i in 0..n {
        let t = i as f32 / n as f32;
        let cabin = f.at(0.95 * cos_turns(t), 0.95 * sin_turns(t) + 0.07, 0.11);
        let colour = colours[i % 3];
        s.canvas.form(
            &cabin,
            1.4,
            |u, v| slab(u, v, 1.0, 0.8, 0.35),
            |_, v, _| if v < 0.0 { Rgb::WHITE } else { colour },
        );
    }
}

/// A circus tent, bunting, toy balloons, kites.
pub fn fair(s: &mut Scene) {
    let mood = s.dice.pick(&[Mood::Day, Mood::Day, Mood::Dusk, Mood::Night]);
    sky(s, mood, 180.0);
    let light = daylight(mood);
    match s.dice.below(4) {
        0 => {
            grass(s, 185.0, light);
            tent(s, light);
            bunting(s);
        }
        1 => {
            for _ in 0..s.dice.count(4, 14) {
                let f = Frame::new(
                    s.dice.range(20.0, 204.0),
                    s.dice.range(20.0, 150.0),
                    s.dice.range(13.0, 24.0),
                );
                toy_balloon(s, f);
            }
        }
        2 => {
            grass(s, 190.0, light);
            for _ in 0..s.dice.count(1, 4) {
                let f = Frame::new(
                    s.dice.range(40.0, 184.0),
                    s.dice.range(35.0, 140.0),
                    s.dice.range(22.0, 40.0),
                );
                kite(s, f);
            }
        }
        _ => outdoors::balloons(s, 150.0),
    }
}

fn tent(s: &mut Scene, light: Rgb) {
    let (a, b) = (vivid(&s.dice).lit(light), Rgb::WHITE.lit(light));
    let stripes = s.dice.pick(&[4.0, 5.0, 6.0, 7.0]);
    let f = Frame::new(112.0, 192.0, s.dice.range(70.0, 88.0));
    let wall = [(-0.95, -0.75), (0.95, -0.75), (0.95, 0.0), (-0.95, 0.0)];
    let cone = [(0.0, -1.75), (1.1, -0.72), (-1.1, -0.72)];
    let stripe = |t: f32| a.mix(b, smoothstep(-0.1, 0.1, sin_turns(t * stripes * 0.5)));
    s.canvas.form(&f, 1.4, |u, v| polygon(u, v, &wall), |u, _, _| stripe(u / 0.95) * (0.95 - 0.2 * u));
    s.canvas.form(
        &f,
        2.0,
        |u, v| polygon(u, v, &cone),
        |u, v, _| stripe(u / ((v + 1.75).max(0.02) * 1.07)) * (1.0 - 0.2 * u),
    );
    s.canvas.form(
        &f,
        1.0,
        |u, v| polygon(u, v, &[(0.0, -0.62), (0.22, 0.0), (-0.22, 0.0)]),
        |_, _, _| Rgb::BLACK.tint(0.08),
    );
    let flag = [(0.02, -2.05), (0.3, -1.95), (0.02, -1.85)];
    s.canvas.form(&f, 2.2, |u, v| polygon(u, v, &flag).min(slab(u, v + 1.85, 0.012, 0.2, 0.0)), |_, _, _| a);
}

fn bunting(s: &mut Scene) {
    for _ in 0..s.dice.count(1, 3) {
        let (y0, sag) = (s.dice.range(8.0, 50.0), s.dice.range(8.0, 26.0));
        let n = s.dice.count(7, 12);
        for i in 0..n {
            let x = (i as f32 + 0.5) * SIZE / n as f32;
            let y = y0 + sag * (1.0 - (x / 112.0 - 1.0) * (x / 112.0 - 1.0));
            let colour = vivid(&s.dice);
            s.canvas.form(
                &Frame::new(x, y, 9.0),
                1.6,
                |u, v| polygon(u, v, &[(-0.9, 0.0), (0.9, 0.0), (0.0, 1.5)]),
                |_, _, _| colour,
            );
        }
    }
}

fn toy_balloon(s: &mut Scene, f: Frame) {
    let (colour, light) = (vivid(&s.dice), s.light);
    let sway = s.dice.range(-0.6, 0.6);
    s.canvas.form(
        &f,
        4.5,
        |u, v| stroke(u, v, (0.0, 1.2), (sway, 4.0), 0.025, 0.025),
        |_, _, _| Rgb::WHITE * 0.8,
    );
    s.canvas.form(
        &f,
        1.4,
        |u, v| {
            super::form::ellipse(u, v, 0.92, 1.1).min(polygon(
                u,
                v,
                &[(0.0, 1.0), (0.14, 1.25), (-0.14, 1.25)],
            ))
        },
        |u, v, _| ball(colour, u / 0.95, v / 1.15, light, 0.9),
    );
}

fn kite(s: &mut Scene, f: Frame) {
    let palette = s.palette;
    let print = Material::new(s.dice.pick(&PRINTS), &s.dice, &palette, s.dice.range(10.0, 18.0));
    let quarters = s.dice.chance(0.6);
    let (a, b, k) = (vivid(&s.dice), vivid(&s.dice), f.scale);
    let f = f.turned(s.dice.range(-0.1, 0.1));
    s.canvas.form(&f, 3.6, |u, v| stroke(u, v, (0.0, 1.3), (0.5, 3.4), 0.02, 0.02), |_, _, _| Rgb::WHITE);
    for i in 0..3 {
        let bow = f.at(0.12 + 0.17 * i as f32, 1.8 + 0.65 * i as f32, 0.22);
        s.canvas.form(
            &bow,
            1.2,
            |u, v| polygon(u.abs(), v, &[(0.0, 0.0), (1.0, -0.55), (1.0, 0.55)]),
            |_, _, _| a,
        );
    }
    let shape = [(0.0, -1.0), (0.85, -0.15), (0.0, 1.3), (-0.85, -0.15)];
    s.canvas.form(
        &f,
        1.4,
        |u, v| polygon(u, v, &shape),
        |u, v, _| {
            if quarters { if (u > 0.0) == (v > -0.15) { a } else { b } } else { print.at(u * k, v * k) }
        },
    );
}
