//! How numbers that are optimised become an image.

use std::f32::consts::TAU;

use realfft::num_complex::Complex32;
use weber_stimuli::dice::Dice;

use super::colours::{self, Matrix};
use super::image::Image;
use super::preset::Basis;
use super::spectrum::Transform;

/// The way from parameters to an image, and of gradients back.
pub trait Parametrisation: Sync {
    /// Random parameters.
    fn start(&self, dice: &Dice) -> Vec<f32>;
    /// The parameters whose image is nearest to this one.
    fn fit(&self, image: &Image) -> Vec<f32>;
    fn image(&self, parameters: &[f32]) -> Image;
    /// The gradient with respect to the parameters, given their image and the gradient with respect to it.
    fn gradient(&self, parameters: &[f32], image: &Image, slope: &Image) -> Vec<f32>;
}

/// Pixels or frequencies, decorrelated in colour: a sigmoid brings any number into the range of a screen (as in lucid).
pub struct Canvas {
    basis: Basis,
    /// Standard deviation of the parameters at the start.
    start: f32,
    colours: Matrix,
    transform: Transform,
    /// For Fourier coefficients what one unit of a parameter adds to a pixel; for phases the magnitude, by channel.
    gains: Vec<f32>,
}

/// Values nearer to 0 or 1 than this have no finite number before the sigmoid.
const EDGE: f32 = 0.5 / 255.0;

impl Canvas {
    /// The `magnitudes` are for phases, see [`magnitudes`].
    pub fn new(basis: Basis, side: usize, start: f32, colours: Matrix, magnitudes: Option<&[f32]>) -> Self {
        let transform = Transform::new(side);
        let gains = match basis {
            Basis::Pixels => Vec::new(),
            Basis::Fourier { decay } => {
                // As in lucid's `fft_image`.
                let lowest = 1.0 / side as f32;
                let gain = |frequency: f32| 0.25 * lowest / frequency.max(lowest).powf(decay);
                let gains: Vec<f32> = transform.frequencies().map(gain).collect();
                gains.repeat(3)
            }
            Basis::Phase => magnitudes.map(<[f32]>::to_vec).unwrap_or_default(),
        };
        Self { basis, start, colours, transform, gains }
    }

    /// The three numbers of each pixel, before colours and sigmoid.
    fn numbers(&self, parameters: &[f32]) -> Vec<f32> {
        let coefficients: Vec<Complex32> = match self.basis {
            Basis::Pixels => return parameters.to_vec(),
            Basis::Fourier { .. } => {
                let pairs = parameters.as_chunks::<2>().0.iter().zip(&self.gains);
                pairs.map(|([re, im], gain)| Complex32::new(re * gain, im * gain)).collect()
            }
            Basis::Phase => self
                .gains
                .iter()
                .zip(parameters)
                .map(|(r, phase)| Complex32::from_polar(*r, *phase))
                .collect(),
        };
        let channels = coefficients.chunks(self.transform.coefficients());
        channels.flat_map(|channel| self.transform.map(channel.to_vec())).collect()
    }

    /// The gradient with respect to the parameters, given that with respect to [`Self::numbers`].
    fn adjoint(&self, parameters: &[f32], slope: Vec<f32>) -> Vec<f32> {
        let area = self.transform.side * self.transform.side;
        let spectra =
            || slope.chunks(area).flat_map(|channel| self.transform.adjoint(channel)).zip(&self.gains);
        match self.basis {
            Basis::Pixels => slope,
            Basis::Fourier { .. } => {
                spectra().flat_map(|(value, gain)| [value.re * gain, value.im * gain]).collect()
            }
            Basis::Phase => {
                let along = |((value, r), phase): ((Complex32, &f32), &f32)| {
                    r * (value.im * phase.cos() - value.re * phase.sin())
                };
                spectra().zip(parameters).map(along).collect()
            }
        }
    }
}

impl Parametrisation for Canvas {
    fn start(&self, dice: &Dice) -> Vec<f32> {
        let channel = self.transform.coefficients();
        let noise = |count: usize| (0..count).map(|_| self.start * dice.normal()).collect();
        match self.basis {
            Basis::Pixels => noise(3 * self.transform.side * self.transform.side),
            Basis::Fourier { .. } => noise(6 * channel),
            Basis::Phase => (0..3 * channel).map(|_| dice.range(0.0, TAU)).collect(),
        }
    }

    fn fit(&self, image: &Image) -> Vec<f32> {
        let numbers = numbers(image, &self.colours);
        let area = self.transform.side * self.transform.side;
        let spectra = || numbers.chunks(area).flat_map(|channel| self.transform.spectrum(channel));
        let unit = 1.0 / area as f32;
        match self.basis {
            Basis::Pixels => numbers,
            Basis::Fourier { .. } => {
                let shares = spectra().zip(&self.gains).map(|(value, gain)| value * (unit / gain));
                shares.flat_map(|value| [value.re, value.im]).collect()
            }
            Basis::Phase => spectra().map(|value| value.arg()).collect(),
        }
    }

    fn image(&self, parameters: &[f32]) -> Image {
        let mut values = colours::apply(&self.colours, &self.numbers(parameters));
        values.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp()));
        Image { side: self.transform.side, values }
    }

    fn gradient(&self, parameters: &[f32], image: &Image, slope: &Image) -> Vec<f32> {
        let along = |(value, slope): (&f32, &f32)| slope * value * (1.0 - value);
        let before: Vec<f32> = image.values.iter().zip(&slope.values).map(along).collect();
        self.adjoint(parameters, colours::apply(&colours::transposed(&self.colours), &before))
    }
}

/// The three decorrelated numbers of each pixel.
fn numbers(image: &Image, matrix: &Matrix) -> Vec<f32> {
    let logit = |value: &f32| {
        let value = value.clamp(EDGE, 1.0 - EDGE);
        (value / (1.0 - value)).ln()
    };
    let logits: Vec<f32> = image.values.iter().map(logit).collect();
    colours::apply(&colours::inverse(matrix), &logits)
}

/// The mean magnitude of Fourier coefficients of the images' decorrelated numbers, by channel. The images have one size.
///
/// The mean is formed over images and over directions: pictures with many upright lines would else make every image a lattice. For the
/// same reason images fade into their mean towards the edges (Hann's window, with its loss of power made good). Numbers follow values
/// in a straight line, as steep as the sigmoid in its middle, since black and white would else count more than all else.
pub fn magnitudes(images: &[Image], colours: &Matrix) -> Vec<f32> {
    let side = images.first().map_or(1, |image| image.side);
    let (transform, inverse) = (Transform::new(side), colours::inverse(colours));
    // The mean square of the window along one axis is 3 / 8.
    let hann = |i: usize| (1.0 - (TAU * (i as f32 + 0.5) / side as f32).cos()) * 0.5 / 0.375f32.sqrt();
    let rings: Vec<usize> = transform.frequencies().map(|f| (f * side as f32).round() as usize).collect();
    let mut sums = [vec![(0.0f64, 0usize); side], vec![(0.0, 0); side], vec![(0.0, 0); side]];
    for image in images {
        let straight: Vec<f32> = image.values.iter().map(|value| 4.0 * (value - 0.5)).collect();
        for (channel, sums) in colours::apply(&inverse, &straight).chunks(side * side).zip(&mut sums) {
            let mean = channel.iter().sum::<f32>() / channel.len() as f32;
            let faded = |(i, value): (usize, &f32)| (value - mean) * hann(i % side) * hann(i / side);
            let mut spectrum = transform.spectrum(&channel.iter().enumerate().map(faded).collect::<Vec<_>>());
            spectrum[0] = Complex32::new(mean * channel.len() as f32, 0.0);
            for (ring, value) in rings.iter().zip(spectrum) {
                sums[*ring].0 += f64::from(value.norm());
                sums[*ring].1 += 1;
            }
        }
    }
    let mean = |(sum, count): (f64, usize)| (sum / (count * side * side) as f64) as f32;
    sums.iter().flat_map(|sums| rings.iter().map(|ring| mean(sums[*ring]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 12;

    fn natural() -> Image {
        let wave = |i: usize| 0.5 + 0.4 * (0.3 * (i % SIDE) as f32 + 0.013 * i as f32).sin();
        Image { side: SIDE, values: (0..3 * SIDE * SIDE).map(wave).collect() }
    }

    fn canvas(basis: Basis) -> Canvas {
        let colours = colours::imagenet();
        Canvas::new(basis, SIDE, 0.5, colours, Some(&magnitudes(&[natural()], &colours)))
    }

    const ALL: [Basis; 3] = [Basis::Pixels, Basis::Fourier { decay: 1.5 }, Basis::Phase];

    #[test]
    fn gradients_agree_with_differences() {
        for basis in ALL {
            let (canvas, dice) = (canvas(basis), Dice::new(1, "canvas", 0));
            let parameters = canvas.start(&dice);
            let slope = Image { side: SIDE, values: (0..3 * SIDE * SIDE).map(|_| dice.normal()).collect() };
            let loss = |parameters: &[f32]| -> f64 {
                let values = canvas.image(parameters).values;
                values.iter().zip(&slope.values).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let gradient = canvas.gradient(&parameters, &canvas.image(&parameters), &slope);
            let direction: Vec<f32> = parameters.iter().map(|_| dice.normal()).collect();
            let moved = |by: f32| {
                let moved: Vec<f32> = parameters.iter().zip(&direction).map(|(p, d)| p + by * d).collect();
                loss(&moved)
            };
            let step = 1e-3;
            let difference = (moved(step) - moved(-step)) / f64::from(2.0 * step);
            let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
            assert!(
                (difference - along).abs() < 0.01 * along.abs().max(0.1),
                "{basis:?}: {difference} {along}"
            );
        }
    }

    #[test]
    fn images_are_fitted() {
        for basis in ALL {
            let canvas = canvas(basis);
            let image = canvas.image(&canvas.start(&Dice::new(1, "canvas", 0)));
            let again = canvas.image(&canvas.fit(&image));
            let far = |(a, b): (&f32, &f32)| (a - b).abs();
            let mean =
                image.values.iter().zip(&again.values).map(far).sum::<f32>() / image.values.len() as f32;
            // Phases of the first and the last column have one magnitude between two of them.
            assert!(mean < if basis == Basis::Phase { 0.05 } else { 1e-4 }, "{basis:?}: {mean}");
        }
    }

    #[test]
    fn magnitudes_depend_on_frequency_only() {
        // Upright lines, four along the side, and a jump from the right edge to the left one.
        let line = |i: usize| 0.5 + 0.3 * (TAU * (i % 32) as f32 / 8.0).sin() + 0.005 * (i % 32) as f32;
        let image = Image { side: 32, values: (0..3 * 1024).map(line).collect() };
        let found = magnitudes(&[image], &colours::IDENTITY);
        let transform = Transform::new(32);
        let at = |across: usize, down: usize| found[across * transform.side + down];
        assert_eq!(at(4, 0), at(0, 4));
        assert!(at(0, 4) > 3.0 * at(0, 7) && at(0, 4) > 30.0 * at(0, 12), "{found:?}");
    }

    #[test]
    fn phases_keep_the_magnitudes() {
        let colours = colours::imagenet();
        let canvas = canvas(Basis::Phase);
        let parameters = canvas.start(&Dice::new(1, "canvas", 0));
        let transform = Transform::new(SIDE);
        let numbers = numbers(&canvas.image(&parameters), &colours);
        let spectra = numbers.chunks(SIDE * SIDE).flat_map(|channel| transform.spectrum(channel));
        let found: Vec<f32> = spectra.map(|value| value.norm() / (SIDE * SIDE) as f32).collect();
        // Frequencies with a counterpart keep theirs; those of the first and the last column share one.
        let inner = SIDE..transform.coefficients() - SIDE;
        let pairs = found[inner.clone()].iter().zip(&canvas.gains[inner]);
        assert!(pairs.clone().count() > 50);
        pairs.for_each(|(found, wanted)| assert!((found - wanted).abs() < 1e-4, "{found} {wanted}"));
    }
}
