//! Tests of the models' distributions, on many draws.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;

const BUTTONS: Buttons = Buttons { levels: 3 };

fn observer(behaviour: Behaviour, sees_references: bool) -> Observer {
    Observer { behaviour, condition: "natural".into(), sees_references, abilities: Arc::default() }
}

/// Shares of (correct, confidence 3 if correct, confidence 3 if wrong) in many trials of one unit.
fn shares(observer: &Observer, kind: TrialKind, unit: &str) -> [f64; 3] {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let n = 20_000;
    let (mut correct, mut sure) = (0.0, [0.0; 2]);
    for n in 0..n {
        let max_side = if n % 2 == 0 { Side::Left } else { Side::Right };
        let act = observer.act(Sight { kind, unit, max_side }, BUTTONS, &mut rng);
        let press = BUTTONS.press(act.response).unwrap();
        let right = press.side == max_side;
        correct += f64::from(u8::from(right));
        sure[usize::from(!right)] += f64::from(u8::from(press.confidence == 3));
    }
    let n = f64::from(n);
    [correct / n, sure[0] / correct, sure[1] / (n - correct)]
}

fn share_correct(observer: &Observer, kind: TrialKind, unit: &str) -> f64 {
    shares(observer, kind, unit)[0]
}

fn abilities(text: &str) -> Abilities {
    toml::from_str(text).unwrap()
}

#[test]
fn honest_people_have_the_published_accuracy_unless_told_otherwise() {
    let near =
        |observer: &Observer, kind, share: f64| (share_correct(observer, kind, "u") - share).abs() < 0.015;
    assert!(near(&observer(Behaviour::Honest, true), TrialKind::Main, 0.67));
    assert!(near(&observer(Behaviour::Honest, false), TrialKind::Main, 0.60));
    assert!(near(&observer(Behaviour::Honest, true), TrialKind::Catch, 0.95));
    assert!(near(&observer(Behaviour::Reloader, true), TrialKind::Main, 0.67));
    for behaviour in [Behaviour::Careless, Behaviour::Bot, Behaviour::Left] {
        assert!(near(&observer(behaviour, true), TrialKind::Main, 0.5));
        assert!(near(&observer(behaviour, true), TrialKind::Practice, 0.93));
    }
}

#[test]
fn the_most_specific_setting_decides_the_accuracy() {
    let abilities = abilities(
        "accuracy = 0.55
         [units]
         lamp = 0.6
         [conditions.natural]
         accuracy = 0.75
         [conditions.natural.units]
         moth = 0.9",
    );
    let at = |condition, unit| abilities.accuracy(TrialKind::Main, condition, unit, true);
    assert_eq!(at("natural", "moth"), 0.9);
    assert_eq!(at("natural", "lamp"), 0.6);
    assert_eq!(at("natural", "leaf"), 0.75);
    assert_eq!(at("blur", "moth"), 0.55);
    assert_eq!(abilities.accuracy(TrialKind::Catch, "natural", "moth", true), 0.95);
    let observer = Observer { abilities: abilities.into(), ..observer(Behaviour::Honest, true) };
    assert!((share_correct(&observer, TrialKind::Main, "moth") - 0.9).abs() < 0.015);
}

#[test]
fn confidence_follows_accuracy_as_signal_detection_says() {
    use statrs::distribution::{ContinuousCDF, Normal};
    let below = |z: f64| Normal::standard().cdf(z);
    for accuracy in [0.55, 0.7, 0.9] {
        let abilities = Abilities { accuracy: Some(accuracy), ..Abilities::default() };
        let observer = Observer { abilities: abilities.into(), ..observer(Behaviour::Honest, true) };
        let [_, right, wrong] = shares(&observer, TrialKind::Main, "u");
        let mean = strength(accuracy);
        assert!((right - below(mean - 1.2) / accuracy).abs() < 0.02, "{accuracy}: {right}");
        assert!((wrong - below(-mean - 1.2) / (1.0 - accuracy)).abs() < 0.03, "{accuracy}: {wrong}");
        assert!(right > wrong);
    }
    let [_, right, wrong] = shares(&observer(Behaviour::Careless, true), TrialKind::Main, "u");
    assert!((right - wrong).abs() < 0.03, "a person who does not look is equally sure");
}

#[test]
fn left_people_answer_left_after_the_practice() {
    let observer = observer(Behaviour::Left, true);
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for _ in 0..200 {
        let sight = Sight { kind: TrialKind::Main, unit: "u", max_side: Side::Right };
        let act = observer.act(sight, BUTTONS, &mut rng);
        assert!(act.response < 3 && act.rt_ms >= 200.0);
    }
}

#[test]
fn bots_are_faster_than_any_criterion_allows() {
    let observer = observer(Behaviour::Bot, true);
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for _ in 0..1000 {
        assert!(observer.instruction_ms(&mut rng) < 15_000.0);
        let sight = Sight { kind: TrialKind::Main, unit: "u", max_side: Side::Right };
        let act = observer.act(sight, BUTTONS, &mut rng);
        assert!(act.rt_ms + act.continue_ms < 1_500.0);
    }
}

#[test]
fn only_drop_outs_vanish_and_at_any_step() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let gone: std::collections::BTreeSet<_> =
        (0..500).filter_map(|_| observer(Behaviour::DropOut, true).vanishes_after(28, &mut rng)).collect();
    assert_eq!(gone, (0..28).collect());
    assert_eq!(observer(Behaviour::Honest, true).vanishes_after(28, &mut rng), None);
}

#[test]
fn every_button_can_be_pressed() {
    for confidence in 1..=3 {
        for side in [Side::Left, Side::Right] {
            let press = BUTTONS.press(button(side, confidence, BUTTONS)).unwrap();
            assert_eq!((press.side, press.confidence), (side, confidence));
        }
    }
}

#[test]
fn abilities_that_do_not_fit_the_study_are_reported_all_at_once() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (conditions, units) = (names(&["natural", "blur"]), names(&["lamp"]));
    let study = Scope { conditions: &conditions, units: &units, levels: 3 };
    assert_eq!(Abilities::default().problems(&study), [""; 0]);
    let wrong = abilities(
        "accuracy = 1.0
         confidence_criteria = [1.2]
         [units]
         lamp = 0.0
         lmap = 0.5
         [conditions.natrual]
         accuracy = 67
         rt = { mu = 300, sigma = 100, tau = 50 }
         [conditions.natrual.units]
         moth = 0.6",
    );
    let problems = wrong.problems(&study);
    let expected = [
        "`accuracy` is 1: give a share from 0.01 to 0.99",
        "`units.lamp` is 0: give",
        "`conditions.natrual.accuracy` is 67: give",
        "`conditions.natrual.rt`: mu must be at least 200 ms + 3 sigma, here 500, not 300",
        "`confidence_criteria` is [1.2]: with 3 confidence levels give 2, rising",
        "`conditions.natrual`: the study has no such condition, only natural, blur",
        "`units.lmap`: no main trial",
        "`conditions.natrual.units.moth`: no main trial",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
    for unknown in ["acuracy = 0.6", "rt = { mean = 3 }", "[conditions.natural]\nunit = 3"] {
        assert!(toml::from_str::<Abilities>(unknown).is_err(), "{unknown}");
    }
}
