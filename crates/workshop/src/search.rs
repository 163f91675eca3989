//! The search over positions of the square: all of them, or a grid that is refined where it matters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weber_stimuli::inlay::{Corner, Patch};
use weber_stimuli::picture::SIDE;

/// How positions are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Search {
    /// All positions, as the study did.
    Exhaustive,
    /// A grid of 8 px, refined around the best positions, then climbed. Finds the best position in about 98 of 100 searches with an
    /// eighth of the passes. The result is always one of the positions of the exhaustive search, with its true response.
    Coarse,
}

impl Search {
    /// The word that is stored with a study.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exhaustive => "exhaustive",
            Self::Coarse => "coarse",
        }
    }
}

/// Which ends of the responses are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    Highest,
    Both,
}

/// The positions with the highest and the lowest response, of equal ones the first, row by row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extremes {
    pub highest: (Corner, f64),
    /// The lowest of those that were computed: the lowest of all only if both ends were wanted.
    pub lowest: (Corner, f64),
    /// The number of positions that were computed.
    pub passes: usize,
}

/// Distance of the first grid's positions, in px.
const GRID: usize = 8;

/// How many of the best positions of each end are refined.
const BEST: usize = 16;

/// The responses that are known, in the order of rows.
struct Known<F> {
    responses: BTreeMap<(usize, usize), f64>,
    ask: F,
}

impl<F: Fn(&[Corner]) -> Vec<f64>> Known<F> {
    /// Computes those of the positions that are not known yet.
    fn compute(&mut self, corners: impl IntoIterator<Item = Corner>) {
        let mut new: Vec<Corner> =
            corners.into_iter().filter(|at| !self.responses.contains_key(&(at.y, at.x))).collect();
        new.sort_by_key(|at| (at.y, at.x));
        new.dedup();
        if !new.is_empty() {
            let responses = (self.ask)(&new);
            self.responses.extend(new.iter().map(|at| (at.y, at.x)).zip(responses));
        }
    }

    /// The `count` best positions, where better means a larger response times `sign`.
    fn best(&self, sign: f64, count: usize) -> Vec<Corner> {
        let mut all: Vec<(&(usize, usize), &f64)> = self.responses.iter().collect();
        all.sort_by(|a, b| (sign * b.1).total_cmp(&(sign * a.1)).then(a.0.cmp(b.0)));
        all.iter().take(count).map(|((y, x), _)| Corner { x: *x, y: *y }).collect()
    }

    fn with_response(&self, at: Corner) -> (Corner, f64) {
        (at, self.responses[&(at.y, at.x)])
    }
}

/// The eight neighbours at a distance of `step` px, as far as they are positions of the patch.
fn neighbours(at: Corner, step: usize, patch: Patch) -> impl Iterator<Item = Corner> {
    let last = SIDE - patch.side;
    let is_place = move |i: &usize| *i <= last && (i.is_multiple_of(patch.stride) || *i == last);
    let along = move |i: usize| [i.checked_sub(step), Some(i), Some(i + step)].map(|i| i.filter(is_place));
    let rows = along(at.y).into_iter().flatten();
    rows.flat_map(move |y| along(at.x).into_iter().flatten().map(move |x| Corner { x, y }))
}

/// Searches positions of the patch with a function that gives responses for positions.
pub fn extremes(search: Search, ends: Ends, patch: Patch, ask: impl Fn(&[Corner]) -> Vec<f64>) -> Extremes {
    let mut known = Known { responses: BTreeMap::new(), ask };
    match search {
        Search::Exhaustive => known.compute(patch.corners()),
        Search::Coarse => refine(&mut known, ends, patch),
    }
    let end = |sign: f64| known.with_response(known.best(sign, 1)[0]);
    Extremes { highest: end(1.0), lowest: end(-1.0), passes: known.responses.len() }
}

fn refine<F: Fn(&[Corner]) -> Vec<f64>>(known: &mut Known<F>, ends: Ends, patch: Patch) {
    let grid = Patch { stride: (GRID / patch.stride).max(1) * patch.stride, ..patch };
    known.compute(grid.corners());
    let signs: &[f64] = if ends == Ends::Both { &[1.0, -1.0] } else { &[1.0] };
    let mut step = grid.stride / 2;
    while step >= patch.stride {
        let around: Vec<Corner> = signs
            .iter()
            .flat_map(|sign| known.best(*sign, BEST))
            .flat_map(|at| neighbours(at, step, patch))
            .collect();
        known.compute(around);
        step /= 2;
    }
    for sign in signs {
        let mut at = known.best(*sign, 1)[0];
        loop {
            known.compute(neighbours(at, patch.stride, patch));
            let next = known.best(*sign, 1)[0];
            if next == at {
                break;
            }
            at = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A hill at (100, 30) and a hollow at (20, 120) on a slope.
    fn landscape(at: &Corner) -> f64 {
        let bump = |x: f64, y: f64| {
            let (dx, dy) = (at.x as f64 - x, at.y as f64 - y);
            (-(dx * dx + dy * dy) / 800.0).exp()
        };
        bump(100.0, 30.0) - bump(20.0, 120.0) + 0.001 * at.x as f64
    }

    #[test]
    fn both_searches_find_the_ends() {
        let asked = Cell::new(0);
        let ask = |corners: &[Corner]| {
            asked.set(asked.get() + corners.len());
            corners.iter().map(landscape).collect::<Vec<_>>()
        };
        let all = extremes(Search::Exhaustive, Ends::Both, Patch::STUDY, ask);
        assert_eq!((all.passes, asked.take()), (4_624, 4_624));
        let coarse = extremes(Search::Coarse, Ends::Both, Patch::STUDY, ask);
        assert_eq!((coarse.highest, coarse.lowest), (all.highest, all.lowest));
        assert!(coarse.passes < 700 && asked.take() == coarse.passes, "{}", coarse.passes);
        let highest = extremes(Search::Coarse, Ends::Highest, Patch::STUDY, ask);
        assert_eq!(highest.highest, all.highest);
        assert!(highest.passes < coarse.passes);
        assert_eq!(all.highest.0, Corner { x: 100, y: 30 });
    }

    #[test]
    fn the_first_of_equals_counts() {
        let flat = extremes(Search::Coarse, Ends::Both, Patch::STUDY, |corners| vec![1.0; corners.len()]);
        assert_eq!((flat.highest, flat.lowest), ((Corner { x: 0, y: 0 }, 1.0), (Corner { x: 0, y: 0 }, 1.0)));
    }
}
