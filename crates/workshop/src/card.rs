//! The model card: how a network wants its pictures.

mod check;
mod file;

pub use check::CheckError;
pub use file::{Activations, CardError, Check, Class, EdgePadding, ModelCard, Shown};

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use weber_stimuli::picture::{Picture, SIDE};

use crate::network::device;

/// How bytes of a picture become the numbers that a network was trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Side of the network's input, in px.
    pub size: usize,
    /// What is subtracted from the bytes (0 to 255), per channel in the network's order.
    pub mean: [f32; 3],
    /// What the difference is multiplied with, per channel in the network's order.
    pub scale: [f32; 3],
    /// The order of the network's channels.
    pub order: ChannelOrder,
}

/// The order of colours in a network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    Rgb,
    Bgr,
}

impl ChannelOrder {
    /// The picture's channel (red is 0) for each of the network's.
    pub fn channels(self) -> [usize; 3] {
        match self {
            Self::Rgb => [0, 1, 2],
            Self::Bgr => [2, 1, 0],
        }
    }
}

impl Card {
    /// A card with the same mean and scale for red, green and blue.
    pub fn new(size: usize, mean: f32, scale: f32) -> Self {
        Self { size, mean: [mean; 3], scale: [scale; 3], order: ChannelOrder::Rgb }
    }

    /// The card of the demo network.
    pub fn demo() -> Self {
        Self::new(crate::architecture::DEMO_SIDE, 117.0, 1.0 / 58.0)
    }

    /// The pictures as the network's input: `[pictures, 3, size, size]`.
    pub fn input(&self, pictures: &[&Picture]) -> Tensor<4> {
        let mut values = Vec::with_capacity(pictures.len() * 3 * self.size * self.size);
        for picture in pictures {
            self.append(picture, &mut values);
        }
        Tensor::from_data(TensorData::new(values, [pictures.len(), 3, self.size, self.size]), &device())
    }

    /// Adds the numbers of one picture, by channel, row and column.
    pub fn append(&self, picture: &Picture, values: &mut Vec<f32>) {
        self.append_region(picture, [0, 0], [self.size; 2], values);
    }

    /// [`Self::append`] for a part of the input, given its first row and column and its height and width.
    pub fn append_region(
        &self,
        picture: &Picture,
        [top, left]: [usize; 2],
        [height, width]: [usize; 2],
        values: &mut Vec<f32>,
    ) {
        let bytes = picture.bytes();
        let taps = Taps::new(self.size);
        for (place, channel) in self.order.channels().into_iter().enumerate() {
            for y in top..top + height {
                for x in left..left + width {
                    let value = taps.mean(|column, row| bytes[(row * SIDE + column) * 3 + channel], x, y);
                    values.push((value - self.mean[place]) * self.scale[place]);
                }
            }
        }
    }

    /// The pixels `from..to` of a picture's line as the pixels of the input's line that depend on them.
    pub fn affected(&self, from: usize, to: usize) -> (usize, usize) {
        let reads = |i: &usize| Taps::line(self.size, *i).iter().any(|(pixel, _)| (from..to).contains(pixel));
        let first = (0..self.size).find(reads).unwrap_or(0);
        (first, (first..self.size).rev().find(reads).map_or(first, |last| last + 1))
    }
}

/// Which pixels of a picture's line make up each pixel of the network's input: all that it covers if the input is smaller (so that a
/// position on the grid of 2 px stays exact at half the side), else the two nearest.
struct Taps {
    lines: Vec<Vec<(usize, f32)>>,
}

impl Taps {
    fn new(size: usize) -> Self {
        Self { lines: (0..size).map(|i| Self::line(size, i)).collect() }
    }

    fn line(size: usize, i: usize) -> Vec<(usize, f32)> {
        let ratio = SIDE as f32 / size as f32;
        if size == SIDE {
            return vec![(i, 1.0)];
        }
        if size < SIDE {
            let (from, to) = (i as f32 * ratio, (i + 1) as f32 * ratio);
            let covered = |j: usize| (to.min((j + 1) as f32) - from.max(j as f32)).max(0.0) / ratio;
            let last = (to.ceil() as usize).min(SIDE);
            return (from as usize..last)
                .map(|j| (j, covered(j)))
                .filter(|(_, share)| *share > 0.0)
                .collect();
        }
        let at = ((i as f32 + 0.5) * ratio - 0.5).clamp(0.0, (SIDE - 1) as f32);
        let (low, rest) = (at as usize, at.fract());
        vec![(low, 1.0 - rest), ((low + 1).min(SIDE - 1), rest)]
    }

    fn mean(&self, byte: impl Fn(usize, usize) -> u8, x: usize, y: usize) -> f32 {
        let mut sum = 0.0;
        for (row, down) in &self.lines[y] {
            for (column, across) in &self.lines[x] {
                sum += down * across * f32::from(byte(*column, *row));
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::values;

    fn card(size: usize) -> Card {
        Card { size, mean: [1.0, 2.0, 3.0], scale: [1.0, 0.5, 2.0], order: ChannelOrder::Bgr }
    }

    #[test]
    fn inputs_follow_the_card() {
        let picture = Picture::from_fn(|x, y| [x as u8, y as u8, 9]);
        let at = |size: usize, channel: usize, x: usize, y: usize| {
            values(card(size).input(&[&picture]))[(channel * size + y) * size + x]
        };
        // Blue comes first: (9 - 1) * 1.
        assert_eq!(at(224, 0, 5, 7), 8.0);
        assert_eq!((at(224, 1, 5, 7), at(224, 2, 5, 7)), ((7.0 - 2.0) * 0.5, (5.0 - 3.0) * 2.0));
        // At half the side a pixel is the mean of 2 x 2.
        assert_eq!(at(112, 2, 5, 7), (10.5 - 3.0) * 2.0);
        assert_eq!(card(112).affected(4, 10), (2, 5));
        assert_eq!(card(224).affected(4, 10), (4, 10));
        let large = at(448, 2, 11, 7);
        assert!((large - (5.25 - 3.0) * 2.0).abs() < 1e-4, "{large}");
    }
}
