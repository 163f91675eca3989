//! Tests that build a small study of six units.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use image::{GenericImageView, ImageFormat};
use tempfile::TempDir;

use super::*;
use crate::graph::{Graph, Map, Op};
use crate::machine::{GraphMachine, Unit};
use crate::picture::Picture;
use crate::vision::{Hue, Vision};

/// A small machine that counts how often its gradient is asked for.
struct Small {
    machine: GraphMachine,
    climbs: AtomicUsize,
}

impl Machine for Small {
    fn units(&self) -> &[Unit] {
        self.machine.units()
    }

    fn responses(&self, picture: &Picture) -> Vec<f64> {
        self.machine.responses(picture)
    }
}

impl Differentiable for Small {
    fn gradient(&self, unit: usize, image: &[Map; 3]) -> (f64, [Map; 3]) {
        self.climbs.fetch_add(1, Ordering::Relaxed);
        self.machine.gradient(unit, image)
    }
}

const ROLES: [Role; 6] = [Role::Main, Role::Main, Role::Catch, Role::Obvious, Role::Easy, Role::Instruction];

fn small() -> Small {
    let mut v = Vision::default();
    let hues = [Hue::Red, Hue::Blue, Hue::Yellow, Hue::Green, Hue::Orange, Hue::Turquoise];
    let units = hues.map(|hue| {
        let (hue, dark) = (v.hue(hue, 3), v.luminance(3));
        v.sum(&[(hue, 1.0), (dark, -0.1)], 0.1)
    });
    let name = |channel| Unit { layer: "colour".into(), branch: "coarse".into(), channel };
    let units = units.into_iter().enumerate().map(|(channel, node)| (name(channel), node)).collect();
    Small { machine: GraphMachine::new(&v.graph, units), climbs: AtomicUsize::new(0) }
}

fn options() -> DemoOptions {
    DemoOptions { image_sets: 2, seed: 7, pool: 60, bin_size: 2, ascent_steps: 2 }
}

fn quiet(_: Stage, _: usize, _: usize) {}

fn build_small(out: &Path, options: &DemoOptions) -> Result<Built, BuildError> {
    build_for(&small(), &ROLES, out, options, &quiet)
}

/// A study that was built by one thread.
struct Whole {
    files: BTreeMap<String, Vec<u8>>,
    climbs: usize,
}

/// Built once for all tests that need a study to look at or to change, because that takes seconds.
static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let (out, machine) = (tempfile::tempdir().unwrap(), small());
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let built = alone.install(|| build_for(&machine, &ROLES, out.path(), &options(), &quiet));
    assert_eq!(built.unwrap(), Built::Made);
    Whole { files: files(out.path()), climbs: machine.climbs.into_inner() }
});

/// A folder of the test's own with the whole study.
fn whole_study() -> TempDir {
    let out = tempfile::tempdir().unwrap();
    for (path, bytes) in &WHOLE.files {
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

fn table(root: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(root.join("trials.csv")).unwrap().deserialize().map(Result::unwrap).collect()
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
        let groups: Vec<Vec<&str>> = row["references"]
            .split('|')
            .map(|group| group.split(';').filter(|path| !path.is_empty()).collect())
            .collect();
        let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
        match row["condition"].as_str() {
            "mixed" => assert_eq!(sizes, [5, 4]),
            "none" => assert_eq!(sizes, [0]),
            _ => assert_eq!(sizes, [9]),
        }
        for path in groups.concat().into_iter().chain([&*row["base"], &row["max_query"], &row["min_query"]]) {
            let bytes = fs::read(out.path().join(path)).unwrap();
            assert_eq!(image::guess_format(&bytes).unwrap(), ImageFormat::Jpeg);
            assert_eq!(image::load_from_memory(&bytes).unwrap().dimensions(), (224, 224));
        }
        let number = |column: &str| row[column].parse::<f64>().unwrap();
        assert!(number("max_activation") > number("min_activation"));
        assert_eq!(row["object_correct"], "");
    }
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
    let bases = |kind: &str| -> HashSet<&String> {
        rows.iter()
            .filter(|row| (row["kind"] == "main") == (kind == "main"))
            .map(|row| &row["base"])
            .collect()
    };
    assert!(bases("main").is_disjoint(&bases("others")), "an easy trial repeats a main trial's base image");
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
    let find = |kind: &str, condition: &str| {
        rows.iter().find(|row| row["kind"] == kind && row["condition"] == condition).unwrap()
    };
    let (with, without, practice) =
        (find("catch", "natural"), find("catch", "none"), find("practice", "natural"));
    assert_eq!(with["max_query"], without["max_query"]);
    let unit = |query: &str| query.rsplit_once('/').unwrap().1[.."colour-coarse-0".len()].to_owned();
    assert_eq!(
        unit(&without["min_query"]),
        practice["unit"],
        "the wrong answer belongs to an unrelated unit"
    );
    let others = rows.iter().filter(|row| row["unit"] != without["unit"] || row["condition"] != "none");
    let mut queries = others.flat_map(|row| [&row["max_query"], &row["min_query"]]);
    assert!(queries.all(|query| *query != without["min_query"]), "... which no other trial shows");
    for rule in ["center_correct", "variance_correct", "saliency_correct"] {
        assert_eq!(without[rule], "", "rules cannot compare two scenes");
        assert_ne!(with[rule], "");
    }
}

#[test]
fn the_number_of_threads_does_not_change_the_files() {
    let alone = contents(whole_study().path());
    assert!(alone.len() > 60);
    let out = tempfile::tempdir().unwrap();
    let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    three.install(|| build_small(out.path(), &options())).unwrap();
    assert_same(&alone, &contents(out.path()));
}

#[test]
fn an_interrupted_build_continues() {
    let broken = tempfile::tempdir().unwrap();
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for stage in [Stage::Ranking, Stage::Making] {
        let die = |at: Stage, done: usize, _: usize| {
            assert!(at != stage || (stage == Stage::Making && done < 3), "killed")
        };
        let killed = catch_unwind(AssertUnwindSafe(|| {
            alone.install(|| build_for(&small(), &ROLES, broken.path(), &options(), &die))
        }));
        assert!(killed.is_err());
        assert!(!broken.path().join("trials.csv").exists());
    }
    let rest = small();
    let seen = Mutex::new(Vec::new());
    let watch = |stage, done, _: usize| seen.lock().unwrap().push((stage, done));
    assert_eq!(build_for(&rest, &ROLES, broken.path(), &options(), &watch).unwrap(), Built::Made);
    assert_same(&contents(broken.path()), &contents(whole_study().path()));
    assert!(rest.climbs.into_inner() < WHOLE.climbs, "finished units were made again");
    assert!(seen.into_inner().unwrap().contains(&(Stage::Making, 6)));
}

#[test]
fn a_complete_folder_is_recognised() {
    let out = whole_study();
    let before = contents(out.path());
    let never = |_: Stage, _: usize, _: usize| panic!("the folder was complete");
    assert_eq!(build_for(&small(), &ROLES, out.path(), &options(), &never).unwrap(), Built::Already);
    let (missing, _) = before.iter().find(|(path, _)| path.starts_with("images/blurred")).unwrap();
    fs::remove_file(out.path().join(missing)).unwrap();
    assert_eq!(build_small(out.path(), &options()).unwrap(), Built::Made);
    assert_same(&contents(out.path()), &before);
}

#[test]
fn another_build_replaces_only_files_of_a_build() {
    let out = whole_study();
    let before = contents(out.path());
    fs::write(out.path().join("study.toml"), "ours").unwrap();
    let other = DemoOptions { seed: 8, ..options() };
    assert_eq!(build_small(out.path(), &other).unwrap(), Built::Made);
    let mut after = contents(out.path());
    assert_eq!(after.remove("study.toml").unwrap(), b"ours");
    assert_ne!(after["trials.csv"], before["trials.csv"]);
    let named: HashSet<String> = table(out.path())
        .iter()
        .flat_map(|row| ["base", "max_query", "min_query", "references"].map(|column| row[column].clone()))
        .flat_map(|field| field.split([';', '|']).map(str::to_string).collect::<Vec<_>>())
        .collect();
    assert!(
        after.keys().all(|path| path == "trials.csv" || named.contains(path)),
        "an image of the old build is left"
    );

    let stamp = out.path().join(".build/stamp.json");
    let old = fs::read_to_string(&stamp).unwrap().replace("\"algorithm\":", "\"algorithm\":9");
    fs::write(&stamp, old).unwrap();
    assert_eq!(build_small(out.path(), &other).unwrap(), Built::Made, "made by another version");
}

#[test]
fn images_of_others_are_not_overwritten() {
    let out = tempfile::tempdir().unwrap();
    fs::create_dir(out.path().join("images")).unwrap();
    fs::write(out.path().join("images/mine.png"), "mine").unwrap();
    let error = build_small(out.path(), &options()).unwrap_err();
    assert!(matches!(error, BuildError::Folder(FolderError::Foreign(_))));
    assert!(error.to_string().contains("not made here"));
    assert_eq!(contents(out.path()).len(), 1);
}

#[test]
fn errors_say_what_to_do() {
    let out = tempfile::tempdir().unwrap();
    let none = DemoOptions { image_sets: 0, ..options() };
    assert!(matches!(build_small(out.path(), &none), Err(BuildError::Options(_))));
    let file = out.path().join("file");
    fs::write(&file, "").unwrap();
    let error = build_small(&file, &options()).unwrap_err();
    assert!(matches!(error, BuildError::Folder(FolderError::Io { .. })), "{error}");

    // A unit that responds alike to everything.
    let mut graph = Graph::default();
    let red = graph.add(Op::Channel(0));
    let dull = graph.add(Op::Sum(vec![(red, 0.0)], 1.0));
    let unit = |channel| Unit { layer: "colour".into(), branch: "fine".into(), channel };
    let machine = GraphMachine::new(&graph, (0..6).map(|channel| (unit(channel), dull)).collect());
    let error = build_for(&machine, &ROLES, &out.path().join("dull"), &options(), &quiet).unwrap_err();
    assert!(error.to_string().contains("responds alike to every occlusion"), "{error}");
}
