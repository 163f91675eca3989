//! Winter scenes.

use super::Scene;
use super::canvas::{Frame, SIZE};
use super::colour::Rgb;
use super::form::{ball, disc};
use super::landscape::{any_mood, daylight, ridge, sky};
use super::noise::{grain, noise};
use super::{outdoors, trees};
use crate::maths::exp;

/// A snowy land with conifers, houses or a snowman.
pub fn winter(s: &mut Scene) {
    let mood = any_mood(s);
    let horizon = s.dice.range(85.0, 130.0);
    let haze = sky(s, mood, horizon);
    let light = daylight(mood);
    let far = Rgb::hsl(0.6, 0.2, 0.6).lit(light).mix(haze, 0.5);
    ridge(s, horizon, 30.0, 70.0, |_, _, _| far);
    let seed = s.dice.seed();
    ridge(s, horizon + 22.0, 22.0, 100.0, |x, y, depth| {
        (Rgb(0.93, 0.95, 1.0) * (0.86 + 0.16 * exp(-depth / 18.0) + 0.05 * noise(x / 20.0, y / 8.0, seed)))
            .lit(light)
    });
    if s.dice.chance(0.5) {
        outdoors::homestead(s, horizon + 20.0, light);
    }
    for _ in 0..s.dice.count(2, 8) {
        let (x, y) = (s.dice.range(0.0, SIZE), s.dice.range(horizon + 30.0, 212.0));
        trees::conifer(s, Frame::new(x, y, 18.0 + 0.3 * (y - horizon)), light);
    }
    if s.dice.chance(0.35) {
        let frame = Frame::new(s.dice.range(50.0, 170.0), 190.0, s.dice.range(16.0, 26.0));
        snowman(s, frame);
    }
    if s.dice.chance(0.4) {
        let flakes = s.dice.range(0.988, 0.997);
        s.canvas.lay((0.0, 0.0, SIZE, SIZE), |x, y| {
            (Rgb::WHITE, if grain((x / 2.2) as i32, (y / 2.2) as i32, seed) > flakes { 0.9 } else { 0.0 })
        });
    }
}

fn snowman(s: &mut Scene, frame: Frame) {
    let light = s.light;
    for (height, size) in [(-0.7, 1.0), (-2.1, 0.75), (-3.2, 0.52)] {
        s.canvas.form(
            &frame.at(0.0, height, size),
            1.1,
            |u, v| disc(u, v, 1.0),
            |u, v, _| ball(Rgb(0.95, 0.97, 1.0), u, v, light, 0.0),
        );
    }
    for (x, y) in [(-0.18, -3.35), (0.18, -3.35), (0.0, -2.3), (0.0, -1.9), (0.0, -0.9)] {
        s.canvas.form(&frame.at(x, y, 0.08), 1.2, |u, v| disc(u, v, 1.0), |_, _, _| Rgb::BLACK);
    }
    let carrot = [(0.0, -0.1), (0.6, 0.05), (0.0, 0.1)];
    s.canvas.form(
        &frame.at(0.0, -3.15, 1.0),
        0.8,
        |u, v| super::form::polygon(u, v, &carrot),
        |_, _, _| Rgb::hex(0xF77F00),
    );
}
