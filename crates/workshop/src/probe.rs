//! Asks a unit about one picture with a square at many places.

use weber_stimuli::inlay::{Corner, Inlay, Patch};
use weber_stimuli::picture::Picture;

use crate::card::Card;
use crate::model::Model;
use crate::network::Network;
use crate::network::window::{Base, Changes};
use crate::unit::Direction;

/// A unit of a network, ready to be asked.
pub struct Probe<'a> {
    network: Network,
    unit: usize,
    card: &'a Card,
}

impl<'a> Probe<'a> {
    /// The unit in the layer with this index.
    pub fn new(model: &'a Model, layer: usize, direction: &Direction) -> Self {
        let channels = model.network.channels(layer, model.card.size);
        let (network, unit) = model.network.with_unit(layer, channels, direction);
        Self { network, unit, card: &model.card }
    }

    /// The unit's response to a picture.
    pub fn response(&self, picture: &Picture) -> f64 {
        let maps = self.network.forward(self.card.input(&[picture]), &[self.unit]).remove(0);
        f64::from(maps.mean().into_scalar::<f32>())
    }

    /// Prepares a picture (the background) for [`Asked::responses`].
    pub fn ask<'p>(&'p self, background: &'p Picture, patch: Patch, inlay: Inlay<'p>) -> Asked<'p> {
        let base = Base::new(&self.network, self.unit, self.card.input(&[background]));
        Asked { card: self.card, base, background, patch, inlay }
    }
}

/// A picture whose maps are known.
pub struct Asked<'p> {
    card: &'p Card,
    base: Base<'p>,
    background: &'p Picture,
    patch: Patch,
    inlay: Inlay<'p>,
}

impl Asked<'_> {
    /// The response to the background itself.
    pub fn unchanged(&self) -> f64 {
        self.base.response()
    }

    /// The responses with the square at each of the corners.
    pub fn responses(&self, corners: &[Corner]) -> Vec<f64> {
        let spans: Vec<[(usize, usize); 2]> = corners
            .iter()
            .map(|at| [at.y, at.x].map(|from| self.card.affected(from, from + self.patch.side)))
            .collect();
        let size = [0, 1].map(|axis| spans.iter().map(|span| span[axis].1 - span[axis].0).max().unwrap_or(0));
        let at: Vec<[usize; 2]> = spans
            .iter()
            .map(|span| [0, 1].map(|axis| span[axis].0.min(self.card.size - size[axis])))
            .collect();
        let mut values = Vec::with_capacity(corners.len() * 3 * size[0] * size[1]);
        for (corner, at) in corners.iter().zip(&at) {
            let picture = self.patch.compose(self.background, self.inlay, *corner);
            self.card.append_region(&picture, *at, size, &mut values);
        }
        self.base.responses(&Changes { size, at, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random_demo;
    use weber_stimuli::inlay::Shape;
    use weber_stimuli::scenes;

    #[test]
    fn regions_give_the_responses_of_full_passes() {
        let model = random_demo(3);
        let picture = scenes::paint(1, 3);
        let blurred = weber_stimuli::blur::gaussian(&picture);
        let corners: Vec<Corner> = [(0, 0), (134, 134), (2, 68), (60, 44), (134, 0), (10, 122), (62, 46)]
            .map(|(x, y)| Corner { x, y })
            .into();
        for layer in ["conv0", "mixed3a/pool", "mixed4a", "mixed4c/3x3", "mixed5b/3x3", "mean", "softmax"] {
            let node = model.network.graph().find(layer).unwrap();
            let mut factors = vec![0.0; model.network.channels(node, 112)];
            factors[2] = 1.0;
            factors[1] = -0.5;
            for direction in [Direction::Channel(2), Direction::Vector(factors)] {
                let probe = Probe::new(&model, node, &direction);
                let shape = if layer == "mixed4a" { Shape::Disc } else { Shape::Square };
                let patch = Patch { shape, ..Patch::STUDY };
                for (background, inlay) in [(&picture, Inlay::MeanColour), (&blurred, Inlay::Of(&picture))] {
                    let found = probe.ask(background, patch, inlay).responses(&corners);
                    let pictures: Vec<Picture> =
                        corners.iter().map(|at| patch.compose(background, inlay, *at)).collect();
                    let means = model.means(&pictures.iter().collect::<Vec<_>>(), &[node]);
                    for ((found, means), at) in found.iter().zip(&means).zip(&corners) {
                        let expected = direction.response(&means[0]);
                        let error = (found - expected).abs() / expected.abs().max(1e-3);
                        assert!(error < 1e-4, "{layer} at {at:?}: {found} for {expected}");
                    }
                }
            }
        }
    }
}
