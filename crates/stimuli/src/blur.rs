//! Blurred references: everything out of focus but the one window that keeps the response highest.

use super::inlay::{Inlay, compose, corners};
use super::kernels::add;
use super::machine::Machine;
use super::maths::exp;
use super::picture::{Picture, SIDE};

/// Taps of the Gaussian to each side of its middle: 21 in all.
const RADIUS: usize = 10;

/// Standard deviation of the Gaussian, in px.
const SIGMA: f32 = 3.5;

/// Distance of two neighbouring positions of the window, in px. (The study's is not known.)
pub const WINDOW_STRIDE: usize = 8;

/// The Gaussian's weights from -[`RADIUS`] to [`RADIUS`], adding up to 1.
fn kernel() -> [f32; 2 * RADIUS + 1] {
    let mut weights = [0.0; 2 * RADIUS + 1];
    for (i, weight) in weights.iter_mut().enumerate() {
        let d = i as f32 - RADIUS as f32;
        *weight = exp(-d * d / (2.0 * SIGMA * SIGMA));
    }
    let sum: f32 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

/// A coordinate mirrored at the edges (the outermost pixel is not repeated).
fn mirrored(i: isize) -> usize {
    let last = SIDE as isize - 1;
    let i = i.abs();
    (if i > last { 2 * last - i } else { i }) as usize
}

/// The picture smoothed by a Gaussian of 21 x 21 px with a standard deviation of 3.5 px, mirrored at its edges.
pub fn gaussian(picture: &Picture) -> Picture {
    let weights = kernel();
    const WIDTH: usize = SIDE * 3;
    let mut rows = vec![0.0f32; WIDTH * SIDE];
    let mut padded = vec![0.0f32; (SIDE + 2 * RADIUS) * 3];
    for (y, out) in rows.chunks_exact_mut(WIDTH).enumerate() {
        for (i, pixel) in padded.chunks_exact_mut(3).enumerate() {
            let from = mirrored(i as isize - RADIUS as isize) * 3;
            for (value, byte) in pixel.iter_mut().zip(&picture.row(y)[from..from + 3]) {
                *value = f32::from(*byte);
            }
        }
        for (k, weight) in weights.iter().enumerate() {
            add(out, *weight, &padded[3 * k..3 * k + WIDTH]);
        }
    }
    let mut line = vec![0.0f32; WIDTH];
    let mut bytes = Vec::with_capacity(WIDTH * SIDE);
    for y in 0..SIDE {
        line.fill(0.0);
        for (k, weight) in weights.iter().enumerate() {
            let from = mirrored((y + k) as isize - RADIUS as isize) * WIDTH;
            add(&mut line, *weight, &rows[from..from + WIDTH]);
        }
        bytes.extend(line.iter().map(|value| (value + 0.5) as u8));
    }
    Picture::from_fn(|x, y| {
        let i = (y * SIDE + x) * 3;
        [bytes[i], bytes[i + 1], bytes[i + 2]]
    })
}

/// The picture blurred but for the window that keeps the unit's response highest (the first of equals, row by row), on a
/// grid of [`WINDOW_STRIDE`] px.
pub fn blurred_reference<M: Machine>(machine: &M, unit: usize, picture: &Picture) -> Picture {
    let blurred = gaussian(picture);
    let corners = corners(WINDOW_STRIDE);
    let responses = machine.inlay_responses(unit, &blurred, Inlay::Of(picture), &corners);
    let best = (1..responses.len()).fold(0, |best, i| if responses[i] > responses[best] { i } else { best });
    compose(&blurred, Inlay::Of(picture), corners[best])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inlay::PATCH;
    use crate::scenes;
    use crate::units;

    /// The definition, in two dimensions and double precision.
    fn directly(picture: &Picture, x: usize, y: usize, channel: usize) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for dy in -10isize..=10 {
            for dx in -10isize..=10 {
                let weight = (-((dx * dx + dy * dy) as f64) / (2.0 * 3.5 * 3.5)).exp();
                let pixel = picture.pixel(mirrored(x as isize + dx), mirrored(y as isize + dy));
                sum += weight * f64::from(pixel[channel]);
                total += weight;
            }
        }
        sum / total
    }

    #[test]
    fn agrees_with_a_direct_convolution() {
        let picture = scenes::paint(3, 7);
        let blurred = gaussian(&picture);
        for (x, y) in [(0, 0), (223, 223), (3, 110), (100, 60), (221, 5), (64, 191)] {
            for channel in 0..3 {
                let expected = directly(&picture, x, y, channel);
                let found = f64::from(blurred.pixel(x, y)[channel]);
                assert!((found - expected).abs() < 0.51, "{x},{y}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn edges_are_mirrored() {
        assert_eq!([mirrored(-3), mirrored(0), mirrored(223), mirrored(224)], [3, 0, 223, 222]);
        assert!((kernel().iter().sum::<f32>() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_window_is_where_the_response_stays_highest() {
        let (machine, _) = units::machine();
        let picture = scenes::paint(1, 3);
        let (blurred, unit) = (gaussian(&picture), 4);
        let windows: Vec<Picture> =
            corners(WINDOW_STRIDE).iter().map(|at| compose(&blurred, Inlay::Of(&picture), *at)).collect();
        let reference = blurred_reference(&machine, unit, &picture);
        let best =
            windows.iter().step_by(5).map(|window| machine.response(unit, window)).fold(f64::MIN, f64::max);
        assert!(machine.response(unit, &reference) >= best);
        let sharp = (0..SIDE * SIDE)
            .filter(|i| reference.pixel(i % SIDE, i / SIDE) == picture.pixel(i % SIDE, i / SIDE));
        assert!(sharp.count() >= PATCH * PATCH);
        assert!(windows.contains(&reference));
    }
}
