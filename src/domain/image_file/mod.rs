//! Image files without anything that accompanies the pixels: texts, dates, thumbnails, print sizes and bytes after the end may
//! name the correct answer. What decides how the pixels look stays: colour profile, gamma, palette, transparency. The pixels
//! themselves are copied as they are compressed.
//!
//! `img-parts`, a library for this, leaves in place what follows the first scan of a JPEG file, comments and a second image included.

mod jpeg;
mod png;
mod turn;
mod webp;

/// The formats of stimuli.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    WebP,
}

impl Format {
    /// The format of these bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match image::guess_format(bytes) {
            Ok(image::ImageFormat::Png) => Some(Self::Png),
            Ok(image::ImageFormat::Jpeg) => Some(Self::Jpeg),
            Ok(image::ImageFormat::WebP) => Some(Self::WebP),
            _ => None,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

/// An image file with nothing beside its pixels and what decides how they look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bare {
    /// Its format.
    pub format: Format,
    /// The file.
    pub bytes: Vec<u8>,
    /// EXIF orientation, 2 to 8, where the file asks to be shown turned or mirrored. It is kept, and new images with it are refused.
    pub turned: Option<u8>,
}

/// The bare form of a file, which is its own bare form; none if it is of another format or ends before the image does.
pub fn bare(file: &[u8]) -> Option<Bare> {
    let format = Format::of(file)?;
    let mut bare = Bare { format, bytes: Vec::with_capacity(file.len()), turned: None };
    match format {
        Format::Png => png::strip(file, &mut bare)?,
        Format::Jpeg => jpeg::strip(file, &mut bare)?,
        Format::WebP => webp::strip(file, &mut bare)?,
    }
    Some(bare)
}

/// Sizes to which images are filled up, in bytes, are multiples of this: so they fit into an address.
pub const SIZE_STEP: usize = 256;

/// What filling up takes at least, in bytes, and what a bare form may have more than the file that it was made from: a few.
const SLACK: usize = 64;

/// The size to which two files can both be filled up, in bytes, so that neither is told from the other by its size.
pub fn common_size(one: usize, other: usize) -> usize {
    (one.max(other) + SLACK).next_multiple_of(SIZE_STEP)
}

impl Bare {
    /// The file filled up to that many bytes with what every decoder skips; the file as it is where it is larger.
    pub fn filled_up_to(self, size: usize) -> Vec<u8> {
        let mut bytes = self.bytes;
        let room = size.saturating_sub(bytes.len());
        if room >= SLACK / 2 {
            match self.format {
                Format::Png => png::fill(&mut bytes, room),
                Format::Jpeg => jpeg::fill(&mut bytes, room),
                Format::WebP => webp::fill(&mut bytes, room),
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests;
