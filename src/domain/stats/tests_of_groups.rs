//! Tests of whether groups differ: Kruskal-Wallis, Conover-Iman with Holm's correction, Friedman.

use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

use super::ranks::{midranks, tie_sum};

/// The result of a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom of its distribution under the null hypothesis.
    pub df: f64,
    /// Probability of a statistic at least as extreme under the null hypothesis.
    pub p: f64,
}

impl Test {
    fn chi_squared(statistic: f64, df: f64) -> Option<Self> {
        let p = ChiSquared::new(df).ok()?.sf(statistic);
        Some(Self { statistic, df, p })
    }
}

/// The comparison of two groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The first group's index.
    pub first: usize,
    /// The second group's index.
    pub second: usize,
    /// The two-sided test. None if it is undefined.
    pub test: Option<Test>,
    /// The p with Holm's correction over all pairs that could be tested.
    pub p_holm: Option<f64>,
}

/// Ranks over all groups together, as Kruskal-Wallis and Conover-Iman need them.
struct Ranked {
    /// (number, mean rank) by group; empty groups have no mean rank.
    groups: Vec<(f64, Option<f64>)>,
    n: f64,
    filled: f64,
    sum_of_squares: f64,
    h: f64,
}

/// None if all values are equal, or fewer than two groups have values.
fn rank(groups: &[Vec<f64>]) -> Option<Ranked> {
    let all: Vec<f64> = groups.iter().flatten().copied().collect();
    let n = all.len() as f64;
    let filled = groups.iter().filter(|group| !group.is_empty()).count() as f64;
    let correction = 1.0 - tie_sum(&all) / (n.powi(3) - n);
    if filled < 2.0 || n <= filled.max(2.0) - 1.0 || correction.is_nan() || correction <= 0.0 {
        return None;
    }
    let ranks = midranks(&all);
    let mut from = 0;
    let mean_rank = |group: &Vec<f64>| {
        let own = &ranks[from..from + group.len()];
        from += group.len();
        (group.len() as f64, super::mean(own))
    };
    let groups: Vec<_> = groups.iter().map(mean_rank).collect();
    let between: f64 = groups.iter().map(|(n, mean)| n * mean.unwrap_or_default().powi(2)).sum();
    let h = (12.0 / (n * (n + 1.0)) * between - 3.0 * (n + 1.0)) / correction;
    let sum_of_squares = ranks.iter().map(|rank| rank * rank).sum();
    Some(Ranked { groups, n, filled, sum_of_squares, h })
}

/// The Kruskal-Wallis test, corrected for ties. Empty groups are left out. None if all values are equal, or fewer than two groups
/// have values. (Kruskal & Wallis, Journal of the American Statistical Association 47, 1952.)
pub fn kruskal_wallis(groups: &[Vec<f64>]) -> Option<Test> {
    let ranked = rank(groups)?;
    Test::chi_squared(ranked.h, ranked.filled - 1.0)
}

/// The Conover-Iman test: Student's t on the mean ranks of all groups together, for every pair, with Holm's correction.
/// (Conover & Iman, On multiple-comparisons procedures, Los Alamos LA-7677-MS, 1979.)
pub fn conover_iman(groups: &[Vec<f64>]) -> Vec<Comparison> {
    let ranked = rank(groups);
    let pairs = (0..groups.len()).flat_map(|a| (a + 1..groups.len()).map(move |b| (a, b)));
    let mut comparisons: Vec<Comparison> = pairs
        .map(|(first, second)| {
            let test = ranked.as_ref().and_then(|ranked| compare(ranked, first, second));
            Comparison { first, second, test, p_holm: None }
        })
        .collect();
    let p: Vec<f64> = comparisons.iter().filter_map(|comparison| Some(comparison.test?.p)).collect();
    let tested = comparisons.iter_mut().filter(|comparison| comparison.test.is_some());
    tested.zip(holm(&p)).for_each(|(comparison, p)| comparison.p_holm = Some(p));
    comparisons
}

fn compare(ranked: &Ranked, first: usize, second: usize) -> Option<Test> {
    let ((n_first, mean_first), (n_second, mean_second)) = (ranked.groups[first], ranked.groups[second]);
    let df = ranked.n - ranked.filled;
    let n = ranked.n;
    let variance = (ranked.sum_of_squares - n * (n + 1.0).powi(2) / 4.0) / (n - 1.0);
    let left = (n - 1.0 - ranked.h) / df;
    let error = (variance * left * (1.0 / n_first + 1.0 / n_second)).sqrt();
    let statistic = (mean_first? - mean_second?) / error;
    // The variance within groups is 0 if the groups do not overlap and have equal values each.
    if !statistic.is_finite() {
        return None;
    }
    let p = 2.0 * StudentsT::new(0.0, 1.0, df).ok()?.sf(statistic.abs());
    Some(Test { statistic, df, p })
}

/// Holm's step-down correction. The result has the order of `p`. (Holm, Scandinavian Journal of Statistics 6, 1979.)
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut corrected = vec![0.0; p.len()];
    let mut largest: f64 = 0.0;
    for (place, at) in order.iter().enumerate() {
        largest = largest.max((p.len() - place) as f64 * p[*at]).min(1.0);
        corrected[*at] = largest;
    }
    corrected
}

/// The Friedman test, corrected for ties. Each block (row) has one value per treatment. None for fewer than two blocks or
/// treatments, or if the values within every block are equal. (Friedman, Journal of the American Statistical Association 32, 1937.)
pub fn friedman(blocks: &[Vec<f64>]) -> Option<Test> {
    let n = blocks.len() as f64;
    let k = blocks.first()?.len();
    if blocks.len() < 2 || k < 2 {
        return None;
    }
    let mut sums = vec![0.0; k];
    let mut ties = 0.0;
    for block in blocks {
        ties += tie_sum(block);
        midranks(block).iter().zip(&mut sums).for_each(|(rank, sum)| *sum += rank);
    }
    let k = k as f64;
    let correction = 1.0 - ties / (n * k * (k * k - 1.0));
    if correction <= 0.0 {
        return None;
    }
    let squares: f64 = sums.iter().map(|sum| sum * sum).sum();
    let statistic = (12.0 / (n * k * (k + 1.0)) * squares - 3.0 * n * (k + 1.0)) / correction;
    Test::chi_squared(statistic, k - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of correct answers out of 18, in groups of different sizes with many ties.
    fn groups() -> Vec<Vec<f64>> {
        let correct: [&[u8]; 4] =
            [&[12, 13, 11, 14, 12, 10], &[12, 15, 12, 16, 13], &[9, 8, 11, 10, 9, 7, 9], &[12, 12, 13, 11]];
        correct.iter().map(|group| group.iter().map(|n| f64::from(*n) / 18.0).collect()).collect()
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9 * b.abs().max(1e-3)
    }

    #[test]
    fn kruskal_wallis_agrees_with_scipy() {
        let test = kruskal_wallis(&groups()).unwrap();
        assert!(close(test.statistic, 14.168_224_027_858_39), "{test:?}");
        assert!(close(test.p, 0.002_684_887_540_019_811), "{test:?}");
        assert_eq!(test.df, 3.0);
    }

    #[test]
    fn conover_iman_with_holm_agrees_with_scikit_posthocs() {
        // scikit_posthocs.posthoc_conover(groups), and the same with p_adjust="holm"; t from numpy's ranks and the definition,
        // which scipy.stats.t.sf takes to the same p.
        let t = [
            -1.750_806_727_181_616_3,
            4.126_765_493_980_876,
            -0.032_717_177_153_695_57,
            5.731_608_842_947_517,
            1.548_920_225_018_476,
            -3.696_715_749_970_424,
        ];
        let expected = [
            (0, 1, 0.097_003_046_523_077_16, 0.291_009_139_569_231_47),
            (0, 2, 0.000_633_366_301_300_525_7, 0.003_166_831_506_502_628),
            (0, 3, 0.974_260_190_120_078, 0.974_260_190_120_078),
            (1, 2, 1.961_727_347_049_476_3e-5, 0.000_117_703_640_822_968_58),
            (1, 3, 0.138_803_639_952_458_56, 0.291_009_139_569_231_47),
            (2, 3, 0.001_650_689_088_737_050_8, 0.006_602_756_354_948_203),
        ];
        let found = conover_iman(&groups());
        assert_eq!(found.len(), expected.len());
        for ((found, (first, second, p, p_holm)), t) in found.iter().zip(expected).zip(t) {
            assert_eq!((found.first, found.second), (first, second));
            let test = found.test.unwrap();
            assert!(close(test.statistic, t) && test.df == 18.0, "{found:?}");
            assert!(close(found.test.unwrap().p, p) && close(found.p_holm.unwrap(), p_holm), "{found:?}");
        }
    }

    #[test]
    fn empty_groups_are_left_out_and_equal_values_give_no_test() {
        let mut with_empty = groups();
        with_empty.insert(1, Vec::new());
        assert_eq!(kruskal_wallis(&with_empty), kruskal_wallis(&groups()));
        let comparisons = conover_iman(&with_empty);
        assert_eq!((comparisons[0].test, comparisons[0].p_holm), (None, None));
        assert_eq!(comparisons[1].test, conover_iman(&groups())[0].test);
        assert_eq!(comparisons[1].p_holm, conover_iman(&groups())[0].p_holm, "10 pairs, 6 of them tested");
        assert_eq!(kruskal_wallis(&[vec![0.5; 4], vec![0.5; 3]]), None);
        assert_eq!(kruskal_wallis(&[vec![0.5, 0.7], vec![]]), None);
        assert_eq!(kruskal_wallis(&[]), None);
        assert_eq!(conover_iman(&[vec![0.5, 0.5], vec![0.5]])[0].test, None);
        assert_eq!(conover_iman(&[vec![0.2], vec![0.7]])[0].test, None, "no degrees of freedom are left");
    }

    #[test]
    fn holm_never_decreases_and_never_exceeds_one() {
        let found = holm(&[0.04, 0.01, 0.03, 0.9]);
        let expected = [0.09, 0.04, 0.09, 0.9];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }

    #[test]
    fn friedman_agrees_with_scipy_ties_included() {
        let blocks = [
            vec![0.6, 0.7, 0.7, 0.5],
            vec![0.8, 0.8, 0.8, 0.6],
            vec![0.5, 0.9, 0.6, 0.4],
            vec![0.7, 0.6, 0.8, 0.5],
            vec![0.9, 0.9, 0.9, 0.9],
        ];
        let test = friedman(&blocks).unwrap();
        assert!(
            close(test.statistic, 9.342_857_142_857_133) && close(test.p, 0.025_063_219_730_016_53),
            "{test:?}"
        );
        assert_eq!(friedman(&[vec![0.5, 0.5], vec![0.7, 0.7]]), None);
        assert_eq!((friedman(&[]), friedman(&blocks[..1])), (None, None));
    }
}
