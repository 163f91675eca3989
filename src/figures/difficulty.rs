//! Accuracy against how hard a trial is.

use super::canvas::{Axes, axes, colour, marker, svg};
use super::{Cell, Figure, Input, Table};

/// One panel per condition, and the trials in a table.
pub fn difficulty(input: &Input<'_>) -> Figure {
    let difficulty = &input.results.difficulty;
    let header = ["Condition", "Image set", "Unit", "Relative activation difference", "Accuracy", "People"];
    let mut table = Table::new(&header);
    for point in &difficulty.points {
        table.push(vec![
            input.labels[point.condition].title.clone().into(),
            Cell::Count(point.image_set.max(0) as u64),
            point.unit.clone().into(),
            Cell::Number(Some(point.difference), 3),
            Cell::Number(Some(point.accuracy), 3),
            Cell::Count(u64::from(point.people)),
        ]);
    }
    let furthest = difficulty.points.iter().map(|point| point.difference).fold(0.1, f64::max) * 1.04;
    let lowest = difficulty.points.iter().map(|point| point.difference).fold(0.0, f64::min);
    let rows = input.labels.len().div_ceil(3).max(1);
    let drawing =
        svg((900, 250 * rows as u32), "Accuracy against difficulty", "One panel per condition.", |area| {
            for (at, (part, label)) in area.split_evenly((rows, 3)).iter().zip(input.labels).enumerate() {
                let rho = difficulty.rho[at]
                    .map_or("–".into(), |rho| format!("{rho:.2}").replace('-', "\u{2212}"));
                let setting = Axes {
                    title: &format!("{}: ρ = {rho}", label.title),
                    x_label: "Relative activation difference",
                    y_label: "Accuracy",
                    x: lowest..furthest,
                    y: -0.05..1.05,
                    names: &[],
                    decimals: 1,
                };
                let mut chart = axes(part, &setting)?;
                for point in difficulty.points.iter().filter(|point| point.condition == at) {
                    marker(&mut chart, (point.difference, point.accuracy), at, 3, colour(&label.colour))?;
                }
            }
            Ok(())
        });
    let shown =
        |rho: Option<f64>| rho.map_or("undefined".into(), |rho| format!("{rho:.3}").replace('-', "\u{2212}"));
    let by_condition: Vec<String> = input
        .labels
        .iter()
        .zip(&difficulty.rho)
        .map(|(label, rho)| format!("{} {}", label.title, shown(*rho)))
        .collect();
    Figure {
        name: "difficulty",
        title: "Accuracy against difficulty",
        caption: format!(
            "Each point is one trial (unit in an image set) in one condition: the share of people who answered it correctly, \
             against (max activation − min activation) / base activation. Spearman’s rho: {}; all conditions pooled, as \
             published, {} (pooling counts each trial once per condition). {} trials without such a difference are left out.",
            by_condition.join(", "),
            shown(difficulty.pooled),
            difficulty.left_out,
        ),
        svg: Some(drawing),
        table,
    }
}
