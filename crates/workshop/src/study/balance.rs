//! Chooses base images so that trials measure what references help, not what a simple rule finds.

use weber_stimuli::dice::Dice;

use super::candidates::{Candidate, RULES};

/// The range within which the share of trials that a rule answers must lie. Below one half, a rule could be turned round.
pub const LOWEST: f64 = 0.50;
pub const HIGHEST: f64 = 0.62;

/// The aim lies inside the range, so that rounding leaves it.
const MARGIN: f64 = 0.005;

/// Random changes that are tried.
const TRIES: usize = 40_000;

/// For each unit the candidates of its image sets, as indices in its list.
pub type Choice = Vec<Vec<usize>>;

/// The share of trials that each rule answers.
pub fn shares(candidates: &[Vec<Candidate>], choice: &Choice) -> [f64; 4] {
    let all: Vec<&Candidate> = choice
        .iter()
        .zip(candidates)
        .flat_map(|(sets, of_unit)| sets.iter().map(|set| &of_unit[*set]))
        .collect();
    let right = |rule: usize| all.iter().filter(|candidate| candidate.rules[rule]).count();
    std::array::from_fn(|rule| right(rule) as f64 / all.len().max(1) as f64)
}

/// The number of pairs of trials of one image set that share a base image: a person would see it twice.
pub fn repeated(candidates: &[Vec<Candidate>], choice: &Choice) -> usize {
    let sets = choice.iter().map(Vec::len).max().unwrap_or(0);
    let of_set = |set: usize| {
        let mut images: Vec<usize> = choice
            .iter()
            .zip(candidates)
            .filter_map(|(sets, of_unit)| sets.get(set).map(|index| of_unit[*index].image))
            .collect();
        let all = images.len();
        images.sort_unstable();
        images.dedup();
        all - images.len()
    };
    (0..sets).map(of_set).sum()
}

/// Takes the weakest of the candidates, in order, as the reference study does.
pub fn first(candidates: &[Vec<Candidate>], sets: usize) -> Choice {
    candidates.iter().map(|of_unit| (0..sets.min(of_unit.len())).collect()).collect()
}

/// How far a choice is from what is wanted; 0 is reached.
fn cost(candidates: &[Vec<Candidate>], choice: &Choice, balance: bool) -> f64 {
    let beyond = |share: f64| (LOWEST + MARGIN - share).max(share - HIGHEST + MARGIN).max(0.0);
    let rules = if balance { shares(candidates, choice).map(beyond).iter().sum() } else { 0.0 };
    rules + 0.1 * repeated(candidates, choice) as f64
}

/// Chooses `sets` candidates of each unit: no person sees a base image twice, and with `balance` the share of trials that each rule
/// answers lies within the range. It starts from [`first`] and changes as little as needed.
pub fn choose(candidates: &[Vec<Candidate>], sets: usize, balance: bool, seed: u64) -> Choice {
    let mut choice = first(candidates, sets);
    let dice = Dice::new(seed, "balance", 0);
    let mut now = cost(candidates, &choice, balance);
    for _ in 0..TRIES {
        if now == 0.0 {
            break;
        }
        let mut next = choice.clone();
        change(&mut next, candidates, &dice);
        let then = cost(candidates, &next, balance);
        // Changes that cost nothing are taken too: they lead out of dead ends.
        if then <= now {
            (choice, now) = (next, then);
        }
    }
    choice
}

/// Replaces a candidate by another of its unit, or exchanges the image sets of two.
fn change(choice: &mut Choice, candidates: &[Vec<Candidate>], dice: &Dice) {
    let unit = dice.below(choice.len());
    let sets = &mut choice[unit];
    if sets.is_empty() {
        return;
    }
    let set = dice.below(sets.len());
    let other = dice.below(candidates[unit].len());
    match sets.iter().position(|index| *index == other) {
        Some(place) => sets.swap(set, place),
        None => sets[set] = other,
    }
}

/// What a balanced choice reached, in words, for each rule that is outside the range.
pub fn faults(shares: [f64; 4]) -> Vec<String> {
    let outside = RULES.iter().zip(shares).filter(|(_, share)| !(LOWEST..=HIGHEST).contains(share));
    outside
        .map(|(rule, share)| {
            format!("the rule {rule} answers {share:.3} of the trials, not {LOWEST:.2} to {HIGHEST:.2}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weber_stimuli::inlay::Corner;
    use weber_stimuli::occlusion::{Occlusion, Queries};

    fn candidate(image: usize, rules: [bool; 4]) -> Candidate {
        let at = |x, response| Occlusion { corner: Corner { x, y: 0 }, response };
        let queries = Queries { max: at(0, 2.0), min: at(90, 1.0) };
        Candidate { image, base_response: 2.0, queries, rules }
    }

    /// 18 units with 20 candidates each. Rules are right in 8 of 10, and neighbours share images.
    fn candidates() -> Vec<Vec<Candidate>> {
        let dice = Dice::new(5, "test", 0);
        (0..18)
            .map(|unit| {
                let rules = || std::array::from_fn(|_| dice.chance(0.78));
                (0..20).map(|i| candidate(unit / 2 * 1_000 + i, rules())).collect()
            })
            .collect()
    }

    #[test]
    fn rules_are_brought_into_the_range_and_no_base_image_repeats() {
        let candidates = candidates();
        let before = first(&candidates, 10);
        assert!(shares(&candidates, &before).iter().all(|share| *share > 0.7));
        assert!(repeated(&candidates, &before) > 50);
        let after = choose(&candidates, 10, true, 1);
        assert_eq!(faults(shares(&candidates, &after)), Vec::<String>::new());
        assert_eq!(repeated(&candidates, &after), 0);
        for sets in &after {
            let mut distinct = sets.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), 10);
        }
        assert_eq!(after, choose(&candidates, 10, true, 1));
    }

    #[test]
    fn without_balance_only_repetitions_change() {
        let candidates = candidates();
        let choice = choose(&candidates, 10, false, 1);
        assert_eq!(repeated(&candidates, &choice), 0);
        assert!(!faults(shares(&candidates, &choice)).is_empty());
    }

    #[test]
    fn rules_outside_the_range_are_named() {
        assert_eq!(faults([0.5, 0.62, 0.6, 0.55]), Vec::<String>::new());
        let found = faults([0.49, 0.63, 0.6, 0.55]);
        assert_eq!(found.len(), 2);
        assert!(found[1].contains("the rule variance answers 0.630"));
    }
}
