//! Views of scenes, mixed in composition: a crop of one scene, or of two side by side, with other colours.
//!
//! A network that is trained on plain scenes learns one unit per kind of scene. Views show parts of scenes next to parts of others,
//! so that units learn what kinds share.

use super::super::dice::Dice;
use super::super::picture::{Picture, SIDE};
use super::canvas::Area;

/// The share of views that show one scene only.
const ALONE: f32 = 0.45;

/// The share of the border, in px, within which two scenes blend.
const BLEND: f32 = 3.0;

/// A part of a scene, stretched to the whole picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The number of the scene.
    pub scene: usize,
    /// The left and upper edge of the crop, and its side, in px of the scene.
    crop: (f32, f32, f32),
    /// Whether left and right are exchanged.
    mirrored: bool,
}

/// How two parts share a picture. Numbers are in px.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Split {
    /// The first is left of this column.
    Columns(f32),
    /// The first is above this row.
    Rows(f32),
    /// The second fills a disc: centre and radius.
    Disc(f32, f32, f32),
}

/// What a picture shows: one or two parts, and changes of colour.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    parts: Vec<Part>,
    split: Split,
    /// Factors of red, green and blue.
    gains: [f32; 3],
    /// 1 leaves colours as they are, 0 makes them grey.
    saturation: f32,
}

impl Part {
    fn draw(dice: &Dice, scenes: usize) -> Self {
        let side = SIDE as f32 * dice.range(0.4, 1.0);
        let free = SIDE as f32 - side;
        let crop = (dice.range(0.0, free), dice.range(0.0, free), side);
        Self { scene: dice.below(scenes), crop, mirrored: dice.chance(0.5) }
    }

    /// The pixels of the scene that a box of the view shows.
    fn area(&self, (x0, y0, x1, y1): (f32, f32, f32, f32)) -> Area {
        let (x0, x1) = if self.mirrored { (SIDE as f32 - x1, SIDE as f32 - x0) } else { (x0, x1) };
        let (left, top, side) = self.crop;
        let place = |start: f32, at: f32| start + at * side / SIDE as f32;
        // Colours are taken from the nearest pixels, up to one beyond the box.
        let first = |start: f32, at: f32| (place(start, at) - 1.0).clamp(0.0, (SIDE - 2) as f32) as usize;
        let last = |start: f32, at: f32| (place(start, at) + 2.0).clamp(2.0, SIDE as f32) as usize;
        Area { left: first(left, x0), top: first(top, y0), right: last(left, x1), bottom: last(top, y1) }
    }

    /// The scene's colour at a point of the view (in px of 224), between its four nearest pixels.
    fn colour(&self, scene: &Picture, (x, y): (f32, f32)) -> [f32; 3] {
        let x = if self.mirrored { SIDE as f32 - x } else { x };
        let (left, top, side) = self.crop;
        let place = |start: f32, at: f32| {
            let at = (start + at * side / SIDE as f32 - 0.5).clamp(0.0, (SIDE - 1) as f32);
            let whole = (at as usize).min(SIDE - 2);
            (whole, at - whole as f32)
        };
        let ((column, fx), (row, fy)) = (place(left, x), place(top, y));
        let pixel = |dx: usize, dy: usize| scene.pixel(column + dx, row + dy).map(f32::from);
        let (a, b, d, e) = (pixel(0, 0), pixel(1, 0), pixel(0, 1), pixel(1, 1));
        [0, 1, 2].map(|c| (a[c] * (1.0 - fx) + b[c] * fx) * (1.0 - fy) + (d[c] * (1.0 - fx) + e[c] * fx) * fy)
    }
}

impl View {
    /// Draws a view of the first `scenes` scenes.
    pub fn draw(dice: &Dice, scenes: usize) -> Self {
        let count = if dice.chance(ALONE) { 1 } else { 2 };
        let parts = (0..count).map(|_| Part::draw(dice, scenes)).collect();
        let along = |low: f32, high: f32| SIDE as f32 * dice.range(low, high);
        let split = match dice.below(3) {
            0 => Split::Columns(along(0.3, 0.7)),
            1 => Split::Rows(along(0.3, 0.7)),
            _ => Split::Disc(along(0.3, 0.7), along(0.3, 0.7), along(0.25, 0.4)),
        };
        let gains = [0; 3].map(|_| dice.range(0.8, 1.2));
        Self { parts, split, gains, saturation: dice.range(0.5, 1.3) }
    }

    /// The view with this number, of scenes that no other view has to share.
    pub fn numbered(seed: u64, number: usize, scenes: usize) -> Self {
        Self::draw(&Dice::new(seed, "view", number as u64), scenes)
    }

    /// The numbers of the scenes that are shown, one or two.
    pub fn scenes(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().map(|part| part.scene)
    }

    /// The share of the second part at a point, 0 to 1.
    fn second(&self, (x, y): (f32, f32)) -> f32 {
        if self.parts.len() == 1 {
            return 0.0;
        }
        let inside = match self.split {
            Split::Columns(at) => x - at,
            Split::Rows(at) => y - at,
            Split::Disc(cx, cy, radius) => radius - ((x - cx) * (x - cx) + (y - cy) * (y - cy)).sqrt(),
        };
        (inside / BLEND + 0.5).clamp(0.0, 1.0)
    }

    /// The share of the picture that each part fills.
    pub fn shares(&self) -> Vec<f32> {
        if self.parts.len() == 1 {
            return vec![1.0];
        }
        const GRID: usize = 56;
        let point = |i: usize| (i as f32 + 0.5) * (SIDE / GRID) as f32;
        let points = (0..GRID * GRID).map(|i| (point(i % GRID), point(i / GRID)));
        let second = points.map(|point| self.second(point)).sum::<f32>() / (GRID * GRID) as f32;
        vec![1.0 - second, second]
    }

    /// The picture, given the scenes in the order of [`Self::scenes`].
    pub fn picture(&self, scenes: &[&Picture]) -> Picture {
        Picture::from_fn(|x, y| self.colour(scenes, (x as f32 + 0.5, y as f32 + 0.5)))
    }

    /// The colour at a point, in px from the upper left corner.
    pub fn colour(&self, scenes: &[&Picture], point: (f32, f32)) -> [u8; 3] {
        let share = self.second(point);
        let first = if share < 1.0 { self.parts[0].colour(scenes[0], point) } else { [0.0; 3] };
        let second = if share > 0.0 { self.parts[1].colour(scenes[1], point) } else { [0.0; 3] };
        self.developed([0, 1, 2].map(|c| first[c] * (1.0 - share) + second[c] * share))
    }

    fn developed(&self, colour: [f32; 3]) -> [u8; 3] {
        let grey = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2];
        [0, 1, 2].map(|c| {
            let value = (grey + (colour[c] - grey) * self.saturation) * self.gains[c];
            (value + 0.5).clamp(0.0, 255.0) as u8
        })
    }

    /// Paints what it shows of the scenes, and the view of them.
    pub fn paint(&self, seed: u64) -> Picture {
        let painted =
            |(i, part): (usize, &Part)| super::paint_area(seed, part.scene, part.area(self.box_of(i)));
        let scenes: Vec<Picture> = self.parts.iter().enumerate().map(painted).collect();
        self.picture(&scenes.iter().collect::<Vec<_>>())
    }

    /// The box (left, top, right, bottom in px) outside which a part is not seen.
    fn box_of(&self, part: usize) -> (f32, f32, f32, f32) {
        let whole = (0.0, 0.0, SIDE as f32, SIDE as f32);
        match (self.split, part) {
            _ if self.parts.len() == 1 => whole,
            (Split::Columns(at), 0) => (0.0, 0.0, at + BLEND, SIDE as f32),
            (Split::Columns(at), _) => (at - BLEND, 0.0, SIDE as f32, SIDE as f32),
            (Split::Rows(at), 0) => (0.0, 0.0, SIDE as f32, at + BLEND),
            (Split::Rows(at), _) => (0.0, at - BLEND, SIDE as f32, SIDE as f32),
            (Split::Disc(..), 0) => whole,
            (Split::Disc(x, y, radius), _) => {
                let reach = radius + BLEND;
                (x - reach, y - reach, x + reach, y + reach)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_repeat_and_mix() {
        let views: Vec<View> = (0..200).map(|number| View::numbered(1, number, 5_200)).collect();
        assert_eq!(views[7], View::numbered(1, 7, 5_200));
        assert_ne!(views[7], View::numbered(2, 7, 5_200));
        let alone = views.iter().filter(|view| view.scenes().count() == 1).count();
        assert!((60..120).contains(&alone), "{alone} of 200 show one scene");
        for view in &views {
            let shares = view.shares();
            assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            assert!(shares.iter().all(|share| *share > 0.1), "{shares:?}");
        }
    }

    #[test]
    fn views_show_whole_scenes_though_only_parts_are_painted() {
        for number in 0..60 {
            let view = View::numbered(1, number, 500);
            let scenes: Vec<Picture> = view.scenes().map(|scene| super::super::paint(1, scene)).collect();
            assert!(view.paint(1) == view.picture(&scenes.iter().collect::<Vec<_>>()), "view {number}");
        }
    }

    #[test]
    fn parts_are_where_the_split_says() {
        let whole = |scene| Part { scene, crop: (0.0, 0.0, SIDE as f32), mirrored: false };
        let view = View {
            parts: vec![whole(0), whole(1)],
            split: Split::Columns(100.0),
            gains: [1.0; 3],
            saturation: 1.0,
        };
        let (left, right) =
            (Picture::from_fn(|x, y| [x as u8, y as u8, 7]), Picture::from_fn(|_, _| [9, 8, 200]));
        let picture = view.picture(&[&left, &right]);
        assert_eq!((picture.pixel(50, 20), picture.pixel(150, 20)), ([50, 20, 7], [9, 8, 200]));
        let mirrored = View { parts: vec![Part { mirrored: true, ..whole(0) }], ..view };
        assert_eq!(mirrored.picture(&[&left]).pixel(0, 3), [223, 3, 7]);
    }
}
