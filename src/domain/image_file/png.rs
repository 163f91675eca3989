//! Strips and pads PNG files: a signature, and chunks with length, type and checksum.

use super::{Bare, turn};

/// The chunks that decide how the pixels look.
const KEPT: [&[u8; 4]; 10] =
    [b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"IDAT"];

/// The empty last chunk, with head and checksum.
const END: &[u8; 12] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// Copies the parts that are kept. None if the file is truncated.
pub fn strip(file: &[u8], bare: &mut Bare) -> Option<()> {
    let (signature, mut rest) = file.split_at_checked(8)?;
    bare.bytes.extend_from_slice(signature);
    loop {
        let (&length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        let kind = after.first_chunk::<4>()?;
        let (chunk, next) = rest.split_at_checked(length.checked_add(12)?)?;
        let data = &chunk[8..8 + length];
        match kind {
            b"IEND" => {
                bare.bytes.extend_from_slice(END);
                return Some(());
            }
            b"iCCP" => push(&mut bare.bytes, kind, &unnamed(data)),
            b"eXIf" => {
                if let Some(turned) = turn::turn(data) {
                    bare.turned = Some(turned);
                    push(&mut bare.bytes, kind, &turn::block(turned));
                }
            }
            kind if KEPT.contains(&kind) => bare.bytes.extend_from_slice(chunk),
            _ => {}
        }
        rest = next;
    }
}

/// A colour profile with a neutral name, since the name could reveal something.
fn unnamed(profile: &[u8]) -> Vec<u8> {
    let name = profile.iter().position(|byte| *byte == 0).unwrap_or(profile.len());
    [b"i", &profile[name..]].concat()
}

/// Inserts a chunk without meaning before the last one.
pub fn fill(bytes: &mut Vec<u8>, room: usize) {
    bytes.truncate(bytes.len() - END.len());
    // The case of the letters says: the chunk may be skipped and copied, and belongs to no standard.
    push(bytes, b"fiLl", &vec![0; room - 12]);
    bytes.extend_from_slice(END);
}

fn push(bytes: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(kind);
    checksum.update(data);
    let length = u32::try_from(data.len()).expect("a chunk of a file that was in memory");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(&checksum.finalize().to_be_bytes());
}
