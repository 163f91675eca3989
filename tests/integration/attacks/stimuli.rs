//! Properties of an image beside its pixels do not tell the correct answer: metadata, size, address, and use in other trials.

use std::collections::{BTreeMap, BTreeSet};

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;
use sqlx::PgPool;
use weber::domain::study::StudyState;
use weber::study_folder;

use super::imports::chunk;
use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

/// Metadata as image editors write them. They must not reach a browser.
const SAID: &[u8] = b"max_query of main trial 1";

/// A study whose queries contain their kind as metadata. Max queries are larger, and some have another format.
fn telling_study() -> TinyStudy {
    let study = TinyStudy::new(4);
    let images = study.path().join("images");
    // Folders list their files in an order that depends on the file system.
    let mut max_queries = 0;
    for (n, entry) in std::fs::read_dir(&images).unwrap().enumerate() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let seed = n as u32;
        let noise = RgbImage::from_fn(16, 16, |x, y| {
            let value = (x * 7 + y * 13 + seed).wrapping_mul(2_654_435_761);
            Rgb([(value >> 24) as u8, (value >> 16) as u8, (value >> 8) as u8])
        });
        if name.ends_with("max") {
            max_queries += 1;
            let format = if max_queries % 2 == 0 { ImageFormat::Png } else { ImageFormat::Jpeg };
            noise.save_with_format(&path, format).unwrap();
        } else if !name.ends_with("min") {
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        let text = [b"Comment\0", SAID].concat();
        if bytes.starts_with(b"\x89PNG") {
            bytes.splice(33..33, chunk(b"tEXt", &text));
        }
        bytes.extend_from_slice(SAID);
        std::fs::write(path, bytes).unwrap();
    }
    study
}

/// The bytes that a browser receives from an address.
async fn received(server: &Server, address: &str) -> Vec<u8> {
    let reply = server.client.get(format!("{}{address}", server.url)).send().await.unwrap();
    assert_eq!(reply.status(), 200, "{address}");
    let length: usize = reply.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let bytes = reply.bytes().await.unwrap().to_vec();
    assert_eq!(bytes.len(), length);
    bytes
}

fn contains(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}

/// All image addresses in a reply.
fn addresses(answer: &Value) -> BTreeSet<String> {
    let text = answer.to_string();
    let found = text.split("/images/").skip(1).map(|rest| rest[..32].to_owned());
    found.map(|address| format!("/images/{address}")).collect()
}

/// The queries (left, right) of every trial of a person.
fn queries(person: &Person<'_>) -> Vec<(String, String)> {
    let blocks = person.opened["blocks"].as_array().unwrap();
    let trials = blocks.iter().flat_map(|block| block["trials"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    trials.map(|trial| (text(&trial["left"]), text(&trial["right"]))).collect()
}

async fn live(pool: PgPool, study: &TinyStudy) -> Server {
    let server = Server::empty(pool).await;
    server.import(study).await;
    server.set_state(StudyState::Live).await;
    server
}

#[sqlx::test]
async fn images_have_no_metadata_and_both_queries_have_one_size(pool: PgPool) {
    let server = live(pool, &telling_study()).await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    let pairs = queries(&person);
    assert!(pairs.len() >= 21);
    for (left, right) in pairs {
        let (left, right) = (received(&server, &left).await, received(&server, &right).await);
        assert_eq!(left.len(), right.len());
        for bytes in [left, right] {
            assert!(!contains(&bytes, SAID) && !contains(&bytes, b"Comment"));
            image::load_from_memory(&bytes).unwrap();
        }
    }
}

#[sqlx::test]
async fn images_of_old_imports_are_sent_without_metadata(pool: PgPool) {
    let study = telling_study();
    let server = live(pool.clone(), &study).await;
    for entry in std::fs::read_dir(study.path().join("images")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        sqlx::query("update images set bytes = $1 where sha256 = sha256($1)")
            .bind(bytes)
            .execute(&pool)
            .await
            .unwrap();
    }
    let telling = "select count(*) from images where position('max_query'::bytea in bytes) > 0";
    assert!(server.count(telling).await > 50, "the stored images have metadata, as after old imports");
    let server = Server::empty(pool).await;
    let person = Person::arrive(&server, &server.link("Volunteers").await).await;
    for (left, right) in queries(&person) {
        let (left, right) = (received(&server, &left).await, received(&server, &right).await);
        assert_eq!(left.len(), right.len());
        assert!(!contains(&left, SAID) && !contains(&right, SAID));
    }
}

#[sqlx::test]
async fn image_addresses_differ_between_participants(pool: PgPool) {
    let (server, elsewhere, _) = Server::two(pool, 4).await;
    let link = server.link("Volunteers").await;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..6 {
        let mut person = Person::arrive(&server, &link).await;
        let first = addresses(&person.opened);
        assert!(first.len() > 60);
        for address in &first {
            assert_eq!(seen.insert(address.clone(), n), None, "{address} is another person's as well");
        }
        person.open().await;
        assert_eq!(addresses(&person.opened), first, "the addresses are the same after a reload");
        let address = first.first().unwrap();
        assert_eq!(received(&elsewhere, address).await, received(&server, address).await);
    }
    // A catch trial of None and practice trials of others may show the same file, under addresses that have nothing in common.
    let preview = server.get(&format!("/enter/{link}")).await.1;
    assert!(!seen.keys().any(|address| preview.contains(address)));
}

#[sqlx::test]
async fn an_import_reports_removed_metadata_and_notices(pool: PgPool) {
    let server = Server::empty(pool).await;
    let study = telling_study();
    let imported = server.import(&study).await;
    let pairs = 36 + 3 + 10 + 3;
    assert_eq!((imported.changed, imported.stripped), (true, 2 * pairs));
    let notices: Vec<String> = imported.notices.iter().map(ToString::to_string).collect();
    assert!(notices.iter().any(|notice| notice.contains("the max query is a JPEG image")), "{notices:?}");
    let again = server.import(&study).await;
    assert_eq!((again.changed, again.stripped), (false, 0), "the folder is the same study");
    assert_eq!(server.import(&TinyStudy::new(4)).await.stripped, 0);
}

#[test]
fn queries_that_occur_in_several_trials_are_noticed() {
    let notices = |change: &dyn Fn(String) -> String| {
        let study = TinyStudy::new(1);
        study.edit("trials.csv", change);
        let folder = study_folder::read(study.path()).unwrap();
        folder.notices.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(study_folder::read(TinyStudy::new(1).path()).unwrap().notices, []);
    // The min query of a practice trial is also in catch trials of the condition without practice.
    let swap = |rows: String, condition: &str, from: &str, to: &str| -> String {
        let row =
            |line: &str| if line.starts_with(condition) { line.replace(from, to) } else { line.to_owned() };
        rows.lines().map(|line| row(line) + "\n").collect()
    };
    let found =
        notices(&|rows| swap(rows, "none,catch", "images/catch-0--min.png", "images/practice-3--min.png"));
    assert!(found[0].contains("the query `images/practice-3--min.png` is also a query in line"), "{found:?}");
    assert!(found[0].contains("people are told the answer to one of the two"));
    // The same min query occurs twice among the trials of one person, but not in two image sets.
    let found =
        notices(&|rows| swap(rows, "blur,catch", "images/catch-0--min.png", "images/catch-1--min.png"));
    assert!(found[0].contains("and one person sees both"), "{found:?}");
    let twice =
        |rows: String| swap(rows, "blur,main,,1", "images/unit-00-1-min.png", "images/unit-00-0-min.png");
    assert_eq!(notices(&twice), [""; 0]);
}

#[test]
fn queries_with_the_same_pixels_are_noticed() {
    let study = TinyStudy::new(1);
    let images = study.path().join("images");
    let mut bytes = std::fs::read(images.join("unit-00-0-max.png")).unwrap();
    bytes.splice(33..33, chunk(b"tEXt", b"Comment\0min"));
    std::fs::write(images.join("unit-00-0-min.png"), bytes).unwrap();
    let notices = study_folder::read(study.path()).unwrap().notices;
    assert_eq!(notices.len(), 5, "one notice for each condition: {notices:?}");
    assert!(notices.iter().all(|notice| notice.what == "the max and the min query show the same pixels"));
}

#[test]
fn images_with_a_rotation_in_their_metadata_are_refused_with_the_remedy() {
    let study = TinyStudy::new(1);
    let path = study.path().join("images/unit-00-0-max.png");
    let mut bytes = std::fs::read(&path).unwrap();
    let quarter = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    bytes.splice(33..33, chunk(b"eXIf", quarter));
    std::fs::write(path, bytes).unwrap();
    let problems = study_folder::read(study.path()).unwrap_err().to_string();
    let expected = "the image `images/unit-00-0-max.png` asks to be shown turned or mirrored (its EXIF orientation is 6, not 1). \
                    Turn the pixels themselves";
    assert!(problems.contains(expected), "{problems}");
}
