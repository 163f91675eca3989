//! Cohen's kappa of the correctness of two people, or of a person and a baseline, on the same trials.

/// The agreement of two raters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kappa {
    /// Agreement beyond chance, from -1 to 1.
    Value(f64),
    /// Both are always right, or both always wrong: chance alone makes them agree, and kappa is 0 / 0.
    Undefined,
}

/// Cohen's kappa on trials that both have answered, each as (is the first right?, is the second right?):
/// po is the share on which they agree, p and q their shares of right answers, pe = pq + (1 - p)(1 - q),
/// kappa = (po - pe) / (1 - pe). Undefined where pe is 1, and without trials. (Cohen, Educational and Psychological
/// Measurement 20, 1960.)
pub fn kappa(trials: impl IntoIterator<Item = (bool, bool)>) -> Kappa {
    let (mut n, mut equal, mut first, mut second) = (0u32, 0u32, 0u32, 0u32);
    for (a, b) in trials {
        n += 1;
        equal += u32::from(a == b);
        first += u32::from(a);
        second += u32::from(b);
    }
    // Whole numbers make "pe is 1" exact: n² pe = first second + (n - first)(n - second).
    let square = u64::from(n) * u64::from(n);
    let chance = u64::from(first) * u64::from(second) + u64::from(n - first) * u64::from(n - second);
    if square == chance {
        return Kappa::Undefined;
    }
    let agreed = u64::from(equal) * u64::from(n);
    Kappa::Value((agreed as f64 - chance as f64) / (square - chance) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(a: &[u8], b: &[u8]) -> Kappa {
        kappa(a.iter().zip(b).map(|(a, b)| (*a == 1, *b == 1)))
    }

    #[test]
    fn worked_by_hand() {
        // po = 3/4, p = 3/4, q = 1/2, pe = 3/8 + 1/8 = 1/2.
        assert_eq!(of(&[1, 1, 1, 0], &[1, 1, 0, 0]), Kappa::Value(0.5));
        assert_eq!(of(&[1, 0], &[0, 1]), Kappa::Value(-1.0));
        assert_eq!(of(&[1, 0, 1], &[1, 0, 1]), Kappa::Value(1.0));
        // The first is always right, so they agree as often as by chance.
        assert_eq!(of(&[1, 1, 1], &[1, 0, 1]), Kappa::Value(0.0));
    }

    #[test]
    fn undefined_where_chance_agreement_is_certain() {
        assert_eq!(of(&[1, 1, 1], &[1, 1, 1]), Kappa::Undefined);
        assert_eq!(of(&[0, 0], &[0, 0]), Kappa::Undefined);
        assert_eq!(of(&[], &[]), Kappa::Undefined);
        assert_eq!(of(&[1, 1], &[0, 0]), Kappa::Value(0.0), "certain disagreement is not undefined: pe is 0");
    }

    #[test]
    fn agrees_with_scikit_learn() {
        let a = [1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1, 1, 0];
        let b = [1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0];
        let Kappa::Value(value) = of(&a, &b) else { panic!("it is defined") };
        assert!((value - 0.4).abs() < 1e-12, "{value}");
    }
}
