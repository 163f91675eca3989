//! Penalties on images.

use super::image::Image;
use super::patches::Statistics;
use super::preset::Preset;

/// What an image is compared with.
pub struct Penalties<'a> {
    pub preset: &'a Preset,
    pub patches: Option<&'a Statistics>,
}

impl Penalties<'_> {
    /// The sum of all penalties with their weights. Its gradient is taken from `slope`. `start` is the picture that the image was.
    pub fn apply(&self, image: &Image, start: Option<&Image>, slope: &mut Image) -> f64 {
        let preset = self.preset;
        let mut sum = preset.l1 * away(image, preset.l1, slope, |d| (d.abs(), d.signum()));
        sum += preset.l2 * away(image, preset.l2, slope, |d| (d * d, 2.0 * d));
        sum += preset.variation * variation(image, preset.variation, slope);
        if let Some(statistics) = self.patches {
            sum += preset.patches * statistics.distance(image, preset.patches, slope);
        }
        if let Some(start) = start {
            sum += preset.nearness * apart(image, start, preset.nearness, slope);
        }
        sum
    }
}

/// The mean over values of a function of the distance from 0.5, which also gives its derivative.
fn away(image: &Image, weight: f64, slope: &mut Image, of: impl Fn(f64) -> (f64, f64)) -> f64 {
    if weight == 0.0 {
        return 0.0;
    }
    let n = image.values.len() as f64;
    let mut sum = 0.0;
    for (value, slope) in image.values.iter().zip(&mut slope.values) {
        let (amount, derivative) = of(f64::from(*value) - 0.5);
        sum += amount / n;
        *slope -= (weight * derivative / n) as f32;
    }
    sum
}

/// The mean squared distance of two images.
fn apart(image: &Image, start: &Image, weight: f64, slope: &mut Image) -> f64 {
    let n = image.values.len() as f64;
    let mut sum = 0.0;
    for ((value, start), slope) in image.values.iter().zip(&start.values).zip(&mut slope.values) {
        let d = f64::from(value - start);
        sum += d * d / n;
        *slope -= (weight * 2.0 * d / n) as f32;
    }
    sum
}

/// The mean difference of neighbouring values, across and down (Rudin et al. 1992; Mahendran and Vedaldi 2015).
fn variation(image: &Image, weight: f64, slope: &mut Image) -> f64 {
    if weight == 0.0 {
        return 0.0;
    }
    let (side, n) = (image.side, image.values.len() as f64);
    let unit = (weight / n) as f32;
    let mut sum = 0.0;
    let mut pair = |a: usize, b: usize| {
        let d = image.values[b] - image.values[a];
        sum += f64::from(d.abs()) / n;
        let sign = if d == 0.0 { 0.0 } else { d.signum() };
        slope.values[b] -= unit * sign;
        slope.values[a] += unit * sign;
    };
    for at in 0..image.values.len() {
        let (x, y) = (at % side, at / side % side);
        if x + 1 < side {
            pair(at, at + 1);
        }
        if y + 1 < side {
            pair(at, at + side);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use weber_stimuli::dice::Dice;

    use super::*;

    const SIDE: usize = 28;

    fn noise(number: u64) -> Image {
        let dice = Dice::new(1, "penalties", number);
        Image { side: SIDE, values: (0..3 * SIDE * SIDE).map(|_| dice.range(0.1, 0.9)).collect() }
    }

    #[test]
    fn gradients_agree_with_differences() {
        let none = Preset::none();
        let statistics = Statistics::of(&[noise(0), noise(1)]);
        let cases = [
            ("l1", Preset { l1: 300.0, ..none.clone() }),
            ("l2", Preset { l2: 300.0, ..none.clone() }),
            ("variation", Preset { variation: 300.0, ..none.clone() }),
            ("patches", Preset { patches: 300.0, ..none.clone() }),
            ("nearness", Preset { nearness: 300.0, from_pictures: true, ..none }),
        ];
        for (name, preset) in cases {
            let patches = (preset.patches > 0.0).then_some(&statistics);
            let start = preset.from_pictures.then(|| noise(4));
            let penalties = Penalties { preset: &preset, patches };
            let (image, direction) = (noise(2), noise(3));
            let mut slope = Image::zeros(SIDE);
            assert!(penalties.apply(&image, start.as_ref(), &mut slope) > 0.0);
            let moved = |by: f32| {
                let values = image.values.iter().zip(&direction.values).map(|(v, d)| v + by * d).collect();
                let moved = Image { side: SIDE, values };
                penalties.apply(&moved, start.as_ref(), &mut Image::zeros(SIDE))
            };
            let difference = (moved(1e-4) - moved(-1e-4)) / 2e-4;
            let along: f64 = slope.values.iter().zip(&direction.values).map(|(s, d)| -f64::from(s * d)).sum();
            assert!((difference - along).abs() < 0.02 * along.abs().max(1.0), "{name}: {difference} {along}");
        }
    }

    #[test]
    fn natural_pictures_have_their_own_patches() {
        let statistics = Statistics::of(&[noise(0), noise(1)]);
        let distance = |image: &Image| statistics.distance(image, 0.0, &mut Image::zeros(SIDE));
        assert!(distance(&noise(2)) < 1.5);
        assert!(distance(&Image { side: SIDE, values: vec![0.9; 3 * SIDE * SIDE] }) > 3.0);
    }
}
