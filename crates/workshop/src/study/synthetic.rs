//! The synthetic images of a study's units.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use weber_stimuli::picture::Picture;
use weber_stimuli::ranking::{BINS, MIXED_NATURAL};
use weber_stimuli::recipe::Recipe;

use super::store::{hash, write};
use super::{Study, StudyError, StudyUnit, layers};
use crate::parallel;
use crate::unit::Unit;
use crate::visualise::{Preset, Range, Request, Sign, Visualiser};

/// Images in a trial with synthetic references only, and in one that mixes them with natural ones.
const ALONE: usize = BINS - 1;
const MIXED: usize = ALONE - MIXED_NATURAL;

/// Natural pictures that a preset may take statistics from.
const SAMPLE: usize = 300;

/// Natural pictures that a preset may start from.
const STARTS: usize = 9;

/// A group of images that were optimised together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub unit: String,
    /// The names of the files in the study.
    pub names: Vec<String>,
    /// The unit's responses to the images.
    pub responses: Vec<f64>,
    /// The strongest response to a natural image.
    pub natural: f64,
    /// How alike the images are: the mean cosine of their Gram matrices.
    pub similarity: f64,
    /// Why there are no images.
    pub failure: Option<String>,
}

/// The images of a study, in the folder where they are kept.
pub struct Synthetic {
    pub groups: Vec<Group>,
    folder: PathBuf,
}

/// What natural images do to a unit.
struct Natural {
    range: Range,
    /// The images with the strongest responses, by index.
    strongest: Vec<usize>,
}

impl Group {
    /// How many of the images excite the unit less than the best natural one.
    pub fn below(&self) -> usize {
        self.responses.iter().filter(|response| **response < self.natural).count()
    }
}

impl Synthetic {
    /// Images that were made before, with the folder where they are.
    #[cfg(test)]
    pub fn kept(groups: Vec<Group>, folder: &std::path::Path) -> Self {
        Self { groups, folder: folder.into() }
    }

    /// The groups of a unit, by its path.
    pub fn of_unit(&self, path: &str) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| group.unit == path)
    }

    /// The file with this name.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn file(&self, name: &str) -> std::io::Result<Vec<u8>> {
        std::fs::read(self.folder.join(name))
    }
}

impl Study<'_> {
    /// Makes the images of all units of a recipe, and enters them. A unit without images has no trials with synthetic references.
    ///
    /// # Errors
    /// The preset is impossible, or a file cannot be written.
    pub fn synthetic(
        &self,
        recipe: &mut Recipe,
        units: &[StudyUnit],
        preset: &Preset,
    ) -> Result<Synthetic, StudyError> {
        let layer_names = layers(units);
        let activations = self.activations(&layer_names)?;
        let (sampled, sample): (Vec<String>, Vec<Picture>) = self.sample().into_iter().unzip();
        let visualiser = Visualiser::new(self.model, preset, &sample.iter().collect::<Vec<_>>())?;
        let sampled = hash(sampled.join("\n").as_bytes());
        let folder = self.store.folder("synthetic");
        let names: Vec<String> = recipe.units.iter().map(weber_stimuli::recipe::UnitRecipe::name).collect();
        let of_unit = |name: &String| {
            units
                .iter()
                .find(|unit| super::unit_recipe(unit, Vec::new()).name() == *name)
                .expect("recipes have units")
        };
        let tasks: Vec<(usize, usize)> = (0..names.len()).flat_map(|at| [(at, ALONE), (at, MIXED)]).collect();
        let (done, computed, started) = (AtomicUsize::new(0), AtomicUsize::new(0), Instant::now());
        let groups = parallel::map(&tasks, |(at, count)| {
            let unit = of_unit(&names[*at]);
            let natural = self.natural(&self.responses(&activations, &layer_names, unit));
            let starts: Vec<String> =
                natural.strongest.iter().map(|image| self.pool.fingerprint(*image)).collect();
            let key = (
                (hash(self.model.hash()), unit.path(), unit.direction.clone()),
                (preset.clone(), *count, self.options.seed),
                (natural.range.lowest, natural.range.highest, starts, sampled.clone()),
            );
            // Images of another preset have other names, so that one is never mistaken for another.
            let tag = hash(&serde_json::to_vec(&key).expect("keys are plain data"))[..8].to_owned();
            let name = |i: usize| format!("{}-{}of{count}-{tag}.jpg", names[*at], i + 1);
            let kept = |group: &Group| group.names.iter().all(|name| folder.join(name).exists());
            let compute = || {
                computed.fetch_add(1, Ordering::Relaxed);
                self.group(&visualiser, unit, *count, &natural, &name)
            };
            let mut group = self.store.remember("synthetic-groups", &key, compute)?;
            if !kept(&group) {
                group = self.group(&visualiser, unit, *count, &natural, &name)?;
            }
            let ready = done.fetch_add(1, Ordering::Relaxed) + 1;
            self.progress.step(
                "making synthetic images",
                ready,
                tasks.len(),
                started,
                computed.load(Ordering::Relaxed),
            );
            Ok(group)
        });
        let groups = groups.into_iter().collect::<Result<Vec<Group>, StudyError>>()?;
        for ((at, count), group) in tasks.iter().zip(&groups) {
            let recipe = &mut recipe.units[*at];
            let place = if *count == ALONE { &mut recipe.synthetic } else { &mut recipe.mixed };
            place.clone_from(&group.names);
        }
        // Mixed trials are made only of units that have both groups.
        for unit in &mut recipe.units {
            if unit.synthetic.is_empty() || unit.mixed.is_empty() {
                unit.synthetic.clear();
                unit.mixed.clear();
            }
        }
        Ok(Synthetic { groups, folder })
    }

    /// Some pictures, evenly from the whole pool, with what their content depends on.
    fn sample(&self) -> Vec<(String, Picture)> {
        let step = (self.pool.len() / SAMPLE).max(1);
        let images: Vec<usize> =
            (0..self.pool.len()).step_by(step).filter(|i| !self.rejected.contains(i)).collect();
        let pictures = parallel::map(&images, |image| {
            Some((self.pool.fingerprint(*image), self.pool.picture(*image).ok()?))
        });
        pictures.into_iter().flatten().collect()
    }

    fn natural(&self, responses: &[f64]) -> Natural {
        let mut order: Vec<usize> =
            (0..responses.len()).filter(|image| !responses[*image].is_nan()).collect();
        order.sort_by(|a, b| responses[*b].total_cmp(&responses[*a]));
        let range = Range { lowest: responses[order[order.len() - 1]], highest: responses[order[0]] };
        order.truncate(STARTS);
        Natural { range, strongest: order }
    }

    fn group(
        &self,
        visualiser: &Visualiser<'_>,
        unit: &StudyUnit,
        count: usize,
        natural: &Natural,
        name: &dyn Fn(usize) -> String,
    ) -> Result<Group, StudyError> {
        let starts: Vec<Picture> =
            natural.strongest.iter().filter_map(|image| self.pool.picture(*image).ok()).collect();
        let request = Request {
            unit: &Unit { layer: unit.layer.clone(), direction: unit.direction.clone() },
            sign: Sign::Highest,
            count,
            seed: self.options.seed.wrapping_mul(31).wrapping_add(count as u64),
            natural: Some(natural.range),
            starts: &starts.iter().collect::<Vec<_>>(),
        };
        let mut group = Group {
            unit: unit.path(),
            names: Vec::new(),
            responses: Vec::new(),
            natural: natural.range.highest,
            similarity: 0.0,
            failure: None,
        };
        match visualiser.visualise(&request) {
            Ok(made) => {
                for (i, picture) in made.pictures.iter().enumerate() {
                    let file = name(i);
                    let jpeg = picture.to_jpeg().expect("a picture in memory can be encoded");
                    write(&self.store.folder("synthetic").join(&file), &jpeg)?;
                    group.names.push(file);
                }
                (group.responses, group.similarity) = (made.responses, made.similarity);
            }
            Err(error) => group.failure = Some(error.to_string()),
        }
        Ok(group)
    }
}
