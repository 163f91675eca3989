use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use weber_stimuli::inlay::Patch;

use super::*;
use crate::pool::Views;
use crate::progress::Report;
use crate::search::Search;
use crate::testing::random_demo;
use crate::unit::Direction;
use crate::visualise::Preset;

fn options() -> Options {
    Options {
        image_sets: 2,
        bin_size: 3,
        seed: 1,
        patch: Patch { stride: 22, ..Patch::STUDY },
        search: Search::Coarse,
        balance: false,
    }
}

/// A pool in which some images cannot be read.
struct Broken(Views, Vec<usize>);

impl Pool for Broken {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn name(&self, index: usize) -> String {
        self.0.name(index)
    }

    fn picture(&self, index: usize) -> Result<weber_stimuli::picture::Picture, PoolError> {
        if self.1.contains(&index) {
            return Err(PoolError::Empty(format!("image {index}").into()));
        }
        self.0.picture(index)
    }

    fn named(&self, name: &str) -> Result<weber_stimuli::picture::Picture, PoolError> {
        self.0.named(name)
    }

    fn fingerprint(&self, index: usize) -> String {
        self.0.fingerprint(index)
    }
}

fn pool() -> Broken {
    Broken(Views::demo(1, 66), Vec::new())
}

/// A channel of a layer with a positive response to a scene: the `place`-th of these.
fn unit(model: &Model, layer: &str, place: usize, role: Role) -> StudyUnit {
    let node = model.network.graph().find(layer).unwrap();
    let means = model.means(&[&Views::demo(1, 1).picture(0).unwrap()], &[node]).remove(0).remove(0);
    let mut positive = (0..means.len()).filter(|channel| means[*channel] > 0.3);
    StudyUnit::channel(layer, positive.nth(place).unwrap(), role)
}

fn units(model: &Model) -> Vec<StudyUnit> {
    vec![
        unit(model, "mixed3a/3x3", 0, Role::Main),
        unit(model, "mixed4a/pool", 0, Role::Main),
        unit(model, "mixed3b/3x3", 0, Role::Easy),
        unit(model, "mixed3b/3x3", 1, Role::Catch),
    ]
}

fn quiet(_: &Report) {}

/// All images that trials of a recipe show.
fn images(recipe: &Recipe) -> Vec<&str> {
    let sets = recipe.units.iter().flat_map(|unit| &unit.sets);
    sets.flat_map(|set| set.references.iter().map(|reference| &reference.image).chain([&set.base]))
        .map(String::as_str)
        .collect()
}

#[test]
fn a_recipe_says_what_the_network_says() {
    let (model, pool, options) = (random_demo(6), pool(), options());
    let folder = tempfile::tempdir().unwrap();
    let study = Study::new(&model, &pool, &options, &[], folder.path(), Progress(&quiet));
    let units = units(&model);
    let made = study.recipe(&units).unwrap();
    for (unit, recipe) in units.iter().zip(&made.recipe.units) {
        let probe = study.probe(unit);
        let respond = |image: &str| probe.response(&pool.named(image).unwrap());
        assert_eq!(recipe.sets.len(), if unit.role == Role::Main { 2 } else { 1 });
        for set in &recipe.sets {
            let base = pool.named(&set.base).unwrap();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-4 * b.abs().max(1.0);
            assert!(near(set.base_response, probe.response(&base)));
            for (occlusion, sign) in [(set.max, 1.0), (set.min, -1.0)] {
                let found = probe.response(&occlusion.of(&base, options.patch));
                assert!(near(occlusion.response, found), "{found} for {occlusion:?}");
                for at in options.patch.corners().into_iter().step_by(3) {
                    let other = probe.response(&options.patch.compose(&base, Inlay::MeanColour, at));
                    assert!(sign * other <= sign * found + 1e-4, "{at:?} is better than {occlusion:?}");
                }
            }
            let strengths: Vec<f64> =
                set.references.iter().map(|reference| respond(&reference.image)).collect();
            assert!(strengths.windows(2).all(|pair| pair[0] <= pair[1] + 1e-3), "not graded: {strengths:?}");
            assert!(strengths[8] <= set.base_response + 1e-3);
            let reference = &set.references[4];
            let picture = pool.named(&reference.image).unwrap();
            let sharp =
                |at| probe.response(&options.patch.compose(&gaussian(&picture), Inlay::Of(&picture), at));
            let best = sharp(reference.window);
            assert!(options.patch.corners().into_iter().step_by(3).all(|at| sharp(at) <= best + 1e-4));
        }
    }
    assert!(made.recipe.units[3].foil.is_some());
}

#[test]
fn an_interrupted_study_goes_on() {
    let (model, pool, options) = (random_demo(6), pool(), options());
    let (folder, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let die =
        |report: &Report| assert!(report.stage != "searching sharp windows" || report.done < 20, "killed");
    let killed = catch_unwind(AssertUnwindSafe(|| {
        Study::new(&model, &pool, &options, &[], folder.path(), Progress(&die))
            .recipe(&units(&model))
            .map(|_| ())
    }));
    assert!(killed.is_err());
    let reports = Mutex::new(Vec::new());
    let watch = |report: &Report| reports.lock().unwrap().push(report.clone());
    let resumed = Study::new(&model, &pool, &options, &[], folder.path(), Progress(&watch))
        .recipe(&units(&model))
        .unwrap();
    let again = Study::new(&model, &pool, &options, &[], whole.path(), Progress(&quiet))
        .recipe(&units(&model))
        .unwrap();
    assert_eq!(resumed.recipe, again.recipe);
    let reports = reports.into_inner().unwrap();
    let known = |stage: &str| {
        reports.iter().filter(|report| report.stage == stage).all(|report| report.left.is_none())
    };
    assert!(known("ranking images") && known("searching queries"), "finished work was done again");
}

#[test]
fn rejected_and_broken_images_are_not_shown() {
    let (model, options) = (random_demo(6), options());
    let folder = tempfile::tempdir().unwrap();
    let all = pool();
    let first = Study::new(&model, &all, &options, &[], folder.path(), Progress(&quiet))
        .recipe(&units(&model))
        .unwrap();
    let (rejected, broken) =
        (first.recipe.units[0].sets[0].base.clone(), first.recipe.units[1].sets[1].base.clone());
    let index = |name: &str| name.parse::<usize>().unwrap();
    let pool = Broken(Views::demo(1, 66), vec![index(&broken)]);
    let out = [index(&rejected)];
    let other = tempfile::tempdir().unwrap();
    let second = Study::new(&model, &pool, &options, &out, other.path(), Progress(&quiet))
        .recipe(&units(&model))
        .unwrap();
    let shown = images(&second.recipe);
    assert!(!shown.contains(&rejected.as_str()) && !shown.contains(&broken.as_str()));
    assert_eq!(second.broken.len(), 1);
    assert!(second.broken[0].1.contains(&format!("image {broken}")));
}

#[test]
fn a_unit_that_fails_is_listed_and_the_rest_is_made() {
    let (model, pool, options) = (random_demo(6), pool(), options());
    let folder = tempfile::tempdir().unwrap();
    let mut units = units(&model);
    // A direction that no image activates.
    units[1].direction = Direction::Vector(vec![0.0; 16]);
    let made =
        Study::new(&model, &pool, &options, &[], folder.path(), Progress(&quiet)).recipe(&units).unwrap();
    let failures: Vec<bool> = made.outcomes.iter().map(|outcome| outcome.failure.is_some()).collect();
    assert_eq!(failures, [false, true, false, false]);
    assert_eq!(made.recipe.units.len(), 3);
    units.truncate(2);
    units.remove(0);
    let error =
        Study::new(&model, &pool, &options, &[], folder.path(), Progress(&quiet)).recipe(&units).map(|_| ());
    assert!(error.unwrap_err().to_string().contains("no unit could be used"));
}

#[test]
fn a_full_disk_loses_nothing() {
    let (model, pool, options) = (random_demo(6), pool(), options());
    let folder = tempfile::tempdir().unwrap();
    // A file in place of the folder of results cannot be written into, as on a full disk.
    let blocked = folder.path().join("blocked");
    std::fs::write(&blocked, "").unwrap();
    let error = Study::new(&model, &pool, &options, &[], &blocked, Progress(&quiet))
        .recipe(&units(&model))
        .map(|_| ());
    let text = error.unwrap_err().to_string();
    assert!(text.contains("cannot write") && text.contains("run the command again"), "{text}");
}

#[test]
fn images_of_another_preset_have_other_names() {
    let (model, pool, options) = (random_demo(6), pool(), options());
    let folder = tempfile::tempdir().unwrap();
    let study = Study::new(&model, &pool, &options, &[], folder.path(), Progress(&quiet));
    let units = vec![unit(&model, "mixed3a/3x3", 0, Role::Main)];
    let made = study.recipe(&units).unwrap();
    let make = |steps: usize| {
        let mut recipe = made.recipe.clone();
        let preset = Preset { steps, ..Preset::none() };
        let synthetic = study.synthetic(&mut recipe, &units, &preset).unwrap();
        let name = recipe.units[0].synthetic[0].clone();
        (synthetic.file(&name).unwrap(), name)
    };
    let (first, second, again) = (make(1), make(3), make(1));
    assert_ne!(first.1, second.1);
    assert_ne!(first.0, second.0);
    assert_eq!(first, again, "the images of the first preset are still there");
}
