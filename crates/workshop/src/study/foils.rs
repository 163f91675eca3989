//! Chooses the wrong answers of catch trials without references.

use std::collections::HashSet;

use weber_stimuli::occlusion::Occlusion;
use weber_stimuli::recipe::{Foil, Role, UnitRecipe};

use super::candidates::Candidate;
use super::{Study, StudyError, StudyUnit};
use crate::probe::Probe;

/// The number of base images of a practice unit that are tried.
const TRIED: usize = 4;

impl Study<'_> {
    /// Gives each catch unit its foil: among the min queries of practice units that no trial shows, the one to which it responds
    /// least. Each practice unit gives one.
    pub(super) fn add_foils(
        &self,
        units: &[StudyUnit],
        candidates: &[Result<Vec<Candidate>, String>],
        choices: &[Vec<usize>],
        recipes: &mut [(usize, UnitRecipe)],
    ) -> Result<(), StudyError> {
        let of = |at: usize| candidates[at].as_deref().unwrap_or_default();
        let mut shown: HashSet<usize> =
            (0..units.len()).flat_map(|at| choices[at].iter().map(move |i| of(at)[*i].image)).collect();
        let practice = |recipe: &UnitRecipe| matches!(recipe.role, Role::Obvious | Role::Easy);
        let mut others: Vec<usize> =
            recipes.iter().filter(|(_, recipe)| practice(recipe)).map(|(at, _)| *at).collect();
        for (at, recipe) in recipes.iter_mut().filter(|(_, recipe)| recipe.role == Role::Catch) {
            let probe = self.probe(&units[*at]);
            let mut foils = Vec::new();
            for other in &others {
                let free = of(*other).iter().filter(|candidate| !shown.contains(&candidate.image));
                for candidate in free.take(TRIED) {
                    foils.push((*other, candidate.image, self.foil(&probe, candidate)?));
                }
            }
            let response = |foil: &Foil| foil.occlusion.response;
            let weakest = foils.into_iter().min_by(|(.., a), (.., b)| response(a).total_cmp(&response(b)));
            if let Some((other, image, foil)) = weakest {
                others.retain(|unit| *unit != other);
                shown.insert(image);
                recipe.foil = Some(foil);
            }
        }
        Ok(())
    }

    /// The min query of a candidate, with the response of another unit.
    fn foil(&self, probe: &Probe, candidate: &Candidate) -> Result<Foil, StudyError> {
        let min = candidate.queries.min;
        let occluded = min.of(&self.pool.picture(candidate.image)?, self.options.patch);
        let occlusion = Occlusion { response: probe.response(&occluded), ..min };
        Ok(Foil { image: self.pool.name(candidate.image), occlusion })
    }
}
