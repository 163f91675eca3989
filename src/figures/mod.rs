//! Figures of a study: each a drawing as SVG with a table beside it. They know results, and neither database nor HTTP.

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
    /// What the policy does to the crowd.
    pub preview: &'a Preview,
    /// What it does to experts, where any took part.
    pub experts: Option<&'a Preview>,
    /// Postings and practice.
    pub quality: &'a Quality,
    /// The policy.
    pub policy: &'a Policy,
    /// Image sets of the study.
    pub image_sets: u32,
    /// Whether letters stand for conditions. Then nothing counts people by letter: the same counts stand by name elsewhere.
    pub blinded: bool,
}

impl Input<'_> {
    /// A table, without the columns that would tell which condition is which while that is hidden.
    fn open(&self, table: Table, tells: impl Fn(&str) -> bool) -> Table {
        if self.blinded { table.without(tells) } else { table }
    }
}

/// Every figure of a study's results, in the order of the page. Where experts took part each says whom it counts.
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
    // All places of a share would tell of how many answers it is one.
    let rounded = |figure: Figure| match input.blinded {
        true => Figure { table: figure.table.rounded(), ..figure },
        false => figure,
    };
    let of_both = of_both.map(|figure| with_note(figure, few(input, &both)));
    let of_the_crowd = of_the_crowd.map(|figure| of_crowd(with_note(figure, few(input, &both[..1]))));
    // Data quality, which needs no results.
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

/// Says of which conditions there are so few people that their numbers say little; without a name while names are hidden.
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
