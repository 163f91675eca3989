//! Removes metadata from image files, and pads files to a common size. Texts, dates, thumbnails, print sizes and bytes after the end
//! could name the correct answer. Data that decide how the pixels look stay: colour profile, gamma, palette, transparency. The
//! compressed pixels are copied unchanged.
//!
//! The library `img-parts` would keep everything after the first scan of a JPEG file, including comments and a second image.

mod jpeg;
mod png;
mod turn;
mod webp;

/// The formats of stimuli.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// The format of JFIF and EXIF files.
    Jpeg,
    /// A RIFF file with VP8 data.
    WebP,
}

impl Format {
    /// Recognises the format by the first bytes.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match image::guess_format(bytes) {
            Ok(image::ImageFormat::Png) => Some(Self::Png),
            Ok(image::ImageFormat::Jpeg) => Some(Self::Jpeg),
            Ok(image::ImageFormat::WebP) => Some(Self::WebP),
            _ => None,
        }
    }

    /// The format's name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
        }
    }

    /// The media type for HTTP.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

/// An image file without metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bare {
    /// The file's format.
    pub format: Format,
    /// The content of the file.
    pub bytes: Vec<u8>,
    /// The EXIF orientation, 2 to 8, if the file asks to be shown turned or mirrored. It is kept; imports refuse images that have one.
    pub turned: Option<u8>,
}

/// Removes the metadata of a file. A second call changes nothing. None if the file is truncated or of another format.
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

/// Padded sizes are multiples of this number of bytes, so that they fit into an address.
pub const SIZE_STEP: usize = 256;

/// The least padding in bytes, which also covers the few bytes by which a stripped file may be larger than the original.
const SLACK: usize = 64;

/// The size in bytes to which two files are padded, so that their sizes do not distinguish them.
pub fn common_size(one: usize, other: usize) -> usize {
    (one.max(other) + SLACK).next_multiple_of(SIZE_STEP)
}

impl Bare {
    /// The file, padded to `size` bytes with data that every decoder skips. A larger file stays as it is.
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
