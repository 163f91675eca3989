//! Checking image files before they become stimuli.

use std::io::{Cursor, ErrorKind};

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ImageDecoder, ImageError, ImageFormat, Limits};
use thiserror::Error;

/// The largest image file that [`check_image`] accepts: 2 MB, in bytes.
pub const MAX_BYTES: usize = 2_000_000;

/// What a good image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// `image/png`, `image/jpeg` or `image/webp`, by content.
    pub media_type: &'static str,
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
}

/// What is wrong with an image.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ImageProblem {
    /// More bytes than allowed.
    #[error("the file has {bytes} bytes, more than the {limit} allowed; save it smaller")]
    TooBig {
        /// Size of the file in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The content is not that of any image format we know.
    #[error("the file is not an image; use PNG, JPEG or WebP")]
    NotAnImage,
    /// An image of another format.
    #[error("{format} images are not supported; use PNG, JPEG or WebP")]
    Unsupported {
        /// The format's name.
        format: String,
    },
    /// More than one frame.
    #[error("the {format} image is animated; use a still one")]
    Animated {
        /// The format's name.
        format: &'static str,
    },
    /// Not the size that is expected.
    #[error("the image is {width} x {height} px, but must be {expected_width} x {expected_height} px")]
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
    #[error("the {format} image is cut off; save or upload it again")]
    Truncated {
        /// The format's name.
        format: &'static str,
    },
    /// The file cannot be decoded.
    #[error("the {format} image is damaged ({reason}); save it again")]
    Damaged {
        /// The format's name.
        format: &'static str,
        /// What the decoder said.
        reason: String,
    },
}

/// Checks that a file of at most [`MAX_BYTES`] is a still PNG, JPEG or WebP image of the expected size (px) that can be
/// decoded to its end. The format is that of the content, whatever the file is called.
///
/// # Errors
/// Says what is wrong: see [`ImageProblem`].
pub fn check_image(
    bytes: &[u8],
    expected_width: u32,
    expected_height: u32,
) -> Result<ImageInfo, ImageProblem> {
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
) -> Result<ImageInfo, ImageProblem> {
    if bytes.len() > limit {
        return Err(ImageProblem::TooBig { bytes: bytes.len(), limit });
    }
    let kind = Kind::of(bytes)?;
    let expected = (expected_width, expected_height);
    let source = Cursor::new(bytes);
    match kind {
        Kind::Png => {
            let mut limits = Limits::default();
            // Room for the image itself with 16 bits of four channels, and as much again for what accompanies it.
            limits.max_alloc = Some(16 * u64::from(expected_width) * u64::from(expected_height) + 1_000_000);
            let decoder = PngDecoder::with_limits(source, limits).map_err(|error| kind.problem(error))?;
            check_size(&decoder, expected)?;
            if decoder.is_apng().map_err(|error| kind.problem(error))? {
                return Err(ImageProblem::Animated { format: kind.name() });
            }
            decode(decoder, kind)?;
        }
        Kind::Jpeg => {
            let decoder = JpegDecoder::new(source).map_err(|error| kind.problem(error))?;
            check_size(&decoder, expected)?;
            decode(decoder, kind)?;
        }
        Kind::WebP => {
            let decoder = WebPDecoder::new(source).map_err(|error| kind.problem(error))?;
            check_size(&decoder, expected)?;
            if decoder.has_animation() {
                return Err(ImageProblem::Animated { format: kind.name() });
            }
            decode(decoder, kind)?;
        }
    }
    if !kind.is_complete(bytes) {
        return Err(ImageProblem::Truncated { format: kind.name() });
    }
    Ok(ImageInfo { media_type: kind.media_type(), width: expected_width, height: expected_height })
}

/// The formats we accept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Jpeg,
    WebP,
}

impl Kind {
    fn of(bytes: &[u8]) -> Result<Self, ImageProblem> {
        match image::guess_format(bytes) {
            Ok(ImageFormat::Png) => Ok(Self::Png),
            Ok(ImageFormat::Jpeg) => Ok(Self::Jpeg),
            Ok(ImageFormat::WebP) => Ok(Self::WebP),
            Ok(other) => Err(ImageProblem::Unsupported { format: format!("{other:?}").to_uppercase() }),
            Err(_) => Err(ImageProblem::NotAnImage),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }

    fn problem(self, error: ImageError) -> ImageProblem {
        match error {
            ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
                ImageProblem::Truncated { format: self.name() }
            }
            error => ImageProblem::Damaged { format: self.name(), reason: error.to_string() },
        }
    }

    /// Whether the file goes on to the mark that ends its format. Decoders are lenient about that.
    fn is_complete(self, bytes: &[u8]) -> bool {
        match self {
            Self::Png => png_ends(bytes),
            Self::Jpeg => jpeg_ends(bytes),
            Self::WebP => bytes
                .get(4..8)
                .and_then(|size| size.try_into().ok())
                .is_some_and(|size| bytes.len() as u64 >= 8 + u64::from(u32::from_le_bytes(size))),
        }
    }
}

fn check_size(decoder: &impl ImageDecoder, expected: (u32, u32)) -> Result<(), ImageProblem> {
    let (width, height) = decoder.dimensions();
    if (width, height) == expected {
        return Ok(());
    }
    Err(ImageProblem::WrongSize { width, height, expected_width: expected.0, expected_height: expected.1 })
}

/// Decodes all pixels, whose number is known to be the expected one.
fn decode(decoder: impl ImageDecoder, kind: Kind) -> Result<(), ImageProblem> {
    let mut pixels = vec![0; usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX)];
    decoder.read_image(&mut pixels).map_err(|error| match kind.problem(error) {
        // Compressed data that stop early are reported in many words.
        ImageProblem::Damaged { reason, .. } if reason.to_lowercase().contains("unexpected end") => {
            ImageProblem::Truncated { format: kind.name() }
        }
        problem => problem,
    })
}

/// Whether a chunk IEND comes before the end of the file.
fn png_ends(bytes: &[u8]) -> bool {
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        at += 12 + length;
        if &head[4..] == b"IEND" {
            return at <= bytes.len();
        }
    }
    false
}

/// Whether the marker "end of image" comes before the end of the file, not counting those inside of segments.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[first, marker]) = bytes.get(at..at + 2) {
        match (first, marker) {
            (0xFF, 0xD9) => return true,
            // Fill bytes, stuffed bytes and restart marks stand alone, as do the bytes of compressed data.
            (0xFF, 0xFF) => at += 1,
            (0xFF, 0x00 | 0x01 | 0xD0..=0xD8) => at += 2,
            (0xFF, _) => match bytes.get(at + 2..at + 4) {
                Some(&[high, low]) => at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2),
                _ => return false,
            },
            _ => at += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::webp::WebPEncoder;
    use image::{DynamicImage, ExtendedColorType, RgbImage};

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

    const FORMATS: [(ImageFormat, &str, &str); 3] = [
        (ImageFormat::Png, "PNG", "image/png"),
        (ImageFormat::Jpeg, "JPEG", "image/jpeg"),
        (ImageFormat::WebP, "WebP", "image/webp"),
    ];

    #[test]
    fn good_images_pass() {
        for (format, _, media_type) in FORMATS {
            let info = check_image(&file(format, 64, 48), 64, 48).unwrap();
            assert_eq!(info, ImageInfo { media_type, width: 64, height: 48 });
        }
    }

    #[test]
    fn other_sizes_are_named() {
        for (format, ..) in FORMATS {
            let problem = check_image(&file(format, 64, 48), 224, 224).unwrap_err();
            assert_eq!(problem.to_string(), "the image is 64 x 48 px, but must be 224 x 224 px");
        }
    }

    #[test]
    fn images_cut_off_anywhere_are_refused() {
        for (format, name, _) in FORMATS {
            let whole = file(format, 64, 48);
            for end in [whole.len() - 1, whole.len() - 5, whole.len() * 9 / 10, whole.len() / 2, 60, 30] {
                let problem = check_image(&whole[..end], 64, 48).unwrap_err();
                let expected =
                    matches!(problem, ImageProblem::Truncated { .. } | ImageProblem::Damaged { .. });
                assert!(expected, "{name} cut at {end} of {}: {problem}", whole.len());
            }
            let problem = check_image(&whole[..whole.len() - 1], 64, 48).unwrap_err();
            assert_eq!(problem, ImageProblem::Truncated { format: name });
        }
    }

    #[test]
    fn what_is_no_image_is_refused() {
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
        assert_eq!(problem.to_string(), "GIF images are not supported; use PNG, JPEG or WebP");
        let bmp = b"BM\x3a\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00";
        assert_eq!(check_image(bmp, 1, 1), Err(ImageProblem::Unsupported { format: "BMP".into() }));
    }

    #[test]
    fn the_content_counts_not_the_claim() {
        let mut bytes = file(ImageFormat::Png, 64, 48);
        bytes[20] ^= 0x40;
        assert!(check_image(&bytes, 64, 48).is_err(), "the height in the header was changed");
        let mut bytes = file(ImageFormat::Png, 64, 48);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xFF;
        let problem = check_image(&bytes, 64, 48).unwrap_err();
        assert!(matches!(problem, ImageProblem::Damaged { format: "PNG", .. }), "{problem}");
    }

    #[test]
    fn too_many_bytes_are_refused_unread() {
        let bytes = vec![0; MAX_BYTES + 1];
        let problem = check_image(&bytes, 64, 48).unwrap_err();
        assert_eq!(problem, ImageProblem::TooBig { bytes: 2_000_001, limit: 2_000_000 });
        let png = file(ImageFormat::Png, 64, 48);
        assert!(check_image_within(&png, 64, 48, png.len()).is_ok());
        assert!(check_image_within(&png, 64, 48, png.len() - 1).is_err());
    }

    /// A PNG with a chunk put in after its header.
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
        assert_eq!(check_image(&animated, 64, 48), Err(ImageProblem::Animated { format: "PNG" }));
        // An extended WebP file whose header says: animated, 64 x 48.
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
        assert_eq!(check_image(&webp, 64, 48), Err(ImageProblem::Animated { format: "WebP" }));
    }

    #[test]
    fn bombs_are_refused_before_they_unfold() {
        // A header that claims 50,000 x 50,000 px: refused for its size, without room being made for it.
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
