//! Shows whether conditions differ, in tables without drawings.

use super::{Figure, Input, Table, TableCell};
use crate::domain::results::{FEW, PairDifference};
use crate::domain::stats::{REPLICATES, SEED, Test};

/// The tests over all conditions.
pub fn tests(input: &Input<'_>) -> Figure {
    let differences = &input.results.differences;
    let mut table = Table::new(&["Test", "Of", "Left out", "Statistic", "df", "p"]);
    let mut row = |name: &str, of: String, left_out: usize, test: Option<Test>| {
        table.push(vec![
            name.into(),
            of.into(),
            TableCell::count(left_out),
            TableCell::Number(test.map(|test| test.statistic), 3),
            TableCell::Number(test.map(|test| test.df), 0),
            TableCell::P(test.map(|test| test.p)),
        ]);
    };
    let people: usize = input.results.crowd.iter().map(|condition| condition.people).sum();
    row("Kruskal-Wallis H", format!("accuracies of {people} people"), 0, differences.kruskal_wallis);
    let (units, left_out) = (differences.units, differences.units_left_out);
    row("Friedman χ²", format!("mean accuracies of {units} units"), left_out, differences.friedman);
    let left_out = match left_out {
        0 => String::new(),
        n => format!(" Units left out, because a condition has no answer for them: {n}."),
    };
    Figure {
        name: "tests",
        title: "Do conditions differ?",
        caption: format!(
            "Kruskal-Wallis over people’s accuracies; Friedman over the units’ mean accuracies, since every condition shows the \
             same units. Both are corrected for ties.{left_out}"
        ),
        svg: None,
        table,
    }
}

/// Every pair of conditions.
pub fn pairs(input: &Input<'_>) -> Figure {
    let header = [
        "First",
        "Second",
        "Difference in accuracy",
        "Bootstrap low",
        "Bootstrap high",
        "t (Conover-Iman)",
        "p",
        "p (Holm)",
        "Caution",
    ];
    let differences = &input.results.differences;
    let mut table = Table::new(&header);
    for pair in &differences.pairs {
        let title = |at: usize| TableCell::from(input.labels[at].title.clone());
        table.push(vec![
            title(pair.comparison.first),
            title(pair.comparison.second),
            TableCell::Number(pair.difference, 3),
            TableCell::Number(pair.interval.map(|interval| interval.low), 3),
            TableCell::Number(pair.interval.map(|interval| interval.high), 3),
            TableCell::Number(pair.comparison.test.map(|test| test.statistic), 3),
            TableCell::P(pair.comparison.test.map(|test| test.p)),
            TableCell::P(pair.comparison.p_holm),
            caution(input, pair).into(),
        ]);
    }
    let overall = match differences.are_found() {
        true => String::new(),
        false => format!(
            " The overall test does not support differences ({}): read the pairs as exploratory.",
            overall(input)
        ),
    };
    Figure {
        name: "pairs",
        title: "Which conditions differ?",
        caption: format!(
            "Accuracy of the first condition minus that of the second; the central 95 % of {REPLICATES} bootstrap resamples of \
             people within conditions (seed {SEED}); Conover-Iman on the ranks of all people’s accuracies, two-sided, with \
             Holm’s correction over all pairs.{overall}"
        ),
        svg: None,
        table,
    }
}

/// The result of the test over all conditions.
fn overall(input: &Input<'_>) -> String {
    match input.results.differences.kruskal_wallis {
        Some(test) => format!("Kruskal-Wallis, p = {}", TableCell::P(Some(test.p)).shown()),
        None => "Kruskal-Wallis is undefined".into(),
    }
}

/// A caution for the reader of a pair. It does not reveal how many people a letter stands for.
fn caution(input: &Input<'_>, pair: &PairDifference) -> String {
    let people = |at: usize| input.results.crowd[at].people;
    let is_few = people(pair.comparison.first).min(people(pair.comparison.second)) < FEW;
    let exploratory = (pair.comparison.test.is_some() && !input.results.differences.are_found())
        .then(|| format!("exploratory: {}", overall(input)));
    let few = (is_few && !input.blinded).then(|| format!("fewer than {FEW} people in a condition"));
    [exploratory, few].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
