//! Synthetic references: images that activate a unit, made by gradient ascent with priors.
//!
//! A [`Preset`] names the priors. Parameters become an image ([`parametrisation`]), random views of it go through the network
//! ([`view`], [`objective`]), the gradient comes back the same way, and [`optimiser`] takes a step ([`ascent`]). [`diversity`] looks for
//! the largest diversity for which all images beat natural pictures.

mod ascent;
mod colours;
mod diversity;
mod image;
mod objective;
mod optimiser;
mod parametrisation;
mod patches;
mod penalties;
mod pool;
mod preset;
mod spectrum;
mod strip;
#[cfg(test)]
mod tests;
mod view;

use thiserror::Error;
use weber_stimuli::dice::Dice;
use weber_stimuli::picture::{Picture, SIDE};

pub use self::preset::{Basis, Blur, Colours, Diversity, Optimiser, Preset};
pub use self::strip::strip;

use self::ascent::Ascent;
use self::image::Image;
use self::objective::Objective;
use self::parametrisation::{Canvas, Parametrisation};
use self::penalties::Penalties;
use self::pool::Pool;
use crate::model::Model;
use crate::probe::Probe;
use crate::unit::{Direction, Unit};

/// Why no image could be made.
#[derive(Debug, Error)]
pub enum VisualiseError {
    #[error("there is no preset {name}. Presets are {known}")]
    UnknownPreset { name: String, known: String },
    #[error("preset {preset}: `{setting}` must be {need}")]
    Setting { preset: String, setting: &'static str, need: &'static str },
    #[error("preset {preset}: `{setting}` needs natural pictures; name a folder of them")]
    NeedsPictures { preset: String, setting: &'static str },
    #[error("preset {preset} starts from natural pictures, and there are none for the unit {unit}")]
    NeedsStart { preset: String, unit: String },
    #[error(
        "preset {preset} compares images with the best natural picture, and the unit {unit} has no responses to any"
    )]
    NeedsResponses { preset: String, unit: String },
    #[error("the network has no layer {layer}")]
    UnknownLayer { layer: String },
    #[error("the layer {layer} has {channels} channels, so {wanted} cannot be its unit")]
    UnknownUnit { layer: String, channels: usize, wanted: String },
    #[error("the unit {unit} needs at least 1 image")]
    NoImages { unit: String },
    #[error("the images of the unit {unit} became invalid numbers; try a smaller rate than {rate}")]
    Diverged { unit: String, rate: f32 },
}

/// Which end of a unit's responses is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Highest,
    Lowest,
}

impl Sign {
    fn factor(self) -> f64 {
        if self == Self::Highest { 1.0 } else { -1.0 }
    }
}

/// The range of a unit's responses to natural pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub lowest: f64,
    pub highest: f64,
}

impl Range {
    fn best(self, sign: Sign) -> f64 {
        if sign == Sign::Highest { self.highest } else { self.lowest }
    }
}

/// What is wanted of one unit.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub unit: &'a Unit,
    pub sign: Sign,
    pub count: usize,
    pub seed: u64,
    /// If it is unknown, responses count as they are.
    pub natural: Option<Range>,
    /// Natural pictures to start from, in turn, for presets that do.
    pub starts: &'a [&'a Picture],
}

/// The images of one unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Visualised {
    pub pictures: Vec<Picture>,
    /// The unit's responses to the finished pictures.
    pub responses: Vec<f64>,
    pub steps: usize,
    /// The weight of diversity that was used.
    pub diversity: f64,
    /// How alike the pictures are in the unit's layer, on average over pairs: the cosine of their Gram matrices. 0 if there is one
    /// picture.
    pub similarity: f64,
    /// How many pictures do not beat the best natural one, if that is known.
    pub below: Option<usize>,
}

/// Makes images with one preset for units of one network. It is shared by threads.
pub struct Visualiser<'a> {
    model: &'a Model,
    preset: &'a Preset,
    parametrisation: Box<dyn Parametrisation + Send>,
    pool: Pool,
    margin: usize,
}

impl<'a> Visualiser<'a> {
    /// Checks the preset, and takes from natural `pictures` (some hundreds are enough) what it needs.
    ///
    /// # Errors
    /// A setting is impossible, or the preset needs pictures.
    pub fn new(model: &'a Model, preset: &'a Preset, pictures: &[&Picture]) -> Result<Self, VisualiseError> {
        preset.check()?;
        let size = model.card.size;
        let margin = (preset.margin * size as f32 / SIDE as f32).round() as usize;
        let side = size + 2 * margin;
        let pool = Pool::new(preset, pictures, side)?;
        let canvas = Canvas::new(preset.basis, side, preset.start, pool.colours, pool.magnitudes.as_deref());
        Ok(Self { model, preset, parametrisation: Box::new(canvas), pool, margin })
    }

    /// Makes the images of one unit, on one thread if this is called in [`crate::parallel::map`].
    ///
    /// # Errors
    /// The request cannot be met by this network and preset.
    pub fn visualise(&self, request: &Request<'_>) -> Result<Visualised, VisualiseError> {
        let layer = self.layer(request)?;
        let work = Work {
            visualiser: self,
            request,
            probe: Probe::new(self.model, layer, &request.unit.direction),
            layer,
        };
        match self.preset.diversity {
            Diversity::Weight(weight) => work.images(request.count, self.preset.steps, weight, 0),
            Diversity::Largest { runs, steps } => {
                let natural = request.natural.ok_or_else(|| VisualiseError::NeedsResponses {
                    preset: self.preset.name.clone(),
                    unit: request.unit.layer.clone(),
                })?;
                diversity::largest(&work, natural, runs, steps.min(self.preset.steps))
            }
        }
    }

    /// The node of the unit's layer, after a check of the request.
    fn layer(&self, request: &Request<'_>) -> Result<usize, VisualiseError> {
        let Unit { layer: name, direction } = request.unit;
        let unknown = || VisualiseError::UnknownLayer { layer: name.clone() };
        let layer = self.model.network.graph().find(name).ok_or_else(unknown)?;
        let channels = self.model.network.channels(layer, self.model.card.size);
        let wanted = match direction {
            Direction::Channel(channel) if *channel >= channels => {
                Some(format!("channel {channel} (counted from 0)"))
            }
            Direction::Vector(factors) if factors.len() != channels => {
                Some(format!("a vector of {} numbers", factors.len()))
            }
            _ => None,
        };
        if let Some(wanted) = wanted {
            return Err(VisualiseError::UnknownUnit { layer: name.clone(), channels, wanted });
        }
        if request.count == 0 {
            return Err(VisualiseError::NoImages { unit: name.clone() });
        }
        if self.preset.from_pictures && request.starts.is_empty() {
            return Err(VisualiseError::NeedsStart { preset: self.preset.name.clone(), unit: name.clone() });
        }
        Ok(layer)
    }
}

/// One unit's images in the making.
struct Work<'a> {
    visualiser: &'a Visualiser<'a>,
    request: &'a Request<'a>,
    probe: Probe<'a>,
    layer: usize,
}

impl Work<'_> {
    /// Makes `count` images with this weight of diversity. Runs with different numbers start from different noise.
    fn images(
        &self,
        count: usize,
        steps: usize,
        diversity: f64,
        run: u64,
    ) -> Result<Visualised, VisualiseError> {
        let Visualiser { model, preset, parametrisation, pool, margin } = self.visualiser;
        let Request { unit, sign, natural, seed, starts, .. } = self.request;
        let range =
            natural.map_or(100.0, |range| (range.highest - range.lowest).max(f64::from(f32::MIN_POSITIVE)));
        let ascent = Ascent {
            preset,
            parametrisation: &**parametrisation,
            objective: Objective::new(
                model,
                self.layer,
                &unit.direction,
                sign.factor() * 100.0 / range,
                diversity,
            ),
            penalties: Penalties { preset, patches: pool.patches.as_ref() },
            size: model.card.size,
            dice: Dice::new(*seed, "visualise", run),
        };
        let side = model.card.size + 2 * margin;
        let starts = if preset.from_pictures { *starts } else { &[] };
        let starts: Vec<Image> = starts.iter().map(|picture| Image::of(picture, side)).collect();
        let images = ascent.run(count, steps, &starts);
        if images.iter().any(|image| image.values.iter().any(|value| !value.is_finite())) {
            return Err(VisualiseError::Diverged { unit: unit.layer.clone(), rate: preset.rate });
        }
        let pictures: Vec<Picture> = images.iter().map(|image| image.picture(*margin)).collect();
        let responses: Vec<f64> = pictures.iter().map(|picture| self.probe.response(picture)).collect();
        let similarity = self.similarity(&pictures);
        let mut made = Visualised { pictures, responses, steps, diversity, similarity, below: None };
        made.below = natural.map(|range| made.below(range, *sign));
        Ok(made)
    }

    fn similarity(&self, pictures: &[Picture]) -> f64 {
        let (model, count) = (self.visualiser.model, pictures.len());
        let input = model.card.input(&pictures.iter().collect::<Vec<_>>());
        let maps = model.network.forward(input, &[self.layer]).remove(0);
        let sum: f32 = objective::similarity(maps, count).into_scalar();
        f64::from(sum) / (count * (count - 1)).max(1) as f64
    }
}

impl Visualised {
    /// How many pictures do not beat the best natural one.
    fn below(&self, natural: Range, sign: Sign) -> usize {
        let (best, factor) = (natural.best(sign), sign.factor());
        self.responses.iter().filter(|response| factor * **response <= factor * best).count()
    }
}
