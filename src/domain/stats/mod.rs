//! The study's statistics: pure functions on numbers, each with the source of its formula. Undefined values are `None`, so that
//! they cannot enter a mean.

mod bootstrap;
mod kappa;
mod ranks;
mod tests_of_groups;

pub use bootstrap::{Interval, REPLICATES, Resamples, SEED, Term, interval};
pub use kappa::{Kappa, kappa};
pub use ranks::spearman;
pub use tests_of_groups::{Comparison, Test, conover_iman, friedman, kruskal_wallis};

/// Arithmetic mean. None without values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard error of the mean: the standard deviation (of the values as the population, `ddof` 0) divided by the root of their
/// number. None for fewer than two values.
pub fn sem(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    Some((variance / values.len() as f64).sqrt())
}

/// The middle value, or the mean of the two middle values. None without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// A quantile of sorted values, 0 to 1, interpolated linearly between neighbours (R's type 7).
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of the slice")]
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_error_needs_two_values_and_divides_by_their_number() {
        assert_eq!((mean(&[]), sem(&[]), sem(&[3.0])), (None, None, None));
        // Deviations -1, 0, 1: variance 2/3, over 3.
        assert!((sem(&[1.0, 2.0, 3.0]).unwrap() - (2.0f64 / 9.0).sqrt()).abs() < 1e-15);
        assert_eq!(sem(&[5.0, 5.0]), Some(0.0));
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[4.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        // numpy.percentile([1, 2, 3, 4], 2.5)
        assert!((quantile(&[1.0, 2.0, 3.0, 4.0], 0.025).unwrap() - 1.075).abs() < 1e-12);
        assert_eq!(quantile(&[1.0, 2.0], 1.0), Some(2.0));
    }
}
