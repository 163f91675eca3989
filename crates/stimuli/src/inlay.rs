//! Patches that are inserted into pictures (occlusions and windows), and their positions.

use serde::{Deserialize, Serialize};

use super::picture::{Picture, SIDE, Span};

/// The outline of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// All pixels of the square.
    Square,
    /// The pixels of the square whose centres lie within the circle that touches its sides.
    Disc,
}

/// The patch of a study: its size, its outline, and the distance of its positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// Side of the square around the patch, in px.
    pub side: usize,
    /// Its outline.
    pub shape: Shape,
    /// The distance of two neighbouring positions, in px.
    pub stride: usize,
}

/// The upper left corner of the square around a patch, in px from the picture's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(usize, usize)", into = "(usize, usize)")]
pub struct Corner {
    /// Columns from the left.
    pub x: usize,
    /// Rows from the top.
    pub y: usize,
}

impl From<(usize, usize)> for Corner {
    fn from((x, y): (usize, usize)) -> Self {
        Self { x, y }
    }
}

impl From<Corner> for (usize, usize) {
    fn from(corner: Corner) -> Self {
        (corner.x, corner.y)
    }
}

/// The content of a patch.
#[derive(Clone, Copy)]
pub enum Inlay<'a> {
    /// The mean colour, per channel, of the pixels that it hides.
    MeanColour,
    /// The pixels of another picture at the same place.
    Of(&'a Picture),
}

impl Default for Patch {
    fn default() -> Self {
        Self::STUDY
    }
}

impl Patch {
    /// The study's: a square of 40 % of the picture's side, every 2 px.
    pub const STUDY: Self = Self { side: 90, shape: Shape::Square, stride: 2 };

    /// Whether the patch has pixels, all within the picture, and its positions differ.
    pub fn is_valid(&self) -> bool {
        (1..=SIDE).contains(&self.side) && self.stride > 0
    }

    /// Whether the patch lies within the picture.
    pub fn fits(&self, at: Corner) -> bool {
        at.x + self.side <= SIDE && at.y + self.side <= SIDE
    }

    /// All positions, row by row. The last of each row and column touches the edge. The study's patch has 68 x 68 = 4,624.
    pub fn corners(&self) -> Vec<Corner> {
        let last = SIDE - self.side;
        let mut steps: Vec<usize> = (0..=last).step_by(self.stride).collect();
        if steps.last() != Some(&last) {
            steps.push(last);
        }
        steps.iter().flat_map(|y| steps.iter().map(|x| Corner { x: *x, y: *y })).collect()
    }

    /// The pixels of the patch, row by row.
    pub fn spans(self, at: Corner) -> impl Iterator<Item = Span> + Clone {
        (0..self.side).map(move |row| {
            let inset = self.inset(row);
            Span { y: at.y + row, left: at.x + inset, right: at.x + self.side - inset }
        })
    }

    /// The number of columns of a row that lie outside the patch, at each end.
    fn inset(self, row: usize) -> usize {
        // Twice the distance from the centre, a whole number.
        let offset = |i: usize| 2 * i as i64 + 1 - self.side as i64;
        let inside = |column: &usize| {
            offset(*column) * offset(*column) + offset(row) * offset(row) <= (self.side * self.side) as i64
        };
        match self.shape {
            Shape::Square => 0,
            Shape::Disc => (0..self.side / 2).find(inside).unwrap_or(self.side / 2),
        }
    }

    /// The background with the patch inserted.
    pub fn compose(self, background: &Picture, inlay: Inlay<'_>, at: Corner) -> Picture {
        let spans = self.spans(at);
        match inlay {
            Inlay::MeanColour => background.filled(spans.clone(), background.mean_colour(spans)),
            Inlay::Of(picture) => background.with_part_of(picture, spans),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISC: Patch = Patch { shape: Shape::Disc, ..Patch::STUDY };

    #[test]
    fn the_studys_occlusion_has_4624_positions() {
        let all = Patch::default().corners();
        assert_eq!(all.len(), 68 * 68);
        assert_eq!(all[1], Corner { x: 2, y: 0 });
        assert_eq!(all[4623], Corner { x: 134, y: 134 });
        let coarse = Patch { stride: 8, ..Patch::STUDY }.corners();
        assert_eq!(coarse.len(), 18 * 18);
        assert_eq!(coarse[17], Corner { x: 134, y: 0 });
        assert!(all.iter().all(|at| Patch::STUDY.fits(*at)));
        assert!(!Patch::STUDY.fits(Corner { x: 135, y: 0 }));
    }

    #[test]
    fn patches_that_cannot_be_drawn_are_recognised() {
        let valid = |side, stride| Patch { side, stride, ..Patch::STUDY }.is_valid();
        assert_eq!(
            [valid(1, 1), valid(224, 500), valid(0, 2), valid(225, 2), valid(90, 0)],
            [true, true, false, false, false]
        );
    }

    #[test]
    fn squares_show_their_content() {
        let picture = Picture::from_fn(|x, y| [x as u8, y as u8, 0]);
        let other = Picture::from_fn(|_, _| [1, 2, 3]);
        let at = Corner { x: 10, y: 20 };
        let occluded = Patch::STUDY.compose(&picture, Inlay::MeanColour, at);
        // Columns 10 to 99 have the mean 54.5, rows 20 to 109 the mean 64.5; halves are rounded up.
        assert_eq!(occluded.pixel(10, 20), [55, 65, 0]);
        assert_eq!(occluded.pixel(99, 109), [55, 65, 0]);
        assert_eq!(occluded.pixel(100, 109), [100, 109, 0]);
        let window = Patch::STUDY.compose(&picture, Inlay::Of(&other), at);
        assert_eq!(window.pixel(50, 50), [1, 2, 3]);
        assert_eq!(window.pixel(9, 50), [9, 50, 0]);
    }

    #[test]
    fn discs_hide_the_pixels_within_their_circle_only() {
        for side in [1, 2, 5, 89, 90] {
            let disc = Patch { side, ..DISC };
            let at = Corner { x: 3, y: 7 };
            let radius = side as f64 / 2.0;
            let inside = |x: usize, y: usize| {
                let (dx, dy) = (x as f64 + 0.5 - 3.0 - radius, y as f64 + 0.5 - 7.0 - radius);
                dx * dx + dy * dy <= radius * radius
            };
            let marked = Picture::from_fn(|_, _| [0; 3]).filled(disc.spans(at), [255; 3]);
            let expected = Picture::from_fn(|x, y| [if inside(x, y) { 255 } else { 0 }; 3]);
            assert!(marked == expected, "a disc of {side} px");
        }
    }

    #[test]
    fn a_disc_takes_the_mean_of_its_own_pixels() {
        // The corners of the square around the disc are white, and do not count.
        let at = Corner { x: 0, y: 0 };
        let picture = Picture::from_fn(|_, _| [255; 3]).filled(DISC.spans(at), [40, 50, 60]);
        assert_eq!(picture.mean_colour(DISC.spans(at)), [40, 50, 60]);
        assert!(DISC.compose(&picture, Inlay::MeanColour, at) == picture);
        assert_ne!(picture.mean_colour(Patch::STUDY.spans(at)), [40, 50, 60]);
    }
}
