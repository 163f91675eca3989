//! Checks that a recipe can be followed.

use std::collections::HashSet;

use thiserror::Error;

use super::{ImageSet, Recipe, Role, UnitRecipe, VERSION};
use crate::inlay::Patch;
use crate::picture::SIDE;
use crate::ranking::{BINS, MIXED_NATURAL};

/// The number of references of a trial.
pub const REFERENCES: usize = BINS - 1;

/// The number of synthetic images in a trial that mixes them with natural ones.
pub const MIXED_SYNTHETIC: usize = REFERENCES - MIXED_NATURAL;

/// Why a recipe cannot be followed.
#[derive(Debug, Error)]
pub enum RecipeError {
    /// It is not JSON, or lacks a part.
    #[error("the recipe cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It was written for another version of the format.
    #[error("the recipe has version {0}, but this program reads version {VERSION}; make it again")]
    Version(u32),
    /// Its patch cannot be drawn.
    #[error(
        "a patch of {} px every {} px: the side must be 1 to {SIDE} px, and the stride at least 1 px",
        .0.side, .0.stride
    )]
    Patch(Patch),
    /// A unit has a fault.
    #[error("{unit}: {fault}")]
    Unit {
        /// The unit's name.
        unit: String,
        /// What is wrong.
        fault: UnitFault,
    },
}

/// A fault of a unit's recipe.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum UnitFault {
    #[error("another unit has the same name")]
    SameName,
    #[error("its layer, branch and channel are empty, so that it has no name")]
    NoName,
    #[error("it has no image set")]
    NoSet,
    #[error("it has {0} image sets, but a unit of the role {1} has one")]
    ManySets(usize, Role),
    #[error("two of its image sets have the number {0}")]
    SameSet(usize),
    #[error("it has {found} synthetic images, but {expected} or none are needed")]
    Synthetic { found: usize, expected: usize },
    #[error(
        "its synthetic image `{0}` must have a name of letters, digits, dashes and dots that ends in .webp, .png or .jpg"
    )]
    SyntheticName(String),
    #[error("image set {set} has {found} references, but {REFERENCES} are needed")]
    References { set: usize, found: usize },
    #[error("image set {0} has a patch that lies partly outside the picture")]
    Outside(usize),
    #[error("image set {0} has a max query with a response not above that of its min query")]
    NoAnswer(usize),
    #[error("its foil has a patch that lies partly outside the picture")]
    FoilOutside,
    #[error("it has a foil, but is no catch unit")]
    FoilWithoutCatch,
}

impl Recipe {
    /// Checks that the recipe can be followed.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), RecipeError> {
        if self.version != VERSION {
            return Err(RecipeError::Version(self.version));
        }
        if !self.patch.is_valid() {
            return Err(RecipeError::Patch(self.patch));
        }
        let mut names = HashSet::new();
        for unit in &self.units {
            let name = unit.name();
            let checked = if names.insert(name.clone()) {
                check_unit(unit, self.patch)
            } else {
                Err(UnitFault::SameName)
            };
            checked.map_err(|fault| RecipeError::Unit { unit: name, fault })?;
        }
        Ok(())
    }
}

fn check_unit(unit: &UnitRecipe, patch: Patch) -> Result<(), UnitFault> {
    if unit.name().is_empty() {
        return Err(UnitFault::NoName);
    }
    let mut numbers = HashSet::new();
    for set in &unit.sets {
        if !numbers.insert(set.number) {
            return Err(UnitFault::SameSet(set.number));
        }
        check_set(set, patch)?;
    }
    match (unit.sets.len(), unit.role) {
        (0, _) => return Err(UnitFault::NoSet),
        (1, _) | (_, Role::Main) => {}
        (many, role) => return Err(UnitFault::ManySets(many, role)),
    }
    check_synthetic(&unit.synthetic, REFERENCES)?;
    check_synthetic(&unit.mixed, MIXED_SYNTHETIC)?;
    match &unit.foil {
        Some(_) if unit.role != Role::Catch => Err(UnitFault::FoilWithoutCatch),
        Some(foil) if !patch.fits(foil.occlusion.corner) => Err(UnitFault::FoilOutside),
        _ => Ok(()),
    }
}

fn check_set(set: &ImageSet, patch: Patch) -> Result<(), UnitFault> {
    if set.references.len() != REFERENCES {
        return Err(UnitFault::References { set: set.number, found: set.references.len() });
    }
    let windows = set.references.iter().map(|reference| reference.window);
    if !windows.chain([set.max.corner, set.min.corner]).all(|at| patch.fits(at)) {
        return Err(UnitFault::Outside(set.number));
    }
    // Also false if a response is not a number.
    let answered = set.max.response > set.min.response;
    if answered { Ok(()) } else { Err(UnitFault::NoAnswer(set.number)) }
}

/// Names become names of files.
fn check_synthetic(names: &[String], expected: usize) -> Result<(), UnitFault> {
    if !names.is_empty() && names.len() != expected {
        return Err(UnitFault::Synthetic { found: names.len(), expected });
    }
    let good = |name: &String| {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        plain && !name.starts_with('.') && [".webp", ".png", ".jpg"].iter().any(|end| name.ends_with(end))
    };
    match names.iter().find(|name| !good(name)) {
        Some(name) => Err(UnitFault::SyntheticName(name.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inlay::Corner;
    use crate::recipe::example;

    fn refused(change: impl FnOnce(&mut Recipe)) -> String {
        let mut recipe = example::recipe();
        recipe.check().unwrap();
        change(&mut recipe);
        recipe.check().unwrap_err().to_string()
    }

    #[test]
    fn recipes_that_cannot_be_followed_are_refused() {
        assert!(refused(|r| r.version = 99).contains("has version 99"));
        assert!(refused(|r| r.patch.side = 225).contains("a patch of 225 px"));
        assert!(refused(|r| r.units[1] = r.units[0].clone()).contains("another unit has the same name"));
        assert!(refused(|r| r.units[0].sets[1].number = 0).contains("have the number 0"));
        assert!(refused(|r| r.units[0].sets.clear()).contains("it has no image set"));
        assert!(refused(|r| _ = r.units[0].sets[0].references.pop()).contains("has 8 references"));
        assert!(refused(|r| r.units[0].sets[0].max.response = f64::NAN).contains("not above"));
        let outside = Corner { x: 135, y: 0 };
        assert!(refused(|r| r.units[0].sets[0].min.corner = outside).contains("outside the picture"));
        assert!(refused(|r| r.units[0].sets[1].references[4].window = outside).contains("image set 1"));
        assert!(refused(|r| _ = r.units[0].mixed.pop()).contains("3 synthetic images, but 4"));
        let nameless = |r: &mut Recipe| {
            let unit = &mut r.units[0];
            [&mut unit.layer, &mut unit.branch, &mut unit.channel].into_iter().for_each(String::clear);
        };
        assert!(refused(nameless).contains("no name"));
    }

    #[test]
    fn synthetic_images_have_names_of_files() {
        for name in ["../secret.png", "a/b.png", ".png", "picture", "two words.png"] {
            let message = refused(|r| r.units[0].synthetic[3] = name.into());
            assert!(message.contains(&format!("`{name}`")), "{message}");
        }
    }

    #[test]
    fn only_studied_units_have_many_image_sets() {
        let second = |r: &mut Recipe| {
            let set = ImageSet { number: 1, ..r.units[3].sets[0].clone() };
            r.units[3].sets.push(set);
        };
        assert!(refused(second).contains("one-3x3-3: it has 2 image sets, but a unit of the role obvious"));
    }

    #[test]
    fn foils_are_of_catch_units_and_within_the_picture() {
        let outside = Corner { x: 0, y: 135 };
        let foil = |r: &mut Recipe| r.units[2].foil.as_mut().unwrap().occlusion.corner = outside;
        assert!(refused(foil).contains("its foil has a patch"));
        assert!(refused(|r| r.units[0].foil = r.units[2].foil.clone()).contains("is no catch unit"));
    }
}
