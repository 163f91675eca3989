//! The demo study with two image sets: its table of trials and its images.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use weber::study_folder::image_check::check_image;
use weber_stimuli::demo::{Built, DemoOptions, build};
use weber_stimuli::machine::Machine;
use weber_stimuli::picture::Picture;
use weber_stimuli::units;

type Row = BTreeMap<String, String>;

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

fn relative_difference(row: &Row) -> f64 {
    (number(row, "max_activation") - number(row, "min_activation")) / number(row, "base_activation")
}

#[test]
fn the_demo_of_two_image_sets() {
    // Where the browser tests look for this very study (`tests/browser/prepare.mjs`), so that it is built once for both.
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("browser").join("demo");
    let _ = fs::remove_dir_all(&out); // of an earlier run
    let options = DemoOptions::new(2);
    assert_eq!(build(&out, &options, &|_, _, _| ()).unwrap(), Built::Made);
    assert_eq!(build(&out, &options, &|_, _, _| panic!("nothing is left to do")).unwrap(), Built::Already);

    let rows: Vec<Row> =
        csv::Reader::from_path(out.join("trials.csv")).unwrap().deserialize().map(Result::unwrap).collect();
    let of_kind = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).collect::<Vec<_>>();
    let counts = ["main", "catch", "practice", "instruction"].map(|kind| of_kind(kind).len());
    assert_eq!(counts, [18 * 2 * 5, 3 * 5, 10 * 4, 3 * 5]);
    let obvious: HashSet<_> =
        rows.iter().filter(|row| row["difficulty"] == "obvious").map(|row| &row["unit"]).collect();
    assert_eq!(obvious.len(), 3);

    // Main trials are hard and easy; catch trials are only easy, because participants must pass them.
    let mut spread: Vec<f64> = of_kind("main").iter().map(|row| relative_difference(row)).collect();
    spread.sort_by(f64::total_cmp);
    assert!(
        spread[0] < 0.25 && spread[spread.len() / 2] > 0.3 && spread[spread.len() - 1] > 0.9,
        "{spread:?}"
    );
    for row in of_kind("catch") {
        assert!(relative_difference(row) > 0.5, "{row:?}");
    }
    assert!(rows.iter().all(|row| number(row, "base_activation") > 0.0));
    // Without references the min query of a catch trial is of another scene. No other trial shows it, and no baseline is
    // computed for it.
    for row in of_kind("catch").into_iter().filter(|row| row["condition"] == "none") {
        let shows = |other: &&Row| [&other["max_query"], &other["min_query"]].contains(&&row["min_query"]);
        assert_eq!(rows.iter().filter(shows).count(), 1, "{row:?}");
        let rules = ["center_correct", "variance_correct", "saliency_correct", "object_correct"];
        assert!(rules.iter().all(|rule| row[*rule].is_empty()), "{row:?}");
    }
    let bases = |main: bool| -> HashSet<&String> {
        rows.iter().filter(|row| (row["kind"] == "main") == main).map(|row| &row["base"]).collect()
    };
    assert!(bases(true).is_disjoint(&bases(false)));
    assert_eq!(bases(false).len(), 16);

    // Every file is an image, and synthetic images activate their unit more than any base image does, also as JPEG.
    let (machine, _) = units::machine();
    let mut checked = HashSet::new();
    for row in &rows {
        let unit = machine.units().iter().position(|unit| unit.name() == row["unit"]).unwrap();
        for (group, paths) in row["references"].split('|').enumerate() {
            for path in paths.split(';').filter(|path| !path.is_empty()) {
                let bytes = fs::read(out.join(path)).unwrap();
                assert!(bytes.len() < 60_000, "{path} has {} bytes", bytes.len());
                if !checked.insert(path.to_string()) {
                    continue;
                }
                check_image(&bytes, 224, 224).unwrap();
                if row["condition"] == "synthetic" || group == 1 {
                    let image = image::load_from_memory(&bytes).unwrap().to_rgb8();
                    let picture = Picture::from_fn(|x, y| image.get_pixel(x as u32, y as u32).0);
                    let response = machine.response(unit, &picture);
                    assert!(response > number(row, "base_activation"), "{path}: {response}");
                }
            }
        }
    }
}
