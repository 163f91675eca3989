//! Checks image files before they are used as stimuli.

use std::io::{Cursor, ErrorKind};

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ImageDecoder, ImageError, Limits};
use thiserror::Error;

use crate::domain::image_file::{Bare, Format, bare};

/// The largest image file that [`check_image`] accepts: 2 MB, in bytes.
pub const MAX_BYTES: usize = 2_000_000;

/// A fault of an image. Its message continues a sentence after the image's name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ImageProblem {
    /// The file has more bytes than allowed.
    #[error("has {bytes} bytes, more than the {limit} allowed")]
    TooBig {
        /// Size of the file in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The content is not an image of a known format.
    #[error("is not an image")]
    NotAnImage,
    /// The image has another format than those that are supported.
    #[error("cannot be used: {format} images are not supported")]
    Unsupported { format: String },
    /// The image has more than one frame.
    #[error("is animated")]
    Animated,
    /// The image's metadata ask viewers to turn or mirror it.
    #[error("asks to be shown turned or mirrored (its EXIF orientation is {orientation}, not 1)")]
    Turned {
        /// The EXIF orientation, 2 to 8.
        orientation: u8,
    },
    /// The image does not have the expected size.
    #[error("is {width} x {height} px, but must be {expected_width} x {expected_height} px")]
    WrongSize {
        /// Width in px.
        width: u32,
        /// Height in px.
        height: u32,
        /// Expected width in px.
        expected_width: u32,
        /// Expected height in px.
        expected_height: u32,
    },
    /// The file ends before the image does.
    #[error("cannot be used: the {} image is cut off", format.name())]
    Truncated { format: Format },
    /// The file cannot be decoded.
    #[error("cannot be used: the {} image is damaged ({reason})", format.name())]
    Damaged {
        format: Format,
        /// The decoder's error.
        reason: String,
    },
}

impl ImageProblem {
    /// Tells the researcher what to do.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::TooBig { .. } => "Save it smaller",
            Self::NotAnImage | Self::Unsupported { .. } => "Save it as PNG, JPEG or WebP",
            Self::Animated => "Save one frame as a still image",
            Self::Turned { .. } => {
                "Turn the pixels themselves, for example with ImageMagick: `magick IN -auto-orient OUT`"
            }
            Self::WrongSize { .. } => "Save it in the size that `design` gives, or correct the design",
            Self::Truncated { .. } | Self::Damaged { .. } => "Save or copy it again",
        }
    }
}

/// Checks that a file of at most [`MAX_BYTES`] is a still, upright PNG, JPEG or WebP image of the expected size (px) that can be
/// decoded completely, and removes its metadata. The format is taken from the content, not from the file's name.
///
/// # Errors
/// Says what is wrong: see [`ImageProblem`].
pub fn check_image(bytes: &[u8], expected_width: u32, expected_height: u32) -> Result<Bare, ImageProblem> {
    check_image_within(bytes, expected_width, expected_height, MAX_BYTES)
}

/// [`check_image`] with another limit, in bytes.
///
/// # Errors
/// As [`check_image`].
pub fn check_image_within(
    bytes: &[u8],
    expected_width: u32,
    expected_height: u32,
    limit: usize,
) -> Result<Bare, ImageProblem> {
    if bytes.len() > limit {
        return Err(ImageProblem::TooBig { bytes: bytes.len(), limit });
    }
    let format = Format::of(bytes).ok_or_else(|| other_format(bytes))?;
    let bare = bare(bytes);
    // The orientation is checked before the size, since width and height are exchanged for an image on its side.
    if let Some(orientation) = bare.as_ref().and_then(|bare| bare.turned) {
        return Err(ImageProblem::Turned { orientation });
    }
    decode(bytes, format, (expected_width, expected_height))?;
    // Decoders accept files without the mark that ends an image.
    bare.ok_or(ImageProblem::Truncated { format })
}

fn other_format(bytes: &[u8]) -> ImageProblem {
    match image::guess_format(bytes) {
        Ok(other) => ImageProblem::Unsupported { format: format!("{other:?}").to_uppercase() },
        Err(_) => ImageProblem::NotAnImage,
    }
}

fn decode(bytes: &[u8], format: Format, expected: (u32, u32)) -> Result<(), ImageProblem> {
    let source = Cursor::new(bytes);
    let problem = |error| problem(format, error);
    match format {
        Format::Png => {
            let mut limits = Limits::default();
            // The image takes up to 16 bits in four channels, and its metadata as much again.
            limits.max_alloc = Some(16 * u64::from(expected.0) * u64::from(expected.1) + 1_000_000);
            let decoder = PngDecoder::with_limits(source, limits).map_err(problem)?;
            check_size(&decoder, expected)?;
            if decoder.is_apng().map_err(problem)? {
                return Err(ImageProblem::Animated);
            }
            decode_pixels(decoder, format)
        }
        Format::Jpeg => {
            let decoder = JpegDecoder::new(source).map_err(problem)?;
            check_size(&decoder, expected)?;
            decode_pixels(decoder, format)
        }
        Format::WebP => {
            let decoder = WebPDecoder::new(source).map_err(problem)?;
            check_size(&decoder, expected)?;
            if decoder.has_animation() {
                return Err(ImageProblem::Animated);
            }
            decode_pixels(decoder, format)
        }
    }
}

fn problem(format: Format, error: ImageError) -> ImageProblem {
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            ImageProblem::Truncated { format }
        }
        error => ImageProblem::Damaged { format, reason: error.to_string() },
    }
}

fn check_size(decoder: &impl ImageDecoder, expected: (u32, u32)) -> Result<(), ImageProblem> {
    let (width, height) = decoder.dimensions();
    if (width, height) == expected {
        return Ok(());
    }
    Err(ImageProblem::WrongSize { width, height, expected_width: expected.0, expected_height: expected.1 })
}

/// Decodes all pixels. The caller has checked that their number is the expected one.
fn decode_pixels(decoder: impl ImageDecoder, format: Format) -> Result<(), ImageProblem> {
    let mut pixels = vec![0; usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX)];
    decoder.read_image(&mut pixels).map_err(|error| match problem(format, error) {
        // Decoders report in different words that compressed data end too early.
        ImageProblem::Damaged { reason, .. } if reason.to_lowercase().contains("unexpected end") => {
            ImageProblem::Truncated { format }
        }
        problem => problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::webp::WebPEncoder;
    use image::{DynamicImage, ExtendedColorType, ImageFormat, RgbImage};

    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 3) as u8, (y * 5) as u8, (x * y) as u8]))
    }

    fn file(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let image = picture(width, height);
        let mut bytes = Cursor::new(Vec::new());
        if format == ImageFormat::WebP {
            let encoder = WebPEncoder::new_lossless(&mut bytes);
            encoder.encode(&image, width, height, ExtendedColorType::Rgb8).unwrap();
        } else {
            DynamicImage::from(image).write_to(&mut bytes, format).unwrap();
        }
        bytes.into_inner()
    }

    const FORMATS: [(ImageFormat, Format); 3] = [
        (ImageFormat::Png, Format::Png),
        (ImageFormat::Jpeg, Format::Jpeg),
        (ImageFormat::WebP, Format::WebP),
    ];

    #[test]
    fn good_images_pass() {
        for (format, expected) in FORMATS {
            let bytes = file(format, 64, 48);
            let bare = check_image(&bytes, 64, 48).unwrap();
            assert_eq!(bare, Bare { format: expected, bytes, turned: None });
        }
    }

    #[test]
    fn other_sizes_are_named() {
        for (format, ..) in FORMATS {
            let problem = check_image(&file(format, 64, 48), 224, 224).unwrap_err();
            assert_eq!(problem.to_string(), "is 64 x 48 px, but must be 224 x 224 px");
        }
    }

    #[test]
    fn images_cut_off_anywhere_are_refused() {
        for (format, expected) in FORMATS {
            let whole = file(format, 64, 48);
            for end in [whole.len() - 1, whole.len() - 5, whole.len() * 9 / 10, whole.len() / 2, 60, 30] {
                let problem = check_image(&whole[..end], 64, 48).unwrap_err();
                let told = matches!(problem, ImageProblem::Truncated { .. } | ImageProblem::Damaged { .. });
                assert!(told, "{expected:?} cut at {end} of {}: {problem}", whole.len());
            }
            let problem = check_image(&whole[..whole.len() - 1], 64, 48).unwrap_err();
            assert_eq!(problem, ImageProblem::Truncated { format: expected });
        }
    }

    #[test]
    fn a_file_that_is_no_image_is_refused() {
        for bytes in [&b""[..], b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", &[0; 1000]] {
            assert_eq!(check_image(bytes, 64, 48), Err(ImageProblem::NotAnImage));
        }
        let noise: Vec<u8> = (0..4000u32).map(|i| (i * i % 251) as u8).collect();
        assert!(check_image(&noise, 64, 48).is_err());
    }

    #[test]
    fn other_formats_are_named() {
        let gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;";
        let problem = check_image(gif, 1, 1).unwrap_err();
        assert_eq!(problem.to_string(), "cannot be used: GIF images are not supported");
        let bmp = b"BM\x3a\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00";
        assert_eq!(check_image(bmp, 1, 1), Err(ImageProblem::Unsupported { format: "BMP".into() }));
    }

    #[test]
    fn the_format_is_taken_from_the_content() {
        let mut bytes = file(ImageFormat::Png, 64, 48);
        bytes[20] ^= 0x40;
        assert!(check_image(&bytes, 64, 48).is_err(), "the height in the header was changed");
        let mut bytes = file(ImageFormat::Png, 64, 48);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xFF;
        let problem = check_image(&bytes, 64, 48).unwrap_err();
        assert!(matches!(problem, ImageProblem::Damaged { format: Format::Png, .. }), "{problem}");
    }

    #[test]
    fn files_with_too_many_bytes_are_refused_unread() {
        let bytes = vec![0; MAX_BYTES + 1];
        let problem = check_image(&bytes, 64, 48).unwrap_err();
        assert_eq!(problem, ImageProblem::TooBig { bytes: 2_000_001, limit: 2_000_000 });
        let png = file(ImageFormat::Png, 64, 48);
        assert!(check_image_within(&png, 64, 48, png.len()).is_ok());
        assert!(check_image_within(&png, 64, 48, png.len() - 1).is_err());
    }

    /// A PNG with an extra chunk after its header.
    fn png_with(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let mut bytes = file(ImageFormat::Png, 64, 48);
        let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
        chunk.extend_from_slice(kind);
        chunk.extend_from_slice(data);
        chunk.extend_from_slice(&crc(&chunk[4..]).to_be_bytes());
        bytes.splice(33..33, chunk);
        bytes
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
            })
        })
    }

    #[test]
    fn animations_are_refused() {
        let animated = png_with(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]);
        assert_eq!(check_image(&animated, 64, 48), Err(ImageProblem::Animated));
        // The header of an extended WebP file that says: animated, 64 x 48.
        let mut webp =
            b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x3f\x00\x00\x2f\x00\x00".to_vec();
        webp.extend_from_slice(b"ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00");
        let still = file(ImageFormat::WebP, 64, 48);
        let mut frame = vec![0; 16];
        frame[6..9].copy_from_slice(&[63, 0, 0]);
        frame[9..12].copy_from_slice(&[47, 0, 0]);
        frame.extend_from_slice(&still[12..]);
        webp.extend_from_slice(b"ANMF");
        webp.extend_from_slice(&(frame.len() as u32).to_le_bytes());
        webp.extend_from_slice(&frame);
        let size = (webp.len() as u32 - 8).to_le_bytes();
        webp[4..8].copy_from_slice(&size);
        assert_eq!(check_image(&webp, 64, 48), Err(ImageProblem::Animated));
    }

    #[test]
    fn turned_images_are_refused_before_their_size_is_looked_at() {
        let quarter = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let turned = png_with(b"eXIf", quarter);
        for (width, height) in [(64, 48), (48, 64)] {
            let problem = check_image(&turned, width, height).unwrap_err();
            assert_eq!(problem, ImageProblem::Turned { orientation: 6 });
            assert!(problem.remedy().contains("-auto-orient"));
        }
    }

    #[test]
    fn decompression_bombs_are_refused_before_they_are_decoded() {
        // The header claims 50,000 x 50,000 px. The image is refused for its size before memory is allocated.
        let mut bytes = file(ImageFormat::Png, 64, 48);
        bytes[16..24].copy_from_slice(&[0, 0, 0xC3, 0x50, 0, 0, 0xC3, 0x50]);
        let sum = crc(&bytes[12..29]).to_be_bytes();
        bytes[29..33].copy_from_slice(&sum);
        assert!(matches!(
            check_image(&bytes, 224, 224),
            Err(ImageProblem::WrongSize { width: 50_000, height: 50_000, .. } | ImageProblem::Damaged { .. })
        ));
    }
}
