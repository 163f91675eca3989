//! Makes the images and the table of a study from its recipe.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::ImageError;
use rayon::prelude::*;
use thiserror::Error;

use super::pool::{Pool, PoolError};
use super::{ImageSet, Recipe, RecipeError, Role, UnitRecipe, paths};
use crate::baselines::Baselines;
use crate::blur::blurred_reference;
use crate::folder::{Folder, FolderError};
use crate::occlusion::Occlusion;
use crate::picture::Picture;
use crate::ranking::MIXED_NATURAL;
use crate::trials::{self, Condition, Difficulty, Kind, TrialRow};

/// The result of [`compose`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Composed {
    /// The folder was made or completed.
    Made,
    /// The folder was complete before.
    Already,
}

/// Why a study could not be composed.
#[derive(Debug, Error)]
pub enum ComposeError {
    /// The recipe cannot be followed.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The recipe has fewer image sets than are wanted, or none are.
    #[error("{unit} has no image set {set}, but {wanted} image sets are wanted; ask for 1 to {set}")]
    ImageSets {
        /// The unit's name.
        unit: String,
        /// The number of the missing image set, counted from 0.
        set: usize,
        /// The number of image sets that are wanted.
        wanted: usize,
    },
    /// No image sets are wanted.
    #[error("0 image sets are wanted, but a study has at least 1")]
    NoImageSets,
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The pool cannot give an image.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// A synthetic image cannot be read.
    #[error("the synthetic image {name} cannot be read: {source}")]
    Synthetic {
        /// The image's name.
        name: String,
        /// The system's error.
        source: io::Error,
    },
    /// An image could not be encoded.
    #[error("cannot encode {path}: {source}")]
    Encode {
        /// The path of the image's file in the folder.
        path: String,
        /// The encoder's error.
        source: ImageError,
    },
}

/// Gives the file of a synthetic image by its name.
pub type Files<'a> = &'a (dyn Fn(&str) -> io::Result<Vec<u8>> + Sync);

/// A function that any thread calls with the number of image sets that are done, and of all image sets.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Writes the images and `trials.csv` of a study with that many image sets into the folder `out`, which is made if needed.
///
/// Work that was interrupted continues where it stopped. A complete folder is recognised at once. A folder made from another recipe,
/// or by another version of the program, is made anew. Files are written under another name and then renamed, `trials.csv` last.
/// The same recipe and pool give the same bytes on every machine, with any number of threads. The work runs on rayon's current
/// thread pool.
///
/// # Errors
/// See [`ComposeError`].
pub fn compose(
    recipe: &Recipe,
    image_sets: usize,
    pool: &dyn Pool,
    synthetic: Files<'_>,
    out: &Path,
    progress: Progress<'_>,
) -> Result<Composed, ComposeError> {
    recipe.check()?;
    let recipe = &with_image_sets(recipe, image_sets)?;
    let folder = &Folder::open(out, recipe.to_json())?;
    if folder.is_complete() {
        return Ok(Composed::Already);
    }
    let composer = Composer { recipe, pool, synthetic, folder };
    let sets: Vec<(usize, &ImageSet)> = (recipe.units.iter().enumerate())
        .flat_map(|(index, unit)| unit.sets.iter().map(move |set| (index, set)))
        .collect();
    let done = AtomicUsize::new(0);
    let rows: Result<Vec<Vec<TrialRow>>, ComposeError> = sets
        .par_iter()
        .map(|(unit, set)| {
            let rows = composer.rows(*unit, set)?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, sets.len());
            Ok(rows)
        })
        .collect();
    let mut rows = rows?.concat();
    rows.sort_by(TrialRow::in_order);
    folder.finish(&trials::to_csv(&rows))?;
    Ok(Composed::Made)
}

/// The recipe with the first image sets only of the units that are studied.
fn with_image_sets(recipe: &Recipe, image_sets: usize) -> Result<Recipe, ComposeError> {
    if image_sets == 0 {
        return Err(ComposeError::NoImageSets);
    }
    let mut recipe = recipe.clone();
    for unit in recipe.units.iter_mut().filter(|unit| unit.role == Role::Main) {
        if let Some(set) = (0..image_sets).find(|number| unit.set(*number).is_none()) {
            return Err(ComposeError::ImageSets { unit: unit.name(), set, wanted: image_sets });
        }
        unit.sets.retain(|set| set.number < image_sets);
    }
    Ok(recipe)
}

/// Everything that is needed to make an image set.
struct Composer<'a> {
    recipe: &'a Recipe,
    pool: &'a dyn Pool,
    synthetic: Files<'a>,
    folder: &'a Folder,
}

/// The references of an image set, as paths.
struct References {
    natural: Vec<String>,
    blurred: Vec<String>,
    synthetic: Vec<String>,
    mixed: Vec<String>,
}

impl References {
    /// The groups of references that a condition shows.
    fn groups(&self, condition: Condition) -> Vec<Vec<String>> {
        match condition {
            Condition::Synthetic => vec![self.synthetic.clone()],
            Condition::Natural => vec![self.natural.clone()],
            Condition::Mixed => {
                vec![self.natural[self.natural.len() - MIXED_NATURAL..].to_vec(), self.mixed.clone()]
            }
            Condition::Blur => vec![self.blurred.clone()],
            Condition::None => Vec::new(),
        }
    }
}

impl Composer<'_> {
    /// Makes the images of an image set and returns its trials.
    fn rows(&self, unit_index: usize, set: &ImageSet) -> Result<Vec<TrialRow>, ComposeError> {
        let unit = &self.recipe.units[unit_index];
        let name = set.name(unit);
        self.folder.rows(&name, || {
            let base = self.pool.picture(&set.base)?;
            let shown = TrialRow {
                condition: Condition::None,
                kind: kind(unit.role),
                image_set: set.number,
                unit_index,
                unit: unit.name(),
                layer: unit.layer.clone(),
                branch: unit.branch.clone(),
                base: self.natural(&set.base, &base)?,
                max_query: self.query(&name, "max", &base, set.max)?,
                min_query: self.query(&name, "min", &base, set.min)?,
                references: Vec::new(),
                base_activation: set.base_response,
                max_activation: set.max.response,
                min_activation: set.min.response,
                baselines: decisions(&base, self.recipe, set),
            };
            let references = self.references(unit, set)?;
            let with =
                |condition| TrialRow { condition, references: references.groups(condition), ..shown.clone() };
            conditions(unit).map(|condition| self.with_foil(unit, set, with(condition))).collect()
        })
    }

    /// The trial without references of a catch unit gets another wrong answer, with this unit's response to it.
    fn with_foil(&self, unit: &UnitRecipe, set: &ImageSet, row: TrialRow) -> Result<TrialRow, ComposeError> {
        let Some(foil) = unit.foil.as_ref().filter(|_| row.condition == Condition::None) else {
            return Ok(row);
        };
        let picture = self.pool.picture(&foil.image)?;
        Ok(TrialRow {
            min_query: self.query(&set.name(unit), "foil", &picture, foil.occlusion)?,
            min_activation: foil.occlusion.response,
            // The rules cannot compare images of two scenes.
            baselines: [None; 3],
            ..row
        })
    }

    fn references(&self, unit: &UnitRecipe, set: &ImageSet) -> Result<References, ComposeError> {
        let (mut natural, mut blurred) = (Vec::new(), Vec::new());
        for (i, reference) in set.references.iter().enumerate() {
            let picture = self.pool.picture(&reference.image)?;
            natural.push(self.natural(&reference.image, &picture)?);
            let path = paths::blurred(&set.name(unit), i);
            blurred.push(self.image(path, Picture::to_jpeg, || {
                blurred_reference(&picture, self.recipe.patch, reference.window)
            })?);
        }
        let copies = |names: &[String]| -> Result<Vec<String>, ComposeError> {
            names.iter().map(|name| self.copy(name)).collect()
        };
        Ok(References { natural, blurred, synthetic: copies(&unit.synthetic)?, mixed: copies(&unit.mixed)? })
    }

    /// An image of the pool.
    fn natural(&self, image: &str, picture: &Picture) -> Result<String, ComposeError> {
        self.image(paths::natural(image), Picture::to_jpeg, || picture.clone())
    }

    /// A query. A JPEG would show traces of the patch's edges 8 px around it.
    fn query(
        &self,
        set: &str,
        which: &str,
        base: &Picture,
        occlusion: Occlusion,
    ) -> Result<String, ComposeError> {
        self.image(paths::query(set, which), Picture::to_png, || occlusion.of(base, self.recipe.patch))
    }

    fn image(
        &self,
        path: String,
        encode: fn(&Picture) -> Result<Vec<u8>, ImageError>,
        picture: impl FnOnce() -> Picture,
    ) -> Result<String, ComposeError> {
        let named = path.clone();
        self.folder
            .file(path, || encode(&picture()).map_err(|source| ComposeError::Encode { path: named, source }))
    }

    /// A copy of a synthetic image's file, byte for byte.
    fn copy(&self, name: &str) -> Result<String, ComposeError> {
        self.folder.file(paths::synthetic(name), || {
            (self.synthetic)(name).map_err(|source| ComposeError::Synthetic { name: name.to_owned(), source })
        })
    }
}

/// The rules' decisions about an image set.
fn decisions(base: &Picture, recipe: &Recipe, set: &ImageSet) -> [trials::Baseline; 3] {
    let decided = Baselines::decide(base, recipe.patch, &set.queries());
    [decided.center, decided.variance, decided.saliency].map(Some)
}

/// The conditions with trials of a unit. The condition without references has no practice.
fn conditions(unit: &UnitRecipe) -> impl Iterator<Item = Condition> {
    Condition::ALL.into_iter().filter(|condition| match condition {
        Condition::Synthetic => !unit.synthetic.is_empty(),
        Condition::Mixed => !unit.mixed.is_empty(),
        Condition::None => !matches!(unit.role, Role::Obvious | Role::Easy),
        Condition::Natural | Condition::Blur => true,
    })
}

fn kind(role: Role) -> Kind {
    match role {
        Role::Main => Kind::Main,
        Role::Catch => Kind::Catch,
        Role::Obvious => Kind::Practice(Difficulty::Obvious),
        Role::Easy => Kind::Practice(Difficulty::Easy),
        Role::Instruction => Kind::Instruction,
    }
}
