//! Finds the queries of a base image: the occlusions with the highest and the lowest response of a unit.

use serde::{Deserialize, Serialize};

use super::inlay::{Corner, Inlay, Patch};
use super::picture::Picture;

/// The two occlusions of a base image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Queries {
    /// The occlusion with the highest response: the correct answer.
    pub max: Occlusion,
    /// The occlusion with the lowest response.
    pub min: Occlusion,
}

/// One occlusion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Occlusion {
    /// Where the patch is.
    pub corner: Corner,
    /// The response to the occluded image.
    pub response: f64,
}

impl Occlusion {
    /// The occluded image.
    pub fn of(&self, base: &Picture, patch: Patch) -> Picture {
        patch.compose(base, Inlay::MeanColour, self.corner)
    }
}

impl Queries {
    /// Chooses from the responses of a unit to the base image with the patch (see [`Inlay::MeanColour`]) at each of the corners. Of
    /// equal responses the first counts. `None` if the response is the same everywhere, so that the trial would have no answer.
    pub fn choose(corners: &[Corner], responses: &[f64]) -> Option<Self> {
        let mut all = corners
            .iter()
            .zip(responses)
            .map(|(corner, response)| Occlusion { corner: *corner, response: *response });
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

    /// Distance of the two patches, in px.
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

    /// The mean of the squares of the red channel.
    fn redness(picture: &Picture) -> f64 {
        picture.bytes().iter().step_by(3).map(|red| (f64::from(*red) / 255.0).powi(2)).sum()
    }

    #[test]
    fn the_min_query_hides_the_important_part_and_the_max_query_does_not() {
        // Hiding a red disc behind its mean lowers the sum of squares; the disc is at the lower right.
        let base = Picture::from_fn(|x, y| {
            let (dx, dy) = (x as i32 - 170, y as i32 - 150);
            if dx * dx + dy * dy < 900 { [255, 0, 0] } else { [20, 80, 90] }
        });
        let patch = Patch { stride: 44, ..Patch::STUDY };
        let corners = patch.corners();
        let responses: Vec<f64> =
            corners.iter().map(|at| redness(&patch.compose(&base, Inlay::MeanColour, *at))).collect();
        let queries = Queries::choose(&corners, &responses).unwrap();
        assert_eq!(queries.min.corner, Corner { x: 132, y: 88 });
        assert_eq!(queries.max.corner, Corner { x: 0, y: 0 });
        assert_eq!(redness(&queries.min.of(&base, patch)), queries.min.response);
        assert!(queries.max.response > queries.min.response);
        assert!((queries.distance() - (132f64 * 132.0 + 88.0 * 88.0).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn equal_responses_give_no_queries() {
        let corners = Patch::STUDY.corners();
        assert_eq!(Queries::choose(&corners, &vec![1.0; corners.len()]), None);
        assert_eq!(Queries::choose(&[], &[]), None);
    }

    #[test]
    fn the_difference_is_relative_to_the_base() {
        let at = |response| Occlusion { corner: Corner { x: 0, y: 0 }, response };
        let queries = Queries { max: at(3.0), min: at(1.0) };
        assert_eq!(queries.relative_difference(4.0), 0.5);
    }
}
