//! Figures of a study: drawings as SVG, each with a table. They use results, and neither database nor HTTP.

mod canvas;
mod conditions;
mod criteria;
mod differences;
mod difficulty;
mod flow;
mod kappa;
mod marks;
mod progress;
mod table;
#[cfg(test)]
mod tests;
mod text_layout;
mod units;

pub use flow::{FLOW, flow};
pub use progress::progress;
pub use table::{Table, TableCell};

use crate::domain::exclusion::Policy;
use crate::domain::results::quality::Quality;
use crate::domain::results::{FEW, Results};
use crate::domain::study::Group;
use crate::domain::workbench::Preview;

/// A condition's name and colour in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The condition's title, or a letter while conditions are hidden.
    pub title: String,
    /// `#rrggbb`.
    pub colour: String,
}

/// A drawing with its table.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The figure's name in addresses: a-z and hyphens.
    pub name: &'static str,
    pub title: &'static str,
    /// Explains how to read the figure, and what its numbers are.
    pub caption: String,
    /// The drawing. None if the figure is only a table.
    pub svg: Option<String>,
    pub table: Table,
}

/// The data of the figures of results.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The conditions, in the order of the results.
    pub labels: &'a [Label],
    pub results: &'a Results,
    /// The crowd under the policy.
    pub preview: &'a Preview,
    /// The experts under the policy, if any took part.
    pub experts: Option<&'a Preview>,
    pub quality: &'a Quality,
    pub policy: &'a Policy,
    pub image_sets: u32,
    /// Whether letters stand for conditions. Then no figure counts people by letter, since counts by name are shown elsewhere.
    pub blinded: bool,
}

impl Input<'_> {
    /// The table, while conditions are hidden without the columns that would reveal them.
    fn open(&self, table: Table, tells: impl Fn(&str) -> bool) -> Table {
        if self.blinded { table.without(tells) } else { table }
    }
}

/// All figures of a study's results, in the order of the page. If experts took part, each figure says whom it counts.
pub fn of_results(input: &Input<'_>) -> Vec<Figure> {
    let both = [Group::Crowd, Group::Expert];
    let of_both = [conditions::accuracy(input), conditions::reaction_time(input)];
    let of_the_crowd = [
        differences::tests(input),
        differences::pairs(input),
        conditions::confidence(input),
        conditions::accuracy_by_confidence(input),
        units::by_layer(input),
        units::by_image_set(input),
        kappa::kappa(input),
        difficulty::difficulty(input),
        difficulty::rho(input),
    ];
    let of_crowd = |figure: Figure| with_note(figure, input.experts.map(|_| "Crowd only.".to_owned()));
    // The exact value of a share would reveal the number of answers.
    let rounded = |figure: Figure| match input.blinded {
        true => Figure { table: figure.table.rounded(), ..figure },
        false => figure,
    };
    let of_both = of_both.map(|figure| with_note(figure, few(input, &both)));
    let of_the_crowd = of_the_crowd.map(|figure| of_crowd(with_note(figure, few(input, &both[..1]))));
    // Figures of data quality are shown even without results.
    let of_quality = [criteria::values(input), criteria::postings(input), criteria::practice(input)];
    let figures = of_both.into_iter().chain(of_the_crowd);
    let figures = figures.chain([criteria::exclusion(input)]).chain(of_quality.map(of_crowd));
    figures.map(rounded).collect()
}

fn with_note(figure: Figure, note: Option<String>) -> Figure {
    match note {
        Some(note) => Figure { caption: format!("{} {note}", figure.caption), ..figure },
        None => figure,
    }
}

/// A warning about conditions with few people. It names them unless names are hidden.
fn few(input: &Input<'_>, groups: &[Group]) -> Option<String> {
    let mut few = Vec::new();
    for group in groups {
        let (results, whose) = match group {
            Group::Crowd => (Some(&input.results.crowd), ""),
            Group::Expert => (input.results.experts.as_ref(), "experts in "),
        };
        let of = results.into_iter().flatten().zip(input.labels);
        let of = of.filter(|(condition, _)| (1..FEW).contains(&condition.people));
        few.extend(of.map(|(condition, label)| format!("{whose}{} {}", label.title, condition.people)));
    }
    match (few.is_empty(), input.blinded) {
        (true, _) => None,
        (false, true) => Some(format!(
            "Some conditions have fewer than {FEW} people: their means and intervals say very little."
        )),
        (false, false) => Some(format!(
            "Few people: {}. Means and intervals of fewer than {FEW} say very little, and one person alone has no interval.",
            few.join(", ")
        )),
    }
}
