//! Colour statistics of patches: mean and covariance of red, green and blue.
//!
//! A prior in the spirit of the patch priors that Nguyen et al. 2019 survey (Wei et al. 2015): patches of an image shall have means and
//! covariances as those of natural pictures do. It needs no search for similar patches.

use super::image::Image;

/// Patches along a side: 16 px each in a picture of 224 px.
const ALONG: usize = 14;
/// Three means, then the covariances of the [`PAIRS`].
const NUMBERS: usize = 9;
const PAIRS: [(usize, usize); 6] = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)];

/// Mean and variance of each number over the patches of natural pictures.
pub struct Statistics {
    means: [f64; NUMBERS],
    variances: [f64; NUMBERS],
}

/// The places of each patch.
fn patches(side: usize) -> impl Iterator<Item = Vec<usize>> {
    let size = (side / ALONG).max(1);
    let along = side / size;
    (0..along * along).map(move |patch| {
        let (x, y) = (patch % along * size, patch / along * size);
        (0..size * size).map(|i| (y + i / size) * side + x + i % size).collect()
    })
}

fn numbers(image: &Image, places: &[usize]) -> [f64; NUMBERS] {
    let n = places.len() as f64;
    let channels = [0, 1, 2].map(|channel| image.channel(channel));
    let means = channels.map(|values| places.iter().map(|at| f64::from(values[*at])).sum::<f64>() / n);
    let mut numbers = [0.0; NUMBERS];
    numbers[..3].copy_from_slice(&means);
    for (number, (c, d)) in numbers[3..].iter_mut().zip(PAIRS) {
        let product =
            |at: &usize| (f64::from(channels[c][*at]) - means[c]) * (f64::from(channels[d][*at]) - means[d]);
        *number = places.iter().map(product).sum::<f64>() / n;
    }
    numbers
}

impl Statistics {
    pub fn of(images: &[Image]) -> Self {
        let all: Vec<[f64; NUMBERS]> = images
            .iter()
            .flat_map(|image| patches(image.side).map(|places| numbers(image, &places)))
            .collect();
        let n = all.len() as f64;
        let means = std::array::from_fn(|i| all.iter().map(|numbers| numbers[i]).sum::<f64>() / n);
        let square = |i: usize| all.iter().map(|numbers| (numbers[i] - means[i]).powi(2)).sum::<f64>() / n;
        // Pictures without any variation shall not divide by zero.
        Self { means, variances: std::array::from_fn(|i| square(i).max(1e-8)) }
    }

    /// The mean squared distance of the image's patches, in standard deviations. Its gradient times `weight` is taken from `slope`.
    pub fn distance(&self, image: &Image, weight: f64, slope: &mut Image) -> f64 {
        let area = image.side * image.side;
        let count = (patches(image.side).count() * NUMBERS) as f64;
        let mut distance = 0.0;
        for places in patches(image.side) {
            let found = numbers(image, &places);
            let off: [f64; NUMBERS] = std::array::from_fn(|i| found[i] - self.means[i]);
            distance += (0..NUMBERS).map(|i| off[i] * off[i] / self.variances[i]).sum::<f64>() / count;
            let n = places.len() as f64;
            let pull: [f64; NUMBERS] = std::array::from_fn(|i| 2.0 * off[i] / self.variances[i] / count / n);
            for at in places {
                let away = [0, 1, 2].map(|c| f64::from(image.values[c * area + at]) - found[c]);
                let mut gradient = [pull[0], pull[1], pull[2]];
                for (pull, (c, d)) in pull[3..].iter().zip(PAIRS) {
                    gradient[c] += pull * away[d];
                    gradient[d] += pull * away[c];
                }
                for (c, value) in gradient.into_iter().enumerate() {
                    slope.values[c * area + at] -= (weight * value) as f32;
                }
            }
        }
        distance
    }
}
