//! Distances to the outlines of simple forms (negative inside), and light on round bodies.

use super::colour::Rgb;
use crate::maths::{angle_turns, cos_turns, sin_turns};

#[inline]
pub fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

/// A disc around the origin.
#[inline]
pub fn disc(u: f32, v: f32, radius: f32) -> f32 {
    length(u, v) - radius
}

/// An ellipse around the origin (distance approximate, right near the outline).
#[inline]
pub fn ellipse(u: f32, v: f32, a: f32, b: f32) -> f32 {
    let k = length(u / a, v / b);
    let slope = length(u / (a * a), v / (b * b));
    if slope == 0.0 { -a.min(b) } else { k * (k - 1.0) / slope }
}

/// A rectangle around the origin with half sides `a` and `b` and rounded corners.
#[inline]
pub fn slab(u: f32, v: f32, a: f32, b: f32, round: f32) -> f32 {
    let (x, y) = (u.abs() - a + round, v.abs() - b + round);
    length(x.max(0.0), y.max(0.0)) + x.max(y).min(0.0) - round
}

/// A thick line from (x0, y0) to (x1, y1), of radius r0 at its start and r1 at its end.
#[inline]
pub fn stroke(u: f32, v: f32, from: (f32, f32), to: (f32, f32), r0: f32, r1: f32) -> f32 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let t = (((u - from.0) * dx + (v - from.1) * dy) / (dx * dx + dy * dy).max(1e-9)).clamp(0.0, 1.0);
    length(u - from.0 - t * dx, v - from.1 - t * dy) - r0 - t * (r1 - r0)
}

/// A convex polygon whose corners go clockwise on the screen.
#[inline]
pub fn polygon(u: f32, v: f32, corners: &[(f32, f32)]) -> f32 {
    let mut outside = f32::MIN;
    for (i, a) in corners.iter().enumerate() {
        let b = corners[(i + 1) % corners.len()];
        let (ex, ey) = (b.0 - a.0, b.1 - a.1);
        let d = ((u - a.0) * ey - (v - a.1) * ex) / length(ex, ey);
        outside = outside.max(d);
    }
    outside
}

/// A star or flower: radius `outer` at its points and `inner` between; round petals if `round`.
#[inline]
pub fn star(u: f32, v: f32, points: f32, inner: f32, outer: f32, round: bool) -> f32 {
    let wave = (angle_turns(v, u) + 0.25) * points;
    let tip = if round { 0.5 + 0.5 * cos_turns(wave) } else { (2.0 * (wave - wave.floor()) - 1.0).abs() };
    let tip = if round { tip.sqrt() } else { tip };
    (length(u, v) - (inner + (outer - inner) * tip)) * 0.8
}

/// A leaf from (0, -1) to (0, 1), `width` wide at its middle.
#[inline]
pub fn leaf(u: f32, v: f32, width: f32) -> f32 {
    // The lens between two circles through both tips.
    let radius = (1.0 + width * width) / (2.0 * width);
    length(u.abs() + radius - width, v) - radius
}

/// A heart of about radius 1, tip down.
#[inline]
pub fn heart(u: f32, v: f32) -> f32 {
    let x = u.abs();
    // Two discs above, and the square on its tip between and below them.
    let lobe = length(x - 0.42, v + 0.3) - 0.56;
    let tip = polygon(x, v, &[(-0.1, -0.62), (0.42, -0.62), (0.86, 0.04), (0.0, 0.95), (-0.1, 0.95)]);
    lobe.min(tip)
}

/// A ring around the origin.
#[inline]
pub fn ring(u: f32, v: f32, radius: f32, half_width: f32) -> f32 {
    (length(u, v) - radius).abs() - half_width
}

/// The direction of the light, as a unit vector: left-right, up-down (negative is up), towards the viewer.
pub type Light = (f32, f32, f32);

/// A light from above at the given turn from the left (0) over the top (0.25) to the right (0.5).
pub fn light_from(turns: f32) -> Light {
    let (x, y) = (-cos_turns(turns) * 0.6, -sin_turns(turns) * 0.6);
    (x, y, (1.0 - x * x - y * y).sqrt())
}

/// The colour of a ball of radius 1 at (u, v).
#[inline]
pub fn ball(colour: Rgb, u: f32, v: f32, light: Light, gloss: f32) -> Rgb {
    let w = (1.0 - u * u - v * v).max(0.0).sqrt();
    let lambert = (u * light.0 + v * light.1 + w * light.2).max(0.0);
    let shine = (lambert - 0.82).max(0.0) * 5.5;
    (colour * (0.42 + 0.68 * lambert)).mix(Rgb::WHITE, (shine * shine * gloss).min(0.85))
}

/// The colour of an upright cylinder at `u` from -1 to 1 across it.
#[inline]
pub fn cylinder(colour: Rgb, u: f32, light: Light, gloss: f32) -> Rgb {
    let u = u.clamp(-1.0, 1.0);
    let w = (1.0 - u * u).sqrt();
    let lambert = (u * light.0 * 1.3 + w * light.2).max(0.0);
    let shine = (1.0 - ((u - light.0 * 0.8) * 6.0).abs()).max(0.0);
    (colour * (0.42 + 0.7 * lambert)).mix(Rgb::WHITE, shine * gloss * 0.6)
}
