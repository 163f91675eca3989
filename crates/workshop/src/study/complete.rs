//! Makes all conditions show the same units.

use weber_stimuli::recipe::Role;

use super::candidates::Candidate;
use super::{Made, Outcome, Synthetic, balance};

impl Made {
    /// Leaves out units without synthetic images, since each condition must show each unit. If no unit that is studied has any, all
    /// units stay, and there are no trials with synthetic references.
    pub fn complete(&mut self, synthetic: &Synthetic) {
        let studied = |role: Role| role == Role::Main;
        if !self.recipe.units.iter().any(|unit| studied(unit.role) && !unit.synthetic.is_empty()) {
            for unit in &mut self.recipe.units {
                unit.synthetic.clear();
                unit.mixed.clear();
            }
            return;
        }
        // Units of the recipe are the outcomes without failure, in order.
        let used = self.outcomes.iter_mut().filter(|outcome| outcome.failure.is_none());
        for (outcome, unit) in used.zip(&self.recipe.units) {
            if unit.synthetic.is_empty() {
                outcome.failure = Some(reason(&outcome.unit.path(), synthetic));
                outcome.chosen.clear();
            }
        }
        self.recipe.units.retain(|unit| !unit.synthetic.is_empty());
        self.rules = rules(&self.outcomes);
    }
}

fn reason(path: &str, synthetic: &Synthetic) -> String {
    let failure = synthetic.of_unit(path).find_map(|group| group.failure.as_deref()).unwrap_or("unknown");
    format!("it has no synthetic images, unlike other units: {failure}")
}

/// The share of the main trials that each rule answers.
fn rules(outcomes: &[Outcome]) -> [f64; 4] {
    let mains = outcomes.iter().filter(|outcome| outcome.unit.role == Role::Main);
    let chosen: Vec<Vec<Candidate>> = mains.map(|outcome| outcome.chosen.clone()).collect();
    let all = chosen.iter().map(|sets| (0..sets.len()).collect()).collect();
    balance::shares(&chosen, &all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::example;

    #[test]
    fn units_without_synthetic_images_are_left_out_if_others_have_some() {
        let (mut made, mut synthetic) = example::made();
        let lost = made.recipe.units[1].name();
        made.recipe.units[1].synthetic.clear();
        made.recipe.units[1].mixed.clear();
        synthetic.groups[2].failure = Some("no gradient".into());
        made.outcomes[0].chosen.iter_mut().for_each(|candidate| candidate.rules = [true; 4]);
        made.outcomes[1].chosen.iter_mut().for_each(|candidate| candidate.rules = [false; 4]);
        let units = made.recipe.units.len();
        made.complete(&synthetic);
        assert_eq!(made.recipe.units.len(), units - 1);
        assert!(made.recipe.units.iter().all(|unit| unit.name() != lost));
        assert!(made.outcomes[1].failure.as_ref().unwrap().contains("no gradient"));
        assert_eq!(made.rules, [1.0; 4]);
    }

    #[test]
    fn without_any_synthetic_images_all_units_stay() {
        let (mut made, synthetic) = example::made();
        for unit in made.recipe.units.iter_mut().filter(|unit| unit.role == Role::Main) {
            unit.synthetic.clear();
        }
        let units = made.recipe.units.len();
        made.complete(&synthetic);
        assert_eq!(made.recipe.units.len(), units);
        assert!(made.recipe.units.iter().all(|unit| unit.synthetic.is_empty() && unit.mixed.is_empty()));
    }
}
