//! Images of any size while they are optimised.

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Rgb};
use weber_stimuli::picture::{Picture, SIDE};

use super::preset::Blur;

/// A square image: values from 0 to 1, by channel (red, green, blue), row and column. Gradients have the same form.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    pub side: usize,
    pub values: Vec<f32>,
}

impl Image {
    pub fn zeros(side: usize) -> Self {
        Self { side, values: vec![0.0; 3 * side * side] }
    }

    /// The picture at another size.
    pub fn of(picture: &Picture, side: usize) -> Self {
        let buffer = ImageBuffer::<Rgb<f32>, _>::from_fn(SIDE as u32, SIDE as u32, |x, y| {
            Rgb(picture.pixel(x as usize, y as usize).map(|byte| f32::from(byte) / 255.0))
        });
        let resized = resize(&buffer, side as u32, side as u32, FilterType::CatmullRom);
        let value = |channel: usize, at: usize| resized.as_raw()[3 * at + channel];
        let values = (0..3).flat_map(|channel| (0..side * side).map(move |at| value(channel, at))).collect();
        Self { side, values }
    }

    /// The image without a border of `margin` px, as a picture.
    pub fn picture(&self, margin: usize) -> Picture {
        let inner = (self.side - 2 * margin) as u32;
        let buffer = ImageBuffer::<Rgb<f32>, _>::from_fn(inner, inner, |x, y| {
            let at = (y as usize + margin) * self.side + x as usize + margin;
            Rgb([0, 1, 2].map(|channel| self.channel(channel)[at]))
        });
        let resized = resize(&buffer, SIDE as u32, SIDE as u32, FilterType::CatmullRom);
        Picture::from_fn(|x, y| {
            let Rgb(colour) = resized.get_pixel(x as u32, y as u32);
            colour.map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8)
        })
    }

    pub fn channel(&self, channel: usize) -> &[f32] {
        let area = self.side * self.side;
        &self.values[channel * area..(channel + 1) * area]
    }

    /// The image after a Gaussian blur, with repeated edges. Sigma is in px of a picture of 224 px with this `inner` side.
    pub fn blurred(&self, blur: Blur, inner: usize) -> Self {
        let sigma = blur.sigma * inner as f32 / SIDE as f32;
        let reach = (3.0 * sigma).ceil().max(1.0) as usize;
        let weight = |d: usize| (-0.5 * (d as f32 / sigma).powi(2)).exp();
        let sum = weight(0) + 2.0 * (1..=reach).map(weight).sum::<f32>();
        let weights: Vec<f32> = (0..=reach).map(|d| weight(d) / sum).collect();
        let once = self.filtered(&weights, 1, self.side);
        once.filtered(&weights, self.side, 1)
    }

    /// A symmetric filter along lines whose places are `step` apart. Neighbouring lines are `across` apart.
    fn filtered(&self, weights: &[f32], step: usize, across: usize) -> Self {
        let (side, area) = (self.side, self.side * self.side);
        let mut out = Self::zeros(side);
        for line in (0..3).flat_map(|channel| (0..side).map(move |line| channel * area + line * across)) {
            let at = |i: usize| self.values[line + i * step];
            for i in 0..side {
                let mut sum = weights[0] * at(i);
                for (d, weight) in weights.iter().enumerate().skip(1) {
                    sum += weight * (at(i.saturating_sub(d)) + at((i + d).min(side - 1)));
                }
                out.values[line + i * step] = sum;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_survive_the_size_of_a_network() {
        let smooth = Picture::from_fn(|x, y| [x as u8, y as u8, 100]);
        let back = Image::of(&smooth, 112).picture(0);
        let far = smooth.bytes().iter().zip(back.bytes()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(far <= 2, "{far}");
    }

    #[test]
    fn the_margin_is_cut_off() {
        let mut image = Image::zeros(8);
        for y in 2..6 {
            for x in 2..6 {
                image.values[y * 8 + x] = 1.0;
            }
        }
        assert!(image.picture(2).bytes().chunks(3).all(|pixel| pixel == [255, 0, 0]));
    }

    #[test]
    fn blur_keeps_the_mean_and_spreads_evenly() {
        let mut image = Image::zeros(28);
        image.values[14 * 28 + 14] = 1.0;
        let blurred = image.blurred(Blur { every: 1, sigma: 8.0 }, 28);
        let at = |x: usize, y: usize| blurred.values[y * 28 + x];
        assert!((blurred.values.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!((at(13, 14), at(14, 12)), (at(15, 14), at(14, 16)));
        // Sigma is 1 px here, as 8 px of 224.
        assert!((at(15, 14) / at(14, 14) - (-0.5f32).exp()).abs() < 1e-4);
    }
}
