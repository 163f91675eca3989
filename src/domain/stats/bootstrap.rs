//! The percentile bootstrap over people within groups (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use super::quantile;

/// Replicates that an interval is made of.
pub const REPLICATES: usize = 10_000;

/// The seed, stated beside the intervals, so that they can be made again.
pub const SEED: u64 = 1834;

/// The central 95 % of the replicates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// 2.5th percentile.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
}

/// How often each person is drawn in every replicate: as many draws with replacement as a group has people, group by group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resamples {
    /// Where each group begins among all people.
    starts: Vec<usize>,
    /// By replicate, then by person, group after group.
    times: Vec<Vec<u16>>,
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
        let draw = |_| {
            let mut times = vec![0; sizes.iter().sum()];
            for (start, size) in starts.iter().zip(sizes) {
                for _ in 0..*size {
                    times[start + rng.random_range(0..*size)] += 1;
                }
            }
            times
        };
        let times = (0..replicates).map(draw).collect();
        Self { starts, times }
    }

    /// The place of a group's person among all people.
    pub fn place(&self, group: usize, person: usize) -> usize {
        self.starts[group] + person
    }

    /// How often each person is drawn, replicate after replicate.
    pub fn replicates(&self) -> impl Iterator<Item = &[u16]> {
        self.times.iter().map(Vec::as_slice)
    }
}

/// The interval of a statistic's replicates; those where it is undefined are left out. None without any.
pub fn interval(replicates: impl IntoIterator<Item = Option<f64>>) -> Option<Interval> {
    let mut values: Vec<f64> = replicates.into_iter().flatten().collect();
    values.sort_unstable_by(f64::total_cmp);
    Some(Interval { low: quantile(&values, 0.025)?, high: quantile(&values, 0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::stats::sem;

    #[test]
    fn draws_are_as_many_as_people_and_repeat_with_the_seed() {
        let all = Resamples::new(&[5, 0, 3], 4, 7);
        assert_eq!((all.replicates().count(), all.place(0, 4), all.place(2, 1)), (4, 4, 6));
        for times in all.replicates() {
            assert_eq!((times[..5].iter().sum::<u16>(), times[5..].iter().sum::<u16>()), (5, 3));
        }
        assert_eq!(all, Resamples::new(&[5, 0, 3], 4, 7));
        assert_ne!(all, Resamples::new(&[5, 0, 3], 4, 8));
    }

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_wide_on_each_side() {
        let values: Vec<f64> = (0..60).map(|n| f64::from(n % 7)).collect();
        let mean = |times: &[u16]| {
            let sum: f64 = times.iter().zip(&values).map(|(n, value)| f64::from(*n) * value).sum();
            Some(sum / values.len() as f64)
        };
        let resamples = Resamples::new(&[60], REPLICATES, SEED);
        let found = interval(resamples.replicates().map(mean)).unwrap();
        let wide = (found.high - found.low) / sem(&values).unwrap();
        assert!((wide - 2.0 * 1.96).abs() < 0.15, "{wide}");
    }

    #[test]
    fn undefined_replicates_are_left_out() {
        assert_eq!(interval([None, Some(1.0), None]), Some(Interval { low: 1.0, high: 1.0 }));
        assert_eq!(interval([None, None]), None);
    }
}
