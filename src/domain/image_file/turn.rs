//! Reads and writes the EXIF orientation, the only value of EXIF that changes how an image is shown.

use image::metadata::Orientation;

/// The orientation of an EXIF block, 2 to 8. None if it is upright or missing.
pub fn turn(exif: &[u8]) -> Option<u8> {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let orientation = Orientation::from_exif_chunk(exif)?;
    (orientation != Orientation::NoTransforms).then(|| orientation.to_exif())
}

/// An EXIF block of one directory with the orientation as its only entry.
pub fn block(turned: u8) -> [u8; 26] {
    let mut block = *b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0";
    block[18] = turned;
    block
}
