//! Agreement between people of the conditions and baselines.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, INK, placed, svg};
use super::{Figure, Input, Table, table::Cell};
use crate::domain::results::{BASELINES, Cell as Agreement};

/// The matrix.
pub fn kappa(input: &Input<'_>) -> Figure {
    let baselines = BASELINES.iter().map(|name| (*name).to_owned());
    let raters: Vec<String> = input.labels.iter().map(|label| label.title.clone()).chain(baselines).collect();
    let cells = &input.results.agreement.cells;
    let header = [
        "First",
        "Second",
        "Kappa × 100",
        "2 SEM × 100",
        "Bootstrap low × 100",
        "Bootstrap high × 100",
        "Pairs",
        "Undefined pairs",
    ];
    let mut table = Table::new(&header);
    let hundred = |value: Option<f64>| Cell::Number(value.map(|value| 100.0 * value), 1);
    for (a, row) in cells.iter().enumerate() {
        for (b, cell) in row.iter().enumerate().skip(a).filter(|(_, cell)| cell.pairs + cell.undefined > 0) {
            table.push(vec![
                raters[a].clone().into(),
                raters[b].clone().into(),
                hundred(cell.mean),
                hundred(cell.bar),
                hundred(cell.interval.map(|interval| interval.low)),
                hundred(cell.interval.map(|interval| interval.high)),
                Cell::count(cell.pairs),
                Cell::count(cell.undefined),
            ]);
        }
    }
    let undefined: usize =
        (0..cells.len()).map(|a| cells[a][a..].iter().map(|cell| cell.undefined).sum::<usize>()).sum();
    Figure {
        name: "kappa",
        title: "Agreement: Cohen’s kappa × 100",
        caption: format!(
            "Agreement on which trials are answered correctly, beyond chance, between people (and baselines) of the same image \
             set; mean over pairs ± 2 standard errors. Pairs share people, so that these errors are too small: the table gives \
             bootstrap intervals over people beside them. Pairs whose kappa is undefined (both always right or both always \
             wrong) are left out: {undefined}."
        ),
        svg: Some(svg(
            (860, 470),
            "Cohen’s kappa between conditions and baselines",
            "A matrix of numbers.",
            |area| matrix(area, &raters, cells),
        )),
        table,
    }
}

fn matrix(area: &Area<'_>, raters: &[String], cells: &[Vec<Agreement>]) -> Drawn {
    let (left, top, width) = (96, 34, 84);
    let height = 46;
    let centre = |n: usize, from: i32, step: i32| from + step * n as i32 + step / 2;
    for (n, name) in raters.iter().enumerate() {
        let across = placed(12, INK, HPos::Center, VPos::Bottom);
        area.draw_text(name, &across, (centre(n, left, width), top - 8))?;
        area.draw_text(
            name,
            &placed(12, INK, HPos::Right, VPos::Center),
            (left - 8, centre(n, top, height)),
        )?;
    }
    for (a, row) in cells.iter().enumerate() {
        for (b, cell) in row.iter().enumerate().take(a + 1) {
            let (x, y) = (left + width * b as i32, top + height * a as i32);
            let corners = [(x + 1, y + 1), (x + width - 1, y + height - 1)];
            let Some(mean) = cell.mean else {
                area.draw(&Rectangle::new(corners, RGBColor(246, 247, 248).filled()))?;
                continue;
            };
            area.draw(&Rectangle::new(corners, grey(mean).filled()))?;
            let ink = if mean > 0.45 { WHITE } else { INK };
            let whole = |share: f64| (100.0 * share).round() as i64;
            let value = match cell.bar {
                Some(bar) => format!("{} ± {}", whole(mean), whole(bar)),
                None => whole(mean).to_string(),
            };
            let value = value.replace('-', "\u{2212}");
            area.draw_text(
                &value,
                &placed(14, RGBColor(ink.0, ink.1, ink.2), HPos::Center, VPos::Center),
                (x + width / 2, y + height / 2),
            )?;
        }
    }
    Ok(())
}

/// The more agreement, the darker; none and less are white.
fn grey(mean: f64) -> RGBColor {
    let share = mean.clamp(0.0, 0.8) / 0.8;
    let mix = |from: f64, to: f64| (from + (to - from) * share) as u8;
    RGBColor(mix(244.0, 29.0), mix(247.0, 77.0), mix(250.0, 115.0))
}
