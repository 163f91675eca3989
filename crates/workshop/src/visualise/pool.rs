//! What presets take from natural pictures.

use weber_stimuli::picture::Picture;

use super::VisualiseError;
use super::colours::{self, Matrix};
use super::image::Image;
use super::parametrisation::magnitudes;
use super::patches::Statistics;
use super::preset::{Basis, Colours, Preset};

/// Statistics of natural pictures, as far as a preset needs them.
pub struct Pool {
    pub colours: Matrix,
    pub magnitudes: Option<Vec<f32>>,
    pub patches: Option<Statistics>,
}

impl Pool {
    /// Reads the `pictures` at the `side` of the images to be optimised.
    ///
    /// # Errors
    /// The preset needs pictures, and there are none.
    pub fn new(preset: &Preset, pictures: &[&Picture], side: usize) -> Result<Self, VisualiseError> {
        let (own, phase) = (preset.colours == Colours::Own, preset.basis == Basis::Phase);
        let needs = [(own, "colours"), (phase, "basis"), (preset.patches > 0.0, "patches")];
        let need = needs.into_iter().find(|(needed, _)| *needed);
        if let (Some((_, setting)), true) = (need, pictures.is_empty()) {
            return Err(VisualiseError::NeedsPictures { preset: preset.name.clone(), setting });
        }
        let pictures = if need.is_some() { pictures } else { &[] };
        let images: Vec<Image> = pictures.iter().map(|picture| Image::of(picture, side)).collect();
        let colours = match preset.colours {
            Colours::Independent => colours::IDENTITY,
            Colours::Imagenet => colours::imagenet(),
            Colours::Own => colours::of(&images),
        };
        Ok(Self {
            colours,
            magnitudes: phase.then(|| magnitudes(&images, &colours)),
            patches: (preset.patches > 0.0).then(|| Statistics::of(&images)),
        })
    }
}
