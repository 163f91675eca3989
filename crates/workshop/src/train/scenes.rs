//! Scenes in memory, and batches of them.

use weber_stimuli::dice::Dice;
use weber_stimuli::picture::Picture;
use weber_stimuli::scenes::view::View;
use weber_stimuli::scenes::{self, kinds};

use crate::architecture::DEMO_SIDE;
use crate::card::Card;
use crate::parallel;

/// Painted scenes with the index of their kind.
pub struct Scenes {
    pictures: Vec<Picture>,
    kinds: Vec<usize>,
    classes: usize,
}

impl Scenes {
    /// Paints the scenes with these numbers.
    pub fn paint(seed: u64, numbers: std::ops::Range<usize>) -> Self {
        let names = kinds();
        let numbers: Vec<usize> = numbers.collect();
        let pictures = parallel::map(&numbers, |number| scenes::paint(seed, *number));
        let kind = |number: &usize| names.iter().position(|name| *name == scenes::kind(*number));
        let kinds = numbers.iter().map(|number| kind(number).expect("every kind has a name")).collect();
        Self { pictures, kinds, classes: names.len() }
    }

    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    /// The number of kinds.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// A scene and the index of its kind.
    pub fn scene(&self, index: usize) -> (&Picture, usize) {
        (&self.pictures[index], self.kinds[index])
    }

    /// A random view of the scenes as the demo network sees it, and the share of each kind in it. The values, by channel, row and
    /// column, are added to `values`.
    pub fn view(&self, dice: &Dice, values: &mut Vec<f32>) -> Vec<f32> {
        let view = View::draw(dice, self.len());
        let pictures: Vec<&Picture> = view.scenes().map(|scene| &self.pictures[scene]).collect();
        let middle = |i: usize| (2 * i + 1) as f32;
        let places = (0..DEMO_SIDE * DEMO_SIDE).map(|i| (middle(i % DEMO_SIDE), middle(i / DEMO_SIDE)));
        let colours: Vec<[u8; 3]> = places.map(|point| view.colour(&pictures, point)).collect();
        let Card { mean, scale, .. } = Card::demo();
        for channel in 0..3 {
            let number = |colour: &[u8; 3]| (f32::from(colour[channel]) - mean[channel]) * scale[channel];
            values.extend(colours.iter().map(number));
        }
        let mut shares = vec![0.0; self.classes];
        for (scene, share) in view.scenes().zip(view.shares()) {
            shares[self.kinds[scene]] += share;
        }
        shares
    }
}
