//! Blurred references: everything out of focus but the one window that keeps the response highest.

use super::inlay::{Corner, Inlay, Patch};
use super::maths::exp;
use super::picture::{Picture, SIDE};

/// Taps of the Gaussian to each side of its middle: 21 in all.
const RADIUS: usize = 10;

/// Standard deviation of the Gaussian, in px.
const SIGMA: f32 = 3.5;

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

/// `out[i] += weight * values[i]`.
fn add(out: &mut [f32], weight: f32, values: &[f32]) {
    for (sum, value) in out.iter_mut().zip(values) {
        *sum += weight * value;
    }
}

/// Chooses the window from the responses of a unit to the blurred picture with the sharp one in a window at each of the corners:
/// the highest response, the first of equals. `None` if there are no corners. (The study's positions are not known.)
pub fn choose_window(corners: &[Corner], responses: &[f64]) -> Option<Corner> {
    let mut all = corners.iter().zip(responses);
    let first = all.next()?;
    let (corner, _) = all.fold(first, |best, next| if next.1 > best.1 { next } else { best });
    Some(*corner)
}

/// The picture blurred but for the window.
pub fn blurred_reference(picture: &Picture, patch: Patch, window: Corner) -> Picture {
    patch.compose(&gaussian(picture), Inlay::Of(picture), window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes;

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
    fn the_window_is_where_the_response_is_highest() {
        let corners = Patch { stride: 67, ..Patch::STUDY }.corners();
        let responses = [0.0, 2.0, 1.0, 5.0, -1.0, 5.0, 0.0, 4.0, 3.0];
        assert_eq!(choose_window(&corners, &responses), Some(Corner { x: 0, y: 67 }));
        assert_eq!(choose_window(&[], &[]), None);
    }

    #[test]
    fn references_are_sharp_in_their_window_only() {
        let picture = scenes::paint(1, 3);
        let (blurred, window) = (gaussian(&picture), Corner { x: 40, y: 72 });
        let reference = blurred_reference(&picture, Patch::STUDY, window);
        for y in 0..SIDE {
            for x in 0..SIDE {
                let sharp = (40..130).contains(&x) && (72..162).contains(&y);
                let expected = if sharp { &picture } else { &blurred };
                assert_eq!(reference.pixel(x, y), expected.pixel(x, y), "{x},{y}");
            }
        }
    }
}
