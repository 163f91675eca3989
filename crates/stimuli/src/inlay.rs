//! Squares that are inserted into pictures (occlusions and windows), and their positions.

use super::picture::{Picture, SIDE};

/// Side of the square, in px: 40 % of the picture's.
pub const PATCH: usize = 90;

/// The distance of two neighbouring positions of the occlusion, in px.
pub const STRIDE: usize = 2;

/// The upper left corner of a square, in px from the picture's. Both are multiples of [`STRIDE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corner {
    /// Columns from the left.
    pub x: usize,
    /// Rows from the top.
    pub y: usize,
}

/// The content of the square.
#[derive(Clone, Copy)]
pub enum Inlay<'a> {
    /// The mean colour, per channel, of the pixels that it hides.
    MeanColour,
    /// The pixels of another picture at the same place.
    Of(&'a Picture),
}

/// All positions of the square at distances of `stride` px (a multiple of [`STRIDE`]), row by row. The last of each row and column
/// touches the edge. With [`STRIDE`] these are 68 x 68 = 4,624.
pub fn corners(stride: usize) -> Vec<Corner> {
    let last = SIDE - PATCH;
    let mut steps: Vec<usize> = (0..=last).step_by(stride).collect();
    if steps.last() != Some(&last) {
        steps.push(last);
    }
    steps.iter().flat_map(|y| steps.iter().map(|x| Corner { x: *x, y: *y })).collect()
}

/// The background with the square inserted.
pub fn compose(background: &Picture, inlay: Inlay<'_>, at: Corner) -> Picture {
    match inlay {
        Inlay::MeanColour => {
            let colour = background.mean_colour(at.x, at.y, PATCH);
            background.with_filled_square(at.x, at.y, PATCH, colour)
        }
        Inlay::Of(picture) => background.with_square_of(picture, at.x, at.y, PATCH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_occlusion_has_4624_positions() {
        let all = corners(STRIDE);
        assert_eq!(all.len(), 68 * 68);
        assert_eq!(all[1], Corner { x: 2, y: 0 });
        assert_eq!(all[4623], Corner { x: 134, y: 134 });
        let coarse = corners(8);
        assert_eq!(coarse.len(), 18 * 18);
        assert_eq!(coarse[17], Corner { x: 134, y: 0 });
    }

    #[test]
    fn squares_show_their_content() {
        let picture = Picture::from_fn(|x, y| [x as u8, y as u8, 0]);
        let other = Picture::from_fn(|_, _| [1, 2, 3]);
        let at = Corner { x: 10, y: 20 };
        let occluded = compose(&picture, Inlay::MeanColour, at);
        // Columns 10 to 99 have the mean 54.5, rows 20 to 109 the mean 64.5; halves are rounded up.
        assert_eq!(occluded.pixel(10, 20), [55, 65, 0]);
        assert_eq!(occluded.pixel(99, 109), [55, 65, 0]);
        assert_eq!(occluded.pixel(100, 109), [100, 109, 0]);
        let window = compose(&picture, Inlay::Of(&other), at);
        assert_eq!(window.pixel(50, 50), [1, 2, 3]);
        assert_eq!(window.pixel(9, 50), [9, 50, 0]);
    }
}
