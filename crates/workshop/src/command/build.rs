//! `weber stimuli build`.

use std::path::{Path, PathBuf};

use clap::Args;
use weber_stimuli::inlay::{Patch, Shape};
use weber_stimuli::picture::Picture;
use weber_stimuli::recipe::{self, Recipe, Role, compose};

use super::{Failure, ModelArgs, Teller, preset};
use crate::model::Model;
use crate::pool::{Folder, Pool, Views};
use crate::progress::Progress;
use crate::search::Search;
use crate::study::{
    self, Made, Options, REJECTED, RULES, Report, Study, StudyUnit, Synthetic, balance_faults, easy_units,
    read_rejected, read_units, varied_units, write_missing,
};

/// The trials that the demo's instructions show.
const INSTRUCTION_TRIALS: usize = 3;

/// The number of views from which the demo's images are chosen.
const DEMO_VIEWS: usize = 10_400;

#[derive(Debug, Args)]
pub struct BuildArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// The folder of photographs.
    #[arg(long, value_name = "FOLDER", required_unless_present = "demo")]
    images: Option<PathBuf>,
    /// The table of units: columns layer and channel, optionally role and likes.
    #[arg(long, value_name = "FILE", required_unless_present = "demo")]
    units: Option<PathBuf>,
    /// Make the recipe of the demo study from painted scenes. The folder gets recipe.json and synthetic images, and no trials.
    #[arg(long, conflicts_with_all = ["images", "units"])]
    demo: bool,
    /// The study folder. What was made before is kept, so that an interrupted run continues.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Image sets of each unit that is studied.
    #[arg(long, default_value_t = 10)]
    image_sets: usize,
    /// Images in each of the ten bins of a unit's strongest images.
    #[arg(long, default_value_t = 20)]
    bin_size: usize,
    /// How positions of the patch are searched: exhaustive (as the study did) or coarse (an eighth of the passes, the best position in
    /// about 98 of 100 searches).
    #[arg(long, default_value = "coarse", value_parser = search)]
    search: Search,
    /// Side of the patch, in px of 224.
    #[arg(long, default_value_t = 90)]
    patch_side: usize,
    /// The patch's outline: square or disc.
    #[arg(long, default_value = "square", value_parser = shape)]
    patch_shape: Shape,
    /// The distance of positions of the patch, in px.
    #[arg(long, default_value_t = 2)]
    patch_stride: usize,
    /// Choose base images so that simple rules (center, variance, saliency, difference) each answer .50 to .62 of the main trials.
    #[arg(long)]
    balance: bool,
    /// The preset of synthetic images: study-2021, lucid, imi-2023, maco, accentuation or none.
    #[arg(long, default_value = "study-2021")]
    preset: String,
    /// Steps of optimisation of synthetic images, if not the preset's own number.
    #[arg(long)]
    steps: Option<usize>,
    /// The seed of all random numbers. TOML, in which it is recorded, knows no larger ones.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: u64,
}

fn search(word: &str) -> Result<Search, String> {
    match word {
        "exhaustive" => Ok(Search::Exhaustive),
        "coarse" => Ok(Search::Coarse),
        _ => Err("must be exhaustive or coarse".into()),
    }
}

fn shape(word: &str) -> Result<Shape, String> {
    match word {
        "square" => Ok(Shape::Square),
        "disc" => Ok(Shape::Disc),
        _ => Err("must be square or disc".into()),
    }
}

impl BuildArgs {
    fn options(&self) -> Options {
        Options {
            image_sets: self.image_sets,
            bin_size: self.bin_size,
            seed: self.seed,
            patch: Patch { side: self.patch_side, shape: self.patch_shape, stride: self.patch_stride },
            search: self.search,
            balance: self.balance || self.demo,
        }
    }
}

pub fn run(args: &BuildArgs, say: &(dyn Fn(&str) + Sync)) -> Result<(), Failure> {
    let (model, card) = args.model.load(say)?;
    let pool: Box<dyn Pool> = match &args.images {
        Some(folder) => Box::new(Folder::open(folder)?.resized(card.resize)),
        None => Box::new(Views::demo(args.seed, DEMO_VIEWS)),
    };
    build(args, &model, pool.as_ref(), say)
}

fn build(
    args: &BuildArgs,
    model: &Model,
    pool: &dyn Pool,
    say: &(dyn Fn(&str) + Sync),
) -> Result<(), Failure> {
    let (options, preset) = (args.options(), preset(&args.preset, args.steps)?);
    let teller = Teller::new(say);
    let progress = Progress(&|report| teller.tell(report));
    let rejected = read_rejected(&args.out.join(REJECTED), pool)?;
    let kept = args.out.join(".workshop");
    let study = Study::new(model, pool, &options, &rejected, &kept, progress);
    let units = units(args, &study)?;
    let mut made = study.recipe(&units)?;
    let synthetic = study.synthetic(&mut made.recipe, &units, &preset)?;
    made.complete(&synthetic);
    tell(&made, &synthetic, pool, say);
    let out = std::path::absolute(&args.out)?;
    let name = out.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let rejected: Vec<String> = rejected.iter().map(|image| pool.name(*image)).collect();
    let report = Report {
        name: &name,
        origin: &args.model.origin(model),
        options: &options,
        preset: &preset,
        made: &made,
        synthetic: &synthetic,
        rejected: &rejected,
    };
    study::write(&args.out.join("workshop.toml"), report.record().as_bytes())?;
    if args.demo {
        return write_recipe(&args.out, &made.recipe, &synthetic);
    }
    let source = Source(pool);
    let files = |name: &str| synthetic.file(name);
    compose(&made.recipe, options.image_sets, &source, &files, &args.out, &|_, _| ())?;
    study::write(&args.out.join("contact-sheet.html"), report.sheet().as_bytes())?;
    let kept = write_missing(&args.out, &name, &made.recipe, options.image_sets)?;
    tell_files(&args.out, &made.recipe, &kept, say);
    Ok(())
}

/// Prints what a person should do next.
fn tell_files(out: &Path, recipe: &Recipe, kept: &[&str], say: &(dyn Fn(&str) + Sync)) {
    let count = |role: Role| recipe.units.iter().filter(|unit| unit.role == role).count();
    let path = |file: &str| out.join(file).display().to_string();
    if !kept.is_empty() {
        say(&format!(
            "Kept {} as they were. The trials are for main_trials = {} and catch_trials = {}.",
            kept.join(", "),
            count(Role::Main),
            count(Role::Catch)
        ));
    }
    if count(Role::Instruction) < INSTRUCTION_TRIALS {
        say(&format!(
            "Note: the instructions can show {INSTRUCTION_TRIALS} trials, but there are {} units of the role instruction.",
            count(Role::Instruction)
        ));
    }
    say(&format!("Look at all images: open {} in a browser.", path("contact-sheet.html")));
    say(&format!("Then complete {} and the texts beside it, and import the folder.", path("study.toml")));
}

/// The units that a person named, or those of the demo, which are chosen by what they respond to.
fn units(args: &BuildArgs, study: &Study<'_>) -> Result<Vec<StudyUnit>, Failure> {
    if let Some(table) = &args.units {
        return Ok(read_units(table, study.model)?);
    }
    let blocks = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"];
    let layers: Vec<String> = blocks
        .iter()
        .flat_map(|block| ["3x3", "pool"].map(|branch| format!("mixed{block}/{branch}")))
        .collect();
    let activations = study.activations(&layers)?;
    let mut units = varied_units(study, &layers, &activations)?;
    units.extend(easy_units(study, &units, &activations)?);
    Ok(units)
}

/// Prints what a person should know before using the study.
fn tell(made: &Made, synthetic: &Synthetic, pool: &dyn Pool, say: &(dyn Fn(&str) + Sync)) {
    for (image, reason) in made.broken.iter().take(10) {
        say(&format!("Left out {}: {reason}", pool.name(*image)));
    }
    if made.broken.len() > 10 {
        say(&format!("... and {} more images that cannot be read.", made.broken.len() - 10));
    }
    for outcome in &made.outcomes {
        if let Some(failure) = &outcome.failure {
            say(&format!("{} has no trials: {failure}", outcome.unit.path()));
        }
    }
    for group in &synthetic.groups {
        if let Some(failure) = &group.failure {
            say(&format!("{} has no synthetic images: {failure}", group.unit));
        }
    }
    let weak = synthetic.groups.iter().filter(|group| group.below() > 0).count();
    say(&format!(
        "In {weak} of {} groups of synthetic images the weakest does not reach the best natural image.",
        synthetic.groups.len()
    ));
    let shares = RULES.iter().zip(made.rules).map(|(rule, share)| format!("{rule} {share:.3}"));
    say(&format!(
        "Share of main trials that simple rules answer: {}.",
        shares.collect::<Vec<_>>().join(", ")
    ));
    for fault in balance_faults(made.rules) {
        say(&format!("Note: {fault}."));
    }
}

/// Writes `recipe.json` and the synthetic images, from which `weber demo` composes the study.
fn write_recipe(out: &Path, recipe: &Recipe, synthetic: &Synthetic) -> Result<(), Failure> {
    for unit in &recipe.units {
        for name in unit.synthetic.iter().chain(&unit.mixed) {
            study::write(&out.join("synthetic").join(name), &synthetic.file(name)?)?;
        }
    }
    Ok(study::write(&out.join("recipe.json"), recipe.to_json().as_bytes())?)
}

/// A pool by the names of its images, as recipes call them.
struct Source<'a>(&'a dyn Pool);

impl recipe::Pool for Source<'_> {
    fn picture(&self, image: &str) -> Result<Picture, recipe::PoolError> {
        self.0
            .named(image)
            .map_err(|error| recipe::PoolError { image: image.to_owned(), reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::testing::random_demo;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        build: BuildArgs,
    }

    /// A channel of mixed3a/3x3 that responds to scenes.
    fn channel(model: &Model, pool: &dyn Pool) -> usize {
        let layer = model.network.graph().find("mixed3a/3x3").unwrap();
        let means = model.means(&[&pool.picture(0).unwrap()], &[layer]).remove(0).remove(0);
        means.iter().position(|mean| *mean > 0.3).unwrap()
    }

    /// The arguments of a tiny study with one unit.
    fn args(folder: &Path, channel: usize) -> BuildArgs {
        let path = |name: &str| folder.join(name).display().to_string();
        fs::write(folder.join("units.csv"), format!("layer,channel\nmixed3a/3x3,{channel}\n")).unwrap();
        let words = format!(
            "build --model net.onnx --images none --units {} --out {} --image-sets 1 --bin-size 2 --patch-stride 32 --preset none --steps 1",
            path("units.csv"),
            path("tiny-study")
        );
        Command::parse_from(words.split(' ')).build
    }

    /// The paths of images in a page, without those that repeat.
    fn shown(page: &str) -> Vec<&str> {
        let mut paths: Vec<&str> =
            page.split(" src=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    #[test]
    fn a_build_leaves_a_study_and_rejected_images_are_not_in_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let (model, pool, out) = (random_demo(6), Views::demo(1, 44), folder.path().join("tiny-study"));
        let args = args(folder.path(), channel(&model, &pool));
        let build = || build(&args, &model, &pool, &|_| ());
        let file = |name: &str| fs::read_to_string(out.join(name)).unwrap();
        build().unwrap();
        let page = file("contact-sheet.html");
        for path in shown(&page) {
            assert!(out.join(path).exists(), "{path}");
        }
        let natural: Vec<&str> =
            shown(&page).into_iter().filter(|path| path.starts_with("images/natural/")).collect();
        assert_eq!(natural.len(), 10, "a base image and nine references");
        let study: toml::Table = toml::from_str(&file("study.toml")).unwrap();
        assert_eq!(study["slug"].as_str(), Some("tiny-study"));
        assert_eq!(study["design"]["main_trials"].as_integer(), Some(1));
        let record: toml::Table = toml::from_str(&file("workshop.toml")).unwrap();
        assert_eq!(record["model"]["model"].as_str(), Some("net.onnx"));
        assert_eq!(record["units"].as_array().unwrap().len(), 1);

        let image = |path: &str| path.trim_start_matches("images/natural/").replace(".jpg", "");
        let (base, reference) = (image(natural[0]), image(natural[5]));
        fs::write(out.join(REJECTED), format!("image\n{base}\n{reference}\n")).unwrap();
        build().unwrap();
        let trials = file("trials.csv");
        assert!(!trials.contains(natural[0]) && !trials.contains(natural[5]));
        assert!(file("contact-sheet.html").contains("Left out before: 2"));

        fs::write(out.join(REJECTED), "image\n44\n").unwrap();
        assert!(build().unwrap_err().to_string().contains("no images with these names: 44"));
        assert_eq!(file("trials.csv"), trials);
    }
}
