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
