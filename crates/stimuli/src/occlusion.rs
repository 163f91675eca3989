//! Finds the queries of a base image: the occlusions with the highest and the lowest response of a unit.

use super::inlay::{Corner, Inlay, STRIDE, compose, corners};
use super::machine::Machine;
use super::picture::Picture;

/// The two occlusions of a base image.
#[derive(Clone, Debug, PartialEq)]
pub struct Queries {
    /// The occlusion with the highest response: the correct answer.
    pub max: Occlusion,
    /// The occlusion with the lowest response.
    pub min: Occlusion,
}

/// One occlusion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Occlusion {
    /// The upper left corner of the square.
    pub corner: Corner,
    /// The response to the occluded image.
    pub response: f64,
}

impl Occlusion {
    /// The occluded image.
    pub fn of(&self, base: &Picture) -> Picture {
        compose(base, Inlay::MeanColour, self.corner)
    }
}

impl Queries {
    /// Searches all positions that are [`STRIDE`] px apart. Of equal responses the first position counts, row by row.
    /// `None` if the response is the same everywhere, so that the trial would have no answer.
    pub fn find<M: Machine>(machine: &M, unit: usize, base: &Picture) -> Option<Self> {
        Self::find_among(machine, unit, base, &corners(STRIDE))
    }

    /// Searches the given positions only.
    pub fn find_among<M: Machine>(
        machine: &M,
        unit: usize,
        base: &Picture,
        corners: &[Corner],
    ) -> Option<Self> {
        let responses = machine.inlay_responses(unit, base, Inlay::MeanColour, corners);
        let mut all =
            corners.iter().zip(responses).map(|(corner, response)| Occlusion { corner: *corner, response });
        let first = all.next()?;
        let (max, min) = all.fold((first, first), |(max, min), next| {
            (
                if next.response > max.response { next } else { max },
                if next.response < min.response { next } else { min },
            )
        });
        (max.response > min.response).then_some(Self { max, min })
    }

    /// (max response - min response) / response to the base image: how easy the trial is.
    pub fn relative_difference(&self, base_response: f64) -> f64 {
        (self.max.response - self.min.response) / base_response
    }

    /// Distance of the two squares, in px.
    pub fn distance(&self) -> f64 {
        let along = |a: usize, b: usize| a.abs_diff(b) as f64;
        let (dx, dy) =
            (along(self.max.corner.x, self.min.corner.x), along(self.max.corner.y, self.min.corner.y));
        (dx * dx + dy * dy).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Unit;

    /// Responds with the mean of the red channel to the power of its parameter: 0 responds to nothing.
    struct Redness(Vec<Unit>, i32);

    impl Machine for Redness {
        fn units(&self) -> &[Unit] {
            &self.0
        }

        fn responses(&self, picture: &Picture) -> Vec<f64> {
            let sum: f64 =
                picture.bytes().iter().step_by(3).map(|red| (f64::from(*red) / 255.0).powi(self.1)).sum();
            vec![sum]
        }
    }

    fn redness(power: i32) -> Redness {
        Redness(vec![Unit { layer: "colour".into(), branch: "fine".into(), channel: 0 }], power)
    }

    #[test]
    fn the_min_query_hides_the_important_part_and_the_max_query_does_not() {
        // Hiding a red disc behind its mean lowers the sum of squares; the disc is at the lower right.
        let base = Picture::from_fn(|x, y| {
            let (dx, dy) = (x as i32 - 170, y as i32 - 150);
            if dx * dx + dy * dy < 900 { [255, 0, 0] } else { [20, 80, 90] }
        });
        let few: Vec<Corner> = corners(44);
        let queries = Queries::find_among(&redness(2), 0, &base, &few).unwrap();
        assert_eq!(queries.min.corner, Corner { x: 132, y: 88 });
        assert_eq!(queries.max.corner, Corner { x: 0, y: 0 });
        let occluded = queries.min.of(&base);
        assert_eq!(redness(2).response(0, &occluded), queries.min.response);
        assert!(queries.max.response > queries.min.response);
        assert!((queries.distance() - (132f64 * 132.0 + 88.0 * 88.0).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn equal_responses_give_no_queries() {
        let base = Picture::from_fn(|_, _| [100, 100, 100]);
        assert_eq!(Queries::find_among(&redness(1), 0, &base, &corners(44)), None);
    }

    #[test]
    fn the_difference_is_relative_to_the_base() {
        let at = |response| Occlusion { corner: Corner { x: 0, y: 0 }, response };
        let queries = Queries { max: at(3.0), min: at(1.0) };
        assert_eq!(queries.relative_difference(4.0), 0.5);
    }
}
