//! The schedule of a participant: the trials, their order and their sides. It is drawn from a seed and stored.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::study::{StoredTrial, StudyVersion};
use super::trial::{Block, Difficulty, Side, Trial, TrialKind};

/// A trial at its place in a participant's schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledTrial {
    /// The kind of its block.
    pub block: Block,
    /// The number of the practice block, from 1. It is 1 for main.
    pub attempt: u16,
    /// The position within the block, from 1.
    pub trial_index: u16,
    /// The number in the database of its row in the table of trials.
    pub trial_id: i64,
    /// The side of the max query, which is the correct answer.
    pub max_side: Side,
    /// The references as 1-based positions in the table's row, in the order shown.
    pub reference_order: Vec<u16>,
}

/// A trial's place in a participant's schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The kind of its block.
    pub block: Block,
    /// The number of the practice block, from 1. It is 1 for main.
    pub attempt: u16,
    /// The position within the block, from 1.
    pub trial_index: u16,
}

impl ScheduledTrial {
    /// Its place in the schedule.
    pub const fn place(&self) -> Place {
        Place { block: self.block, attempt: self.attempt, trial_index: self.trial_index }
    }
}

/// The part of the schedule that is drawn at consent: the main block, and the first practice block so that its images can be preloaded.
pub fn draw_at_consent(
    version: &StudyVersion,
    condition: &str,
    image_set: u32,
    seed: u64,
) -> Vec<ScheduledTrial> {
    let mut trials = draw_main(version, condition, image_set, seed);
    if version.definition.practises(condition) {
        trials.extend(draw_practice(version, condition, 1, seed));
    }
    trials
}

/// Draws the main block: the image set's main trials and the condition's catch trials, shuffled together.
pub fn draw_main(version: &StudyVersion, condition: &str, image_set: u32, seed: u64) -> Vec<ScheduledTrial> {
    let mut rng = generator(seed, 0);
    let mut rows: Vec<_> = version
        .main_trials(condition, image_set)
        .chain(version.trials_of(condition, TrialKind::Catch))
        .collect();
    rows.shuffle(&mut rng);
    place(rows, Block::Main, 1, &mut rng)
}

/// Draws a practice block: first obvious trials, then other trials from the rest of the pool in random order, without repetition.
pub fn draw_practice(
    version: &StudyVersion,
    condition: &str,
    attempt: u16,
    seed: u64,
) -> Vec<ScheduledTrial> {
    let mut rng = generator(seed, u64::from(attempt));
    let sizes = &version.definition.practice;
    let mut obvious = version.practice_pool(condition, Difficulty::Obvious);
    obvious.shuffle(&mut rng);
    let mut others = obvious.split_off(obvious.len().min(sizes.obvious_trials as usize));
    others.extend(version.practice_pool(condition, Difficulty::Easy));
    others.shuffle(&mut rng);
    others.truncate(sizes.other_trials as usize);
    obvious.extend(others);
    place(obvious, Block::Practice, attempt, &mut rng)
}

/// A random generator with a stream of its own for each block, so that a practice block can be drawn long after the main block.
fn generator(seed: u64, stream: u64) -> ChaCha20Rng {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

fn place(rows: Vec<&StoredTrial>, block: Block, attempt: u16, rng: &mut impl Rng) -> Vec<ScheduledTrial> {
    (1..)
        .zip(rows)
        .map(|(trial_index, row)| ScheduledTrial {
            block,
            attempt,
            trial_index,
            trial_id: row.id,
            max_side: if rng.random() { Side::Left } else { Side::Right },
            reference_order: permute_within_groups(&row.trial, rng),
        })
        .collect()
}

fn permute_within_groups(trial: &Trial, rng: &mut impl Rng) -> Vec<u16> {
    let mut order = Vec::new();
    for group in &trial.references {
        let mut positions: Vec<u16> = (1..).skip(order.len()).take(group.len()).collect();
        positions.shuffle(rng);
        order.extend(positions);
    }
    order
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::fixture;

    proptest! {
        #[test]
        fn the_main_block_holds_each_trial_of_the_image_set_once(seed: u64, image_set in 0u32..2) {
            let version = fixture::version();
            let drawn = draw_main(&version, "mixed", image_set, seed);
            let ids: HashSet<_> = drawn.iter().map(|t| t.trial_id).collect();
            let expected: HashSet<_> = version.main_trials("mixed", image_set)
                .chain(version.trials_of("mixed", TrialKind::Catch)).map(|t| t.id).collect();
            prop_assert_eq!(ids, expected);
            let indices: Vec<_> = drawn.iter().map(|t| t.trial_index).collect();
            prop_assert_eq!(indices, (1..=drawn.len() as u16).collect::<Vec<_>>());
        }

        #[test]
        fn references_are_permuted_within_their_group_only(seed: u64) {
            let version = fixture::version();
            for scheduled in draw_main(&version, "mixed", 0, seed) {
                let natural: HashSet<_> = scheduled.reference_order[..5].iter().copied().collect();
                let synthetic: HashSet<_> = scheduled.reference_order[5..].iter().copied().collect();
                prop_assert_eq!(natural, (1..=5).collect::<HashSet<u16>>());
                prop_assert_eq!(synthetic, (6..=9).collect::<HashSet<u16>>());
            }
        }

        #[test]
        fn a_practice_block_starts_with_an_obvious_trial_and_repeats_none(seed: u64, attempt in 1u16..20) {
            let version = fixture::version();
            let drawn = draw_practice(&version, "natural", attempt, seed);
            prop_assert_eq!(drawn.len(), 4);
            let first = version.trial(drawn[0].trial_id).unwrap();
            prop_assert_eq!(first.difficulty, Some(Difficulty::Obvious));
            let ids: HashSet<_> = drawn.iter().map(|t| t.trial_id).collect();
            prop_assert_eq!(ids.len(), 4);
            prop_assert!(drawn.iter().all(|t| t.attempt == attempt));
        }

        #[test]
        fn a_seed_draws_the_same_again(seed: u64) {
            let version = fixture::version();
            prop_assert_eq!(draw_main(&version, "none", 1, seed), draw_main(&version, "none", 1, seed));
            prop_assert_eq!(draw_practice(&version, "blur", 2, seed), draw_practice(&version, "blur", 2, seed));
        }
    }

    #[test]
    fn sides_are_fair_and_independent_coins() {
        let version = fixture::version();
        let draws: Vec<_> = (0..2000).map(|seed| draw_main(&version, "natural", 0, seed)).collect();
        let count = |index: usize| draws.iter().filter(|d| d[index].max_side == Side::Left).count();
        // Five standard deviations of 2000 fair coins are 112.
        assert!((0..draws[0].len()).all(|i| count(i).abs_diff(1000) < 112));
        let same = draws.iter().filter(|d| d[0].max_side == d[1].max_side).count();
        assert!(same.abs_diff(1000) < 112);
    }

    #[test]
    fn every_trial_can_come_first() {
        let version = fixture::version();
        let first: HashSet<_> =
            (0..500).map(|seed| draw_main(&version, "natural", 0, seed)[0].trial_id).collect();
        assert_eq!(first.len(), draw_main(&version, "natural", 0, 0).len());
    }

    #[test]
    fn practice_blocks_differ_between_attempts() {
        let version = fixture::version();
        let blocks: HashSet<Vec<i64>> = (1..=20)
            .map(|attempt| {
                draw_practice(&version, "natural", attempt, 7).iter().map(|t| t.trial_id).collect()
            })
            .collect();
        assert!(blocks.len() > 10);
    }
}
