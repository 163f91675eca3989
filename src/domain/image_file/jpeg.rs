//! Strips and pads JPEG files: segments with marker and length, and compressed data after each "start of scan".

use super::{Bare, turn};

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;
const COMMENT: u8 = 0xFE;

/// The largest segment that a length of 16 bits allows, including its marker.
const LARGEST_SEGMENT: usize = 2 + 0xFFFF;

/// Copies the parts that are kept. None if the file is truncated.
pub fn strip(file: &[u8], bare: &mut Bare) -> Option<()> {
    bare.bytes.extend_from_slice(file.get(..2)?);
    let mut rest = &file[2..];
    loop {
        match *rest.first_chunk::<2>()? {
            [0xFF, END_OF_IMAGE] => {
                bare.bytes.extend_from_slice(&[0xFF, END_OF_IMAGE]);
                return Some(());
            }
            // Markers without a segment mean nothing outside a scan.
            [0xFF, 0x00 | 0x01 | 0xD0..=START_OF_IMAGE] => rest = &rest[2..],
            // Fill bytes may precede a marker, and decoders skip bytes between segments.
            [0xFF, 0xFF] | [0..0xFF, _] => rest = &rest[1..],
            [0xFF, marker] => {
                let length = usize::from(u16::from_be_bytes(*rest[2..].first_chunk()?));
                let (segment, after) = rest.split_at_checked(2 + length.max(2))?;
                keep(marker, segment, bare);
                rest = if marker == START_OF_SCAN { scan(after, &mut bare.bytes) } else { after };
            }
        }
    }
}

/// Copies a segment if it decides how the pixels look.
fn keep(marker: u8, segment: &[u8], bare: &mut Bare) {
    let data = &segment[4..];
    match marker {
        // Frames, tables, restart intervals and scans.
        0xC0..=0xCF | 0xDA..=0xDF => bare.bytes.extend_from_slice(segment),
        // JFIF defines the colours. Its print size and thumbnail are removed.
        0xE0 if data.starts_with(b"JFIF\0") && data.len() >= 14 => {
            push(&mut bare.bytes, marker, &[&data[..7], b"\0\0\x01\0\x01\0\0"].concat());
        }
        0xE1 if data.starts_with(b"Exif\0\0") => {
            if let Some(turned) = turn::turn(data) {
                bare.turned = Some(turned);
                push(&mut bare.bytes, marker, &[b"Exif\0\0", &turn::block(turned)[..]].concat());
            }
        }
        // The colour profile.
        0xE2 if data.starts_with(b"ICC_PROFILE\0") => bare.bytes.extend_from_slice(segment),
        // Adobe's segment says which colours the components are.
        0xEE if data.starts_with(b"Adobe") && data.len() >= 12 => {
            push(&mut bare.bytes, marker, &data[..12]);
        }
        _ => {}
    }
}

/// Copies compressed data with its restart markers, and returns the rest.
fn scan<'a>(data: &'a [u8], bytes: &mut Vec<u8>) -> &'a [u8] {
    let mut at = 0;
    let end = loop {
        let Some(mark) = data[at..].iter().position(|byte| *byte == 0xFF).map(|found| at + found) else {
            break data.len();
        };
        // Fill bytes may precede a marker.
        let Some(fill) = data[mark..].iter().position(|byte| *byte != 0xFF) else { break data.len() };
        at = mark + fill + 1;
        if !matches!(data[at - 1], 0x00 | 0xD0..=0xD7) {
            break mark;
        }
    };
    bytes.extend_from_slice(&data[..end]);
    &data[end..]
}

/// Inserts comments of zeros after the segments that define the colours.
pub fn fill(bytes: &mut Vec<u8>, mut room: usize) {
    let mut filling = Vec::with_capacity(room);
    while room > 0 {
        let mut size = room.min(LARGEST_SEGMENT);
        // The rest must be long enough for a segment's head.
        if (1..4).contains(&(room - size)) {
            size -= 4;
        }
        push(&mut filling, COMMENT, &vec![0; size - 4]);
        room -= size;
    }
    let at = head(bytes);
    bytes.splice(at..at, filling);
}

/// The end of the segments that define the colours.
fn head(bytes: &[u8]) -> usize {
    let mut at = 2;
    while let Some(&[0xFF, 0xE0..=0xEF, high, low]) = bytes[at..].first_chunk() {
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    at
}

fn push(bytes: &mut Vec<u8>, marker: u8, data: &[u8]) {
    let length = u16::try_from(data.len() + 2).expect("a segment is no longer than its length can say");
    bytes.extend_from_slice(&[0xFF, marker]);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(data);
}
