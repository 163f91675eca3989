//! Figures of a study: each a drawing as SVG with a table beside it. They know results, and neither database nor HTTP.

mod canvas;
mod conditions;
mod criteria;
mod differences;
mod difficulty;
mod flow;
mod kappa;
mod progress;
mod table;
mod units;

pub use flow::flow;
pub use progress::progress;
pub use table::{Cell, Table};

use crate::domain::exclusion::Criterion;
use crate::domain::results::Results;
use crate::domain::results::quality::Quality;
use crate::domain::workbench::Preview;

/// A condition as figures name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its title, or a letter where which condition it is stays hidden.
    pub title: String,
    /// `#rrggbb`.
    pub colour: String,
}

/// A drawing with its table.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its name in addresses: a-z and hyphens.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// How to read it, and what the numbers are.
    pub caption: String,
    /// The drawing; none where the table says all.
    pub svg: Option<String>,
    /// The numbers.
    pub table: Table,
}

/// What the figures of results are made of.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Conditions, in the order of the results.
    pub labels: &'a [Label],
    /// The results.
    pub results: &'a Results,
    /// What the policy does.
    pub preview: &'a Preview,
    /// Postings and practice.
    pub quality: &'a Quality,
    /// Image sets of the study.
    pub image_sets: u32,
}

/// Every figure of a study's results, in the order of the page.
pub fn of_results(input: &Input<'_>) -> Vec<Figure> {
    let figures = vec![
        conditions::accuracy(input),
        conditions::reaction_time(input),
        differences::tests(input),
        differences::pairs(input),
        conditions::confidence(input),
        conditions::accuracy_by_confidence(input),
        units::by_layer(input),
        units::by_image_set(input),
        kappa::kappa(input),
        difficulty::difficulty(input),
    ];
    figures.into_iter().chain(of_quality(input)).collect()
}

/// The figures about data quality, which need no results.
fn of_quality(input: &Input<'_>) -> [Figure; 4] {
    [
        criteria::exclusion(input),
        criteria::values(input),
        criteria::postings(input),
        criteria::practice(input),
    ]
}

/// A criterion's name and unit.
pub const fn words(criterion: Criterion) -> (&'static str, &'static str) {
    match criterion {
        Criterion::InstructionTime => ("Instruction time", "s"),
        Criterion::TotalTime => ("Total time", "s"),
        Criterion::CatchTrials => ("Catch trials", "share correct"),
        Criterion::AnswerVariability => ("Answer variability", "answers on the rarer side"),
        Criterion::PracticeBlocks => ("Practice blocks", "blocks"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::allocation::Slot;
    use crate::domain::codebook::people::JudgedPerson;
    use crate::domain::consort::Flow;
    use crate::domain::fixture;
    use crate::domain::progress::Progress;
    use crate::domain::results::MainAnswer;
    use crate::domain::study::Group;
    use crate::domain::workbench::preview;

    fn answers() -> Vec<MainAnswer> {
        let answer = |person: u128, condition: &str, unit: u32| MainAnswer {
            person: uuid::Uuid::from_u128(person),
            group: if person == 4 { Group::Expert } else { Group::Crowd },
            condition: condition.into(),
            image_set: (person % 2) as i32,
            unit: format!("u<{unit}"),
            layer: format!("l{unit}"),
            branch: "3x3".into(),
            correct: !(person as u32 + unit).is_multiple_of(3),
            confidence: (1 + unit % 3) as u8,
            rt: Some(1000.0 + 100.0 * f64::from(unit)),
            difference: Some(f64::from(unit) - 1.0),
            baselines: [Some(true), Some(unit == 1), None, None],
        };
        let people = [(1, "natural"), (2, "natural"), (3, "natural"), (4, "natural"), (5, "none")];
        people.iter().flat_map(|(n, condition)| (0..4).map(move |unit| answer(*n, condition, unit))).collect()
    }

    /// All figures of people and answers.
    fn drawn(people: &[JudgedPerson], answers: &[MainAnswer], slots: &[Slot]) -> Vec<Figure> {
        let conditions = ["natural".to_owned(), "none".into(), "empty & odd".into()];
        let labels = conditions.clone().map(|title| Label { title, colour: "#47789e".into() });
        let mut figures = of_results(&Input {
            labels: &labels,
            results: &Results::new(answers, &conditions, 3),
            preview: &preview(people, &conditions),
            quality: &Quality::new(people, slots, &conditions),
            image_sets: 2,
        });
        figures.push(flow(&Flow::new(BTreeMap::new(), people, &conditions), &conditions));
        let definition = fixture::definition();
        let going = Progress::new(people, &definition, &[], fixture::at(100.0));
        figures.extend(progress(&going));
        figures
    }

    fn people() -> Vec<JudgedPerson> {
        let mut failing = fixture::person("natural");
        failing.measures.catch_correct = 0;
        let people = [fixture::person("natural"), failing, fixture::person("none")];
        people.into_iter().map(|person| JudgedPerson::new(person, &fixture::policy("as-posted"))).collect()
    }

    #[test]
    fn every_figure_has_a_name_of_its_own_a_title_and_a_table() {
        let figures = drawn(&people(), &answers(), &[]);
        let names: std::collections::BTreeSet<_> = figures.iter().map(|figure| figure.name).collect();
        assert_eq!((names.len(), figures.len()), (16, 16));
        for figure in &figures {
            assert!(!figure.table.rows.is_empty(), "{}", figure.name);
            let header = figure.table.header.len();
            assert!(figure.table.rows.iter().all(|row| row.len() == header), "{}", figure.name);
            let Some(svg) = &figure.svg else { continue };
            assert!(svg.contains("role=\"img\"") && svg.contains("<title>"), "{}", figure.name);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", figure.name);
            assert!(
                !svg.contains("u<") && !svg.contains("empty & odd"),
                "names are escaped in {}",
                figure.name
            );
            assert!(!svg.contains("style="), "a strict content security policy takes no inline style");
        }
    }

    #[test]
    fn a_study_without_anybody_is_drawn_without_numbers() {
        for figure in drawn(&[], &[], &[]) {
            let csv = figure.table.to_csv();
            assert!(!csv.contains("NaN") && !csv.contains("inf"), "{}: {csv}", figure.name);
        }
    }

    #[test]
    fn tables_hold_the_results_numbers() {
        let figures = drawn(&people(), &answers(), &[]);
        let accuracy = figures.iter().find(|figure| figure.name == "accuracy").unwrap();
        let line = accuracy.table.to_csv().lines().nth(1).unwrap().to_owned();
        assert!(line.starts_with("natural,crowd,3,12,0.6666666666666666,"), "{line}");
        assert!(
            accuracy.table.to_csv().contains("\nnatural,experts,1,4,0.75,"),
            "{}",
            accuracy.table.to_csv()
        );
        let flow = figures.iter().find(|figure| figure.name == "flow").unwrap();
        assert!(flow.table.to_csv().contains("completed,excluded: catch trials,1\n"));
    }
}
