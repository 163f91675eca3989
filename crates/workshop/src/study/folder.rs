//! The files of a new study that a person goes on to edit: `study.toml` and the pages, after those of the demo.

use std::path::Path;

use weber_stimuli::inlay::Shape;
use weber_stimuli::recipe::{Recipe, Role};

use super::{StudyError, write};

const STUDY: &str = include_str!("../../../../stimuli/demo/study.toml");
const CONSENT: &str = include_str!("../../../../stimuli/demo/consent.md");
const DEBRIEF: &str = include_str!("../../../../stimuli/demo/debrief.md");
const PREVIEW: &str = include_str!("../../../../stimuli/demo/preview.md");
const REFERENCES: &str = include_str!("../../../../stimuli/demo/instructions/references.md");
const ALONE: &str = include_str!("../../../../stimuli/demo/instructions/alone.md");

/// What stands for the institution until a person names theirs.
const INSTITUTION: &str = "our laboratory";

/// The trials of a person in the demo. Its time limits are for so many.
const DEMO_TRIALS: usize = 21;

/// Slots for each image set, as in the reference study.
const SLOTS_PER_SET: usize = 5;

/// Trials of a practice block in the reference study.
const BLOCK: usize = 4;

/// What decides about the files.
struct Design {
    image_sets: usize,
    main: usize,
    catch: usize,
    obvious: usize,
    easy: usize,
    instruction: usize,
    synthetic: bool,
    shape: Shape,
}

impl Design {
    fn of(recipe: &Recipe, image_sets: usize) -> Self {
        let count = |role: Role| recipe.units.iter().filter(|unit| unit.role == role).count();
        Self {
            image_sets,
            main: count(Role::Main),
            catch: count(Role::Catch),
            obvious: count(Role::Obvious),
            easy: count(Role::Easy),
            instruction: count(Role::Instruction),
            synthetic: recipe.units.iter().all(|unit| !unit.synthetic.is_empty()),
            shape: recipe.patch.shape,
        }
    }

    fn trials(&self) -> usize {
        self.main + self.catch
    }

    /// Obvious and other trials of a practice block.
    fn practice(&self) -> (usize, usize) {
        let obvious = self.obvious.min(1);
        (obvious, (BLOCK - obvious).min(self.obvious + self.easy - obvious))
    }

    fn practises(&self) -> bool {
        self.obvious + self.easy > 0
    }
}

/// Writes the files that a study needs beside its trials, and returns the names of those that are there already, which are kept.
///
/// # Errors
/// A file cannot be written.
pub fn write_missing(
    out: &Path,
    name: &str,
    recipe: &Recipe,
    image_sets: usize,
) -> Result<Vec<&'static str>, StudyError> {
    let design = Design::of(recipe, image_sets);
    let files = [
        ("study.toml", study(name, &design)),
        ("consent.md", consent(&design)),
        ("debrief.md", DEBRIEF.to_owned()),
        ("preview.md", PREVIEW.replace("ten minutes", &minutes(&design))),
        ("instructions/references.md", instructions(REFERENCES, &design)),
        ("instructions/alone.md", instructions(ALONE, &design)),
    ];
    let mut kept = Vec::new();
    for (file, text) in files {
        let path = out.join(file);
        if path.exists() {
            kept.push(file);
        } else {
            write(&path, text.as_bytes())?;
        }
    }
    Ok(kept)
}

/// The paragraphs of the demo's `study.toml`, changed where this study differs.
fn study(name: &str, design: &Design) -> String {
    let paragraphs = STUDY.trim_end().split("\n\n").filter_map(|paragraph| {
        let has = |part: &str| paragraph.contains(part);
        if has("slug = ") {
            Some(head(name))
        } else if has("[design]") {
            Some(numbers(design))
        } else if has("[[conditions]]") {
            condition(paragraph, design)
        } else if has("[[policies]]") {
            Some(policy(paragraph, design))
        } else {
            // Links for any person are for trying out the demo.
            (!has("[recruitment]")).then(|| paragraph.to_owned())
        }
    });
    paragraphs.collect::<Vec<_>>().join("\n\n") + "\n"
}

fn head(name: &str) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    format!(
        "# docs/study-format.md explains every key; keys that are left out have the reference study's values.\n\
         # Set title, institution, contact and the pay of each condition, and read consent.md and the instructions.\n\
         slug = {}\ntitle = {}\ninstitution = {}\ncontact = \"you@example.org\"\nenrolment_policy = \"as-posted\"",
        quoted(&slug(name)),
        quoted(&title(name)),
        quoted(INSTITUTION),
    )
}

fn numbers(design: &Design) -> String {
    let Design { image_sets, main, catch, .. } = design;
    let slots = (SLOTS_PER_SET * image_sets).clamp(1, 1000);
    let (obvious, other) = design.practice();
    let practice = if design.practises() {
        format!("\n\n[practice]\nobvious_trials = {obvious}\nother_trials = {other}")
    } else {
        String::new()
    };
    format!(
        "[design]\nslots_per_condition = {slots}\nimage_sets = {image_sets}\nmain_trials = {main}\ncatch_trials = {catch}\n\
         postings_per_slot = 3{practice}"
    )
}

/// A condition that has trials.
fn condition(paragraph: &str, design: &Design) -> Option<String> {
    if paragraph.contains("kind = \"synthetic\"") && !design.synthetic {
        return None;
    }
    if design.practises() || paragraph.contains("practice = false") {
        return Some(paragraph.to_owned());
    }
    Some(paragraph.replace("\npay_usd", "\npractice = false\npay_usd"))
}

/// Criteria that can be met. More trials take more time, and a person without catch trials or practice is not judged by them.
fn policy(paragraph: &str, design: &Design) -> String {
    let scaled = |seconds: usize| (seconds * design.trials()).div_ceil(DEMO_TRIALS * 10) * 10;
    let mut text = paragraph.replace("max = 900", &format!("max = {}", scaled(900).max(900)));
    for least in [90, 40] {
        let limit = |seconds: usize| format!("total_time = {{ min = {seconds}, ");
        text = text.replace(&limit(least), &limit(scaled(least)));
    }
    let kept = text.lines().filter(|line| {
        let off = |key: &str, used: bool| line.starts_with(key) && !used;
        !off("catch_trials", design.catch > 0) && !off("practice_blocks", design.practises())
    });
    kept.collect::<Vec<_>>().join("\n")
}

fn minutes(design: &Design) -> String {
    match (10 * design.trials()).div_ceil(DEMO_TRIALS * 5) * 5 {
        10 => "ten minutes".into(),
        minutes => format!("{minutes} minutes"),
    }
}

fn consent(design: &Design) -> String {
    let text = CONSENT
        .replace("the Weber demonstration lab", INSTITUTION)
        .replace("21 times", &format!("{} times", design.trials()))
        .replace("ten minutes", &minutes(design));
    if design.practises() { text } else { text.replace(" practice a little,", "") }
}

/// The pages of instructions whose pictures exist. Without instruction trials no page has a picture.
fn instructions(text: &str, design: &Design) -> String {
    let (obvious, other) = design.practice();
    let pages = text.split("\n---\n").filter_map(|page| {
        if page.contains("## First some practice") && !design.practises() {
            return None;
        }
        let pictures: Vec<&str> = page.lines().filter(|line| line.contains("](figure:")).collect();
        let shown = pictures.iter().all(|line| example(line) <= design.instruction);
        let bare =
            || page.lines().filter(|line| !line.contains("](figure:")).collect::<Vec<_>>().join("\n") + "\n";
        match (shown, design.instruction) {
            (true, _) => Some(page.to_owned()),
            (false, 0) => Some(bare()),
            (false, _) => None,
        }
    });
    let mut text = pages.collect::<Vec<_>>().join("\n---\n");
    if obvious + other != BLOCK {
        text = text
            .replace("four practice trials", "practice trials")
            .replace("all four are", "all of them are");
    }
    if design.shape == Shape::Disc {
        text = text.replace("square", "disc");
    }
    text
}

/// The number of the instruction trial that a picture shows: `figure:trial/3` shows the third.
fn example(line: &str) -> usize {
    let figure = line.rsplit_once("](figure:").map_or("", |(_, figure)| figure);
    figure.trim_end_matches(')').rsplit_once('/').and_then(|(_, number)| number.parse().ok()).unwrap_or(1)
}

/// A short name of a-z, 0-9 and hyphens, 1 to 40 characters.
fn slug(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let joined = parts.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    let short = joined.get(..40).unwrap_or(&joined).trim_end_matches('-');
    if short.is_empty() { "study".into() } else { short.into() }
}

fn title(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    if words.trim().is_empty() { "Study".into() } else { words.trim().into() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::study::example;

    fn parsed(recipe: &Recipe) -> toml::Table {
        toml::from_str(&study("Cats_& \"dogs\"", &Design::of(recipe, 2))).unwrap()
    }

    fn conditions(study: &toml::Table) -> Vec<(&str, bool)> {
        let practises =
            |one: &toml::Value| one.get("practice").is_none_or(|value| value.as_bool() == Some(true));
        let all = study["conditions"].as_array().unwrap().iter();
        all.map(|one| (one["name"].as_str().unwrap(), practises(one))).collect()
    }

    fn recipe() -> Recipe {
        example::made().0.recipe
    }

    fn without(roles: &[Role]) -> Recipe {
        let mut recipe = recipe();
        recipe.units.retain(|unit| !roles.contains(&unit.role));
        recipe
    }

    #[test]
    fn a_study_with_all_roles_has_all_conditions() {
        let study = parsed(&recipe());
        let expected =
            [("synthetic", true), ("natural", true), ("mixed", true), ("blur", true), ("none", false)];
        assert_eq!(conditions(&study), expected);
        assert_eq!(
            (study["slug"].as_str(), study["title"].as_str()),
            (Some("cats-dogs"), Some("Cats & \"dogs\""))
        );
        let design = |key: &str| study["design"][key].as_integer().unwrap();
        assert_eq!(
            ["image_sets", "main_trials", "catch_trials", "slots_per_condition"].map(design),
            [2, 2, 1, 10]
        );
        assert_eq!(study["practice"]["obvious_trials"].as_integer(), Some(1));
        assert_eq!(study["practice"]["other_trials"].as_integer(), Some(1), "one unit is left");
        assert!(study.get("recruitment").is_none());
        assert_eq!(study["policies"].as_array().unwrap().len(), 2);
        assert_eq!(study["links"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn without_synthetic_images_two_conditions_are_missing() {
        let mut recipe = recipe();
        recipe.units.iter_mut().for_each(|unit| {
            unit.synthetic.clear();
            unit.mixed.clear();
        });
        assert_eq!(conditions(&parsed(&recipe)), [("natural", true), ("blur", true), ("none", false)]);
    }

    #[test]
    fn without_practice_units_there_is_no_practice() {
        let recipe = without(&[Role::Obvious, Role::Easy]);
        let study = parsed(&recipe);
        assert!(conditions(&study).iter().all(|(_, practises)| !practises));
        assert!(study.get("practice").is_none());
        assert!(study["policies"][0]["criteria"].get("practice_blocks").is_none());
        let design = Design::of(&recipe, 2);
        assert!(!instructions(REFERENCES, &design).contains("ractice"));
        assert!(!consent(&design).contains("practice"));
    }

    #[test]
    fn without_catch_units_there_is_no_criterion_for_them() {
        let study = parsed(&without(&[Role::Catch]));
        assert_eq!(study["design"]["catch_trials"].as_integer(), Some(0));
        assert!(study["policies"][0]["criteria"].get("catch_trials").is_none());
    }

    #[test]
    fn more_trials_may_take_longer() {
        let mut recipe = recipe();
        let main = recipe.units[0].clone();
        recipe.units.extend(std::iter::repeat_n(main, 81));
        let limits = |study: &toml::Table| {
            let time = &study["policies"][0]["criteria"]["total_time"];
            ["min", "max"].map(|end| time[end].as_integer().unwrap())
        };
        assert_eq!(limits(&parsed(&recipe)), [360, 3600], "84 trials are four times 21");
        assert!(consent(&Design::of(&recipe, 2)).contains("84 times"));
        assert!(consent(&Design::of(&recipe, 2)).contains("about 40 minutes"));
        assert_eq!(limits(&parsed(&self::recipe())), [20, 900]);
    }

    #[test]
    fn instructions_show_only_pictures_that_exist() {
        let with = |count: usize| {
            let mut recipe = recipe();
            let unit = recipe.units.pop().unwrap();
            recipe.units.extend(std::iter::repeat_n(unit, count));
            instructions(REFERENCES, &Design::of(&recipe, 2))
        };
        assert!(with(3).contains("figure:trial/3"));
        let one = with(1);
        assert!(one.contains("figure:trial)") && !one.contains("figure:trial/3") && !one.contains("/2)"));
        assert!(!with(0).contains("figure:") && with(0).contains("## Ready?"));
    }

    #[test]
    fn words_fit_the_patch() {
        let mut recipe = recipe();
        recipe.patch.shape = Shape::Disc;
        let text = instructions(ALONE, &Design::of(&recipe, 2));
        assert!(text.contains("a **disc hides a part**") && !text.contains("square"));
    }

    #[test]
    fn existing_files_are_kept() {
        let out = tempfile::tempdir().unwrap();
        fs::write(out.path().join("consent.md"), "mine").unwrap();
        assert_eq!(write_missing(out.path(), "cats", &recipe(), 2).unwrap(), ["consent.md"]);
        assert_eq!(fs::read_to_string(out.path().join("consent.md")).unwrap(), "mine");
        assert!(out.path().join("instructions/alone.md").exists());
        assert_eq!(write_missing(out.path(), "dogs", &recipe(), 2).unwrap().len(), 6);
        assert!(fs::read_to_string(out.path().join("study.toml")).unwrap().contains("\"cats\""));
    }

    #[test]
    fn short_names_are_short() {
        assert_eq!(slug("  Übung 3!"), "bung-3");
        assert_eq!(slug("日本"), "study");
        assert_eq!(slug(&"abc-".repeat(30)), ["abc"; 10].join("-"));
    }
}
