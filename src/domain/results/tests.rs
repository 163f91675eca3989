//! Tests of the results with a small study, whose numbers were worked out by hand.

use uuid::Uuid;

use super::*;
use crate::domain::stats::Interval;

/// A person's answers as (correct, confidence) on units u0, u1, ...
fn person(n: u128, condition: &str, image_set: i32, answers: &[(u8, u8)]) -> Vec<MainAnswer> {
    let answer = |(unit, (correct, confidence)): (usize, &(u8, u8))| MainAnswer {
        person: Uuid::from_u128(n),
        group: Group::Crowd,
        condition: condition.into(),
        image_set,
        place: unit as i64,
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
        // Always right, so kappa with another such person would be undefined.
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
    assert_eq!((results.experts.is_none(), results.difficulty.by_condition[2].rho), (true, None));
    assert_eq!(results.differences.intervals[2], None);
    let empty = Results::new(&[], &conditions(), 3);
    assert_eq!((empty.differences.kruskal_wallis, empty.differences.friedman), (None, None));
    assert!(empty.units.is_empty() && empty.agreement.cells.iter().flatten().all(|cell| cell.pairs == 0));
}

#[test]
fn shares_of_confidence_are_over_all_right_and_wrong_answers() {
    let results = Results::new(&study(), &conditions(), 3);
    let natural = &results.crowd[0];
    let values = |measures: &[MeanWithError]| measures.iter().map(|m| m.value.unwrap()).collect::<Vec<_>>();
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
    assert_eq!((unsure.people, unsure.left_out, unsure.bar), (1, 1, None), "one person has no error bar");
}

#[test]
fn experts_have_results_of_their_own() {
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
    // No two people share a set within none, and the empty condition has no people.
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
    assert_eq!(cells[variance][saliency].interval, None, "no person is drawn");
    assert_eq!(cells[center][center], Cell::default());
}

#[test]
fn the_bootstrap_of_kappa_is_over_people_as_enumerated() {
    let results = Results::new(&study(), &conditions(), 3);
    let cells = &results.agreement.cells;
    let interval = |a: usize, b: usize| cells[a][b].interval.map(|interval| (interval.low, interval.high));
    assert_eq!(interval(0, 1), Some((0.2, 0.5)), "two pairs with one value each");
    // Person by baseline: 3.7 % of the 27 resamples have one person only, at either end.
    let (center, variance, saliency) = (3, 4, 5);
    assert_eq!((interval(0, center), interval(0, variance)), (Some((0.0, 0.0)), Some((0.0, 1.0))));
    assert_eq!(interval(0, saliency), Some((-0.5, 0.0)));
    // Within a condition: 14 of 252 resamples with a pair are -1/2, 42 are 1/2. Pairs of a person with themselves would be 1.
    let answers = [
        person(1, "natural", 0, &[(1, 1), (1, 1), (1, 1), (0, 1)]),
        person(2, "natural", 0, &[(1, 1), (1, 1), (0, 1), (0, 1)]),
        person(3, "natural", 0, &[(0, 1), (1, 1), (0, 1), (0, 1)]),
        person(4, "natural", 0, &[(1, 1), (0, 1), (1, 1), (0, 1)]),
    ];
    let within = Results::new(&answers.concat(), &conditions(), 3).agreement.cells[0][0];
    assert!(close(within.mean, 0.2) && within.pairs == 6, "{within:?}");
    let interval = within.interval.unwrap();
    assert!(close(Some(interval.low), -0.5) && close(Some(interval.high), 0.5), "{interval:?}");
}

#[test]
fn difficulty_leaves_out_trials_without_a_difference() {
    let difficulty = Results::new(&study(), &conditions(), 3).difficulty;
    // u3 has none: 2 conditions x 2 sets.
    assert_eq!((difficulty.points.len(), difficulty.pooled.points, difficulty.pooled.left_out), (12, 12, 4));
    let counts = difficulty.by_condition.iter().map(|of| (of.points, of.left_out));
    assert_eq!(counts.collect::<Vec<_>>(), [(6, 2), (6, 2), (0, 0)]);
    let point =
        difficulty.points.iter().find(|p| (p.condition, p.image_set, p.unit.as_str()) == (0, 0, "u2"));
    let point = point.unwrap();
    assert_eq!((point.difference, point.accuracy, point.people), (2.0, 0.5, 2));
    // Natural: accuracies 1, 1, 1/2 in set 0 and 1, 1, 1 in set 1 for differences 0, 1, 2; scipy.stats.spearmanr.
    let rho = |of: Correlation| of.rho;
    assert!(
        close(rho(difficulty.by_condition[0]), -0.547_722_557_505_166_1),
        "{:?}",
        difficulty.by_condition
    );
    // None: 0, 1, 0 in set 0 and 1, 1, 1 in set 1.
    assert!(close(rho(difficulty.by_condition[1]), 0.0), "{:?}", difficulty.by_condition);
    assert!(close(rho(difficulty.pooled), -0.194_624_736_040_380_77), "{:?}", difficulty.pooled);
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
    assert!(close(pair.difference, 0.75 - 0.625));
    // All 27 x 4 resamples, enumerated: at most -5/12 in 4 of 108, at most -1/2 in 1; symmetric at the other end.
    let interval = pair.interval.unwrap();
    assert!(close(Some(interval.low), -5.0 / 12.0) && close(Some(interval.high), 2.0 / 3.0), "{interval:?}");
    assert_eq!((differences.pairs[1].difference, differences.pairs[1].comparison.test), (None, None));
    // Unit means: natural 1, 1, 2/3, 1/3; none 1/2, 1, 1/2, 1/2: ranks 2 1 | 1.5 1.5 | 2 1 | 1 2.
    let friedman = differences.friedman.unwrap();
    assert!(close(Some(friedman.statistic), 1.0 / 3.0), "{friedman:?}");
    // Of the 27 resamples one is 1/2 throughout and one 1 throughout: 3.7 % at each end.
    assert_eq!(differences.intervals[0], Some(Interval { low: 0.5, high: 1.0 }));
    assert_eq!(differences.intervals[1], Some(Interval { low: 0.25, high: 1.0 }));
}

#[test]
fn a_unit_without_an_answer_in_one_condition_is_left_out_of_friedmans_test_only() {
    let mut answers = study();
    answers.retain(|answer| answer.condition == "natural" || answer.unit != "u3");
    let results = Results::new(&answers, &conditions(), 3);
    let differences = &results.differences;
    assert_eq!((differences.units, differences.units_left_out, results.units.len()), (3, 1, 4));
    // Ranks 2 1 | 1.5 1.5 | 2 1: (2/3 (5.5² + 3.5²) - 27) / (1 - 6/18).
    assert!(close(Some(differences.friedman.unwrap().statistic), 2.0), "{differences:?}");
}

#[test]
fn trials_with_a_hidden_tab_have_no_reaction_time() {
    let mut answers = study();
    let is_hidden = |answer: &MainAnswer| {
        answer.person == Uuid::from_u128(4) || (answer.person == Uuid::from_u128(1) && answer.unit == "u0")
    };
    answers.iter_mut().filter(|answer| is_hidden(answer)).for_each(|answer| answer.rt = None);
    let results = Results::new(&answers, &conditions(), 3);
    let (natural, none) = (results.crowd[0].rt, results.crowd[1].rt);
    // 1100, 1200, 1300; 2000 to 2300; 3000 to 3300.
    assert!(
        close(natural.value, 24_800.0 / 11.0) && (natural.trials, natural.people) == (11, 3),
        "{natural:?}"
    );
    // Own means 1200, 2150, 3150.
    let mean: f64 = 6500.0 / 3.0;
    let squares: f64 = [1200.0, 2150.0, 3150.0].map(|own: f64| (own - mean).powi(2)).iter().sum();
    assert!(close(natural.bar.map(|bar| bar / 1000.0), 2.0 * (squares / 9.0).sqrt() / 1000.0), "{natural:?}");
    assert_eq!((none.value, none.bar, none.people, none.left_out), (Some(5150.0), None, 1, 1));
    assert_eq!(results.crowd[1].accuracy.trials, 8, "their answers count");
}

#[test]
fn an_image_set_may_have_people_in_one_condition_only() {
    let mut answers = study();
    answers.retain(|answer| answer.person != Uuid::from_u128(5));
    let results = Results::new(&answers, &conditions(), 3);
    let in_set_1 = results.image_sets.iter().filter(|unit| unit.image_set == Some(1));
    for unit in in_set_1 {
        assert_eq!(
            (unit.accuracy[0].value, unit.accuracy[1].value, unit.accuracy[1].people),
            (Some(1.0), None, 0)
        );
    }
    assert_eq!(results.image_sets.len(), 8);
    let points = results.difficulty.by_condition.iter().map(|of| (of.points, of.left_out));
    assert_eq!(points.collect::<Vec<_>>(), [(6, 2), (3, 1), (0, 0)]);
    let across = results.agreement.cells[0][1];
    assert_eq!((across.pairs, across.undefined), (2, 0), "person 3 has no one to be compared with");
    assert_eq!((results.differences.units, results.differences.units_left_out), (4, 0));
}

#[test]
fn an_image_set_without_people_gives_no_pair_of_baselines() {
    let mut answers = study();
    answers.retain(|answer| answer.image_set == 0);
    let results = Results::new(&answers, &conditions(), 3);
    let (variance, saliency) = (4, 5);
    let cell = results.agreement.cells[variance][saliency];
    assert_eq!((cell.pairs, cell.undefined, cell.bar), (1, 0, None));
    assert!(close(cell.mean, -0.5));
    assert_eq!((results.image_sets.len(), results.differences.units_left_out), (4, 0));
}

#[test]
fn branches_layers_and_units_have_the_order_of_the_table_of_trials() {
    let table = [
        ("texture-2", "texture", "fine"),
        ("contrast-1", "contrast", "coarse"),
        ("edge-9", "edge", "fine"),
        ("bright-3", "contrast", "fine"),
        ("texture-1", "texture", "fine"),
    ];
    let answer = |(at, (unit, layer, branch)): (usize, &(&str, &str, &str))| MainAnswer {
        place: 100 + at as i64,
        unit: (*unit).into(),
        layer: (*layer).into(),
        branch: (*branch).into(),
        ..person(1, "natural", 3, &[(1, 1)]).remove(0)
    };
    let mut answers: Vec<MainAnswer> = table.iter().enumerate().map(answer).collect();
    answers.reverse();
    // Another image set, whose trials come later in the table and in another order.
    answers.extend(table.iter().rev().enumerate().map(|(at, row)| MainAnswer {
        person: Uuid::from_u128(2),
        image_set: 1,
        ..answer((100 + at, row))
    }));
    let results = Results::new(&answers, &conditions(), 3);
    let units = |units: &[UnitResults]| units.iter().map(|unit| unit.unit.clone()).collect::<Vec<_>>();
    let order = ["texture-2", "texture-1", "bright-3", "edge-9", "contrast-1"];
    assert_eq!(units(&results.units), order);
    assert_eq!(units(&results.image_sets), order.map(|unit| [unit, unit]).concat());
    assert_eq!((results.image_sets[0].image_set, results.image_sets[1].image_set), (Some(1), Some(3)));
}

#[test]
fn a_group_with_fewer_than_two_people_in_a_condition_is_not_shown_by_letter() {
    let of = |answers: &[MainAnswer], conditions: &[String]| {
        in_every_condition(answers.to_vec(), conditions).len()
    };
    let (two, mut answers) = (conditions()[..2].to_vec(), study());
    assert_eq!(
        (of(&answers, &two), of(&answers, &conditions())),
        (20, 0),
        "the empty condition has no people"
    );
    let expert = person(9, "none", 0, &[(1, 3)]).remove(0);
    answers.push(MainAnswer { group: Group::Expert, ..expert });
    assert_eq!(of(&answers, &two), 20, "the crowd stays, the single expert does not");
    answers.retain(|answer| answer.person != Uuid::from_u128(5));
    assert_eq!(of(&answers, &two), 0, "one person is in the other condition");
}

#[test]
fn one_person_has_no_interval_and_neither_has_a_difference_or_an_agreement_with_them() {
    let mut answers = study();
    answers.retain(|answer| answer.person != Uuid::from_u128(5));
    let results = Results::new(&answers, &conditions(), 3);
    let of_pair = &results.differences.pairs[0];
    assert!(close(of_pair.difference, 0.75 - 0.25), "the difference itself stays");
    assert_eq!((of_pair.interval, results.differences.intervals[1]), (None, None));
    assert!(results.differences.intervals[0].is_some());
    assert_eq!((results.crowd[1].accuracy.bar, results.units[0].accuracy[1].bar), (None, None));
    let (natural, none, variance, saliency) = (0, 1, 4, 5);
    let cells = &results.agreement.cells;
    let across = cells[natural][none];
    assert!(across.pairs == 2 && close(across.mean, 0.35), "{across:?}");
    assert_eq!((across.bar, across.interval), (None, None));
    assert_eq!((cells[none][variance].pairs, cells[none][variance].interval), (1, None));
    assert!(cells[natural][variance].interval.is_some() && cells[variance][saliency].bar.is_some());
}

#[test]
fn a_single_pair_of_people_has_no_interval() {
    let of_one_set = study().into_iter().filter(|answer| answer.person != Uuid::from_u128(3));
    let results = Results::new(&of_one_set.collect::<Vec<_>>(), &conditions(), 3);
    let within = results.agreement.cells[0][0];
    assert!(close(within.mean, 0.5) && within.pairs == 1, "{within:?}");
    assert_eq!((within.bar, within.interval), (None, None), "every resample that has the pair is alike");
}

#[test]
fn a_baseline_that_a_trial_does_not_state_makes_no_pair_with_people_who_saw_it() {
    let mut answers = study();
    let unstated = |answer: &&mut MainAnswer| answer.image_set == 0 && answer.unit == "u1";
    answers.iter_mut().filter(unstated).for_each(|answer| answer.baselines = [None; 4]);
    let cells = Results::new(&answers, &conditions(), 3).agreement.cells;
    let (variance, saliency) = (4, 5);
    assert_eq!((cells[0][variance].pairs, cells[variance][saliency].pairs), (1, 1), "only of the other set");
}

#[test]
fn the_overall_test_finds_differences_only_if_its_p_is_small() {
    let found = |p| {
        let kruskal_wallis = Some(crate::domain::stats::Test { statistic: 1.0, df: 1.0, p });
        Differences { kruskal_wallis, ..Results::new(&study(), &conditions(), 3).differences }.are_found()
    };
    assert_eq!((found(0.0499), found(SIGNIFICANCE), found(0.31)), (true, false, false));
    assert!(!Results::new(&[], &conditions(), 3).differences.are_found(), "undefined");
}
