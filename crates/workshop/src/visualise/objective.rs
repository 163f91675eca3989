//! What a unit responds to views of images, how alike the images are to its layer, and the gradients of both.

use burn::tensor::{Tensor, TensorData};

use super::image::Image;
use crate::card::Card;
use crate::model::Model;
use crate::network::{Network, Op, device, values};
use crate::unit::Direction;

/// The share of a gradient that passes a silent rectification, as in lucent.
const LEAK: f32 = 0.1;

/// The sum of a unit's responses to images, less their similarity.
pub struct Objective<'a> {
    network: Network,
    layer: usize,
    direction: &'a Direction,
    card: &'a Card,
    /// What a response is multiplied with: its sign, in per cent of the range of natural responses.
    pub scale: f64,
    /// Weight of the similarity.
    pub diversity: f64,
}

impl<'a> Objective<'a> {
    pub fn new(model: &'a Model, layer: usize, direction: &'a Direction, scale: f64, diversity: f64) -> Self {
        Self {
            network: model.network.differentiable(),
            layer,
            direction,
            card: &model.card,
            scale,
            diversity,
        }
    }

    /// The gradient of the objective with respect to each view of some images, in the order of images, with as many views for each.
    /// If `redirect`, images without any gradient get one through silent rectifications.
    pub fn slopes(&self, views: &[Image], images: usize, redirect: bool) -> Vec<Image> {
        let mut slopes = self.through(views, images, false);
        if redirect {
            let per_image = views.len() / images;
            let silent: Vec<usize> =
                (0..images).filter(|i| slopes[i * per_image..][..per_image].iter().all(is_zero)).collect();
            if !silent.is_empty() {
                let mut other = self.through(views, images, true);
                for view in silent.into_iter().flat_map(|i| i * per_image..(i + 1) * per_image) {
                    std::mem::swap(&mut slopes[view], &mut other[view]);
                }
            }
        }
        slopes
    }

    fn through(&self, views: &[Image], images: usize, leak: bool) -> Vec<Image> {
        let input = self.input(views).require_grad();
        let layer = self.network.forward_with(input.clone(), &[self.layer], |op, inputs| match op {
            Op::Relu | Op::Clip { .. } if leak => {
                let x = inputs[0].clone();
                let y = self.network.apply(op, inputs);
                let rest = x - y.clone();
                y + (rest.clone() - rest.detach()) * LEAK
            }
            _ => self.network.apply(op, inputs),
        });
        let value = self.value(layer.into_iter().next().expect("one node is wanted"), images);
        let gradient = input.grad(&value.backward()).expect("the input has a gradient");
        self.unpacked(&values(gradient), views[0].side)
    }

    /// The objective, given the values of the unit's layer.
    fn value(&self, layer: Tensor<4>, images: usize) -> Tensor<1> {
        let per_image = (layer.dims()[0] / images) as f64;
        let responses = self.direction.map(layer.clone()).mean_dim(2).mean_dim(3).sum();
        let value = responses * (self.scale / per_image);
        if self.diversity > 0.0 && images > 1 {
            return value - similarity(layer, images) * self.diversity;
        }
        value
    }

    /// The views as the network's input.
    fn input(&self, views: &[Image]) -> Tensor<4> {
        let side = views[0].side;
        let mut numbers = Vec::with_capacity(views.len() * 3 * side * side);
        for view in views {
            for (place, channel) in self.card.order.channels().into_iter().enumerate() {
                let (mean, scale) = (self.card.mean[place], self.card.scale[place]);
                numbers.extend(view.channel(channel).iter().map(|value| (255.0 * value - mean) * scale));
            }
        }
        let data = TensorData::new(numbers, [views.len(), 3, side, side]);
        Tensor::<4>::from_data(data, &device()).autodiff()
    }

    /// The gradient with respect to the input as gradients with respect to views.
    fn unpacked(&self, gradient: &[f32], side: usize) -> Vec<Image> {
        let area = side * side;
        let view = |gradient: &[f32]| {
            let mut slope = Image::zeros(side);
            for (place, channel) in self.card.order.channels().into_iter().enumerate() {
                let scale = 255.0 * self.card.scale[place];
                let from = &gradient[place * area..(place + 1) * area];
                let to = &mut slope.values[channel * area..(channel + 1) * area];
                to.iter_mut().zip(from).for_each(|(to, from)| *to = scale * from);
            }
            slope
        };
        gradient.chunks(3 * area).map(view).collect()
    }
}

fn is_zero(image: &Image) -> bool {
    image.values.iter().all(|value| *value == 0.0)
}

/// The sum over all pairs of different images of the cosine between their Gram matrices in a layer (the diversity term of Olah et al.
/// 2017).
pub fn similarity(layer: Tensor<4>, images: usize) -> Tensor<1> {
    let [all, channels, height, width] = layer.dims();
    let views = all / images;
    let maps = layer.reshape([images, views, channels, height * width]).swap_dims(1, 2);
    let maps = maps.reshape([images, channels, views * height * width]);
    let grams: Tensor<2> = maps.clone().matmul(maps.transpose()).reshape([images, channels * channels]);
    let lengths = (grams.clone().square().sum_dim(1) + 1e-12).sqrt();
    let grams = grams / lengths;
    // The sum of all cosines is the squared length of the sum; each image's with itself is 1.
    grams.sum_dim(0).square().sum() - images as f32
}

#[cfg(test)]
mod tests {
    use weber_stimuli::dice::Dice;

    use super::*;
    use crate::testing::tiny;

    fn noise(number: u64) -> Image {
        let dice = Dice::new(1, "objective", number);
        Image { side: 8, values: (0..3 * 64).map(|_| dice.unit()).collect() }
    }

    #[test]
    fn gradients_agree_with_differences() {
        let model = tiny(8, 0.2);
        let vector = Direction::Vector(vec![0.5, -1.0, 0.2, 0.0, 1.0]);
        for (direction, diversity, images) in [
            (Direction::Channel(2), 0.0, 4),
            (vector, 0.0, 2),
            (Direction::Channel(1), 3.0, 2),
            (Direction::Channel(1), 3.0, 4),
        ] {
            let layer = model.network.graph().find("b").unwrap();
            let objective = Objective::new(&model, layer, &direction, 2.0, diversity);
            let views: Vec<Image> = (0..4).map(noise).collect();
            let directions: Vec<Image> = (10..14).map(noise).collect();
            let moved = |by: f32| {
                let move_one = |(view, direction): (&Image, &Image)| {
                    let values = view.values.iter().zip(&direction.values).map(|(v, d)| v + by * (d - 0.5));
                    Image { side: 8, values: values.collect() }
                };
                let views: Vec<Image> = views.iter().zip(&directions).map(move_one).collect();
                let maps = objective.network.forward(objective.input(&views), &[layer]).remove(0);
                f64::from(objective.value(maps, images).inner().into_scalar::<f32>())
            };
            let difference = (moved(2e-3) - moved(-2e-3)) / 4e-3;
            let slopes = objective.slopes(&views, images, false);
            let along = |(slope, direction): (&Image, &Image)| -> f64 {
                slope.values.iter().zip(&direction.values).map(|(s, d)| f64::from(s * (d - 0.5))).sum()
            };
            let along: f64 = slopes.iter().zip(&directions).map(along).sum();
            assert!(
                (difference - along).abs() < 0.02 * along.abs().max(0.2),
                "{diversity}: {difference} {along}"
            );
        }
    }

    #[test]
    fn equal_images_are_most_similar() {
        let model = tiny(8, 0.2);
        let layer = model.network.graph().find("b").unwrap();
        let objective = Objective::new(&model, layer, &Direction::Channel(0), 1.0, 1.0);
        let similarity = |views: &[Image]| {
            let maps = objective.network.forward(objective.input(views), &[layer]).remove(0);
            similarity(maps, views.len()).inner().into_scalar::<f32>()
        };
        let equal = similarity(&[noise(0), noise(0), noise(0)]);
        assert!((equal - 6.0).abs() < 1e-3, "{equal}");
        let grey = Image { side: 8, values: vec![0.5; 192] };
        assert!(similarity(&[noise(0), grey]) < 1.99);
    }

    #[test]
    fn silent_units_get_a_redirected_gradient() {
        // All first maps are far below zero.
        let model = tiny(8, -50.0);
        let relu = model.network.graph().find("relu").unwrap();
        let direction = Direction::Channel(0);
        let objective = Objective::new(&model, relu, &direction, 1.0, 0.0);
        let steepest = |redirect: bool| {
            let slope = objective.slopes(&[noise(0)], 1, redirect).remove(0);
            slope.values.into_iter().fold(0.0f32, |steepest, value| steepest.max(value.abs()))
        };
        assert_eq!(steepest(false), 0.0);
        assert!(steepest(true) > 0.0);
        // Units that respond keep their gradient.
        let model = tiny(8, 0.2);
        let objective = Objective::new(&model, relu, &direction, 1.0, 0.0);
        let slope = |redirect: bool| objective.slopes(&[noise(0)], 1, redirect).remove(0);
        assert_eq!(slope(false), slope(true));
    }
}
