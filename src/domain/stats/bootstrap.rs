//! The percentile bootstrap over people within groups (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::quantile;

/// The number of replicates of an interval.
pub const REPLICATES: usize = 10_000;

/// The seed. It is shown beside the intervals, so that they can be reproduced.
pub const SEED: u64 = 1834;

/// The central 95 % of the replicates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// 2.5th percentile.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
}

/// The number of replicates that are summed together, so that their sums stay in the processor's first cache.
const BLOCK: usize = 1_000;

/// How often each person is drawn in every replicate. Each group has as many draws with replacement as people.
#[derive(Debug, Clone, PartialEq)]
pub struct Resamples {
    /// The place of each group's first person among all people.
    starts: Vec<usize>,
    /// The draws by block of replicates, then by person, group after group. The draws of one person in a block lie side by side,
    /// so that a processor multiplies several at a time.
    blocks: Vec<Vec<Vec<f32>>>,
}

/// What one person, or a pair of different people, adds to the two sums of a ratio, each time they are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// The person, by [`Resamples::place`].
    pub person: usize,
    /// The other person of a pair.
    pub partner: Option<usize>,
    /// The summand of the numerator.
    pub above: f64,
    /// The summand of the denominator.
    pub below: f64,
}

impl Resamples {
    /// Draws from groups of these sizes. The same sizes and seed give the same draws on every machine.
    pub fn new(sizes: &[usize], replicates: usize, seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let starts: Vec<usize> = sizes
            .iter()
            .scan(0, |start, size| {
                *start += size;
                Some(*start - size)
            })
            .collect();
        let mut blocks = Vec::new();
        for from in (0..replicates).step_by(BLOCK) {
            let length = BLOCK.min(replicates - from);
            let mut times = vec![vec![0.0; length]; sizes.iter().sum()];
            let mut draw = |replicate: usize| {
                for (start, size) in starts.iter().zip(sizes) {
                    for _ in 0..*size {
                        times[start + rng.random_range(0..*size)][replicate] += 1.0;
                    }
                }
            };
            (0..length).for_each(&mut draw);
            blocks.push(times);
        }
        Self { starts, blocks }
    }

    /// The place of a group's person among all people.
    pub fn place(&self, group: usize, person: usize) -> usize {
        self.starts[group] + person
    }

    /// The ratio of the two sums in every replicate. A person who is drawn twice counts twice, also in every pair. The ratio is
    /// undefined if the denominator is 0, because no person who adds to it was drawn.
    pub fn ratios(&self, terms: &[Term]) -> Vec<Option<f64>> {
        self.blocks.iter().flat_map(|times| of_block(times, terms)).collect()
    }
}

fn of_block(times: &[Vec<f32>], terms: &[Term]) -> Vec<Option<f64>> {
    let length = times.first().map_or(0, Vec::len);
    let (mut above, mut below) = (vec![0.0; length], vec![0.0; length]);
    let ones = vec![1.0; length];
    for term in terms {
        let partner = term.partner.map_or(&ones, |partner| &times[partner]);
        let draws = times[term.person].iter().zip(partner);
        for ((above, below), (own, other)) in above.iter_mut().zip(&mut below).zip(draws) {
            // Draws are small whole numbers, so their product is exact.
            let weight = f64::from(own * other);
            *above += weight * term.above;
            *below += weight * term.below;
        }
    }
    above.into_iter().zip(below).map(|(above, below)| (below > 0.0).then(|| above / below)).collect()
}

/// The interval of a statistic's replicates. Undefined replicates are left out. None if no replicate is left.
pub fn interval(replicates: impl IntoIterator<Item = Option<f64>>) -> Option<Interval> {
    let mut values: Vec<f64> = replicates.into_iter().flatten().collect();
    values.sort_unstable_by(f64::total_cmp);
    Some(Interval { low: quantile(&values, 0.025)?, high: quantile(&values, 0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::stats::sem;

    fn alone(person: usize, above: f64) -> Term {
        Term { person, partner: None, above, below: 1.0 }
    }

    #[test]
    fn draws_are_as_many_as_people_and_repeat_with_the_seed() {
        let all = Resamples::new(&[5, 0, 3], BLOCK + 4, 7);
        assert_eq!((all.place(0, 4), all.place(2, 1)), (4, 6));
        assert_eq!(all.blocks.iter().map(|times| times[0].len()).collect::<Vec<_>>(), [BLOCK, 4]);
        let sum = |times: &[Vec<f32>], replicate: usize| times.iter().map(|own| own[replicate]).sum::<f32>();
        for times in &all.blocks {
            for replicate in 0..times[0].len() {
                assert_eq!((sum(&times[..5], replicate), sum(&times[5..], replicate)), (5.0, 3.0));
            }
        }
        assert_eq!(all, Resamples::new(&[5, 0, 3], BLOCK + 4, 7));
        assert_ne!(all, Resamples::new(&[5, 0, 3], BLOCK + 4, 8));
    }

    #[test]
    fn a_person_who_is_drawn_twice_counts_twice_in_every_pair() {
        let all = Resamples {
            starts: vec![0],
            blocks: vec![vec![vec![2.0, 0.0, 1.0], vec![1.0, 0.0, 0.0], vec![0.0, 3.0, 2.0]]],
        };
        assert_eq!(all.ratios(&[alone(0, 6.0), alone(1, 0.0)]), [Some(4.0), None, Some(6.0)]);
        let pair = |person, partner, above| Term { person, partner: Some(partner), above, below: 1.0 };
        let pairs = [pair(0, 1, 0.5), pair(0, 2, 1.0), pair(1, 2, 0.0)];
        assert_eq!(all.ratios(&pairs), [Some(0.5), None, Some(1.0)]);
        let weighted = Term { below: 4.0, ..alone(0, 1.0) };
        assert_eq!(all.ratios(&[weighted, alone(2, 1.0)]), [Some(0.25), Some(1.0), Some(0.5)]);
    }

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_wide_on_each_side() {
        let values: Vec<f64> = (0..60).map(|n| f64::from(n % 7)).collect();
        let terms: Vec<Term> = values.iter().enumerate().map(|(n, value)| alone(n, *value)).collect();
        let found = interval(Resamples::new(&[60], REPLICATES, SEED).ratios(&terms)).unwrap();
        let wide = (found.high - found.low) / sem(&values).unwrap();
        assert!((wide - 2.0 * 1.96).abs() < 0.15, "{wide}");
    }

    #[test]
    fn undefined_replicates_are_left_out() {
        assert_eq!(interval([None, Some(1.0), None]), Some(Interval { low: 1.0, high: 1.0 }));
        assert_eq!(interval([None, None]), None);
    }
}
