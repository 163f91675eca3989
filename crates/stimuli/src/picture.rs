//! Pictures of 224 x 224 px, with the pixel operations of the study's definitions.

use std::ops::Range;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageResult};

/// Width and height of every stimulus, in px.
pub const SIDE: usize = 224;

/// Quality of the JPEG files, 1 to 100. At 92 and without chroma subsampling (which the encoder does not support) compression is not
/// visible.
const JPEG_QUALITY: u8 = 92;

/// Columns `left..right` of row `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub y: usize,
    pub left: usize,
    pub right: usize,
}

impl Span {
    /// Where its pixels are among a picture's bytes.
    fn bytes(self) -> Range<usize> {
        (self.y * SIDE + self.left) * 3..(self.y * SIDE + self.right) * 3
    }
}

/// A picture of [`SIDE`] x [`SIDE`] px, 8 bits each of red, green and blue, row by row from the top left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    pixels: Vec<u8>,
}

impl Picture {
    /// Makes the picture from the colour of every pixel, given its column and row.
    pub fn from_fn(mut colour: impl FnMut(usize, usize) -> [u8; 3]) -> Self {
        let mut pixels = Vec::with_capacity(SIDE * SIDE * 3);
        for y in 0..SIDE {
            for x in 0..SIDE {
                pixels.extend_from_slice(&colour(x, y));
            }
        }
        Self { pixels }
    }

    /// A picture twice as large as three maps of red, green and blue (0 to 1), interpolated linearly.
    pub fn from_half_size(red: &[f32], green: &[f32], blue: &[f32]) -> Self {
        const HALF: usize = SIDE / 2;
        // A pixel lies a quarter of a cell from the middle of its own, towards a neighbour.
        let neighbours = |i: usize| {
            (i / 2, if i.is_multiple_of(2) { (i / 2).saturating_sub(1) } else { (i / 2 + 1).min(HALF - 1) })
        };
        Self::from_fn(|x, y| {
            let ((x0, x1), (y0, y1)) = (neighbours(x), neighbours(y));
            [red, green, blue].map(|map| {
                let at = |x: usize, y: usize| map[y * HALF + x];
                let value = 0.5625 * at(x0, y0) + 0.1875 * (at(x1, y0) + at(x0, y1)) + 0.0625 * at(x1, y1);
                (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
            })
        })
    }

    /// The bytes, `SIDE * SIDE * 3` of them.
    pub fn bytes(&self) -> &[u8] {
        &self.pixels
    }

    /// The colour of the pixel in column `x` and row `y`, both below [`SIDE`].
    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let i = (y * SIDE + x) * 3;
        [self.pixels[i], self.pixels[i + 1], self.pixels[i + 2]]
    }

    /// One row of pixels, `SIDE * 3` bytes.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.pixels[y * SIDE * 3..(y + 1) * SIDE * 3]
    }

    /// The bytes of a part, row by row.
    fn part(&self, spans: impl Iterator<Item = Span>) -> impl Iterator<Item = &[u8]> {
        spans.map(|span| &self.pixels[span.bytes()])
    }

    /// The mean colour of a part, each channel rounded to the nearest of its 256 values, half up.
    pub fn mean_colour(&self, spans: impl Iterator<Item = Span>) -> [u8; 3] {
        let (mut sums, mut count) = ([0u32; 3], 0);
        for row in self.part(spans) {
            for pixel in row.chunks_exact(3) {
                for (sum, value) in sums.iter_mut().zip(pixel) {
                    *sum += u32::from(*value);
                }
            }
            count += row.len() as u32 / 3;
        }
        sums.map(|sum| rounded_mean(sum, count))
    }

    /// Standard deviation over the pixels and channels of a part (dividing by their number), values from 0 to 1.
    pub fn deviation(&self, spans: impl Iterator<Item = Span>) -> f64 {
        let (mut sum, mut squares, mut n) = (0u64, 0u64, 0u64);
        for row in self.part(spans) {
            for value in row {
                sum += u64::from(*value);
                squares += u64::from(*value) * u64::from(*value);
            }
            n += row.len() as u64;
        }
        // The numerator is a whole number, so equal patches give exactly equal deviations.
        ((n * squares - sum * sum) as f64).sqrt() / (n as f64 * 255.0)
    }

    /// A copy in which a part is filled with one colour.
    pub fn filled(&self, spans: impl Iterator<Item = Span>, colour: [u8; 3]) -> Self {
        let mut copy = self.clone();
        for span in spans {
            for pixel in copy.pixels[span.bytes()].chunks_exact_mut(3) {
                pixel.copy_from_slice(&colour);
            }
        }
        copy
    }

    /// A copy in which a part shows the same part of `other`.
    pub fn with_part_of(&self, other: &Self, spans: impl Iterator<Item = Span>) -> Self {
        let mut copy = self.clone();
        for span in spans {
            copy.pixels[span.bytes()].copy_from_slice(&other.pixels[span.bytes()]);
        }
        copy
    }

    /// The picture as a JPEG file.
    ///
    /// # Errors
    /// The encoder's error, which is not expected.
    pub fn to_jpeg(&self) -> ImageResult<Vec<u8>> {
        let mut file = Vec::with_capacity(32 * 1024);
        JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).write_image(
            &self.pixels,
            SIDE as u32,
            SIDE as u32,
            ExtendedColorType::Rgb8,
        )?;
        Ok(file)
    }

    /// The picture as a PNG file, which keeps every pixel. Slower compression would save less than a tenth.
    ///
    /// # Errors
    /// The encoder's error, which is not expected.
    pub fn to_png(&self) -> ImageResult<Vec<u8>> {
        let mut file = Vec::with_capacity(64 * 1024);
        PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive).write_image(
            &self.pixels,
            SIDE as u32,
            SIDE as u32,
            ExtendedColorType::Rgb8,
        )?;
        Ok(file)
    }
}

/// The mean of `count` values that add up to `sum`, rounded half up.
pub fn rounded_mean(sum: u32, count: u32) -> u8 {
    ((2 * sum + count) / (2 * count)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes;

    #[test]
    fn png_files_keep_every_pixel() {
        let picture = scenes::paint(1, 6);
        let file = picture.to_png().unwrap();
        assert!(image::load_from_memory(&file).unwrap().to_rgb8().into_raw() == picture.bytes());
        assert!(file.len() < 2 * picture.bytes().len() / 3, "{} bytes", file.len());
    }

    fn ramp() -> Picture {
        Picture::from_fn(|x, y| [x as u8, y as u8, 7])
    }

    fn square(x: usize, y: usize, side: usize) -> impl Iterator<Item = Span> {
        (y..y + side).map(move |y| Span { y, left: x, right: x + side })
    }

    #[test]
    fn means_are_rounded_half_up() {
        assert_eq!(ramp().mean_colour(square(0, 10, 2)), [1, 11, 7]);
        assert_eq!(ramp().mean_colour(square(10, 20, 3)), [11, 21, 7]);
        assert_eq!(rounded_mean(255 * 8100, 8100), 255);
    }

    #[test]
    fn the_deviation_follows_the_definition() {
        let values: Vec<f64> =
            (0..9).flat_map(|i| [f64::from(i % 3), f64::from(i / 3 + 5), 7.0]).map(|v| v / 255.0).collect();
        let mean = values.iter().sum::<f64>() / 27.0;
        let expected = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 27.0).sqrt();
        assert!((ramp().deviation(square(0, 5, 3)) - expected).abs() < 1e-12);
        assert_eq!(Picture::from_fn(|_, _| [9; 3]).deviation(square(4, 4, 90)), 0.0);
    }

    #[test]
    fn parts_change_no_other_pixels() {
        let filled = ramp().filled(square(3, 5, 2), [1, 2, 3]);
        assert_eq!(filled.pixel(3, 5), [1, 2, 3]);
        assert_eq!(filled.pixel(4, 6), [1, 2, 3]);
        assert_eq!(filled.pixel(5, 6), [5, 6, 7]);
        assert_eq!(filled.pixel(3, 7), [3, 7, 7]);
        assert_eq!(filled.with_part_of(&ramp(), square(3, 5, 2)), ramp());
    }
}
