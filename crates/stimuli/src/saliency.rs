//! A model of saliency: contrast between centre and surround in lightness, red against green and blue against yellow, at three
//! scales, after Itti, Koch and Niebur (1998), without a bias towards the centre.

use super::picture::{Picture, SIDE, Span};

/// Width and height of the maps: pictures are averaged over 2 x 2 px first.
const CELLS: usize = SIDE / 2;

/// Centre and surround at each scale: the sides of the squares over which they are means reach so many cells to each side.
const SCALES: [(usize, usize); 3] = [(1, 4), (2, 8), (4, 16)];

/// Lightness, red against green, and blue against yellow, as weights of the channels red (0), green (1) and blue (2).
const OPPONENTS: [&[(usize, f32)]; 3] = [
    &[(0, 1.0 / 3.0), (1, 1.0 / 3.0), (2, 1.0 / 3.0)],
    &[(0, 0.5), (1, -0.5)],
    &[(2, 0.5), (0, -0.25), (1, -0.25)],
];

/// The saliency of a picture's parts.
pub struct Saliency {
    /// The share of each cell in the whole, in 10^-12. Whole numbers make comparisons exact on every machine.
    shares: Vec<i64>,
}

impl Saliency {
    /// The saliency of a picture's parts.
    pub fn of(picture: &Picture) -> Self {
        let cells = cells(picture);
        let mut contrast = vec![0.0f32; CELLS * CELLS];
        for weights in OPPONENTS {
            let opponent: Vec<f32> = cells
                .iter()
                .map(|cell| weights.iter().map(|(channel, weight)| weight * cell[*channel]).sum())
                .collect();
            for (centre, surround) in SCALES {
                let (centre, surround) = (box_mean(&opponent, centre), box_mean(&opponent, surround));
                for (sum, (centre, surround)) in contrast.iter_mut().zip(centre.iter().zip(&surround)) {
                    *sum += (centre - surround).abs();
                }
            }
        }
        let total: f64 = contrast.iter().map(|value| f64::from(*value)).sum();
        let share = |value: &f32| (f64::from(*value) / total.max(1e-12) * 1e12).round() as i64;
        Self { shares: contrast.iter().map(share).collect() }
    }

    /// The saliency of a part of the picture, which is proportional to the sum over its pixels.
    pub fn within(&self, spans: impl Iterator<Item = Span>) -> i64 {
        let row = |span: Span| {
            let cells = &self.shares[span.y / 2 * CELLS..][..CELLS];
            (span.left..span.right).map(|x| cells[x / 2]).sum::<i64>()
        };
        spans.map(row).sum()
    }
}

/// Red, green and blue, 0 to 1, averaged over 2 x 2 px.
fn cells(picture: &Picture) -> Vec<[f32; 3]> {
    let pixel = |x: usize, y: usize| picture.pixel(x, y).map(u16::from);
    (0..CELLS * CELLS)
        .map(|i| {
            let (x, y) = (2 * (i % CELLS), 2 * (i / CELLS));
            let four = [pixel(x, y), pixel(x + 1, y), pixel(x, y + 1), pixel(x + 1, y + 1)];
            [0, 1, 2].map(|c| f32::from(four.iter().map(|pixel| pixel[c]).sum::<u16>()) / 1020.0)
        })
        .collect()
}

/// The mean of each cell's square, which reaches that many cells to each side. Beyond the edges the outermost values repeat.
fn box_mean(map: &[f32], reach: usize) -> Vec<f32> {
    let weight = 1.0 / (2 * reach + 1) as f32;
    let near = |i: usize| i.saturating_sub(reach).min(CELLS - 1);
    let add = |sums: &mut [f32], values: &[f32]| {
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
    };
    let mut across = vec![0.0f32; CELLS * CELLS];
    for (sums, row) in across.chunks_exact_mut(CELLS).zip(map.chunks_exact(CELLS)) {
        let padded: Vec<f32> = (0..CELLS + 2 * reach).map(|i| row[near(i)]).collect();
        (0..=2 * reach).for_each(|step| add(sums, &padded[step..]));
    }
    let mut means = vec![0.0f32; CELLS * CELLS];
    for (y, sums) in means.chunks_exact_mut(CELLS).enumerate() {
        (0..=2 * reach).for_each(|step| add(sums, &across[near(y + step) * CELLS..]));
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes;

    #[test]
    fn shares_add_up_to_one() {
        let sum: i64 = Saliency::of(&scenes::paint(1, 4)).shares.iter().sum();
        assert!((sum - 1_000_000_000_000).abs() < 20_000);
    }

    #[test]
    fn shares_are_the_same_on_every_machine() {
        let picture = Picture::from_fn(|x, y| [x as u8, y as u8, (x * y % 256) as u8]);
        let shares = Saliency::of(&picture).shares;
        assert_eq!(
            [shares[0], shares[56 * CELLS + 56], shares[CELLS * CELLS - 1]],
            [227_649_327, 117_333_259, 193_318_008]
        );
    }

    #[test]
    fn means_are_of_squares_with_repeated_edges() {
        let map: Vec<f32> = (0..CELLS * CELLS).map(|i| (i % CELLS + 3 * (i / CELLS)) as f32).collect();
        let means = box_mean(&map, 2);
        // A ramp equals its mean inside. At the left edge the columns are 0, 0, 0, 1 and 2.
        assert!((means[50 * CELLS + 40] - 190.0).abs() < 1e-3);
        assert!((means[50 * CELLS] - 150.6).abs() < 1e-3);
    }
}
