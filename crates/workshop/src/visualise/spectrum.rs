//! The Fourier transform of square maps.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

/// Transforms maps of one size. A spectrum holds the frequencies 0 to `side / 2` along rows, and for each of them all `side` frequencies
/// along columns; the rest follows since maps are real.
pub struct Transform {
    pub side: usize,
    rows: Arc<dyn RealToComplex<f32>>,
    back: Arc<dyn ComplexToReal<f32>>,
    columns: Arc<dyn Fft<f32>>,
    columns_back: Arc<dyn Fft<f32>>,
}

impl Transform {
    pub fn new(side: usize) -> Self {
        let (mut real, mut complex) = (RealFftPlanner::new(), FftPlanner::new());
        Self {
            side,
            rows: real.plan_fft_forward(side),
            back: real.plan_fft_inverse(side),
            columns: complex.plan_fft_forward(side),
            columns_back: complex.plan_fft_inverse(side),
        }
    }

    /// The number of frequencies along rows.
    fn half(&self) -> usize {
        self.side / 2 + 1
    }

    /// The number of coefficients of a map.
    pub fn coefficients(&self) -> usize {
        self.half() * self.side
    }

    /// The frequency of each coefficient, in cycles per px.
    pub fn frequencies(&self) -> impl Iterator<Item = f32> {
        let side = self.side;
        (0..self.coefficients()).map(move |i| {
            let (across, down) = (i / side, (i % side).min(side - i % side));
            ((across * across + down * down) as f32).sqrt() / side as f32
        })
    }

    /// The coefficients of a map: sums over all places, not divided by their number.
    pub fn spectrum(&self, map: &[f32]) -> Vec<Complex32> {
        let mut spectrum = vec![Complex32::default(); self.coefficients()];
        let (mut row, mut line) = (self.rows.make_input_vec(), self.rows.make_output_vec());
        for (y, values) in map.chunks_exact(self.side).enumerate() {
            row.copy_from_slice(values);
            self.rows.process(&mut row, &mut line).expect("lengths agree");
            for (x, value) in line.iter().enumerate() {
                spectrum[x * self.side + y] = *value;
            }
        }
        self.columns.process(&mut spectrum);
        spectrum
    }

    /// The map of which these are the coefficients, times the number of places.
    pub fn map(&self, mut spectrum: Vec<Complex32>) -> Vec<f32> {
        self.columns_back.process(&mut spectrum);
        let mut map = vec![0.0; self.side * self.side];
        let mut line = self.back.make_input_vec();
        for (y, row) in map.chunks_exact_mut(self.side).enumerate() {
            for (x, value) in line.iter_mut().enumerate() {
                *value = spectrum[x * self.side + y];
            }
            // The imaginary part of frequencies that are their own counterpart does not count.
            line[0].im = 0.0;
            if self.side.is_multiple_of(2) {
                line[self.side / 2].im = 0.0;
            }
            self.back.process(&mut line, row).expect("lengths agree");
        }
        map
    }

    /// The gradient with respect to the coefficients (real and imaginary parts), given that with respect to [`Self::map`].
    pub fn adjoint(&self, gradient: &[f32]) -> Vec<Complex32> {
        let mut spectrum = self.spectrum(gradient);
        // Frequencies that have a counterpart enter the map twice.
        let end = if self.side.is_multiple_of(2) { self.side / 2 } else { self.half() };
        spectrum[self.side..end * self.side].iter_mut().for_each(|value| *value *= 2.0);
        spectrum
    }
}

#[cfg(test)]
mod tests {
    use weber_stimuli::dice::Dice;

    use super::*;

    #[test]
    fn maps_survive_and_gradients_are_adjoint() {
        for side in [12, 15] {
            let (transform, dice) = (Transform::new(side), Dice::new(1, "fourier", side as u64));
            let map: Vec<f32> = (0..side * side).map(|_| dice.normal()).collect();
            let back = transform.map(transform.spectrum(&map));
            let n = (side * side) as f32;
            assert!(map.iter().zip(&back).all(|(a, b)| (a - b / n).abs() < 1e-4));
            // <map(s), g> = <s, adjoint(g)> for any s.
            let draw = || Complex32::new(dice.normal(), dice.normal());
            let spectrum: Vec<Complex32> = (0..transform.coefficients()).map(|_| draw()).collect();
            let left: f32 = transform.map(spectrum.clone()).iter().zip(&map).map(|(a, b)| a * b).sum();
            let products = transform.adjoint(&map);
            let right: f32 = spectrum.iter().zip(&products).map(|(a, b)| a.re * b.re + a.im * b.im).sum();
            assert!((left - right).abs() < 1e-3 * left.abs().max(10.0), "{left} {right}");
        }
    }

    #[test]
    fn frequencies_belong_to_their_coefficients() {
        let transform = Transform::new(16);
        let wave = |x: usize, y: usize| (std::f32::consts::TAU * (3 * x + 4 * y) as f32 / 16.0).cos();
        let map: Vec<f32> = (0..256).map(|i| wave(i % 16, i / 16)).collect();
        let spectrum = transform.spectrum(&map);
        let strongest =
            (0..spectrum.len()).max_by(|a, b| spectrum[*a].norm().total_cmp(&spectrum[*b].norm()));
        assert_eq!(transform.frequencies().nth(strongest.unwrap()), Some(5.0 / 16.0));
    }
}
