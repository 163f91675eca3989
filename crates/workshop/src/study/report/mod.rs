//! What a build leaves for a person beside the study: a record of how it was made, and a contact sheet to look through.

mod record;
mod sheet;

use serde::Serialize;
use weber_stimuli::recipe::{Role, UnitRecipe};

use super::{Group, Made, Options, Outcome, Synthetic};
use crate::visualise::Preset;

/// What a study was made from.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// The SHA-256 of everything that responses depend on.
    pub hash: String,
    /// The model's file name.
    pub model: String,
    /// The architecture's name, if the model's file does not hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The card's file name.
    pub card: String,
}

/// A study that was made, with everything that a person should see.
pub struct Report<'a> {
    /// The name of the study's folder.
    pub name: &'a str,
    pub origin: &'a Origin,
    pub options: &'a Options,
    pub preset: &'a Preset,
    pub made: &'a Made,
    pub synthetic: &'a Synthetic,
    /// The names of the images that were rejected before.
    pub rejected: &'a [String],
}

/// What became of a unit, in numbers.
#[derive(Serialize)]
struct UnitResult {
    unit: String,
    role: Role,
    likes: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    image_sets: usize,
    /// The mean over image sets of how much the queries differ, relative to the base image.
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_difference: Option<f64>,
    /// Share of the strongest images that the most frequent kind fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    one_kind: Option<f64>,
    synthetic: Vec<GroupResult>,
}

/// How a group of synthetic images compares with natural ones.
#[derive(Serialize)]
struct GroupResult {
    images: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    responses: Vec<f64>,
    best_natural: f64,
    /// How many images excite the unit less than the best natural one.
    below: usize,
    similarity: f64,
}

impl GroupResult {
    fn of(group: &Group) -> Self {
        Self {
            images: group.names.len(),
            reason: group.failure.clone(),
            responses: group.responses.clone(),
            best_natural: group.natural,
            below: group.below(),
            similarity: group.similarity,
        }
    }
}

impl Report<'_> {
    fn result(&self, outcome: &Outcome) -> UnitResult {
        let path = outcome.unit.path();
        let sets = outcome.chosen.len();
        let sum: f64 = outcome.chosen.iter().map(super::Candidate::relative_difference).sum();
        UnitResult {
            role: outcome.unit.role,
            likes: outcome.unit.likes.clone(),
            outcome: if outcome.failure.is_some() { "failed" } else { "ok" },
            reason: outcome.failure.clone(),
            image_sets: sets,
            relative_difference: (sets > 0).then(|| sum / sets as f64),
            one_kind: outcome.one_kind,
            synthetic: self.synthetic.of_unit(&path).map(GroupResult::of).collect(),
            unit: path,
        }
    }

    /// Each unit's outcome, with its part of the recipe unless it failed.
    fn units(&self) -> Vec<(&Outcome, Option<&UnitRecipe>)> {
        let mut recipes = self.made.recipe.units.iter();
        let mut recipe = |outcome: &Outcome| if outcome.failure.is_none() { recipes.next() } else { None };
        self.made.outcomes.iter().map(|outcome| (outcome, recipe(outcome))).collect()
    }
}

#[cfg(test)]
pub mod example {
    use super::*;

    /// Calls `look` with a small report.
    pub fn with<R>(look: impl FnOnce(&Report<'_>) -> R) -> R {
        let (made, synthetic) = crate::study::example::made();
        let origin = Origin {
            hash: "ab".repeat(32),
            model: "network.safetensors".into(),
            architecture: Some("demo".into()),
            card: "network.card.toml".into(),
        };
        let options = Options { image_sets: 2, ..Options::default() };
        look(&Report {
            name: "cats-&-dogs",
            origin: &origin,
            options: &options,
            preset: &Preset::study_2021(),
            made: &made,
            synthetic: &synthetic,
            rejected: &["38".into()],
        })
    }
}
