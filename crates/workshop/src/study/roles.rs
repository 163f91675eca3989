//! Finds units for a study: varied ones to be studied, and easy ones for catch, practice and instruction trials.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use weber_stimuli::inlay::Patch;
use weber_stimuli::ranking::Favourites;
use weber_stimuli::recipe::Role;

use super::candidates::{Candidate, favourites};
use super::{Study, StudyError, StudyUnit, layers};
use crate::activations::Activations;
use crate::parallel;
use crate::pool::Pool;
use crate::search::Search;

/// The number of units that trials which must be easy need, by role, the easiest first.
const EASY_ROLES: [(Role, usize); 4] =
    [(Role::Obvious, 3), (Role::Instruction, 3), (Role::Catch, 3), (Role::Easy, 7)];

/// The distance of positions, in px, in the search for units.
const GRID: usize = 8;

/// The number of base images by which a unit is judged.
const JUDGED: usize = 4;

/// The least relative difference of queries that a unit to be studied should have.
const LEAST_DIFFERENCE: f64 = 0.2;

/// The share of each kind in the strongest images.
fn kinds(pool: &dyn Pool, ranked: &Favourites) -> BTreeMap<&'static str, f64> {
    let sets = 0..ranked.image_sets();
    let images = sets.flat_map(|set| ranked.references(set).into_iter().chain([ranked.base(set)]));
    let mut shares: BTreeMap<&'static str, f64> = BTreeMap::new();
    let mut count = 0.0;
    for image in images {
        count += 1.0;
        for (kind, share) in pool.kinds(image) {
            *shares.entry(kind).or_default() += f64::from(share);
        }
    }
    shares.values_mut().for_each(|share| *share /= count);
    shares
}

/// The share of the most frequent kind among the strongest images; `None` if the pool knows no kinds.
pub fn one_kind(pool: &dyn Pool, ranked: &Favourites) -> Option<f64> {
    kinds(pool, ranked).into_values().reduce(f64::max)
}

/// The names of the most frequent kinds among the strongest images.
fn likes(pool: &dyn Pool, ranked: &Favourites) -> String {
    let mut all: Vec<(&str, f64)> = kinds(pool, ranked).into_iter().collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let names: Vec<&str> =
        all.iter().take(3).filter(|(_, share)| *share >= 0.08).map(|(name, _)| *name).collect();
    names.join(", ")
}

/// How far the strongest responses stand out: their mean less that of all images, in standard deviations.
fn selectivity(responses: &[f64], ranked: &Favourites) -> f64 {
    let known: Vec<f64> = responses.iter().copied().filter(|response| !response.is_nan()).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    let variance = known.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / known.len() as f64;
    let top = (0..ranked.image_sets()).map(|set| responses[ranked.base(set)]).sum::<f64>();
    (top / ranked.image_sets() as f64 - mean) / variance.sqrt().max(1e-12)
}

struct Judged {
    unit: StudyUnit,
    ranked: Favourites,
    selectivity: f64,
    one_kind: Option<f64>,
}

impl Judged {
    /// The base images by which the unit is judged, evenly from the weakest to the strongest.
    fn bases(&self) -> Vec<usize> {
        let sets = self.ranked.image_sets();
        let count = JUDGED.min(sets);
        (0..count).map(|place| self.ranked.base(place * sets / count)).collect()
    }
}

impl Study<'_> {
    /// Every channel of the layers that responds to images, with its ranking.
    fn all_units(&self, layers: &[String], activations: &Activations) -> Vec<Judged> {
        let mut all = Vec::new();
        for (at, layer) in layers.iter().enumerate() {
            for channel in 0..activations.channels(at) {
                let unit = StudyUnit::channel(layer, channel, Role::Main);
                let responses = self.responses(activations, layers, &unit);
                let number = (at * 10_000 + channel) as u64;
                let Some(ranked) = favourites(&responses, self.options.bin_size, self.options.seed, number)
                else {
                    continue;
                };
                let selectivity = selectivity(&responses, &ranked);
                if responses[ranked.base(0)] > 0.0 {
                    let one_kind = one_kind(self.pool, &ranked);
                    all.push(Judged { unit, ranked, selectivity, one_kind });
                }
            }
        }
        all
    }

    /// Candidates of a few base images, searched on a grid.
    fn judge(&self, judged: &Judged) -> Result<Vec<Candidate>, StudyError> {
        let patch = Patch { stride: GRID, ..self.options.patch };
        let probe = self.probe(&judged.unit);
        let mut candidates = Vec::new();
        for image in judged.bases() {
            let picture = self.pool.picture(image)?;
            candidates.extend(Candidate::search(&probe, image, &picture, patch, Search::Exhaustive));
        }
        Ok(candidates)
    }

    fn judge_all(&self, stage: &'static str, units: &[Judged]) -> Result<Vec<Vec<Candidate>>, StudyError> {
        let (done, started) = (AtomicUsize::new(0), Instant::now());
        let results = parallel::map(units, |judged| {
            let keys: Vec<_> = judged.bases().iter().map(|image| self.key(&judged.unit, *image)).collect();
            let result = self.store.remember(stage, &(GRID, keys), || self.judge(judged));
            let ready = done.fetch_add(1, Ordering::Relaxed) + 1;
            self.progress.step(stage, ready, units.len(), started, ready);
            result
        });
        results.into_iter().collect()
    }
}

/// One unit of each layer to be studied: its strongest images are of many kinds, and hiding a part of them matters.
///
/// # Errors
/// See [`StudyError`].
pub fn varied_units(
    study: &Study<'_>,
    layer_names: &[String],
    activations: &Activations,
) -> Result<Vec<StudyUnit>, StudyError> {
    const TRIED: usize = 10;
    let mut tried = Vec::new();
    let mut rest = study.all_units(layer_names, activations);
    for layer in layer_names {
        let mut of_layer: Vec<Judged> = rest.extract_if(.., |judged| judged.unit.layer == *layer).collect();
        of_layer.sort_by(|a, b| a.one_kind.unwrap_or(0.0).total_cmp(&b.one_kind.unwrap_or(0.0)));
        of_layer.truncate(TRIED);
        tried.extend(of_layer);
    }
    let candidates = study.judge_all("choosing units", &tried)?;
    let mut units = Vec::new();
    for layer in layer_names {
        let difference = |at: usize| {
            let all =
                candidates[at].iter().filter(|c| c.base_response > 0.0).map(Candidate::relative_difference);
            let all: Vec<f64> = all.collect();
            all.iter().sum::<f64>() / all.len().max(1) as f64
        };
        let of_layer = (0..tried.len()).filter(|at| tried[*at].unit.layer == *layer);
        // A unit with a large enough difference precedes the others; among those the one with the most varied images.
        let best = of_layer.max_by(|a, b| {
            let key = |at: usize| (difference(at).min(LEAST_DIFFERENCE), -tried[at].one_kind.unwrap_or(0.0));
            let ((x, p), (y, q)) = (key(*a), key(*b));
            x.total_cmp(&y).then(p.total_cmp(&q))
        });
        if let Some(at) = best {
            let likes = likes(study.pool, &tried[at].ranked);
            units.push(StudyUnit { likes, ..tried[at].unit.clone() });
        }
    }
    Ok(units)
}

/// Units for catch, practice and instruction trials, of the same layers, but other than the given ones: selective ones whose queries
/// differ most.
///
/// # Errors
/// See [`StudyError`].
pub fn easy_units(
    study: &Study<'_>,
    units: &[StudyUnit],
    activations: &Activations,
) -> Result<Vec<StudyUnit>, StudyError> {
    const TRIED: usize = 60;
    let layer_names = layers(units);
    let mut tried = study.all_units(&layer_names, activations);
    tried.retain(|judged| units.iter().all(|unit| unit.path() != judged.unit.path()));
    let rank = |judged: &Judged| judged.selectivity * judged.one_kind.unwrap_or(1.0);
    tried.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    tried.truncate(TRIED);
    let candidates = study.judge_all("choosing easy trials", &tried)?;
    let ease = |list: &Vec<Candidate>| list.iter().map(|c| c.ease(study.options.patch)).fold(0.0, f64::max);
    let mut all: Vec<(StudyUnit, f64)> = tried
        .iter()
        .zip(&candidates)
        .map(|(judged, list)| {
            let likes = likes(study.pool, &judged.ranked);
            (StudyUnit { likes, ..judged.unit.clone() }, ease(list))
        })
        .collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let roles = EASY_ROLES.iter().flat_map(|(role, count)| std::iter::repeat_n(*role, *count));
    Ok(all.into_iter().zip(roles).map(|((unit, _), role)| StudyUnit { role, ..unit }).collect())
}
