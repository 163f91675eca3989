//! Functions that a fuzzer calls with arbitrary bytes: each must return without a panic.
//!
//! `fuzz/` lets a fuzzer choose the bytes. The tests below use its seeds, so that the functions stay in use and past finds stay
//! fixed.

use crate::domain::exclusion::{Policy, judge};
use crate::domain::fixture;
use crate::domain::image_file;
use crate::domain::record::{self, Record, StoredTrials};
use crate::domain::schedule::{draw_main, draw_practice};
use crate::domain::trial::Block;
use crate::study_folder::image_check::check_image;
use crate::study_folder::{self, Problems, StudyFolder};

/// Separates the parts of a fuzzed study folder: `study.toml`, `trials.csv`, the Markdown of every page and an image.
const PART: &str = "\n%%%%\n";

/// Reads a study folder of a settings file, a table, `page.md` for every page, and `image.png`, beside a valid `other.png`.
pub fn study_folder(bytes: &[u8]) {
    if let Err(problems) = read_parts(bytes) {
        assert!(!problems.is_empty());
    }
}

fn read_parts(bytes: &[u8]) -> Result<StudyFolder, Problems> {
    let folder = tempfile::tempdir().expect("the disk has space for a folder");
    let write = |name: &str, part: &[u8]| {
        std::fs::write(folder.path().join(name), part).expect("the disk has space for a file");
    };
    let mut rest = bytes;
    for name in ["study.toml", "trials.csv", "page.md", "image.png"] {
        let end = rest.windows(PART.len()).position(|part| part == PART.as_bytes());
        write(name, &rest[..end.unwrap_or(rest.len())]);
        rest = end.map_or(&[], |end| &rest[end + PART.len()..]);
    }
    write("other.png", include_bytes!("../fuzz/seeds/images/grey.png"));
    study_folder::read(folder.path())
}

/// Applies records of one person, one per line, as the API reads them.
pub fn records(bytes: &[u8]) {
    let version = fixture::version();
    let mut person = fixture::participant();
    let mut stored = StoredTrials::default();
    let practice = draw_practice(&version, &person.condition, 1, person.seed);
    let main = draw_main(&version, &person.condition, person.image_set, person.seed);
    stored.schedule(main.iter().chain(&practice));
    for (second, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let Ok(record) = serde_json::from_slice::<Record>(line) else { continue };
        let now = fixture::at(f64::from(second));
        let outcome = record::apply(&mut person, &version.definition, &record, &mut stored, now);
        assert_eq!(outcome.answers.len(), record.answers.len());
        assert_eq!(outcome.steps.len(), record.steps.len());
        assert!(outcome.responses.iter().all(|response| response.answer.rt.is_none_or(f64::is_finite)));
        if let Some(attempt) = outcome.draw_practice {
            let drawn = draw_practice(&version, &person.condition, attempt, person.seed);
            stored.schedule(&drawn);
        }
    }
    assert!(person.clock_ms.is_none_or(f64::is_finite));
    assert!(stored.answers.keys().all(|place| place.block == Block::Main || place.attempt >= 1));
}

/// Reads a policy and checks that it survives being stored.
pub fn policies(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(policy) = toml::from_str::<Policy>(text) else { return };
    for condition in ["natural", "none"] {
        let person = fixture::person(condition);
        assert!(!judge(&policy, person.group, condition, &person.measures).findings.is_empty());
    }
    if policy.unusable().is_none() {
        let document = serde_json::to_vec(&policy).expect("a policy is plain data");
        let again: Policy = serde_json::from_slice(&document).expect("a policy reads back");
        assert_eq!((again.sha256(), &again), (policy.sha256(), &policy));
    }
}

/// Checks an image of a study with images of 16 x 16 px: the bytes that are sent must show the same pixels.
pub fn images(bytes: &[u8]) {
    let Ok(bare) = check_image(bytes, 16, 16) else { return };
    assert_eq!(image_file::bare(&bare.bytes).as_ref(), Some(&bare));
    let size = image_file::common_size(bytes.len(), 0);
    let sent = bare.filled_up_to(size);
    assert_eq!(sent.len(), size);
    let pixels = |bytes: &[u8]| image::load_from_memory(bytes).expect("it was decoded before").into_rgba16();
    assert!(pixels(&sent) == pixels(bytes), "the bytes that are sent show other pixels");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rand::{Rng, RngExt, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;

    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 4] =
        [("study_folder", study_folder), ("records", records), ("policies", policies), ("images", images)];

    /// The seeds of a target, among them all past finds of the fuzzer.
    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{target} has no seeds");
        files.iter().map(|file| std::fs::read(file).unwrap()).collect()
    }

    /// Changes some bytes, cuts some out, or repeats some.
    fn spoil(bytes: &mut Vec<u8>, rng: &mut ChaCha20Rng) {
        for _ in 0..rng.random_range(1..6) {
            let at = rng.random_range(0..=bytes.len());
            let end = (at + rng.random_range(0..20)).min(bytes.len());
            match rng.random_range(0..4) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..end)),
                2 => bytes.extend_from_within(at..end),
                _ => rng.fill_bytes(&mut bytes[at..end]),
            }
        }
    }

    #[test]
    fn spoilt_seeds_cause_no_panic() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        for (name, target) in TARGETS {
            for seed in seeds(name) {
                target(&seed);
                for _ in 0..100 {
                    let mut spoilt = seed.clone();
                    spoil(&mut spoilt, &mut rng);
                    target(&spoilt);
                }
            }
        }
    }

    #[test]
    fn every_target_is_fuzzed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let listed = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for (name, _) in TARGETS {
            assert!(listed.contains(&format!("name = \"{name}\"")), "{name}");
            let source = std::fs::read_to_string(folder.join(format!("fuzz_targets/{name}.rs"))).unwrap();
            assert!(source.contains(&format!("weber::fuzzed::{name}(")), "{name}");
        }
    }

    #[test]
    fn the_first_seed_of_a_study_folder_is_a_valid_study() {
        let read = read_parts(&seeds("study_folder")[0]);
        assert_eq!(read.map(|study| study.trials.len()).map_err(|problems| problems.to_string()), Ok(3));
    }
}
