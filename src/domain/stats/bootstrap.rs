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

/// How often each person is drawn, replicate after replicate: as many draws with replacement as a group has people, group
/// by group. The same sizes and seed give the same draws on every machine.
pub fn resamples(sizes: &[usize], replicates: usize, seed: u64) -> impl Iterator<Item = Vec<Vec<u32>>> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let sizes = sizes.to_vec();
    (0..replicates).map(move |_| sizes.iter().map(|size| draw(*size, &mut rng)).collect())
}

fn draw(size: usize, rng: &mut ChaCha20Rng) -> Vec<u32> {
    let mut times = vec![0; size];
    for _ in 0..size {
        times[rng.random_range(0..size)] += 1;
    }
    times
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
        let all: Vec<_> = resamples(&[5, 0, 3], 4, 7).collect();
        assert_eq!(all.len(), 4);
        assert!(
            all.iter()
                .all(|r| r[0].iter().sum::<u32>() == 5 && r[1].is_empty() && r[2].iter().sum::<u32>() == 3)
        );
        assert_eq!(all, resamples(&[5, 0, 3], 4, 7).collect::<Vec<_>>());
        assert_ne!(all, resamples(&[5, 0, 3], 4, 8).collect::<Vec<_>>());
    }

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_wide_on_each_side() {
        let values: Vec<f64> = (0..60).map(|n| f64::from(n % 7)).collect();
        let mean = |times: &[u32]| {
            let sum: f64 = times.iter().zip(&values).map(|(n, value)| f64::from(*n) * value).sum();
            Some(sum / values.len() as f64)
        };
        let found = interval(resamples(&[60], REPLICATES, SEED).map(|draws| mean(&draws[0]))).unwrap();
        let wide = (found.high - found.low) / sem(&values).unwrap();
        assert!((wide - 2.0 * 1.96).abs() < 0.15, "{wide}");
    }

    #[test]
    fn undefined_replicates_are_left_out() {
        assert_eq!(interval([None, Some(1.0), None]), Some(Interval { low: 1.0, high: 1.0 }));
        assert_eq!(interval([None, None]), None);
    }
}
