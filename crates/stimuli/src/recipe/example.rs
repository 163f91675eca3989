//! A small recipe for tests: two units are studied, with two image sets each.

use super::{Foil, ImageSet, Recipe, Reference, Role, UnitRecipe, VERSION};
use crate::inlay::{Corner, Patch};
use crate::occlusion::Occlusion;

/// The recipe. Images of the pool are numbers, and no image occurs twice.
pub fn recipe() -> Recipe {
    let mut next = 0;
    let mut unit = |channel: usize, role: Role, sets: usize| {
        let name = format!("one-3x3-{channel}");
        let synthetic = |count: usize| (1..=count).map(|i| format!("{name}-{i}of{count}.webp")).collect();
        let sets = (0..sets).map(|number| image_set(number, &mut next)).collect();
        UnitRecipe {
            layer: "one".into(),
            branch: "3x3".into(),
            channel: channel.to_string(),
            role,
            likes: String::new(),
            sets,
            synthetic: synthetic(9),
            mixed: synthetic(4),
            foil: None,
        }
    };
    let mut units = vec![
        unit(0, Role::Main, 2),
        unit(1, Role::Main, 2),
        unit(2, Role::Catch, 1),
        unit(3, Role::Obvious, 1),
        unit(4, Role::Easy, 1),
        unit(5, Role::Instruction, 1),
    ];
    let occlusion = Occlusion { corner: Corner { x: 60, y: 30 }, response: 0.25 };
    units[2].foil = Some(Foil { image: "300".into(), occlusion });
    Recipe { version: VERSION, patch: Patch::STUDY, search: "exhaustive".into(), seed: 7, units }
}

fn image_set(number: usize, next: &mut usize) -> ImageSet {
    let mut image = || {
        *next += 1;
        next.to_string()
    };
    let at = |x: usize, y: usize, response: f64| Occlusion { corner: Corner { x, y }, response };
    ImageSet {
        number,
        base: image(),
        base_response: 3.0,
        max: at(20, 40, 2.5),
        min: at(110, 100, 1.5),
        references: (0..9)
            .map(|i| Reference { image: image(), window: Corner { x: 10 * i, y: 100 - 10 * i } })
            .collect(),
    }
}
