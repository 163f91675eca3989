//! Pictures side by side, for a look at several presets or units.

use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};
use weber_stimuli::picture::{Picture, SIDE};

/// White lines between pictures, in px.
const GAP: u32 = 4;

/// Rows of pictures on white, each with this `side` in px. Rows may have different lengths.
pub fn strip(rows: &[Vec<&Picture>], side: u32) -> RgbImage {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let length = |count: u32| (count * (side + GAP)).saturating_sub(GAP).max(1);
    let mut sheet = RgbImage::from_pixel(length(columns), length(rows.len() as u32), Rgb([255; 3]));
    for (y, row) in rows.iter().enumerate() {
        for (x, picture) in row.iter().enumerate() {
            let whole =
                RgbImage::from_fn(
                    SIDE as u32,
                    SIDE as u32,
                    |x, y| Rgb(picture.pixel(x as usize, y as usize)),
                );
            let small = resize(&whole, side, side, FilterType::CatmullRom);
            let place = |i: usize| i64::from(i as u32 * (side + GAP));
            image::imageops::replace(&mut sheet, &small, place(x), place(y));
        }
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_in_their_places() {
        let plain = |colour: [u8; 3]| Picture::from_fn(|_, _| colour);
        let (red, blue) = (plain([200, 0, 0]), plain([0, 0, 200]));
        let sheet = strip(&[vec![&red, &blue], vec![&blue]], 10);
        assert_eq!(sheet.dimensions(), (24, 24));
        let at = |x: u32, y: u32| sheet.get_pixel(x, y).0;
        assert_eq!((at(5, 5), at(20, 5), at(5, 20)), ([200, 0, 0], [0, 0, 200], [0, 0, 200]));
        assert_eq!((at(12, 5), at(20, 20)), ([255; 3], [255; 3]));
    }
}
