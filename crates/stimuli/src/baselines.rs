//! Simple rules that answer a trial without references. Each makes one decision, and a tie counts as wrong.

use super::graph::{Graph, Map, Node, Op, RETINA, retina};
use super::inlay::{Corner, PATCH};
use super::occlusion::Queries;
use super::picture::{Picture, SIDE};

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
    pub fn decide(base: &Picture, queries: &Queries, saliency: &Saliency) -> Self {
        let (max, min) = (queries.max.corner, queries.min.corner);
        let map = saliency.map(base);
        Self {
            center: squared_distance(max) > squared_distance(min),
            variance: base.deviation(max.x, max.y, PATCH) < base.deviation(min.x, min.y, PATCH),
            saliency: hidden(&map, max) < hidden(&map, min),
        }
    }
}

/// Four times the squared distance, in px, of the patch's centre from the image's, which is at (111.5, 111.5). A whole number
/// makes ties exact.
fn squared_distance(corner: Corner) -> i64 {
    let along = |start: usize| 2 * start as i64 + PATCH as i64 - SIDE as i64;
    along(corner.x) * along(corner.x) + along(corner.y) * along(corner.y)
}

/// The saliency in a patch, in 10^-12 of the whole. Patches have one size, so comparing sums is comparing means.
fn hidden(map: &[i64], corner: Corner) -> i64 {
    let columns = corner.x / 2..(corner.x + PATCH) / 2;
    (corner.y / 2..(corner.y + PATCH) / 2)
        .map(|y| map[y * RETINA..][columns.clone()].iter().sum::<i64>())
        .sum()
}

/// A model of saliency: contrast between centre and surround in lightness, red against green and blue against yellow, at
/// three scales, after Itti, Koch and Niebur (1998), without a bias towards the centre.
pub struct Saliency {
    graph: Graph,
    output: Node,
}

impl Default for Saliency {
    fn default() -> Self {
        let mut graph = Graph::default();
        let [r, g, b] = [0, 1, 2].map(|channel| graph.add(Op::Channel(channel)));
        let third = 1.0 / 3.0;
        let opponents = [
            vec![(r, third), (g, third), (b, third)],
            vec![(r, 0.5), (g, -0.5)],
            vec![(b, 0.5), (r, -0.25), (g, -0.25)],
        ];
        let mut terms = Vec::new();
        for opponent in opponents {
            let map = graph.add(Op::Sum(opponent, 0.0));
            for (centre, surround) in [(1, 4), (2, 8), (4, 16)] {
                let [centre, surround] = [centre, surround].map(|reach: usize| {
                    let box_ = vec![1.0 / (2 * reach + 1) as f32; 2 * reach + 1];
                    graph.add(Op::Convolve(map, box_.clone(), box_))
                });
                for sign in [1.0, -1.0] {
                    let difference = graph.add(Op::Sum(vec![(centre, sign), (surround, -sign)], 0.0));
                    terms.push((graph.add(Op::Rectify(difference)), 1.0));
                }
            }
        }
        let output = graph.add(Op::Sum(terms, 0.0));
        Self { graph, output }
    }
}

impl Saliency {
    /// The share of each retina cell in the picture's saliency, in 10^-12.
    fn map(&self, picture: &Picture) -> Vec<i64> {
        let maps = self.graph.evaluate(&retina(picture));
        density(&maps[self.output])
    }
}

fn density(map: &Map) -> Vec<i64> {
    let total: f64 = map.values.iter().map(|value| f64::from(*value)).sum();
    map.values.iter().map(|value| (f64::from(*value) / total.max(1e-12) * 1e12).round() as i64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::occlusion::Occlusion;

    fn queries(max: (usize, usize), min: (usize, usize)) -> Queries {
        let at = |(x, y), response| Occlusion { corner: Corner { x, y }, response };
        Queries { max: at(max, 2.0), min: at(min, 1.0) }
    }

    fn decide(base: &Picture, max: (usize, usize), min: (usize, usize)) -> Baselines {
        Baselines::decide(base, &queries(max, min), &Saliency::default())
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
    fn saliency_is_a_density() {
        let sum: i64 = Saliency::default().map(&spot()).iter().sum();
        assert!((sum - 1_000_000_000_000).abs() < 20_000);
    }
}
