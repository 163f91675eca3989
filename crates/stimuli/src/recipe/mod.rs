//! The recipe of a study: everything that a network decided about its stimuli, so that its images can be made again without the
//! network.
//!
//! A recipe names images of a pool, positions of patches, and files of synthetic images. It is stored as JSON.

mod check;
mod compose;
#[cfg(test)]
mod example;
pub mod paths;
mod pool;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use check::{MIXED_SYNTHETIC, REFERENCES, RecipeError, UnitFault};
pub use compose::{ComposeError, Composed, Files, Progress, compose};
pub use pool::{Pool, PoolError, Views};

use crate::inlay::{Corner, Patch};
use crate::occlusion::{Occlusion, Queries};

/// The version of the format. A program reads recipes of its own version only.
pub const VERSION: u32 = 1;

/// What the stimuli of a study are made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The version of the format, see [`VERSION`].
    pub version: u32,
    /// The patch of queries and of sharp windows.
    pub patch: Patch,
    /// How queries and windows were searched: `exhaustive` or `coarse`.
    pub search: String,
    /// The seed of the pool, of the choice of references, and of the synthetic images.
    pub seed: u64,
    /// The units, in the order of their trials.
    pub units: Vec<UnitRecipe>,
}

/// The purpose of a unit in a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It is studied, with many image sets. Units of other roles have one trial.
    Main,
    /// A catch trial.
    Catch,
    /// An obvious practice trial.
    Obvious,
    /// Another practice trial.
    Easy,
    /// A trial shown in the instructions.
    Instruction,
}

/// A unit with its image sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitRecipe {
    /// The layer, e.g. `mixed4b`.
    pub layer: String,
    /// The branch of the layer, e.g. `3x3`.
    pub branch: String,
    /// The channel's number, or the name of a direction in the layer.
    pub channel: String,
    /// What it is for.
    pub role: Role,
    /// What it responds to, as words that can follow "it likes". May be empty.
    pub likes: String,
    /// Its image sets, each with one trial per condition.
    pub sets: Vec<ImageSet>,
    /// The names of nine synthetic images. Without them there are no trials of the condition with synthetic references.
    pub synthetic: Vec<String>,
    /// The names of four synthetic images for the condition that mixes them with natural ones, or none.
    pub mixed: Vec<String>,
    /// For a catch unit: the wrong answer of its trial without references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foil: Option<Foil>,
}

/// One image set of a unit: the images that its trials share in all conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageSet {
    /// The number within the unit, counted from 0.
    pub number: usize,
    /// The base image, as its name in the pool.
    pub base: String,
    /// The unit's response to the base image.
    pub base_response: f64,
    /// The occlusion with the highest response: the correct answer.
    pub max: Occlusion,
    /// The occlusion with the lowest response.
    pub min: Occlusion,
    /// Nine references, weakest first.
    pub references: Vec<Reference>,
}

/// A natural reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The image's name in the pool.
    pub image: String,
    /// Where it stays sharp when it is blurred.
    pub window: Corner,
}

/// The wrong answer of a catch trial without references: an occluded image that has nothing to do with the unit. No other trial should
/// show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Foil {
    /// The image's name in the pool.
    pub image: String,
    /// Its occlusion, with the catch unit's response.
    pub occlusion: Occlusion,
}

impl UnitRecipe {
    /// The unit's name, e.g. `mixed4b-3x3-86`: letters, digits and dashes.
    pub fn name(&self) -> String {
        let parts = [&self.layer, &self.branch, &self.channel].into_iter().filter(|part| !part.is_empty());
        let parts: Vec<String> =
            parts.map(|part| part.replace(|c: char| !c.is_ascii_alphanumeric(), "-")).collect();
        parts.join("-")
    }

    /// The image set with that number.
    pub fn set(&self, number: usize) -> Option<&ImageSet> {
        self.sets.iter().find(|set| set.number == number)
    }
}

impl ImageSet {
    /// Its name in a study, e.g. `mixed4b-3x3-86-2`.
    pub fn name(&self, unit: &UnitRecipe) -> String {
        format!("{}-{}", unit.name(), self.number)
    }

    /// Its two occlusions.
    pub fn queries(&self) -> Queries {
        Queries { max: self.max, min: self.min }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Main => "main",
            Self::Catch => "catch",
            Self::Obvious => "obvious",
            Self::Easy => "easy",
            Self::Instruction => "instruction",
        })
    }
}

impl Recipe {
    /// Reads a recipe from JSON, and checks it.
    ///
    /// # Errors
    /// See [`RecipeError`].
    pub fn from_json(json: &[u8]) -> Result<Self, RecipeError> {
        let recipe: Self = serde_json::from_slice(json)?;
        recipe.check()?;
        Ok(recipe)
    }

    /// The recipe as JSON, one image set a line, so that two recipes can be compared.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string(self).expect("a recipe is plain data");
        json.replace(r#"{"layer":"#, "\n{\"layer\":").replace(r#"{"number":"#, "\n{\"number\":") + "\n"
    }
}
