//! Study folders from strangers, which try to read other files or to use up memory.

use std::os::unix::fs::symlink;
use std::process::Command;

use weber::study_folder;

use crate::support::tiny_study::TinyStudy;

const IMAGE: &str = "images/unit-00-0-max.png";

fn said(study: &TinyStudy) -> String {
    study_folder::read(study.path())
        .map(|_| "nothing".to_owned())
        .unwrap_or_else(|problems| problems.to_string())
}

#[track_caller]
fn assert_says(study: &TinyStudy, expected: &str) {
    let said = said(study);
    assert!(said.contains(expected), "expected {expected:?} in:\n{said}");
}

#[test]
fn a_path_outside_of_the_folder_is_refused() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "the key").unwrap();
    let absolute = secret.path().to_str().unwrap();
    for name in ["../secret.png", "images/../../secret.png", absolute, "/etc/passwd", ".."] {
        let study = TinyStudy::new(1);
        study.edit("trials.csv", |text| text.replacen(IMAGE, name, 1));
        assert_says(&study, &format!("the image `{name}` lies outside the study folder"));
        let study = TinyStudy::new(1);
        study.edit("study.toml", |text| text + &format!("\n[pages]\nconsent = {name:?}\n"));
        assert_says(&study, "lies outside the study folder");
    }
}

#[test]
fn a_symbolic_link_out_of_the_folder_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    for file in ["consent.md", "instructions/references.md", "study.toml", "trials.csv", IMAGE] {
        let study = TinyStudy::new(1);
        let path = study.path().join(file);
        let target = outside.path().join("target");
        std::fs::rename(&path, &target).unwrap();
        symlink(&target, &path).unwrap();
        assert_says(&study, "lies outside the study folder");
    }
    let study = TinyStudy::new(1);
    std::fs::rename(study.path().join("images"), study.path().join("pictures")).unwrap();
    symlink("pictures", study.path().join("images")).unwrap();
    assert_eq!(said(&study), "nothing", "a link within the folder is accepted");
}

#[test]
fn other_things_than_files_and_large_files_are_not_read() {
    for file in ["consent.md", "study.toml", "trials.csv", IMAGE] {
        let study = TinyStudy::new(1);
        let path = study.path().join(file);
        std::fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert_says(&study, "is not a file");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_says(&study, "is not a file");
        std::fs::remove_dir(&path).unwrap();
        // A sparse file of a terabyte takes no space on the disk.
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_says(&study, "is larger than");
    }
}

#[test]
fn texts_must_be_utf_8() {
    for file in ["consent.md", "study.toml", "trials.csv"] {
        for (bytes, expected) in [(&b"a\xff\xfeb"[..], "is not UTF-8"), (b"a\0b", "holds a NUL character")] {
            let study = TinyStudy::new(1);
            std::fs::write(study.path().join(file), bytes).unwrap();
            assert_says(&study, expected);
        }
    }
}

/// A chunk of a PNG.
pub fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = !0u32;
    for byte in kind.iter().chain(data) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &(!crc).to_be_bytes()].concat()
}

/// Compressed zeroes: about 1 kB for each megabyte.
fn deflated(megabytes: usize) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("x", options).unwrap();
    (0..megabytes).for_each(|_| zip.write_all(&vec![0; 1 << 20]).unwrap());
    let archive = zip.finish().unwrap().into_inner();
    // The compressed data follow a local header of 30 bytes and a name of one byte; a zlib header is put before them.
    [&[0x78, 0x9c][..], &archive[31..archive.len() - 60]].concat()
}

/// Adds a chunk to one of the study's images, after its header.
fn with_chunk(study: &TinyStudy, kind: &[u8; 4], data: &[u8]) {
    let path = study.path().join(IMAGE);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.splice(33..33, chunk(kind, data));
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn files_that_are_no_images_or_have_too_many_pixels_are_refused() {
    let replaced: [(&[u8], &str); 5] = [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "is not an image"),
        (b"<html><script>alert(1)</script>", "is not an image"),
        (b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff;", "GIF images are not supported"),
        (b"PK\x03\x04", "is not an image"),
        (b"\x89PNG\r\n\x1a\n", "PNG image is"),
    ];
    for (bytes, expected) in replaced {
        let study = TinyStudy::new(1);
        std::fs::write(study.path().join(IMAGE), bytes).unwrap();
        assert_says(&study, expected);
    }
    let study = TinyStudy::new(1);
    with_chunk(&study, b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]);
    assert_says(&study, "is animated");
}

#[test]
fn compressed_metadata_of_an_image_are_not_decompressed_without_a_bound() {
    let bomb = deflated(300);
    assert!(bomb.len() < 1_000_000);
    let profile = [b"icc\0\0", bomb.as_slice()].concat();
    let text = [b"Comment\0\0", bomb.as_slice()].concat();
    let before = peak_kilobytes();
    for (kind, data) in [(b"iCCP", &profile), (b"zTXt", &text)] {
        let study = TinyStudy::new(1);
        with_chunk(&study, kind, data);
        let _ = said(&study);
    }
    assert!(peak_kilobytes() < before + 200_000, "300 MB were decompressed");
}

/// The most memory that this process has had so far, in kB.
fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
