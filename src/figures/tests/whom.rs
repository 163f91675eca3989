//! Tests of the people whom figures count: crowd and experts separately, and conditions with few people.

use super::*;
use crate::domain::study::Group;

#[test]
fn figures_of_the_crowd_say_so_if_experts_took_part() {
    let says_so = |figures: Vec<Figure>| -> Vec<&str> {
        figures
            .into_iter()
            .filter(|figure| figure.caption.ends_with("Crowd only."))
            .map(|figure| figure.name)
            .collect()
    };
    let of_the_crowd = [
        "tests",
        "pairs",
        "confidence",
        "accuracy-by-confidence",
        "units",
        "image-sets",
        "kappa",
        "difficulty",
        "rho",
        "criteria",
        "postings",
        "practice",
    ];
    assert_eq!(says_so(TestStudy::small().figures()), of_the_crowd);
    let mut none_kept = TestStudy::small();
    none_kept.answers.retain(|answer| answer.group == Group::Crowd);
    assert_eq!(says_so(none_kept.figures()), of_the_crowd, "experts took part, though none is kept");
    let crowd = TestStudy { people: none_kept.crowd(), ..none_kept };
    assert!(says_so(crowd.figures()).is_empty());
}

#[test]
fn experts_are_in_no_number_of_the_crowd() {
    let with = TestStudy::small();
    let mut without = TestStudy { people: with.crowd(), ..TestStudy::small() };
    without.answers.retain(|answer| answer.group == Group::Crowd);
    let (with, without) = (with.all_figures(), without.all_figures());
    let mut apart = Vec::new();
    for (with, without) in with.iter().zip(&without) {
        let rows = with.table.rows.iter().zip(&without.table.rows);
        let in_front = rows.clone().all(|(with, without)| with.starts_with(without));
        assert!(in_front, "{}: {} and {}", with.name, with.table.to_csv(), without.table.to_csv());
        if with.table != without.table {
            apart.push(with.name);
        }
    }
    assert_eq!(apart, ["accuracy", "reaction-time", "exclusion", "flow"], "experts have their own columns");
    let exclusion = named(&with, "exclusion");
    let csv = exclusion.table.to_csv();
    assert!(csv.lines().next().unwrap().ends_with(",Experts who fail it"), "{csv}");
    assert!(
        exclusion.caption.starts_with("3 people of the crowd completed; 2 pass"),
        "{}",
        exclusion.caption
    );
    let judged = "Experts are in the last column only: 1 completed, and 1 pass, judged by no criterion.";
    assert!(exclusion.caption.ends_with(judged), "{}", exclusion.caption);
}

/// A study of two conditions with the given numbers of people, all on one unit.
fn of_sizes(first: u128, second: u128) -> TestStudy {
    let people = (1..=first).map(|n| (n, "natural")).chain((101..=100 + second).map(|n| (n, "none")));
    let answers = people.flat_map(|(n, condition)| (0..4).map(move |unit| (n, condition, unit)));
    let answers = answers.map(|(n, condition, unit)| MainAnswer {
        group: Group::Crowd,
        image_set: 0,
        ..answer(n, condition, unit)
    });
    let (answers, conditions) = (answers.collect(), ["natural", "none"].map(str::to_owned).to_vec());
    TestStudy { titles: conditions.clone(), conditions, people: Vec::new(), answers, ..TestStudy::small() }
}

#[test]
fn few_people_have_no_intervals_or_a_caption_with_a_warning() {
    let intervals =
        ["2 SEM", "2 SEM (s)", "natural: 2 SEM", "Bootstrap low", "Bootstrap high", "2 SEM × 100"];
    let intervals = [&intervals[..], &["Bootstrap low × 100", "Bootstrap high × 100"]].concat();
    for (people, has_intervals, is_few) in
        [(0, false, false), (1, false, true), (2, true, true), (4, true, true), (5, true, false)]
    {
        let study = of_sizes(people, 6);
        for figure in study.figures() {
            let Table { header, rows } = &figure.table;
            let own = |row: &&Vec<TableCell>| {
                let titled = row.iter().any(|cell| *cell == "natural".into());
                titled || header.contains(&"natural: 2 SEM".to_owned())
            };
            let cells = rows.iter().filter(own).flat_map(|row| header.iter().zip(row));
            let of_intervals = cells.filter(|(name, _)| intervals.contains(&name.as_str()));
            let is_given = |(_, cell): (&String, &TableCell)| !matches!(cell, TableCell::Number(None, _));
            let some = of_intervals.clone().any(is_given);
            if of_intervals.count() > 0 {
                assert_eq!(some, has_intervals, "{people}, {}: {}", figure.name, figure.table.to_csv());
            }
            let says_so = figure.caption.contains(&format!("Few people: natural {people}."));
            let of_results = !["exclusion", "criteria", "postings", "practice"].contains(&figure.name);
            assert_eq!(says_so, is_few && of_results, "{people}, {}: {}", figure.name, figure.caption);
        }
        let pairs = named(&study.figures(), "pairs").table.to_csv();
        assert_eq!(pairs.contains("fewer than 5 people"), people < 5, "{pairs}");
    }
}

#[test]
fn with_letters_for_conditions_no_text_reveals_which_has_few_people() {
    let figures = of_sizes(2, 6).blinded().figures();
    let accuracy = &named(&figures, "accuracy").caption;
    assert!(accuracy.contains("Some conditions have fewer than 5 people"), "{accuracy}");
    assert!(figures.iter().all(|figure| !figure.caption.contains("Few people:")));
    assert!(!named(&figures, "pairs").table.to_csv().contains("fewer than"));
}

#[test]
fn pairs_beside_an_overall_test_that_supports_no_difference_say_so() {
    let pairs = |study: &TestStudy| named(&study.figures(), "pairs").clone();
    let alike = pairs(&of_sizes(6, 6));
    assert!(alike.caption.contains("The overall test does not support differences (Kruskal-Wallis, p = "));
    assert!(
        alike.table.to_csv().contains(",\"exploratory: Kruskal-Wallis, p = "),
        "{}",
        alike.table.to_csv()
    );
    let mut apart = of_sizes(6, 6);
    apart
        .answers
        .iter_mut()
        .for_each(|answer| answer.correct = answer.condition == "natural" || answer.unit == "u<1");
    apart.answers[0].correct = false;
    let apart = pairs(&apart);
    assert!(!apart.caption.contains("exploratory") && !apart.table.to_csv().contains("exploratory"));
}
