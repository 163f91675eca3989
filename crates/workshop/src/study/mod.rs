//! Makes the recipe of a study: which images each unit likes, where patches hide what it cares about, and which trials are shown.
//!
//! [`Study::recipe`] ranks the pool, searches queries of all possible base images, chooses among them, and searches the sharp windows
//! of references. Every part is kept in a folder when it is done, so that an interrupted run continues. A unit that fails is
//! listed, and the rest goes on.

mod balance;
mod candidates;
mod complete;
#[cfg(test)]
mod example;
mod foils;
mod folder;
mod options;
mod rejected;
mod report;
mod roles;
mod selection;
mod store;
mod synthetic;
#[cfg(test)]
mod tests;
mod units;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use thiserror::Error;
use weber_stimuli::blur::gaussian;
use weber_stimuli::inlay::{Corner, Inlay};
use weber_stimuli::ranking::Favourites;
use weber_stimuli::recipe::{ImageSet, Recipe, RecipeError, Reference, Role, UnitRecipe, VERSION};

use crate::activations::{Activations, ActivationsError};
use crate::model::Model;
use crate::parallel;
use crate::pool::{Pool, PoolError};
use crate::probe::Probe;
use crate::progress::Progress;
use crate::search::{Ends, extremes};
use crate::visualise::VisualiseError;

pub use balance::{HIGHEST, LOWEST, faults as balance_faults};
pub use candidates::{Candidate, RULES};
pub use folder::write_missing;
pub use options::Options;
pub use rejected::{FILE as REJECTED, read as read_rejected};
pub use report::{Origin, Report};
pub use roles::{easy_units, varied_units};
pub use synthetic::{Group, Synthetic};
pub use units::{StudyUnit, read as read_units};

use candidates::favourites;
use store::{Store, hash};

pub use store::write;

/// Why a study could not be made.
#[derive(Debug, Error)]
pub enum StudyError {
    #[error("the settings do not fit: {0}")]
    Options(String),
    #[error("{}: {}", path.display(), faults.join("; "))]
    Units { path: PathBuf, faults: Vec<String> },
    #[error("{path}: {reason}")]
    Rejected { path: PathBuf, reason: String },
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Activations(#[from] ActivationsError),
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Visualise(#[from] VisualiseError),
    #[error(
        "cannot write {path}: {source}. What was made before is kept; free space and run the command again"
    )]
    Write { path: PathBuf, source: std::io::Error },
    #[error("no unit could be used: {0}")]
    NoUnit(String),
}

/// What became of a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub unit: StudyUnit,
    /// Why it has no trials, if it failed.
    pub failure: Option<String>,
    /// The chosen base images.
    pub chosen: Vec<Candidate>,
    /// Share of the 200 strongest images that the most frequent kind fills, if the pool knows kinds.
    pub one_kind: Option<f64>,
}

/// A recipe with what a person should know about it.
pub struct Made {
    pub recipe: Recipe,
    pub outcomes: Vec<Outcome>,
    /// The share of the main trials that each of the [`RULES`] answers.
    pub rules: [f64; 4],
    /// Images that could not be read, with the reason.
    pub broken: Vec<(usize, String)>,
}

/// A model, a pool of images, and the folder in which results are kept.
pub struct Study<'a> {
    pub model: &'a Model,
    pub pool: &'a dyn Pool,
    pub options: &'a Options,
    /// Images that a person has rejected, by index.
    pub rejected: &'a [usize],
    pub progress: Progress<'a>,
    store: Store,
}

impl<'a> Study<'a> {
    pub fn new(
        model: &'a Model,
        pool: &'a dyn Pool,
        options: &'a Options,
        rejected: &'a [usize],
        folder: &Path,
        progress: Progress<'a>,
    ) -> Self {
        Self { model, pool, options, rejected, progress, store: Store::new(folder) }
    }

    /// The activations of the pool in layers, given by name. Names must exist.
    ///
    /// # Errors
    /// See [`ActivationsError`].
    pub fn activations(&self, layers: &[String]) -> Result<Activations, StudyError> {
        let graph = self.model.network.graph();
        let nodes: Vec<usize> =
            layers.iter().map(|layer| graph.find(layer).expect("layers were resolved")).collect();
        let folder = self.store.folder("activations");
        Ok(Activations::compute(self.model, &nodes, self.pool, &folder, self.progress)?)
    }

    /// The responses of a unit to all images. Rejected images and those that cannot be read have none (not a number).
    pub fn responses(&self, activations: &Activations, layers: &[String], unit: &StudyUnit) -> Vec<f64> {
        let layer = layers.iter().position(|layer| *layer == unit.layer).expect("all layers were computed");
        let mut responses: Vec<f64> = (0..activations.images())
            .map(|image| unit.direction.response(&activations.of(image, layer)))
            .collect();
        for image in self.rejected {
            responses[*image] = f64::NAN;
        }
        responses
    }

    /// Makes the recipe for units with all roles.
    ///
    /// # Errors
    /// The settings do not fit, nothing can be read or written, or no unit can be used.
    pub fn recipe(&self, units: &[StudyUnit]) -> Result<Made, StudyError> {
        self.options.check(self.pool.len() - self.rejected.len())?;
        let layers = layers(units);
        let activations = self.activations(&layers)?;
        let responses: Vec<Vec<f64>> =
            units.iter().map(|unit| self.responses(&activations, &layers, unit)).collect();
        let ranked: Vec<Option<Favourites>> = responses
            .iter()
            .enumerate()
            .map(|(at, responses)| favourites(responses, self.options.bin_size, self.options.seed, at as u64))
            .collect();
        let candidates = self.candidates(units, &ranked)?;
        let choices = self.choose(units, &candidates);
        let windows = self.windows(units, &ranked, &choices)?;
        let mut made = self.assemble(units, &ranked, &candidates, &choices, &windows)?;
        made.broken = activations.broken;
        Ok(made)
    }

    fn probe(&self, unit: &StudyUnit) -> Probe<'a> {
        let layer = self.model.network.graph().find(&unit.layer).expect("layers were resolved");
        Probe::new(self.model, layer, &unit.direction)
    }

    /// What the result for a unit and an image depends on.
    fn key(&self, unit: &StudyUnit, image: usize) -> impl serde::Serialize {
        let Options { patch, search, .. } = self.options;
        (
            hash(self.model.hash()),
            unit.path(),
            unit.direction.clone(),
            self.pool.fingerprint(image),
            *patch,
            *search,
        )
    }

    /// Runs a search for each unit and image, on all cores, and keeps each result.
    fn each<R: serde::Serialize + serde::de::DeserializeOwned + Send>(
        &self,
        stage: &'static str,
        units: &[StudyUnit],
        tasks: &[(usize, usize)],
        search: impl Fn(&Probe<'_>, usize) -> Result<R, StudyError> + Sync,
    ) -> Vec<Result<R, StudyError>> {
        let (done, computed, started) = (AtomicUsize::new(0), AtomicUsize::new(0), Instant::now());
        parallel::map(tasks, |(unit, image)| {
            let result = self.store.remember(stage, &self.key(&units[*unit], *image), || {
                computed.fetch_add(1, Ordering::Relaxed);
                search(&self.probe(&units[*unit]), *image)
            });
            let ready = done.fetch_add(1, Ordering::Relaxed) + 1;
            self.progress.step(stage, ready, tasks.len(), started, computed.load(Ordering::Relaxed));
            result
        })
    }

    /// The references of a unit's image sets: nine for each, by set.
    fn references(&self, unit: &StudyUnit, ranked: &Favourites, choice: &[usize]) -> Vec<Vec<usize>> {
        if unit.role == Role::Main {
            return (0..choice.len()).map(|set| ranked.references(set)).collect();
        }
        choice.iter().map(|index| ranked.references(*index % ranked.image_sets())).collect()
    }

    /// For each reference where it stays sharp when it is blurred.
    fn windows(
        &self,
        units: &[StudyUnit],
        ranked: &[Option<Favourites>],
        choices: &[Vec<usize>],
    ) -> Result<std::collections::BTreeMap<(usize, usize), Corner>, StudyError> {
        let mut tasks: Vec<(usize, usize)> = Vec::new();
        for (at, unit) in units.iter().enumerate() {
            if let Some(ranked) = ranked[at].as_ref().filter(|_| !choices[at].is_empty()) {
                tasks.extend(
                    self.references(unit, ranked, &choices[at]).concat().into_iter().map(|image| (at, image)),
                );
            }
        }
        tasks.sort_unstable();
        tasks.dedup();
        let found = self.each("searching sharp windows", units, &tasks, |probe, image| {
            let picture = self.pool.picture(image)?;
            let blurred = gaussian(&picture);
            let asked = probe.ask(&blurred, self.options.patch, Inlay::Of(&picture));
            let ask = |corners: &[Corner]| asked.responses(corners);
            Ok(extremes(self.options.search, Ends::Highest, self.options.patch, ask).highest.0)
        });
        tasks.into_iter().zip(found).map(|(task, corner)| Ok((task, corner?))).collect()
    }

    fn assemble(
        &self,
        units: &[StudyUnit],
        ranked: &[Option<Favourites>],
        candidates: &[Result<Vec<Candidate>, String>],
        choices: &[Vec<usize>],
        windows: &std::collections::BTreeMap<(usize, usize), Corner>,
    ) -> Result<Made, StudyError> {
        let (mut recipes, mut outcomes) = (Vec::new(), Vec::new());
        let mut mains = (Vec::new(), Vec::new());
        for (at, unit) in units.iter().enumerate() {
            let (Ok(list), Some(ranked), false) = (&candidates[at], &ranked[at], choices[at].is_empty())
            else {
                let failure = match &candidates[at] {
                    Err(reason) => reason.clone(),
                    Ok(list) => format!(
                        "it has {} base images, but {} are needed",
                        list.len(),
                        self.options.image_sets
                    ),
                };
                outcomes.push(Outcome {
                    unit: unit.clone(),
                    failure: Some(failure),
                    chosen: Vec::new(),
                    one_kind: None,
                });
                continue;
            };
            let references = self.references(unit, ranked, &choices[at]);
            let sets = choices[at].iter().zip(references).enumerate().map(|(number, (index, images))| {
                self.image_set(number, &list[*index], &images, |image| windows[&(at, image)])
            });
            recipes.push((at, unit_recipe(unit, sets.collect())));
            if unit.role == Role::Main {
                mains.0.push(list.clone());
                mains.1.push(choices[at].clone());
            }
            let chosen = choices[at].iter().map(|index| list[*index].clone()).collect();
            let one_kind = roles::one_kind(self.pool, ranked);
            outcomes.push(Outcome { unit: unit.clone(), failure: None, chosen, one_kind });
        }
        if !recipes.iter().any(|(_, recipe)| recipe.role == Role::Main) {
            let reasons: Vec<String> =
                outcomes.iter().filter_map(|outcome| outcome.failure.clone()).collect();
            return Err(StudyError::NoUnit(reasons.join("; ")));
        }
        self.add_foils(units, candidates, choices, &mut recipes)?;
        let recipe = Recipe {
            version: VERSION,
            patch: self.options.patch,
            search: self.options.search.name().into(),
            seed: self.options.seed,
            units: recipes.into_iter().map(|(_, recipe)| recipe).collect(),
        };
        recipe.check()?;
        Ok(Made { recipe, outcomes, rules: balance::shares(&mains.0, &mains.1), broken: Vec::new() })
    }

    fn image_set(
        &self,
        number: usize,
        candidate: &Candidate,
        images: &[usize],
        window: impl Fn(usize) -> Corner,
    ) -> ImageSet {
        let reference = |image: &usize| Reference { image: self.pool.name(*image), window: window(*image) };
        ImageSet {
            number,
            base: self.pool.name(candidate.image),
            base_response: candidate.base_response,
            max: candidate.queries.max,
            min: candidate.queries.min,
            references: images.iter().map(reference).collect(),
        }
    }
}

/// The layers of units, each once.
pub fn layers(units: &[StudyUnit]) -> Vec<String> {
    let mut layers: Vec<String> = Vec::new();
    for unit in units {
        if !layers.contains(&unit.layer) {
            layers.push(unit.layer.clone());
        }
    }
    layers
}

fn unit_recipe(unit: &StudyUnit, sets: Vec<ImageSet>) -> UnitRecipe {
    let (layer, branch) = unit.layer_and_branch();
    UnitRecipe {
        layer: layer.into(),
        branch: branch.into(),
        channel: unit.channel.clone(),
        role: unit.role,
        likes: unit.likes.clone(),
        sets,
        synthetic: Vec::new(),
        mixed: Vec::new(),
        foil: None,
    }
}
