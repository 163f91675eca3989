//! Simple rules that answer a trial without references. Each makes one decision, and a tie counts as wrong.

use super::inlay::{Corner, Patch};
use super::occlusion::Queries;
use super::picture::{Picture, SIDE};
use super::saliency::Saliency;

/// Whether each rule chooses the max query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baselines {
    /// Chooses the query whose occlusion is farther from the centre of the image.
    pub center: bool,
    /// Chooses the query that hides the patch with the lower standard deviation.
    pub variance: bool,
    /// Chooses the query that hides less saliency.
    pub saliency: bool,
}

impl Baselines {
    /// The decisions for the queries of a base image.
    pub fn decide(base: &Picture, patch: Patch, queries: &Queries) -> Self {
        let (max, min) = (queries.max.corner, queries.min.corner);
        let saliency = Saliency::of(base);
        let hidden = |at: Corner| saliency.within(patch.spans(at));
        Self {
            center: squared_distance(patch, max) > squared_distance(patch, min),
            variance: base.deviation(patch.spans(max)) < base.deviation(patch.spans(min)),
            // Patches have one size, so comparing sums is comparing means.
            saliency: hidden(max) < hidden(min),
        }
    }
}

/// Four times the squared distance, in px, of the patch's centre from the image's, which is at (111.5, 111.5). A whole number
/// makes ties exact.
fn squared_distance(patch: Patch, corner: Corner) -> i64 {
    let along = |start: usize| (2 * start + patch.side) as i64 - SIDE as i64;
    along(corner.x) * along(corner.x) + along(corner.y) * along(corner.y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inlay::Shape;
    use crate::occlusion::Occlusion;

    fn queries(max: (usize, usize), min: (usize, usize)) -> Queries {
        let at = |(x, y), response| Occlusion { corner: Corner { x, y }, response };
        Queries { max: at(max, 2.0), min: at(min, 1.0) }
    }

    fn decide(base: &Picture, max: (usize, usize), min: (usize, usize)) -> Baselines {
        Baselines::decide(base, Patch::STUDY, &queries(max, min))
    }

    /// Grey with a checked disc of radius 30 around (60, 60).
    fn spot() -> Picture {
        Picture::from_fn(|x, y| {
            let (dx, dy) = (x as i32 - 60, y as i32 - 60);
            let inside = dx * dx + dy * dy < 900;
            if inside && (x / 6 + y / 6) % 2 == 0 { [250, 40, 30] } else { [120, 120, 120] }
        })
    }

    #[test]
    fn center_picks_the_patch_farther_out() {
        // Centres at (44.5, 44.5) and (111.5 + 0.5, 111.5 + 0.5): 94.8 px and less than one px from (111.5, 111.5).
        assert!(decide(&spot(), (0, 0), (68, 68)).center);
        assert!(!decide(&spot(), (68, 68), (0, 0)).center);
        // 66 puts the centre at 110.5, 68 at 112.5: both one px off. Opposite corners tie as well.
        assert!(!decide(&spot(), (66, 66), (68, 68)).center);
        assert!(!decide(&spot(), (0, 0), (134, 134)).center);
    }

    #[test]
    fn variance_picks_the_more_uniform_patch() {
        assert!(decide(&spot(), (134, 134), (14, 14)).variance);
        assert!(!decide(&spot(), (14, 14), (134, 134)).variance);
        // Two patches of plain grey tie.
        assert!(!decide(&spot(), (134, 134), (134, 100)).variance);
    }

    #[test]
    fn saliency_picks_the_patch_that_attracts_less() {
        assert!(decide(&spot(), (134, 134), (14, 14)).saliency);
        assert!(!decide(&spot(), (14, 14), (134, 134)).saliency);
        assert!(!decide(&spot(), (134, 134), (134, 134)).saliency);
    }

    #[test]
    fn rules_look_at_the_pixels_of_a_disc_only() {
        // A bright pixel in the corner of the square around the patch, outside the disc.
        let base = Picture::from_fn(|x, y| if (x, y) == (0, 0) { [250; 3] } else { [120; 3] });
        let queries = queries((134, 134), (0, 0));
        assert!(Baselines::decide(&base, Patch::STUDY, &queries).variance);
        let disc = Patch { shape: Shape::Disc, ..Patch::STUDY };
        assert!(!Baselines::decide(&base, disc, &queries).variance, "two plain discs tie");
        // Small patches are compared by their own centres: (9.5, 9.5) and (213.5, 213.5) are 144 px away, both.
        let small = Patch { side: 20, ..Patch::STUDY };
        assert!(Baselines::decide(&base, small, &self::queries((204, 204), (2, 2))).center);
    }
}
