//! Chooses the image sets of the units that become trials.
//!
//! Main trials take image sets 0 to n - 1 of the 18 main units. Trials that must be easy (catch, practice, instructions) take one image
//! set each of other units: the one whose queries differ most, by the criterion of [`ease`].

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{BuildError, DemoOptions, Progress, Stage};
use crate::dice::Dice;
use crate::inlay::Patch;
use crate::machine::{Machine, queries};
use crate::occlusion::Queries;
use crate::ranking::{BINS, Favourites};
use crate::recipe::Role;
use crate::scenes;

/// The image sets of every unit.
pub struct Plan {
    /// The role of each unit.
    pub roles: Vec<Role>,
    /// The scenes that each unit responds to most.
    pub favourites: Vec<Favourites>,
    /// The strongest response of any scene.
    pub strongest: Vec<f64>,
    /// The image sets of each unit that become trials.
    pub image_sets: Vec<Vec<usize>>,
    /// For every catch unit, another unit and one of its image sets, whose min query is the wrong answer in trials without references.
    pub foils: BTreeMap<usize, (usize, usize)>,
}

/// The search for easy trials looks at fewer positions. The trial itself is searched at all of them.
const COARSE: Patch = Patch { stride: 8, ..Patch::STUDY };

/// How easy a trial is: the relative difference of its queries' responses (limited to 1, since a larger one says more about the base
/// image), times the distance of the two occlusions as a share of their side (limited to 1, where they no longer overlap).
fn ease(queries: &Queries, base_response: f64) -> f64 {
    queries.relative_difference(base_response).min(1.0) * (queries.distance() / COARSE.side as f64).min(1.0)
}

impl Plan {
    /// Ranks the scenes for every unit and picks the image sets.
    pub fn make<M: Machine>(
        machine: &M,
        roles: &[Role],
        options: &DemoOptions,
        responses: &[Vec<f64>],
        progress: Progress<'_>,
    ) -> Result<Self, BuildError> {
        let favourites = (0..roles.len())
            .map(|unit| {
                let of_unit: Vec<f64> = responses.iter().map(|scene| scene[unit]).collect();
                let dice = Dice::new(options.seed, "references", unit as u64);
                Favourites::rank(&of_unit, options.bin_size, &dice)
            })
            .collect::<Option<Vec<Favourites>>>()
            .ok_or_else(|| BuildError::Options(format!("the pool has fewer than {BINS} bins")))?;
        let (done, all) = (AtomicUsize::new(0), roles.iter().filter(|role| **role != Role::Main).count());
        let preferences: Vec<Vec<usize>> = (0..roles.len())
            .into_par_iter()
            .map(|unit| {
                if roles[unit] == Role::Main {
                    return Vec::new();
                }
                let order = easiest_first(machine, unit, &favourites[unit], options, responses);
                progress(Stage::Choosing, done.fetch_add(1, Ordering::Relaxed) + 1, all);
                order
            })
            .collect();
        let image_sets = choose(roles, &favourites, &preferences, options.image_sets);
        let foils = foils(roles, &favourites, &image_sets, responses);
        let strongest = (0..roles.len())
            .map(|unit| responses.iter().map(|scene| scene[unit]).fold(f64::MIN, f64::max))
            .collect();
        Ok(Self { roles: roles.to_vec(), favourites, strongest, image_sets, foils })
    }
}

/// The image sets of a unit, the easiest first.
fn easiest_first<M: Machine>(
    machine: &M,
    unit: usize,
    favourites: &Favourites,
    options: &DemoOptions,
    responses: &[Vec<f64>],
) -> Vec<usize> {
    let corners = COARSE.corners();
    let score = |image_set: usize| {
        let scene = favourites.base(image_set);
        let base = scenes::paint(options.seed, scene);
        queries(machine, unit, &base, &corners).map_or(0.0, |queries| ease(&queries, responses[scene][unit]))
    };
    let scores: Vec<f64> = (0..favourites.image_sets()).map(score).collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order
}

/// Main units take the first image sets. Each other unit takes the first of its preferences whose base image no trial has yet, or its
/// very first if all are taken.
fn choose(
    roles: &[Role],
    favourites: &[Favourites],
    preferences: &[Vec<usize>],
    image_sets: usize,
) -> Vec<Vec<usize>> {
    let main = |unit: &usize| roles[*unit] == Role::Main;
    let mut used: HashSet<usize> = (0..roles.len())
        .filter(main)
        .flat_map(|unit| (0..image_sets).map(move |set| favourites[unit].base(set)))
        .collect();
    (0..roles.len())
        .map(|unit| {
            if main(&unit) {
                return (0..image_sets).collect();
            }
            let free =
                preferences[unit].iter().copied().find(|set| !used.contains(&favourites[unit].base(*set)));
            let chosen = free.unwrap_or(preferences[unit][0]);
            used.insert(favourites[unit].base(chosen));
            vec![chosen]
        })
        .collect()
}

/// Catch unit k takes its foil from the k-th practice unit: among the image sets without a trial, preferably with a base image of no
/// trial, the one to which the catch unit responds least. So people do not learn in practice that it is wrong.
fn foils(
    roles: &[Role],
    favourites: &[Favourites],
    image_sets: &[Vec<usize>],
    responses: &[Vec<f64>],
) -> BTreeMap<usize, (usize, usize)> {
    let of =
        |wanted: &[Role]| (0..roles.len()).filter(|unit| wanted.contains(&roles[*unit])).collect::<Vec<_>>();
    let (catch, practice) = (of(&[Role::Catch]), of(&[Role::Obvious, Role::Easy]));
    let bases = |unit: usize| image_sets[unit].iter().map(move |set| favourites[unit].base(*set));
    let mut used: HashSet<usize> = (0..roles.len()).flat_map(bases).collect();
    let mut foils = BTreeMap::new();
    for (unit, other) in catch.into_iter().zip(practice.into_iter().cycle()) {
        let base = |set: &usize| favourites[other].base(*set);
        let worse = |a: &usize, b: &usize| {
            let (a, b) = (base(a), base(b));
            let by_response = responses[a][unit].total_cmp(&responses[b][unit]);
            used.contains(&a).cmp(&used.contains(&b)).then(by_response)
        };
        let free = (0..favourites[other].image_sets()).filter(|set| !image_sets[other].contains(set));
        let set = free.min_by(worse).unwrap_or(image_sets[other][0]);
        used.insert(base(&set));
        foils.insert(unit, (other, set));
    }
    foils
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inlay::Corner;
    use crate::occlusion::Occlusion;

    #[test]
    fn easy_trials_have_different_and_distant_queries() {
        let queries = |max: f64, x: usize| Queries {
            max: Occlusion { corner: Corner { x, y: 0 }, response: max },
            min: Occlusion { corner: Corner { x: 0, y: 0 }, response: 1.0 },
        };
        assert_eq!(ease(&queries(2.0, 90), 2.0), 0.5);
        assert_eq!(ease(&queries(2.0, 45), 2.0), 0.25);
        assert_eq!(ease(&queries(2.0, 130), 2.0), 0.5);
        assert_eq!(ease(&queries(9.0, 130), 2.0), 1.0);
    }

    #[test]
    fn easy_trials_never_repeat_a_base_image() {
        // Two units with the same favourites: 40 scenes, 4 to a bin; scene i has the response i.
        let responses: Vec<f64> = (0..40).map(f64::from).collect();
        let same = || Favourites::rank(&responses, 4, &Dice::new(1, "test", 0)).unwrap();
        let favourites = [same(), same(), same(), same()];
        let roles = [Role::Main, Role::Catch, Role::Easy, Role::Obvious];
        let preferences = [vec![], vec![0, 3, 1, 2], vec![3, 2, 1, 0], vec![1, 0, 2, 3]];
        // Main has the base images of sets 0 and 1. The catch trial takes 3, so the practice trial takes 2, and the last unit finds all
        // taken.
        assert_eq!(choose(&roles, &favourites, &preferences, 2), [vec![0, 1], vec![3], vec![2], vec![1]]);
    }

    #[test]
    fn foils_belong_to_no_trial() {
        let responses: Vec<f64> = (0..40).map(f64::from).collect();
        let same = || Favourites::rank(&responses, 4, &Dice::new(1, "test", 0)).unwrap();
        let favourites = [same(), same(), same(), same()];
        let roles = [Role::Main, Role::Catch, Role::Catch, Role::Easy];
        // The catch units respond least to the scenes that the practice unit responds to most.
        let all: Vec<Vec<f64>> =
            responses.iter().map(|response| vec![0.0, -response, -response, 0.0]).collect();
        let base = |set: usize| favourites[3].base(set);
        let mut by_base = [0, 1, 2, 3];
        by_base.sort_by_key(|set| std::cmp::Reverse(base(*set)));
        let [first, second, third, last] = by_base;
        let image_sets = [vec![first], vec![last], vec![last], vec![last]];
        let chosen = foils(&roles, &favourites, &image_sets, &all);
        assert_eq!(chosen, BTreeMap::from([(1, (3, second)), (2, (3, third))]));
    }
}
