//! The largest diversity for which the weakest image still beats the best natural picture (Zimmermann et al. 2023).

use super::{Range, VisualiseError, Visualised, Work};

/// The first weight to be tried, and the factor to the next.
const FIRST: f64 = 10.0;
const FACTOR: f64 = 4.0;

/// One image without diversity, then the others with the largest weight that was found. `below` tells whether it could be kept.
pub(super) fn largest(
    work: &Work<'_>,
    natural: Range,
    runs: usize,
    steps: usize,
) -> Result<Visualised, VisualiseError> {
    let sign = work.request.sign;
    let full = work.visualiser.preset.steps;
    let mut made = work.images(1, full, 0.0, 0)?;
    let others = work.request.count - 1;
    if others > 0 {
        let beats = |weight: f64| Ok(work.images(others, steps, weight, 1)?.below(natural, sign) == 0);
        // One image has none to differ from.
        let weight = if others > 1 { search(runs, beats)? } else { 0.0 };
        let found = work.images(others, full, weight, 1)?;
        made.pictures.extend(found.pictures);
        made.responses.extend(found.responses);
        made.diversity = weight;
        made.similarity = work.similarity(&made.pictures);
    }
    made.below = Some(made.below(natural, sign));
    Ok(made)
}

/// The largest weight found in a number of runs, by exponential and then by binary search (of logarithms); 0 if none was good.
fn search<E>(runs: usize, mut good: impl FnMut(f64) -> Result<bool, E>) -> Result<f64, E> {
    let (mut low, mut high): (Option<f64>, Option<f64>) = (None, None);
    for _ in 0..runs {
        let weight = match (low, high) {
            (None, None) => FIRST,
            (Some(low), None) => low * FACTOR,
            (None, Some(high)) => high / FACTOR,
            (Some(low), Some(high)) => (low * high).sqrt(),
        };
        if good(weight)? {
            low = Some(weight);
        } else {
            high = Some(weight);
        }
    }
    Ok(low.unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_comes_near_the_limit() {
        let found = |limit: f64| {
            let mut runs = 0;
            let good = |weight: f64| {
                runs += 1;
                Ok::<_, ()>(weight <= limit)
            };
            let weight = search(7, good).unwrap();
            assert_eq!(runs, 7);
            weight
        };
        for limit in [0.2, 3.0, 11.0, 200.0] {
            let weight = found(limit);
            assert!(weight <= limit && weight > 0.6 * limit, "{limit}: {weight}");
        }
        assert_eq!(found(0.0), 0.0);
        assert_eq!(search(7, |_| Err::<bool, _>("cut off")), Err("cut off"));
    }
}
