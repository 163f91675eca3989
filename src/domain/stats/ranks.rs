//! Ranks with ties, and Spearman's correlation.

use super::mean;

/// The rank of each value from 1; equal values share the mean of their ranks.
pub fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for ties in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let before = order.partition_point(|at| values[*at] < values[ties[0]]);
        let rank = before as f64 + (ties.len() as f64 + 1.0) / 2.0;
        ties.iter().for_each(|at| ranks[*at] = rank);
    }
    ranks
}

/// The sum of t³ - t over groups of t equal values, by which ties reduce the variance of ranks.
pub(super) fn tie_sum(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(|ties| (ties.len() as f64).powi(3) - ties.len() as f64).sum()
}

/// Spearman's rho: Pearson's correlation of the midranks. None for fewer than two pairs, or if one side does not vary.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    pearson(&midranks(&x), &midranks(&y))
}

fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mean_x, mean_y) = (mean(x)?, mean(y)?);
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| of(x - mean_x, y - mean_y)).sum()
    };
    let scale = (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
    (scale > 0.0).then(|| sum(&|x, y| x * y) / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        assert_eq!(midranks(&[10.0, 20.0, 20.0, 5.0]), [2.0, 3.5, 3.5, 1.0]);
        assert_eq!(midranks(&[]), Vec::<f64>::new());
        assert_eq!(tie_sum(&[2.0, 1.0, 2.0, 2.0, 1.0]), 24.0 + 6.0);
    }

    #[test]
    fn spearman_agrees_with_scipy_ties_included() {
        let x = [0.1, 0.4, 0.4, 0.9, 1.3, 0.2, 0.4];
        let y = [0.5, 0.6, 0.8, 0.8, 1.0, 0.6, 0.4];
        let pairs: Vec<_> = x.into_iter().zip(y).collect();
        assert!((spearman(&pairs).unwrap() - 0.717_108_788_291_577_3).abs() < 1e-12);
        assert_eq!(spearman(&[(1.0, 2.0), (1.0, 3.0)]), None, "one side does not vary");
        assert_eq!(spearman(&[(1.0, 2.0)]), None);
        assert_eq!(spearman(&[(1.0, 9.0), (2.0, 4.0)]), Some(-1.0));
    }
}
