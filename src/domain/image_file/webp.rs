//! Strips and pads WebP files: chunks in a RIFF file, with type and length, padded to an even length.

use super::{Bare, turn};

/// The flags of an extended file that concern pixels: colour profile, transparency, animation.
const ABOUT_PIXELS: u8 = 0x32;
/// The flag for EXIF.
const EXIF: u8 = 0x08;

/// The position of the flags of an extended file.
const FLAGS: usize = 20;

/// Copies the parts that are kept. None if the file is truncated.
pub fn strip(file: &[u8], bare: &mut Bare) -> Option<()> {
    let size = usize::try_from(u32::from_le_bytes(*file.get(4..)?.first_chunk()?)).ok()?;
    let mut rest = file.get(12..8_usize.checked_add(size)?)?;
    let mut has_exif = false;
    bare.bytes.extend_from_slice(b"RIFF\0\0\0\0WEBP");
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let &[a, b, c, d, ref length @ ..] = head;
        let (kind, length) = ([a, b, c, d], usize::try_from(u32::from_le_bytes(*length)).ok()?);
        let data = after.get(..length)?;
        match &kind {
            b"VP8X" => {
                let flags = *data.first()?;
                has_exif = flags & EXIF != 0;
                push(&mut bare.bytes, kind, &[&[flags & ABOUT_PIXELS, 0, 0, 0], data.get(4..10)?].concat());
            }
            b"ICCP" | b"ALPH" | b"VP8 " | b"VP8L" => push(&mut bare.bytes, kind, data),
            b"EXIF" if has_exif => {
                if let Some(turned) = turn::turn(data) {
                    bare.turned = Some(turned);
                    bare.bytes[FLAGS] |= EXIF;
                    push(&mut bare.bytes, kind, &turn::block(turned));
                }
            }
            _ => {}
        }
        rest = after.get(length.next_multiple_of(2)..).unwrap_or_default();
    }
    set_size(&mut bare.bytes);
    Some(())
}

/// Appends a chunk without meaning. `room` is even, as all sizes of WebP files are.
pub fn fill(bytes: &mut Vec<u8>, room: usize) {
    push(bytes, *b"FILL", &vec![0; room - 8]);
    set_size(bytes);
}

fn push(bytes: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("a chunk of a file that was in memory");
    bytes.extend_from_slice(&kind);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(data);
    if data.len() % 2 == 1 {
        bytes.push(0);
    }
}

fn set_size(bytes: &mut [u8]) {
    let size = u32::try_from(bytes.len() - 8).expect("a file that was in memory");
    bytes[4..8].copy_from_slice(&size.to_le_bytes());
}
