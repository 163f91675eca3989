//! A small study, worked by hand.

use uuid::Uuid;

use super::*;

/// A person's answers as (correct, confidence) on units u0, u1, ...
fn person(n: u128, condition: &str, image_set: i32, answers: &[(u8, u8)]) -> Vec<MainAnswer> {
    let answer = |(unit, (correct, confidence)): (usize, &(u8, u8))| MainAnswer {
        person: Uuid::from_u128(n),
        group: Group::Crowd,
        condition: condition.into(),
        image_set,
        unit: format!("u{unit}"),
        layer: format!("layer{unit}"),
        branch: "3x3".into(),
        correct: *correct == 1,
        confidence: *confidence,
        rt: Some(1000.0 * (n as f64) + 100.0 * unit as f64),
        difference: (unit != 3).then_some(unit as f64),
        baselines: [Some(true), Some(unit < 2), Some(unit != 0), None],
    };
    answers.iter().enumerate().map(answer).collect()
}

fn conditions() -> Vec<String> {
    vec!["natural".into(), "none".into(), "empty".into()]
}

fn study() -> Vec<MainAnswer> {
    [
        person(1, "natural", 0, &[(1, 3), (1, 3), (1, 2), (0, 1)]),
        person(2, "natural", 0, &[(1, 3), (1, 1), (0, 2), (0, 1)]),
        // Always right: kappa with another such person would be undefined.
        person(3, "natural", 1, &[(1, 3), (1, 3), (1, 3), (1, 3)]),
        person(4, "none", 0, &[(0, 1), (1, 1), (0, 1), (0, 1)]),
        person(5, "none", 1, &[(1, 2), (1, 2), (1, 2), (1, 2)]),
    ]
    .concat()
}

fn close(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 1e-12)
}

#[test]
fn accuracy_is_pooled_and_its_bar_is_over_people() {
    let results = Results::new(&study(), &conditions(), 3);
    let natural = &results.crowd[0];
    // 3 + 2 + 4 of 12; means 0.75, 0.5, 1: variance 1/24, over 3 people.
    assert!(close(natural.accuracy.value, 0.75) && close(natural.accuracy.bar, 2.0 * (1.0f64 / 72.0).sqrt()));
    assert_eq!((natural.people, natural.accuracy.trials), (3, 12));
    // Reaction times 1000, 1100, 1200, 1300 and so on.
    assert!(close(natural.rt.value, 2150.0));
    assert!(close(natural.rt.bar, 2.0 * (2.0e6f64 / 3.0 / 3.0).sqrt()));
}

#[test]
fn an_empty_condition_has_no_numbers() {
    let results = Results::new(&study(), &conditions(), 3);
    let empty = &results.crowd[2];
    assert_eq!((empty.people, empty.accuracy.value, empty.rt.bar), (0, None, None));
    assert_eq!(empty.confidence[0].value, None);
    assert_eq!((results.experts.is_none(), results.difficulty.rho[2]), (true, None));
    assert_eq!(results.differences.intervals[2], None);
    let nobody = Results::new(&[], &conditions(), 3);
    assert_eq!((nobody.differences.kruskal_wallis, nobody.differences.friedman), (None, None));
    assert!(nobody.units.is_empty() && nobody.agreement.cells.iter().flatten().all(|cell| cell.pairs == 0));
}

#[test]
fn confidence_is_shared_out_among_all_right_and_wrong_answers() {
    let results = Results::new(&study(), &conditions(), 3);
    let natural = &results.crowd[0];
    let values = |measures: &[Measure]| measures.iter().map(|m| m.value.unwrap()).collect::<Vec<_>>();
    assert_eq!(values(&natural.confidence), [3.0 / 12.0, 2.0 / 12.0, 7.0 / 12.0]);
    assert_eq!(values(&natural.confidence_if_correct), [1.0 / 9.0, 1.0 / 9.0, 7.0 / 9.0]);
    assert_eq!(values(&natural.confidence_if_wrong), [2.0 / 3.0, 1.0 / 3.0, 0.0]);
    assert_eq!(values(&natural.accuracy_by_confidence), [1.0 / 3.0, 0.5, 1.0]);
    // Person 3 was never wrong, and never unsure.
    let wrong = natural.confidence_if_wrong[0];
    assert_eq!((wrong.people, wrong.left_out, wrong.trials), (2, 1, 3));
    // Own shares 1 and 1/2: variance 1/16, over 2 people.
    assert!(close(wrong.bar, 2.0 * (1.0f64 / 32.0).sqrt()));
    let unsure = results.crowd[1].accuracy_by_confidence[0];
    assert_eq!((unsure.people, unsure.left_out, unsure.bar), (1, 1, None), "one person makes no bar");
}

#[test]
fn experts_stand_beside_the_crowd_and_are_not_mixed_with_it() {
    let mut answers = study();
    let expert = person(9, "none", 0, &[(1, 3), (1, 3), (1, 3), (0, 3)]);
    answers.extend(expert.into_iter().map(|answer| MainAnswer { group: Group::Expert, ..answer }));
    let results = Results::new(&answers, &conditions(), 3);
    assert_eq!(results.crowd, Results::new(&study(), &conditions(), 3).crowd);
    let experts = results.experts.unwrap();
    assert_eq!((experts[0].people, experts[1].accuracy.value), (0, Some(0.75)));
}

#[test]
fn units_are_measured_with_all_sets_and_in_each() {
    let results = Results::new(&study(), &conditions(), 3);
    let u2 = results.units.iter().find(|unit| unit.unit == "u2").unwrap();
    assert_eq!((u2.layer.as_str(), u2.image_set), ("layer2", None));
    assert!(close(u2.accuracy[0].value, 2.0 / 3.0) && close(u2.accuracy[1].value, 0.5));
    let in_set_0 = |unit: &&UnitResults| unit.unit == "u2" && unit.image_set == Some(0);
    let in_set_0 = results.image_sets.iter().find(in_set_0).unwrap();
    assert!(close(in_set_0.accuracy[0].value, 0.5) && close(in_set_0.accuracy[1].value, 0.0));
    assert_eq!((results.units.len(), results.image_sets.len()), (4, 8));
}

#[test]
fn kappa_is_the_mean_over_pairs_of_one_image_set() {
    let results = Results::new(&study(), &conditions(), 3);
    let cells = &results.agreement.cells;
    // Within natural only 1 and 2 share a set: po = 3/4, p = 3/4, q = 1/2, pe = 1/2.
    assert!(close(cells[0][0].mean, 0.5) && cells[0][0].pairs == 1 && cells[0][0].bar.is_none());
    // Natural x none: 1 x 4 (po = 1/2, p = 3/4, q = 1/4, pe = 3/8: 1/5), 2 x 4 (po = 3/4, pe = 1/2: 1/2), 3 x 5 undefined.
    let across = cells[0][1];
    assert_eq!((across.pairs, across.undefined), (2, 1));
    assert!(close(across.mean, 0.35) && close(across.bar, 2.0 * (0.15f64 * 0.15 / 2.0).sqrt()));
    assert_eq!(cells[1][0], across);
    // Nobody shares a set within none, and nobody is in the empty condition.
    assert_eq!((cells[1][1].pairs, cells[1][1].mean, cells[0][2].pairs), (0, None, 0));
}

#[test]
fn kappa_with_baselines_needs_their_decisions() {
    let results = Results::new(&study(), &conditions(), 3);
    let cells = &results.agreement.cells;
    let (center, variance, saliency, object) = (3, 4, 5, 6);
    // Center is always right: person 3 is undefined with it, the others agree by chance.
    assert_eq!(
        (cells[0][center].mean, cells[0][center].pairs, cells[0][center].undefined),
        (Some(0.0), 2, 1)
    );
    // Variance is right on u0, u1: person 1 1/2, person 2 1, person 3 0.
    assert!(close(cells[0][variance].mean, 0.5) && cells[0][variance].pairs == 3);
    assert_eq!(cells[0][object], Cell::default(), "its decisions are not known");
    // Variance x saliency: po = 1/4, p = 1/2, q = 3/4, pe = 1/2; the same in both sets.
    assert!(close(cells[variance][saliency].mean, -0.5) && cells[variance][saliency].pairs == 2);
    assert_eq!(cells[variance][saliency].interval, None, "nobody is drawn");
    assert_eq!(cells[center][center], Cell::default());
}

#[test]
fn the_bootstrap_of_kappa_contains_its_mean() {
    let results = Results::new(&study(), &conditions(), 3);
    let across = results.agreement.cells[0][1];
    let interval = across.interval.unwrap();
    assert_eq!((interval.low, interval.high), (0.2, 0.5), "two pairs with one value each");
}

#[test]
fn difficulty_leaves_out_what_has_no_difference() {
    let difficulty = Results::new(&study(), &conditions(), 3).difficulty;
    // u3 has none: 2 conditions x 2 sets.
    assert_eq!((difficulty.points.len(), difficulty.left_out), (12, 4));
    let point =
        difficulty.points.iter().find(|p| (p.condition, p.image_set, p.unit.as_str()) == (0, 0, "u2"));
    let point = point.unwrap();
    assert_eq!((point.difference, point.accuracy, point.people), (2.0, 0.5, 2));
    // Natural: accuracies 1, 1, 1/2 in set 0 and 1, 1, 1 in set 1 for differences 0, 1, 2; scipy.stats.spearmanr.
    assert!(close(difficulty.rho[0], -0.547_722_557_505_166_1), "{:?}", difficulty.rho);
    assert!(difficulty.pooled.is_some());
}

#[test]
fn differences_are_tested_on_people_and_on_matched_units() {
    let differences = Results::new(&study(), &conditions(), 3).differences;
    // scipy.stats.kruskal([0.75, 0.5, 1], [0.25, 1]).
    let test = differences.kruskal_wallis.unwrap();
    assert!(
        (test.statistic - 0.087_719_298_245_612_8).abs() < 1e-12
            && (test.p - 0.767_096_868_410_278_9).abs() < 1e-9
    );
    assert_eq!((differences.pairs.len(), differences.units, differences.units_left_out), (3, 4, 0));
    let pair = &differences.pairs[0];
    assert!(close(pair.difference, 0.75 - 0.625) && pair.interval.unwrap().low < pair.interval.unwrap().high);
    assert_eq!((differences.pairs[1].difference, differences.pairs[1].comparison.test), (None, None));
    // Unit means: natural 1, 1, 2/3, 1/3; none 1/2, 1, 1/2, 1/2: ranks 2 1 | 1.5 1.5 | 2 1 | 1 2.
    let friedman = differences.friedman.unwrap();
    assert!(close(Some(friedman.statistic), 1.0 / 3.0), "{friedman:?}");
    let interval = differences.intervals[0].unwrap();
    assert!(interval.low < 0.75 && interval.high > 0.75);
}
