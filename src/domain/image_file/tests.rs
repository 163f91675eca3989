use std::io::Cursor;

use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ExtendedColorType, ImageFormat, RgbImage};

use super::*;

const FORMATS: [Format; 3] = [Format::Png, Format::Jpeg, Format::WebP];

/// A text that must not be left in a stripped file.
const SECRET: &[u8] = b"max_query of main trial 1";

/// EXIF metadata that ask for a quarter turn and contain the secret.
fn exif(orientation: u8) -> Vec<u8> {
    [&turn::block(orientation)[..], SECRET].concat()
}

/// An image that is large enough for some kilobytes of compressed data.
fn file(format: Format) -> Vec<u8> {
    let image = RgbImage::from_fn(64, 48, |x, y| image::Rgb([(x * 3) as u8, (y * 5) as u8, (x * y) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    match format {
        Format::Png => DynamicImage::from(image).write_to(&mut bytes, ImageFormat::Png).unwrap(),
        Format::Jpeg => DynamicImage::from(image).write_to(&mut bytes, ImageFormat::Jpeg).unwrap(),
        Format::WebP => {
            WebPEncoder::new_lossless(&mut bytes).encode(&image, 64, 48, ExtendedColorType::Rgb8).unwrap()
        }
    }
    bytes.into_inner()
}

fn png_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let sum = crc32fast::hash(&[kind, data].concat()).to_be_bytes();
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &sum].concat()
}

fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    [&[0xFF, marker][..], &(data.len() as u16 + 2).to_be_bytes(), data].concat()
}

fn riff_chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let padding: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
    [kind, &(data.len() as u32).to_le_bytes()[..], data, padding].concat()
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let chunks = chunks.concat();
    [b"RIFF", &(chunks.len() as u32 + 4).to_le_bytes()[..], b"WEBP", &chunks].concat()
}

/// The file with every kind of metadata that its format allows.
fn loaded(format: Format, orientation: u8) -> Vec<u8> {
    let (plain, exif) = (file(format), exif(orientation));
    let said = match format {
        Format::Png => {
            let text = [b"Title\0", SECRET].concat();
            let before = [
                png_chunk(b"iCCP", &[SECRET, b"\0\0", &PROFILE].concat()),
                png_chunk(b"tEXt", &text),
                png_chunk(b"zTXt", &text),
                png_chunk(b"iTXt", &text),
                png_chunk(b"tIME", &[7, 234, 11, 27, 12, 0, 0]),
                png_chunk(b"eXIf", &exif),
                png_chunk(b"pHYs", &[0, 0, 11, 19, 0, 0, 11, 19, 1]),
                png_chunk(b"gAMA", &[0, 0, 177, 143]),
                png_chunk(b"prVt", SECRET),
            ];
            let (head, rest) = plain.split_at(33);
            let (pixels, end) = rest.split_at(rest.len() - 12);
            [head, &before.concat(), pixels, &png_chunk(b"tEXt", &text), end].concat()
        }
        Format::Jpeg => {
            let mut jfif = b"JFIF\0\x01\x01\x01\0\x48\0\x48\x01\x01".to_vec();
            jfif.extend_from_slice(&[1, 2, 3]);
            let before = [
                segment(0xE0, &jfif),
                segment(0xE0, &[b"JFXX\0\x13", SECRET].concat()),
                segment(0xE1, &[b"Exif\0\0", &exif[..]].concat()),
                segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
                segment(0xE2, &[b"ICC_PROFILE\0\x01\x01", &PROFILE[..]].concat()),
                segment(0xE2, &[b"MPF\0", SECRET].concat()),
                segment(0xED, &[b"Photoshop 3.0\0", SECRET].concat()),
                segment(0xEE, &[b"Adobe\0\x64\0\0\0\0\x01", SECRET].concat()),
                segment(0xFE, SECRET),
            ];
            // The JFIF segment of 18 bytes follows the first marker. A comment and fill bytes stand before the last one.
            let (scan, end) = plain[20..].split_at(plain.len() - 22);
            [&plain[..2], &before.concat(), scan, &[0xFF], &segment(0xFE, SECRET), end].concat()
        }
        Format::WebP => riff(&[
            riff_chunk(b"VP8X", &[0x2C, 0, 0, 0, 63, 0, 0, 47, 0, 0]),
            riff_chunk(b"ICCP", &PROFILE),
            riff_chunk(b"prVt", SECRET),
            plain[12..].to_vec(),
            riff_chunk(b"EXIF", &exif),
            riff_chunk(b"XMP ", SECRET),
        ]),
    };
    [&said, SECRET].concat()
}

/// A colour profile, as it is stored in a file. No test reads its content.
const PROFILE: [u8; 8] = *b"profile!";

fn contains(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}

fn pixels(bytes: &[u8]) -> RgbImage {
    image::load_from_memory(bytes).unwrap().to_rgb8()
}

#[test]
fn metadata_are_removed_and_pixels_stay() {
    for format in FORMATS {
        let loaded = loaded(format, 1);
        assert!(contains(&loaded, SECRET));
        let bare = bare(&loaded).unwrap();
        assert!(!contains(&bare.bytes, SECRET), "{format:?}");
        assert!(!contains(&bare.bytes, b"query"), "{format:?}");
        assert!(contains(&bare.bytes, &PROFILE), "{format:?}: the colour profile stays");
        assert_eq!((bare.format, bare.turned), (format, None));
        assert_eq!(pixels(&bare.bytes), pixels(&file(format)), "{format:?}");
    }
}

#[test]
fn everything_that_decides_about_colours_stays() {
    let png = bare(&loaded(Format::Png, 1)).unwrap().bytes;
    assert!(contains(&png, &png_chunk(b"gAMA", &[0, 0, 177, 143])));
    assert!(contains(&png, &png_chunk(b"iCCP", b"i\0\0profile!")));
    let jpeg = bare(&loaded(Format::Jpeg, 1)).unwrap().bytes;
    assert!(contains(&jpeg, &segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")));
    assert!(contains(&jpeg, &segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01")));
    let webp = bare(&loaded(Format::WebP, 1)).unwrap().bytes;
    assert_eq!(webp[20], 0x20, "a profile, and neither EXIF nor XMP");
}

#[test]
fn stripping_a_stripped_file_changes_nothing() {
    for format in FORMATS {
        for orientation in [1, 6] {
            let once = bare(&loaded(format, orientation)).unwrap();
            assert_eq!(bare(&once.bytes).unwrap(), once);
        }
        let plain = file(format);
        assert_eq!(bare(&plain).unwrap().bytes, plain, "{format:?}: it had no metadata");
    }
}

#[test]
fn an_orientation_is_detected_and_kept() {
    for format in FORMATS {
        let bare = bare(&loaded(format, 6)).unwrap();
        assert_eq!(bare.turned, Some(6), "{format:?}");
        assert!(contains(&bare.bytes, &turn::block(6)));
        assert!(!contains(&bare.bytes, SECRET));
    }
    let big_endian = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0";
    assert_eq!(turn::turn(big_endian), Some(3));
    assert_eq!(turn::turn(b"Exif\0\0nonsense"), None);
}

#[test]
fn truncated_files_cannot_be_stripped() {
    for format in FORMATS {
        let whole = bare(&loaded(format, 1)).unwrap().bytes;
        for end in [whole.len() - 1, whole.len() - 5, whole.len() / 2, 40, 14] {
            assert_eq!(bare(&whole[..end]), None, "{format:?} cut at {end}");
        }
    }
    assert_eq!(bare(b""), None);
    assert_eq!(bare(b"GIF89a"), None);
}

#[test]
fn two_files_are_padded_to_one_size() {
    let bare_forms = FORMATS.map(|format| bare(&loaded(format, 1)).unwrap());
    let largest = bare_forms.iter().map(|bare| bare.bytes.len()).max().unwrap();
    // One size whose padding ends where a JPEG segment cannot, and one whose padding needs several segments.
    for size in [common_size(largest, 0), largest.next_multiple_of(256) + 65_536, 70_144, 131_328] {
        for bare in &bare_forms {
            let filled = bare.clone().filled_up_to(size);
            assert_eq!(filled.len(), size, "{:?}", bare.format);
            assert_eq!(pixels(&filled), pixels(&bare.bytes), "{:?}", bare.format);
            assert_eq!(super::bare(&filled).unwrap(), *bare, "padding is removed again");
        }
    }
    let bare = bare_forms[0].clone();
    assert_eq!(bare.clone().filled_up_to(0), bare.bytes);
}

#[test]
fn a_jpeg_can_be_padded_by_any_size() {
    let plain = file(Format::Jpeg);
    for room in (4..20).chain(65_530..65_550) {
        let mut bytes = plain.clone();
        jpeg::fill(&mut bytes, room);
        assert_eq!(bytes.len(), plain.len() + room);
        assert_eq!(bare(&bytes).unwrap().bytes, plain);
    }
}

#[test]
fn markers_inside_compressed_data_are_kept() {
    // Stuffed bytes, restart markers, one with a fill byte before it, then fill bytes and the end.
    let scan =
        [&segment(0xDA, &[1, 2, 3])[..], &[9, 0xFF, 0, 8, 0xFF, 0xD0, 7, 0xFF, 0xFF, 0xD1, 6]].concat();
    let file = [&[0xFF, 0xD8][..], &scan, &[0xFF, 0xFF, 0xD9, 1, 2]].concat();
    assert_eq!(bare(&file).unwrap().bytes, [&[0xFF, 0xD8][..], &scan, &[0xFF, 0xD9]].concat());
}
