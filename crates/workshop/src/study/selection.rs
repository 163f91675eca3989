//! Searches the queries of all possible base images, and chooses among them.

use weber_stimuli::ranking::Favourites;
use weber_stimuli::recipe::Role;

use super::candidates::Candidate;
use super::{Study, StudyError, StudyUnit, balance};

impl Study<'_> {
    /// The queries of all images of each unit's top bin. A unit without ranking, or with an image that cannot be read, has a fault.
    pub(super) fn candidates(
        &self,
        units: &[StudyUnit],
        ranked: &[Option<Favourites>],
    ) -> Result<Vec<Result<Vec<Candidate>, String>>, StudyError> {
        let tasks: Vec<(usize, usize)> = ranked
            .iter()
            .enumerate()
            .flat_map(|(unit, ranked)| {
                let sets = ranked.as_ref().map_or(0, Favourites::image_sets);
                (0..sets).filter_map(move |set| Some((unit, ranked.as_ref()?.base(set))))
            })
            .collect();
        let found = self.each("searching queries", units, &tasks, |probe, image| {
            let picture = self.pool.picture(image)?;
            Ok(Candidate::search(probe, image, &picture, self.options.patch, self.options.search))
        });
        let mut of_units: Vec<Result<Vec<Candidate>, String>> = ranked
            .iter()
            .map(|ranked| {
                ranked.as_ref().map(|_| Vec::new()).ok_or_else(|| "too few images have a response".into())
            })
            .collect();
        for ((unit, _), result) in tasks.iter().zip(found) {
            match result {
                Ok(Some(candidate)) => {
                    if let Ok(list) = &mut of_units[*unit] {
                        list.push(candidate);
                    }
                }
                Ok(None) => {}
                Err(error @ StudyError::Write { .. }) => return Err(error),
                Err(error) => of_units[*unit] = Err(error.to_string()),
            }
        }
        for of_unit in &mut of_units {
            // A response to the base image that is not positive has no relative difference.
            if let Ok(list) = of_unit {
                list.retain(|candidate| candidate.base_response > 0.0);
                if list.is_empty() {
                    *of_unit = Err("it responds to no image, or alike to every occlusion".into());
                }
            }
        }
        Ok(of_units)
    }

    /// The candidates of each unit that become image sets, by index. A unit that failed has none.
    pub(super) fn choose(
        &self,
        units: &[StudyUnit],
        candidates: &[Result<Vec<Candidate>, String>],
    ) -> Vec<Vec<usize>> {
        let sets = self.options.image_sets;
        let is_main = |at: &usize| units[*at].role == Role::Main;
        let usable = |at: &usize| candidates[*at].as_ref().is_ok_and(|list| list.len() >= sets);
        let mains: Vec<usize> = (0..units.len()).filter(is_main).filter(usable).collect();
        let lists: Vec<Vec<Candidate>> =
            mains.iter().filter_map(|at| candidates[*at].as_ref().ok().cloned()).collect();
        let chosen = balance::choose(&lists, sets, self.options.balance, self.options.seed);
        let mut choices = vec![Vec::new(); units.len()];
        for (at, sets) in mains.iter().zip(chosen) {
            choices[*at] = sets;
        }
        let mut used: Vec<usize> = mains
            .iter()
            .flat_map(|at| {
                choices[*at].iter().filter_map(|set| Some(candidates[*at].as_ref().ok()?[*set].image))
            })
            .collect();
        for at in (0..units.len()).filter(|at| !is_main(at)) {
            let Ok(list) = &candidates[at] else { continue };
            let mut order: Vec<usize> = (0..list.len()).collect();
            let ease = |index: &usize| list[*index].ease(self.options.patch);
            order.sort_by(|a, b| ease(b).total_cmp(&ease(a)));
            // The easiest whose base image no other trial has.
            let free = order.iter().find(|index| !used.contains(&list[**index].image)).or(order.first());
            if let Some(index) = free {
                used.push(list[*index].image);
                choices[at] = vec![*index];
            }
        }
        choices
    }
}
