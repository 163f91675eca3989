//! The images that a unit responds to most, and the queries of those that could be base images.

use serde::{Deserialize, Serialize};
use weber_stimuli::baselines::Baselines;
use weber_stimuli::dice::Dice;
use weber_stimuli::inlay::{Inlay, Patch};
use weber_stimuli::occlusion::{Occlusion, Queries};
use weber_stimuli::picture::Picture;
use weber_stimuli::ranking::Favourites;

use crate::probe::Probe;
use crate::search::{Ends, Search, extremes};

/// The simple rules whose share of right answers is kept near one half.
pub const RULES: [&str; 4] = ["center", "variance", "saliency", "difference"];

/// An image that could be a base image of a unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The image's index in the pool.
    pub image: usize,
    pub base_response: f64,
    pub queries: Queries,
    /// Whether each of the [`RULES`] chooses the max query.
    pub rules: [bool; 4],
}

impl Candidate {
    /// Searches the queries of an image. `None` if the unit responds alike to all occlusions.
    pub fn search(
        probe: &Probe<'_>,
        image: usize,
        picture: &Picture,
        patch: Patch,
        search: Search,
    ) -> Option<Self> {
        let asked = probe.ask(picture, patch, Inlay::MeanColour);
        let found = extremes(search, Ends::Both, patch, |corners| asked.responses(corners));
        let occlusion = |(corner, response)| Occlusion { corner, response };
        let queries = Queries { max: occlusion(found.highest), min: occlusion(found.lowest) };
        (queries.max.response > queries.min.response).then(|| Self {
            image,
            base_response: asked.unchanged(),
            queries,
            rules: rules(picture, patch, &queries),
        })
    }

    /// How much the queries differ, relative to the base image.
    pub fn relative_difference(&self) -> f64 {
        self.queries.relative_difference(self.base_response)
    }

    /// How easy the trial is: the relative difference (limited to 1, since a larger one says more about the base image), times the
    /// distance of the patches as a share of their side (limited to 1, where they no longer overlap).
    pub fn ease(&self, patch: Patch) -> f64 {
        if self.base_response <= 0.0 {
            return 0.0;
        }
        self.relative_difference().min(1.0) * (self.queries.distance() / patch.side as f64).min(1.0)
    }
}

/// Whether each of the [`RULES`] chooses the max query. The last chooses the query that differs less from the base image, by the
/// sum of squared differences of pixels.
fn rules(base: &Picture, patch: Patch, queries: &Queries) -> [bool; 4] {
    let Baselines { center, variance, saliency } = Baselines::decide(base, patch, queries);
    let difference = |query: &Occlusion| -> u64 {
        let bytes = query.of(base, patch);
        base.bytes().iter().zip(bytes.bytes()).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum()
    };
    [center, variance, saliency, difference(&queries.max) < difference(&queries.min)]
}

/// The images that a unit responds to most.
pub fn favourites(responses: &[f64], bin_size: usize, seed: u64, unit: u64) -> Option<Favourites> {
    // Images that cannot be read have no response, and count as the weakest.
    let known: Vec<f64> = responses.iter().map(|r| if r.is_nan() { f64::NEG_INFINITY } else { *r }).collect();
    Favourites::rank(&known, bin_size, &Dice::new(seed, "references", unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use weber_stimuli::inlay::Corner;

    #[test]
    fn the_fourth_rule_prefers_the_smaller_change() {
        // A white stripe on black: hiding a part of it changes more than hiding black.
        let base = Picture::from_fn(|x, _| if (20..30).contains(&x) { [255; 3] } else { [0; 3] });
        let at = |x, response| Occlusion { corner: Corner { x, y: 60 }, response };
        let decide =
            |max, min| rules(&base, Patch::STUDY, &Queries { max: at(max, 2.0), min: at(min, 1.0) })[3];
        assert!(decide(120, 0));
        assert!(!decide(0, 120));
        assert!(!decide(120, 126), "a tie counts as wrong");
    }

    #[test]
    fn images_without_response_are_no_favourites() {
        let responses: Vec<f64> = (0..60).map(|i| if i % 3 == 0 { f64::NAN } else { f64::from(i) }).collect();
        let favourites = favourites(&responses, 4, 1, 0).unwrap();
        let all =
            (0..4).flat_map(|set| favourites.references(set)).chain((0..4).map(|set| favourites.base(set)));
        assert!(all.into_iter().all(|image| !responses[image].is_nan()));
    }
}
