//! Draws accuracy against the difficulty of trials.

use super::canvas::{Axes, MARKED_SHARES, axes, colour, svg};
use super::marks::marker;
use super::{Figure, Input, Table, TableCell};
use crate::domain::results::Correlation;

/// Draws one panel per condition, with the trials in a table.
pub fn difficulty(input: &Input<'_>) -> Figure {
    let difficulty = &input.results.difficulty;
    let header = ["Condition", "Image set", "Unit", "Relative activation difference", "Accuracy", "People"];
    let mut table = Table::new(&header);
    for point in &difficulty.points {
        table.push(vec![
            input.labels[point.condition].title.clone().into(),
            TableCell::Count(point.image_set.max(0) as u64),
            point.unit.clone().into(),
            TableCell::Number(Some(point.difference), 3),
            TableCell::Number(Some(point.accuracy), 3),
            TableCell::Count(u64::from(point.people)),
        ]);
    }
    let furthest = difficulty.points.iter().map(|point| point.difference).fold(0.1, f64::max);
    let lowest = difficulty.points.iter().map(|point| point.difference).fold(0.0, f64::min);
    // The axis is a little longer, so that the first and last marker are completely visible.
    let air = (furthest - lowest) * 0.04;
    let rows = input.labels.len().div_ceil(3).max(1);
    let drawing =
        svg((900, 250 * rows as u32), "Accuracy against difficulty", "One panel per condition.", |area| {
            for (at, (part, label)) in area.split_evenly((rows, 3)).iter().zip(input.labels).enumerate() {
                let rho = difficulty.by_condition[at]
                    .rho
                    .map_or("–".into(), |rho| format!("{rho:.2}").replace('-', "\u{2212}"));
                let setting = Axes {
                    title: &format!("{}: ρ\u{a0}=\u{a0}{rho}", label.title),
                    x_label: "Relative activation difference",
                    y_label: "Accuracy",
                    x: lowest - air..furthest + air,
                    y: MARKED_SHARES,
                    names: &[],
                    whole: false,
                    whole_x: false,
                };
                let mut chart = axes(part, &setting)?;
                for point in difficulty.points.iter().filter(|point| point.condition == at) {
                    marker(&mut chart, (point.difference, point.accuracy), at, 3, colour(&label.colour))?;
                }
            }
            Ok(())
        });
    Figure {
        name: "difficulty",
        title: "Accuracy against difficulty",
        caption: "Each point is one trial (unit in an image set) in one condition: the share of people who answered it correctly, \
                  against (max activation − min activation) / base activation. Trials without such a difference are left out. ρ: \
                  Spearman’s, in the next table."
            .into(),
        svg: Some(drawing),
        table: input.open(table, |name| name == "People"),
    }
}

/// Shows the correlation of accuracy and difficulty.
pub fn rho(input: &Input<'_>) -> Figure {
    let difficulty = &input.results.difficulty;
    let mut table = Table::new(&["Condition", "Spearman’s rho", "Points", "Left out"]);
    let mut row = |condition: &str, of: &Correlation| {
        table.push(vec![
            condition.into(),
            TableCell::Number(of.rho, 3),
            TableCell::count(of.points),
            TableCell::count(of.left_out),
        ]);
    };
    for (label, of) in input.labels.iter().zip(&difficulty.by_condition) {
        row(&label.title, of);
    }
    row("all, pooled", &difficulty.pooled);
    Figure {
        name: "rho",
        title: "Does accuracy correlate with difficulty?",
        caption: format!(
            "Spearman’s rho over the points above, in each condition, and over all of them, as published: pooling counts each \
             trial once per condition. Trials left out, because the base image does not activate the unit or nothing is known: {}.",
            difficulty.pooled.left_out
        ),
        svg: None,
        table: input.open(table, |name| ["Points", "Left out"].contains(&name)),
    }
}
