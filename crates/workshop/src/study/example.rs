//! A small result for tests: two units that are studied, one of each other role, and one that failed.

use std::path::Path;

use weber_stimuli::inlay::{Corner, Patch};
use weber_stimuli::occlusion::{Occlusion, Queries};
use weber_stimuli::recipe::{Foil, ImageSet, Recipe, Reference, Role, UnitRecipe, VERSION};

use super::{Candidate, Group, Made, Outcome, StudyUnit, Synthetic, unit_recipe};

const ROLES: [Role; 6] = [Role::Main, Role::Main, Role::Catch, Role::Obvious, Role::Easy, Role::Instruction];

/// The result, with synthetic images of all units. Images of the pool are numbers.
pub fn made() -> (Made, Synthetic) {
    let mut next = 0;
    let (mut units, mut outcomes, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for (channel, role) in ROLES.into_iter().enumerate() {
        let likes = if channel == 0 { "<b>dots</b> & \"stripes\"" } else { "" };
        let unit = StudyUnit { likes: likes.into(), ..StudyUnit::channel("mixed4a/3x3", channel, role) };
        let sets = if role == Role::Main { 2 } else { 1 };
        let chosen: Vec<Candidate> = (0..sets).map(|_| candidate(&mut next)).collect();
        let sets = chosen.iter().enumerate().map(|(number, chosen)| image_set(number, chosen, &mut next));
        let mut recipe = unit_recipe(&unit, sets.collect());
        let names = |count| (1..=count).map(|i| format!("{}-{i}of{count}.jpg", recipe.name())).collect();
        (recipe.synthetic, recipe.mixed) = (names(9), names(4));
        if role == Role::Catch {
            let occlusion = chosen[0].queries.min;
            recipe.foil = Some(Foil { image: "39".into(), occlusion });
        }
        groups.extend([&recipe.synthetic, &recipe.mixed].map(|names| group(&unit, names)));
        outcomes.push(Outcome { unit, failure: None, chosen, one_kind: Some(0.25) });
        units.push(recipe);
    }
    let unit = StudyUnit::channel("mixed4a/3x3", 50, Role::Main);
    let failure = Some("it responds to no image".into());
    outcomes.push(Outcome { unit, failure, chosen: Vec::new(), one_kind: None });
    let made = Made { recipe: recipe(units), outcomes, rules: [0.5, 0.55, 0.7, 0.62], broken: Vec::new() };
    (made, Synthetic::kept(groups, Path::new(".")))
}

fn recipe(units: Vec<UnitRecipe>) -> Recipe {
    Recipe { version: VERSION, patch: Patch::STUDY, search: "coarse".into(), seed: 1, units }
}

fn candidate(next: &mut usize) -> Candidate {
    let at = |x, response| Occlusion { corner: Corner { x, y: 20 }, response };
    *next += 1;
    let queries = Queries { max: at(10, 2.5), min: at(110, 1.5) };
    Candidate { image: *next, base_response: 2.0, queries, rules: [true, false, true, false] }
}

fn image_set(number: usize, chosen: &Candidate, next: &mut usize) -> ImageSet {
    let mut reference = |i: usize| {
        *next += 1;
        Reference { image: (*next % 40).to_string(), window: Corner { x: 10 * i, y: 30 } }
    };
    ImageSet {
        number,
        base: chosen.image.to_string(),
        base_response: chosen.base_response,
        max: chosen.queries.max,
        min: chosen.queries.min,
        references: (0..9).map(&mut reference).collect(),
    }
}

fn group(unit: &StudyUnit, names: &[String]) -> Group {
    Group {
        unit: unit.path(),
        names: names.to_vec(),
        responses: (0..names.len()).map(|i| 2.5 + i as f64).collect(),
        natural: 4.0,
        similarity: 0.5,
        failure: None,
    }
}
