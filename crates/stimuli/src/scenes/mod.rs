//! Procedural scenes in place of photographs: land, towns, things, plants and animals.
//!
//! One of the [`GENRES`] paints a scene, with random numbers of that scene's own. So scene `i` of a seed is the same picture on every
//! machine, and can be painted again at any time.

mod animals;
mod aquarium;
mod canvas;
mod castle;
mod colour;
mod fair;
mod flat_lay;
mod form;
mod fruit;
mod landscape;
mod material;
mod night;
mod noise;
mod outdoors;
mod plants;
mod still_life;
mod surfaces;
mod things;
mod town;
mod travel;
mod trees;
pub mod view;
mod winter;

use canvas::{Area, Canvas};
use colour::{Palette, Rgb, random_palette};
use form::{Light, light_from};

use super::dice::Dice;
use super::picture::Picture;

/// An unfinished picture, with the state that all its parts share.
struct Scene {
    canvas: Canvas,
    dice: Dice,
    palette: Palette,
    light: Light,
}

impl Scene {
    /// Up to `count` points at least `gap` px apart within a box (from and to in x, in y), the farther ones (higher up) first. Fewer if
    /// the box is too small.
    fn places(&self, count: usize, x: (f32, f32), y: (f32, f32), gap: f32) -> Vec<(f32, f32)> {
        let mut places: Vec<(f32, f32)> = Vec::with_capacity(count);
        for _ in 0..count * 12 {
            if places.len() == count {
                break;
            }
            let point = (self.dice.range(x.0, x.1), self.dice.range(y.0, y.1));
            if places.iter().all(|p| form::length(p.0 - point.0, p.1 - point.1) >= gap) {
                places.push(point);
            }
        }
        places.sort_by(|a, b| a.1.total_cmp(&b.1));
        places
    }
}

/// Paints one kind of scene.
type Painter = fn(&mut Scene);

/// The kinds of scenes, with their names. A kind that is listed more often fills more of the pool.
const GENRES: [(&str, Painter); 52] = [
    ("mountains", landscape::mountains),
    ("seaside", landscape::seaside),
    ("meadow", landscape::meadow),
    ("fields", landscape::fields),
    ("desert", landscape::desert),
    ("winter", winter::winter),
    ("forest", trees::forest),
    ("front", town::front),
    ("terrace", town::terrace),
    ("castle", castle::castle),
    ("arches", castle::arches),
    ("high rises", town::high_rises),
    ("city", night::city),
    ("lanterns", night::lanterns),
    ("fireworks", night::fireworks),
    ("bokeh", night::bokeh),
    ("moon", night::moon),
    ("flowers", plants::flowers),
    ("flowers", plants::flowers),
    ("leaves", plants::leaves),
    ("mushrooms", plants::mushrooms),
    ("aquarium", aquarium::aquarium),
    ("butterflies", animals::butterflies),
    ("owl", animals::owl),
    ("snails", animals::snails),
    ("herd", animals::herd),
    ("bees", animals::bees),
    ("table", still_life::table_scene),
    ("table", still_life::table_scene),
    ("fruit", still_life::fruit_scene),
    ("shelves", still_life::shelves),
    ("room", still_life::room),
    ("quilt", surfaces::quilt),
    ("fabrics", surfaces::fabrics),
    ("wall piece", surfaces::wall_piece),
    ("floor", surfaces::floor),
    ("logs", surfaces::logs),
    ("roof", surfaces::roof),
    ("fence", surfaces::fence),
    ("ripples", surfaces::ripples),
    ("shingle", surfaces::shingle),
    ("collection", flat_lay::collection),
    ("pencils", flat_lay::pencils),
    ("wheels", fair::wheels),
    ("fair", fair::fair),
    ("garden", flat_lay::garden),
    ("camp", travel::camp),
    ("pyramids", travel::pyramids),
    ("beach huts", travel::beach_huts),
    ("laundry", travel::laundry),
    ("train", travel::train),
    ("stained glass", travel::stained_glass),
];

/// The name of a scene's kind, e.g. `seaside`.
pub fn kind(number: usize) -> &'static str {
    GENRES[number % GENRES.len()].0
}

/// The names of all kinds, each once.
pub fn kinds() -> Vec<&'static str> {
    let mut names: Vec<&str> = GENRES.iter().map(|(name, _)| *name).collect();
    names.dedup();
    names
}

/// The scene with this number.
pub fn paint(seed: u64, number: usize) -> Picture {
    paint_area(seed, number, Area::WHOLE)
}

/// An area of the scene with this number, in less time than the whole. The rest may be black.
fn paint_area(seed: u64, number: usize, area: Area) -> Picture {
    let dice = Dice::new(seed, "scene", number as u64);
    let palette = random_palette(&dice);
    let light = light_from(dice.range(0.1, 0.4));
    let mut scene = Scene { canvas: Canvas::new(area), dice, palette, light };
    (GENRES[number % GENRES.len()].1)(&mut scene);
    let Scene { canvas, dice, .. } = scene;
    if canvas.lacks() {
        return paint(seed, number);
    }
    let warmth = dice.range(-0.05, 0.05);
    let exposure = dice.range(0.92, 1.08);
    let tint = Rgb(exposure + warmth, exposure, exposure - warmth);
    canvas.develop(tint, dice.range(0.0, 0.5), dice.range(0.0, 0.05), dice.seed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inlay::{Corner, Patch};
    use crate::picture::SIDE;
    use std::collections::HashSet;

    #[test]
    fn scenes_repeat_and_differ() {
        assert_eq!(paint(1, 5), paint(1, 5));
        let scenes: Vec<Picture> = (0..GENRES.len()).map(|number| paint(1, number)).collect();
        let distinct: HashSet<&[u8]> = scenes.iter().map(Picture::bytes).collect();
        assert_eq!(distinct.len(), GENRES.len());
        assert_ne!(paint(1, 5), paint(2, 5));
        assert_ne!(paint(1, 5), paint(1, 5 + GENRES.len()));
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        let names = kinds();
        assert_eq!(names.len(), 50);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 50);
        assert_eq!((kind(1), kind(53), kind(17), kind(18)), ("seaside", "seaside", "flowers", "flowers"));
    }

    #[test]
    fn an_area_is_painted_as_in_the_whole_scene() {
        for number in 0..3 * GENRES.len() {
            let (left, top) = (number * 7 % 100, number * 13 % 130);
            let area = Area { left, top, right: left + 60, bottom: top + 90 };
            let (whole, part) = (paint(2, number), paint_area(2, number, area));
            for y in area.top..area.bottom {
                for x in area.left..area.right {
                    assert_eq!(part.pixel(x, y), whole.pixel(x, y), "{}, {number} at {x},{y}", kind(number));
                }
            }
        }
    }

    #[test]
    fn no_genre_leaves_the_picture_plain() {
        for number in 0..2 * GENRES.len() {
            let scene = paint(3, number);
            let whole = Patch { side: SIDE, ..Patch::STUDY };
            assert!(
                scene.deviation(whole.spans(Corner { x: 0, y: 0 })) > 0.02,
                "scene {number} is nearly plain"
            );
        }
    }
}
