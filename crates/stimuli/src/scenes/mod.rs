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
mod winter;

use canvas::Canvas;
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

/// The genres of scenes. A genre that is listed more often fills more of the pool.
const GENRES: [fn(&mut Scene); 52] = [
    landscape::mountains,
    landscape::seaside,
    landscape::meadow,
    landscape::fields,
    landscape::desert,
    winter::winter,
    trees::forest,
    town::front,
    town::terrace,
    castle::castle,
    castle::arches,
    town::high_rises,
    night::city,
    night::lanterns,
    night::fireworks,
    night::bokeh,
    night::moon,
    plants::flowers,
    plants::flowers,
    plants::leaves,
    plants::mushrooms,
    aquarium::aquarium,
    animals::butterflies,
    animals::owl,
    animals::snails,
    animals::herd,
    animals::bees,
    still_life::table_scene,
    still_life::table_scene,
    still_life::fruit_scene,
    still_life::shelves,
    still_life::room,
    surfaces::quilt,
    surfaces::fabrics,
    surfaces::wall_piece,
    surfaces::floor,
    surfaces::logs,
    surfaces::roof,
    surfaces::fence,
    surfaces::ripples,
    surfaces::shingle,
    flat_lay::collection,
    flat_lay::pencils,
    fair::wheels,
    fair::fair,
    flat_lay::garden,
    travel::camp,
    travel::pyramids,
    travel::beach_huts,
    travel::laundry,
    travel::train,
    travel::stained_glass,
];

/// The scene with this number.
pub fn paint(seed: u64, number: usize) -> Picture {
    let dice = Dice::new(seed, "scene", number as u64);
    let palette = random_palette(&dice);
    let light = light_from(dice.range(0.1, 0.4));
    let mut scene = Scene { canvas: Canvas::new(|_, _| Rgb::BLACK), dice, palette, light };
    GENRES[number % GENRES.len()](&mut scene);
    let Scene { canvas, dice, .. } = scene;
    let warmth = dice.range(-0.05, 0.05);
    let exposure = dice.range(0.92, 1.08);
    let tint = Rgb(exposure + warmth, exposure, exposure - warmth);
    canvas.develop(tint, dice.range(0.0, 0.5), dice.range(0.0, 0.05), dice.seed())
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn no_genre_leaves_the_picture_plain() {
        for number in 0..2 * GENRES.len() {
            let scene = paint(3, number);
            assert!(scene.deviation(0, 0, crate::picture::SIDE) > 0.02, "scene {number} is nearly plain");
        }
    }
}
