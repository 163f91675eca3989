//! Cuts waits into pieces, so that a page can give signs of life in between.

/// Cuts a wait into pieces: the first is at most `first_ms` long, the others at most `longest_ms`.
pub fn cut_wait(wait_ms: f64, first_ms: f64, longest_ms: f64) -> impl Iterator<Item = f64> {
    let first = wait_ms.min(first_ms);
    let whole = ((wait_ms - first) / longest_ms).floor();
    let rest = wait_ms - first - whole * longest_ms;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number that is not negative"
    )]
    let others = std::iter::repeat_n(longest_ms, whole as usize).chain([rest]);
    std::iter::once(first).chain(others).filter(|piece| *piece > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_waits_are_cut_so_that_signs_of_life_fit_between() {
        let cut = |wait, first| cut_wait(wait, first, 20.0).collect::<Vec<_>>();
        assert_eq!(cut(0.0, 20.0), [0.0; 0]);
        assert_eq!(cut(5.0, 20.0), [5.0]);
        assert_eq!(cut(45.0, 20.0), [20.0, 20.0, 5.0]);
        assert_eq!(cut(1.0, 1.5), [1.0]);
        assert_eq!(cut(45.0, 1.5), [1.5, 20.0, 20.0, 3.5]);
    }
}
