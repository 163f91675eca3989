//! Gradient ascent: several images of one unit, optimised together.

use weber_stimuli::dice::Dice;

use super::image::Image;
use super::objective::Objective;
use super::optimiser::Climber;
use super::parametrisation::Parametrisation;
use super::penalties::Penalties;
use super::preset::{Blur, Preset};
use super::view::View;

/// Everything that an ascent follows.
pub struct Ascent<'a> {
    pub preset: &'a Preset,
    pub parametrisation: &'a dyn Parametrisation,
    pub objective: Objective<'a>,
    pub penalties: Penalties<'a>,
    /// Side of the network's input.
    pub size: usize,
    pub dice: Dice,
}

/// An image on its way.
struct Climbing {
    parameters: Vec<f32>,
    climber: Climber,
    image: Image,
}

impl Ascent<'_> {
    /// Makes `count` images in a number of `steps`. They start from `pictures` in turn, if there are any.
    pub fn run(&self, count: usize, steps: usize, pictures: &[Image]) -> Vec<Image> {
        let mut climbing: Vec<Climbing> =
            (0..count).map(|i| self.begin(pictures.get(i % pictures.len().max(1)))).collect();
        for step in 0..steps {
            self.step(step, &mut climbing, pictures);
        }
        climbing.into_iter().map(|one| one.image).collect()
    }

    fn begin(&self, picture: Option<&Image>) -> Climbing {
        let parameters = match picture {
            Some(picture) => self.parametrisation.fit(picture),
            None => self.parametrisation.start(&self.dice),
        };
        let climber = Climber::new(self.preset.optimiser, self.preset.rate, parameters.len());
        Climbing { image: self.parametrisation.image(&parameters), parameters, climber }
    }

    fn step(&self, step: usize, climbing: &mut [Climbing], pictures: &[Image]) {
        let due = |blur: Option<Blur>| blur.filter(|blur| (step + 1).is_multiple_of(blur.every));
        let slopes = self.slopes(step, climbing);
        for (at, (one, mut slope)) in climbing.iter_mut().zip(slopes).enumerate() {
            let start = pictures.get(at % pictures.len().max(1));
            self.penalties.apply(&one.image, start, &mut slope);
            if let Some(blur) = due(self.preset.gradient_blur) {
                slope = slope.blurred(blur, self.size);
            }
            let gradient = self.parametrisation.gradient(&one.parameters, &one.image, &slope);
            one.climber.step(&mut one.parameters, &gradient);
            one.image = self.parametrisation.image(&one.parameters);
            if let Some(blur) = due(self.preset.blur) {
                one.parameters = self.parametrisation.fit(&one.image.blurred(blur, self.size));
                one.image = self.parametrisation.image(&one.parameters);
            }
        }
    }

    /// The gradient of the objective with respect to each image, through random views.
    fn slopes(&self, step: usize, climbing: &[Climbing]) -> Vec<Image> {
        let per_image = self.preset.views;
        let draw = |one: &Climbing| View::draw(self.preset, one.image.side, self.size, &self.dice);
        let views: Vec<View> =
            climbing.iter().flat_map(|one| (0..per_image).map(move |_| draw(one))).collect();
        let mut seen: Vec<Image> =
            views.iter().enumerate().map(|(at, view)| view.of(&climbing[at / per_image].image)).collect();
        if self.preset.noise > 0.0 {
            let values = seen.iter_mut().flat_map(|view| &mut view.values);
            values.for_each(|value| *value += self.preset.noise * self.dice.normal());
        }
        let seen_slopes = self.objective.slopes(&seen, climbing.len(), step < self.preset.redirect);
        let mut slopes: Vec<Image> = climbing.iter().map(|one| Image::zeros(one.image.side)).collect();
        for (at, (view, slope)) in views.iter().zip(&seen_slopes).enumerate() {
            view.add_gradient(slope, &mut slopes[at / per_image]);
        }
        slopes
    }
}
