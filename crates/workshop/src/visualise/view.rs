//! Random views of an image: shifted, turned, scaled and cropped in one bilinear resampling.

use weber_stimuli::dice::Dice;
use weber_stimuli::picture::SIDE;

use super::image::Image;
use super::preset::Preset;

/// What a place outside of the image shows, as lucid's padding does.
const OUTSIDE: f32 = 0.5;

/// A view of an image, as a network of the input's `size` sees it.
pub struct View {
    size: usize,
    /// The place in the image of the middle of the view.
    middle: [f32; 2],
    /// What one px to the right in the view is in the image. One px down is the same, turned by 90 degrees.
    right: [f32; 2],
}

impl View {
    /// A random view of an image with this `side`, for a network of this `size`.
    pub fn draw(preset: &Preset, side: usize, size: usize, dice: &Dice) -> Self {
        let share = dice.range(preset.crop[0], preset.crop[1]);
        let zoom = 1.0 + dice.range(-preset.scale, preset.scale);
        let angle = dice.range(-preset.rotation, preset.rotation).to_radians();
        // Whole px, so that a view which is only shifted is exact.
        let reach = (0.5 * preset.jitter * size as f32 / SIDE as f32).round() as usize;
        let room = (0.5 * (1.0 - share) * size as f32).floor();
        let shift = || dice.count(0, 2 * reach) as f32 - reach as f32 + dice.range(-room, room).round();
        let middle = 0.5 * (side as f32 - 1.0);
        let step = share / zoom;
        Self {
            size,
            middle: [middle + shift(), middle + shift()],
            right: [step * angle.cos(), step * angle.sin()],
        }
    }

    /// Calls `each` with each place of the view, the four places of the image around it (if they exist) and their weights.
    fn visit(&self, side: usize, mut each: impl FnMut(usize, [(Option<usize>, f32); 4])) {
        let half = 0.5 * (self.size as f32 - 1.0);
        let [cos, sin] = self.right;
        for row in 0..self.size {
            for column in 0..self.size {
                let (across, down) = (column as f32 - half, row as f32 - half);
                let x = self.middle[0] + across * cos - down * sin;
                let y = self.middle[1] + across * sin + down * cos;
                let (left, top) = (x.floor(), y.floor());
                let (fx, fy) = (x - left, y - top);
                let place = |dx: f32, dy: f32| {
                    let (x, y) = (left + dx, top + dy);
                    let last = side as f32 - 1.0;
                    let inside = x >= 0.0 && y >= 0.0 && x <= last && y <= last;
                    inside.then(|| y as usize * side + x as usize)
                };
                let taps = [
                    (place(0.0, 0.0), (1.0 - fx) * (1.0 - fy)),
                    (place(1.0, 0.0), fx * (1.0 - fy)),
                    (place(0.0, 1.0), (1.0 - fx) * fy),
                    (place(1.0, 1.0), fx * fy),
                ];
                each(row * self.size + column, taps);
            }
        }
    }

    /// What the view shows.
    pub fn of(&self, image: &Image) -> Image {
        let mut seen = Image::zeros(self.size);
        let (area, source) = (self.size * self.size, image.side * image.side);
        self.visit(image.side, |at, taps| {
            for channel in 0..3 {
                let value =
                    |place: Option<usize>| place.map_or(OUTSIDE, |i| image.values[channel * source + i]);
                seen.values[channel * area + at] =
                    taps.iter().map(|(place, weight)| weight * value(*place)).sum();
            }
        });
        seen
    }

    /// Adds the gradient with respect to the image, given that with respect to the view.
    pub fn add_gradient(&self, seen: &Image, slope: &mut Image) {
        let (area, source) = (self.size * self.size, slope.side * slope.side);
        self.visit(slope.side, |at, taps| {
            for (place, weight) in taps {
                let Some(place) = place else { continue };
                for channel in 0..3 {
                    slope.values[channel * source + place] += weight * seen.values[channel * area + at];
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(side: usize, number: u64) -> Image {
        let dice = Dice::new(1, "view", number);
        Image { side, values: (0..3 * side * side).map(|_| dice.unit()).collect() }
    }

    #[test]
    fn gradients_are_adjoint() {
        let preset = Preset { jitter: 60.0, rotation: 20.0, scale: 0.2, crop: [0.4, 0.9], ..Preset::none() };
        let dot = |a: &Image, b: &Image| -> f64 {
            a.values.iter().zip(&b.values).map(|(a, b)| f64::from(a * b)).sum()
        };
        for draw in 0..5 {
            let view = View::draw(&preset, 20, 16, &Dice::new(2, "view", draw));
            // A view is linear in the image, apart from the grey outside.
            let (a, b, seen) = (noise(20, 1), noise(20, 2), noise(16, 3));
            let mut slope = Image::zeros(20);
            view.add_gradient(&seen, &mut slope);
            let left = dot(&view.of(&a), &seen) - dot(&view.of(&b), &seen);
            let right = dot(&a, &slope) - dot(&b, &slope);
            assert!((left - right).abs() < 1e-3, "{left} {right}");
        }
    }

    #[test]
    fn plain_and_shifted_views_are_exact() {
        let image = noise(20, 1);
        let seen = View { size: 16, middle: [9.5; 2], right: [1.0, 0.0] }.of(&image);
        assert_eq!(seen.values[0], image.values[2 * 20 + 2]);
        assert_eq!(seen.values[16 * 16 + 17], image.values[400 + 3 * 20 + 3]);
        let preset = Preset { jitter: 56.0, ..Preset::none() };
        let seen = View::draw(&preset, 20, 16, &Dice::new(1, "view", 0)).of(&image);
        assert!(image.values.contains(&seen.values[100]));
    }

    #[test]
    fn outside_is_grey() {
        let view = View { size: 8, middle: [-20.0, 3.0], right: [1.0, 0.0] };
        assert!(view.of(&noise(8, 1)).values.iter().all(|value| *value == OUTSIDE));
    }
}
