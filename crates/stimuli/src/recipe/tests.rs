//! Tests that compose a small study.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use image::{GenericImageView, ImageFormat};
use tempfile::TempDir;

use super::example;
use super::*;
use crate::folder::FolderError;
use crate::picture::Picture;
use crate::trials::Condition;

/// Views that are counted. After so many the pool fails.
struct Counted {
    asked: AtomicUsize,
    limit: usize,
}

impl Counted {
    fn up_to(limit: usize) -> Self {
        Self { asked: AtomicUsize::new(0), limit }
    }
}

const VIEWS: Views = Views { seed: 7, scenes: 500 };

impl Pool for Counted {
    fn picture(&self, image: &str) -> Result<Picture, PoolError> {
        if self.asked.fetch_add(1, Ordering::Relaxed) == self.limit {
            return Err(PoolError { image: image.to_owned(), reason: "the disk was unplugged".to_owned() });
        }
        VIEWS.picture(image)
    }
}

/// A file for every name. The table only needs it to exist.
fn synthetic(name: &str) -> io::Result<Vec<u8>> {
    Ok(format!("the file {name}").into_bytes())
}

fn quiet(_: usize, _: usize) {}

fn compose_small(recipe: &Recipe, out: &Path) -> Result<Composed, ComposeError> {
    compose(recipe, 2, &VIEWS, &synthetic, out, &quiet)
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// A study that one thread composed, and the number of pictures that it asked for. Made once for all tests that need a study to look
/// at or to change.
static WHOLE: LazyLock<(BTreeMap<String, Vec<u8>>, usize)> = LazyLock::new(|| {
    let (out, pool) = (tempfile::tempdir().unwrap(), Counted::up_to(usize::MAX));
    let composed = on_threads(1, || compose(&example::recipe(), 2, &pool, &synthetic, out.path(), &quiet));
    assert_eq!(composed.unwrap(), Composed::Made);
    (files(out.path()), pool.asked.into_inner())
});

/// A folder of the test's own with the whole study.
fn whole_study() -> TempDir {
    let out = tempfile::tempdir().unwrap();
    for (path, bytes) in &WHOLE.0 {
        let path = out.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    out
}

/// All files of a folder with their contents.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(
                    path.strip_prefix(root).unwrap().to_string_lossy().into_owned(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    files
}

/// All files of a folder with their contents, except the notes.
fn contents(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files(root);
    files.retain(|path, _| !path.starts_with(".build/"));
    files
}

/// Names the files that differ, without their long contents.
fn assert_same(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>) {
    let paths: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    let different: Vec<_> = paths.into_iter().filter(|path| left.get(*path) != right.get(*path)).collect();
    assert!(different.is_empty(), "{} files differ: {different:?}", different.len());
}

type Row = BTreeMap<String, String>;

fn table(root: &Path) -> Vec<Row> {
    csv::Reader::from_path(root.join("trials.csv")).unwrap().deserialize().map(Result::unwrap).collect()
}

fn find<'a>(rows: &'a [Row], unit: &str, condition: &str) -> &'a Row {
    rows.iter().find(|row| row["unit"] == unit && row["condition"] == condition).unwrap()
}

fn groups(row: &Row) -> Vec<Vec<&str>> {
    let groups = row["references"].split('|').filter(|group| !group.is_empty());
    groups.map(|group| group.split(';').collect()).collect()
}

fn picture(root: &Path, path: &str) -> Picture {
    let image = image::load_from_memory(&fs::read(root.join(path)).unwrap()).unwrap().to_rgb8();
    Picture::from_fn(|x, y| image.get_pixel(x as u32, y as u32).0)
}

#[test]
fn recipes_are_stored_as_json() {
    let recipe = example::recipe();
    let json = recipe.to_json();
    assert_eq!(Recipe::from_json(json.as_bytes()).unwrap(), recipe);
    assert!(json.contains(r#""max":{"corner":[20,40],"response":2.5}"#), "{json}");
    let sets: usize = recipe.units.iter().map(|unit| unit.sets.len()).sum();
    assert_eq!(json.lines().count(), 1 + recipe.units.len() + sets);
    assert!(Recipe::from_json(b"{}").unwrap_err().to_string().contains("missing field"));
    let other = json.replacen("\"version\":1", "\"version\":2", 1);
    assert!(Recipe::from_json(other.as_bytes()).unwrap_err().to_string().contains("version 2"));
}

#[test]
fn units_have_names_of_letters_digits_and_dashes() {
    let mut unit = example::recipe().units[0].clone();
    unit.channel = "sky_and sea".into();
    assert_eq!(unit.name(), "one-3x3-sky-and-sea");
    unit.branch = String::new();
    assert_eq!(unit.name(), "one-sky-and-sea");
}

#[test]
fn a_study_is_complete() {
    let out = whole_study();
    let rows = table(out.path());
    let count = |kind: &str, condition: &str| {
        rows.iter().filter(|row| row["kind"] == kind && row["condition"] == condition).count()
    };
    for condition in Condition::ALL.map(Condition::name) {
        let practice = if condition == "none" { 0 } else { 2 };
        let counts = ["main", "catch", "practice", "instruction"].map(|kind| count(kind, condition));
        assert_eq!(counts, [4, 1, practice, 1], "{condition}");
    }
    for row in &rows {
        let sizes: Vec<usize> = groups(row).iter().map(Vec::len).collect();
        match row["condition"].as_str() {
            "mixed" => assert_eq!(sizes, [5, 4]),
            "none" => assert!(sizes.is_empty()),
            _ => assert_eq!(sizes, [9]),
        }
        let queries = [&*row["max_query"], &row["min_query"]];
        for path in groups(row).concat().into_iter().chain([&*row["base"]]).chain(queries) {
            let bytes = fs::read(out.path().join(path)).unwrap();
            if let Some(name) = path.strip_prefix("images/synthetic/") {
                assert_eq!(bytes, synthetic(name).unwrap());
                continue;
            }
            let format = if queries.contains(&path) { ImageFormat::Png } else { ImageFormat::Jpeg };
            assert_eq!(image::guess_format(&bytes).unwrap(), format);
            assert_eq!(image::load_from_memory(&bytes).unwrap().dimensions(), (224, 224));
        }
        assert_eq!(row["object_correct"], "");
    }
    let row = find(&rows, "one-3x3-1", "natural");
    let values = ["layer", "branch", "image_set", "base_activation", "max_activation", "min_activation"];
    assert_eq!(values.map(|column| &*row[column]), ["one", "3x3", "0", "3", "2.5", "1.5"]);
}

#[test]
fn images_show_what_the_recipe_says() {
    let (out, recipe) = (whole_study(), example::recipe());
    let rows = table(out.path());
    let set = &recipe.units[1].sets[0];
    let base = VIEWS.picture(&set.base).unwrap();
    let row = find(&rows, "one-3x3-1", "mixed");
    assert_eq!(row["base"], format!("images/natural/{}.jpg", set.base));
    assert!(picture(out.path(), &row["max_query"]) == set.max.of(&base, recipe.patch));
    assert!(picture(out.path(), &row["min_query"]) == set.min.of(&base, recipe.patch));
    let [natural, synthetic] = &groups(row)[..] else { panic!("two groups") };
    let expected: Vec<String> = set.references[4..]
        .iter()
        .map(|reference| format!("images/natural/{}.jpg", reference.image))
        .collect();
    assert_eq!(*natural, expected, "the strongest five");
    assert_eq!(synthetic[3], "images/synthetic/one-3x3-1-4of4.webp");
    let reference = &set.references[2];
    let sharp = VIEWS.picture(&reference.image).unwrap();
    let blurred = crate::blur::blurred_reference(&sharp, recipe.patch, reference.window);
    let file = fs::read(out.path().join(groups(find(&rows, "one-3x3-1", "blur"))[0][2])).unwrap();
    assert!(file == blurred.to_jpeg().unwrap());
}

#[test]
fn image_sets_share_only_queries_across_conditions() {
    let out = whole_study();
    let rows = table(out.path());
    let main: Vec<_> = rows.iter().filter(|row| row["kind"] == "main").collect();
    let sets: HashSet<_> = main.iter().map(|row| (&row["unit"], &row["image_set"])).collect();
    let images: HashSet<_> =
        main.iter().map(|row| (&row["base"], &row["max_query"], &row["min_query"])).collect();
    assert_eq!((sets.len(), images.len()), (4, 4));
    let synthetic: HashSet<_> = main
        .iter()
        .filter(|row| row["condition"] == "synthetic")
        .map(|row| (&row["unit"], &row["references"]))
        .collect();
    assert_eq!(synthetic.len(), 2, "all image sets of a unit share its synthetic images");
}

#[test]
fn catch_trials_without_references_can_be_solved() {
    let out = whole_study();
    let rows = table(out.path());
    let (with, without) = (find(&rows, "one-3x3-2", "natural"), find(&rows, "one-3x3-2", "none"));
    assert_eq!(with["max_query"], without["max_query"]);
    assert_eq!(without["min_query"], "images/queries/one-3x3-2-0-foil.png");
    assert_eq!((&*with["min_activation"], &*without["min_activation"]), ("1.5", "0.25"));
    let foil = example::recipe().units[2].foil.clone().unwrap();
    let expected = foil.occlusion.of(&VIEWS.picture(&foil.image).unwrap(), example::recipe().patch);
    assert!(picture(out.path(), &without["min_query"]) == expected);
    let others = rows.iter().filter(|row| row["unit"] != without["unit"] || row["condition"] != "none");
    let mut queries = others.flat_map(|row| [&row["max_query"], &row["min_query"]]);
    assert!(queries.all(|query| *query != without["min_query"]), "no other trial shows the wrong answer");
    for rule in ["center_correct", "variance_correct", "saliency_correct"] {
        assert_eq!(without[rule], "", "rules cannot compare two scenes");
        assert_ne!(with[rule], "");
    }
}

#[test]
fn conditions_without_references_of_their_kind_are_left_out() {
    let (out, mut recipe) = (tempfile::tempdir().unwrap(), example::recipe());
    recipe.units.truncate(1);
    recipe.units[0].synthetic.clear();
    recipe.units[0].mixed.clear();
    recipe.units[0].sets.truncate(1);
    compose(&recipe, 1, &VIEWS, &synthetic, out.path(), &quiet).unwrap();
    let conditions: Vec<String> = table(out.path()).iter().map(|row| row["condition"].clone()).collect();
    assert_eq!(conditions, ["natural", "blur", "none"]);
}

#[test]
fn fewer_image_sets_are_the_first_ones() {
    let out = tempfile::tempdir().unwrap();
    compose(&example::recipe(), 1, &VIEWS, &synthetic, out.path(), &quiet).unwrap();
    let rows = table(out.path());
    let rows: Vec<&Row> = rows.iter().filter(|row| row["condition"] == "natural").collect();
    assert_eq!(rows.len(), 2 + 1 + 2 + 1);
    assert!(rows.iter().all(|row| row["image_set"] == "0"));
    let refused = |sets| {
        compose(&example::recipe(), sets, &VIEWS, &synthetic, out.path(), &quiet).unwrap_err().to_string()
    };
    assert!(refused(3).contains("one-3x3-0 has no image set 2, but 3 image sets are wanted; ask for 1 to 2"));
    assert!(refused(0).contains("at least 1"));
}

#[test]
fn the_number_of_threads_does_not_change_the_files() {
    let alone = contents(whole_study().path());
    assert!(alone.len() > 200);
    let out = tempfile::tempdir().unwrap();
    on_threads(3, || compose_small(&example::recipe(), out.path())).unwrap();
    assert_same(&alone, &contents(out.path()));
}

#[test]
fn interrupted_work_continues() {
    let out = tempfile::tempdir().unwrap();
    // The fourth image set lacks its last pictures.
    let unplugged = Counted::up_to(35);
    let error = on_threads(1, || compose(&example::recipe(), 2, &unplugged, &synthetic, out.path(), &quiet));
    assert!(error.unwrap_err().to_string().contains("unplugged"));
    assert!(!out.path().join("trials.csv").exists());
    let (rest, seen) = (Counted::up_to(usize::MAX), Mutex::new(Vec::new()));
    let watch = |done, all| seen.lock().unwrap().push((done, all));
    compose(&example::recipe(), 2, &rest, &synthetic, out.path(), &watch).unwrap();
    assert_same(&contents(out.path()), &contents(whole_study().path()));
    assert_eq!(rest.asked.into_inner(), WHOLE.1 - 3 * 10, "finished image sets were made again");
    assert!(seen.into_inner().unwrap().contains(&(8, 8)));
}

#[test]
fn a_complete_folder_is_recognised() {
    let out = whole_study();
    let before = contents(out.path());
    let never = |_: usize, _: usize| panic!("the folder was complete");
    let again = compose(&example::recipe(), 2, &VIEWS, &synthetic, out.path(), &never).unwrap();
    assert_eq!(again, Composed::Already);
    let (missing, _) = before.iter().find(|(path, _)| path.starts_with("images/blurred")).unwrap();
    fs::remove_file(out.path().join(missing)).unwrap();
    assert_eq!(compose_small(&example::recipe(), out.path()).unwrap(), Composed::Made);
    assert_same(&contents(out.path()), &before);
}

#[test]
fn another_recipe_replaces_only_files_that_were_made_here() {
    let out = whole_study();
    fs::write(out.path().join("study.toml"), "ours").unwrap();
    let mut other = example::recipe();
    other.units[0].sets[0].base = "900".into();
    assert_eq!(compose_small(&other, out.path()).unwrap(), Composed::Made);
    let mut after = contents(out.path());
    assert_eq!(after.remove("study.toml").unwrap(), b"ours");
    let named: HashSet<String> = table(out.path())
        .iter()
        .flat_map(|row| ["base", "max_query", "min_query", "references"].map(|column| row[column].clone()))
        .flat_map(|field| field.split([';', '|']).map(str::to_string).collect::<Vec<_>>())
        .collect();
    assert!(named.contains("images/natural/900.jpg"));
    assert!(
        after.keys().all(|path| path == "trials.csv" || named.contains(path)),
        "an image of the old recipe is left"
    );

    let stamp = out.path().join(".build/stamp.json");
    let old = fs::read_to_string(&stamp).unwrap().replace("\"algorithm\":", "\"algorithm\":9");
    fs::write(&stamp, old).unwrap();
    assert_eq!(compose_small(&other, out.path()).unwrap(), Composed::Made, "made by another version");
}

#[test]
fn images_of_others_are_not_overwritten() {
    let out = tempfile::tempdir().unwrap();
    fs::create_dir(out.path().join("images")).unwrap();
    fs::write(out.path().join("images/mine.png"), "mine").unwrap();
    let error = compose_small(&example::recipe(), out.path()).unwrap_err();
    assert!(matches!(error, ComposeError::Folder(FolderError::Foreign(_))));
    assert!(error.to_string().contains("not made here"));
    assert_eq!(contents(out.path()).len(), 1);
}

#[test]
fn errors_say_what_was_wrong_and_leave_no_table() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("file");
    fs::write(&file, "").unwrap();
    let error = compose_small(&example::recipe(), &file).unwrap_err();
    assert!(matches!(error, ComposeError::Folder(FolderError::Io { .. })), "{error}");

    let study = out.path().join("study");
    let mut unknown = example::recipe();
    unknown.units[5].sets[0].references[8].image = "a sunset".into();
    let error = compose_small(&unknown, &study).unwrap_err();
    assert!(error.to_string().contains("`a sunset` cannot be used"), "{error}");

    let lost = |name: &str| {
        if name == "one-3x3-4-2of9.webp" { Err(io::ErrorKind::NotFound.into()) } else { synthetic(name) }
    };
    let error = compose(&example::recipe(), 2, &VIEWS, &lost, &study, &quiet).unwrap_err();
    assert!(error.to_string().contains("one-3x3-4-2of9.webp cannot be read"), "{error}");
    assert!(!study.join("trials.csv").exists());

    let mut broken = example::recipe();
    broken.version = 0;
    assert!(matches!(compose_small(&broken, &study), Err(ComposeError::Recipe(_))));
}
