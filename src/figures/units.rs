//! Draws accuracy by unit: along the layers, and by image set.

use super::canvas::{Axes, MARKED_SHARES, axes, colour, height_of_names, svg};
use super::conditions::by_condition;
use super::marks::{error_bar, line};
use super::text_layout::{legend, legend_height};
use super::{Figure, Input, Table, TableCell};
use crate::domain::results::{MeanWithError, UnitResults};

/// The end of the names of columns that count people.
const PEOPLE: &str = ": people";

/// The table of both figures: a column per condition, then a column per condition with the number of people.
fn table(input: &Input<'_>, first: &[&str]) -> Table {
    let mut header: Vec<String> = first.iter().map(|name| (*name).to_owned()).collect();
    for label in input.labels {
        header.extend([
            label.title.clone(),
            format!("{}: 2 SEM", label.title),
            format!("{}{PEOPLE}", label.title),
        ]);
    }
    Table { header, rows: Vec::new() }
}

fn cells(unit: &UnitResults) -> impl Iterator<Item = TableCell> {
    unit.accuracy.iter().flat_map(|measure: &MeanWithError| {
        [
            TableCell::Number(measure.value, 3),
            TableCell::Number(measure.bar, 3),
            TableCell::count(measure.people),
        ]
    })
}

/// Draws one panel per branch, along the layers.
pub fn by_layer(input: &Input<'_>) -> Figure {
    let units = &input.results.units;
    let mut table = table(input, &["Branch", "Layer", "Unit"]);
    for unit in units {
        let mut row: Vec<TableCell> =
            vec![unit.branch.clone().into(), unit.layer.clone().into(), unit.unit.clone().into()];
        row.extend(cells(unit));
        table.push(row);
    }
    let branches: Vec<&[UnitResults]> = units.chunk_by(|a, b| a.branch == b.branch).collect();
    let layers = |units: &[UnitResults]| units.iter().map(|unit| unit.layer.clone()).collect::<Vec<_>>();
    let keys = by_condition(input.labels);
    let top = legend_height(900, &keys);
    let names = branches.iter().map(|units| height_of_names(&layers(units), 900)).max().unwrap_or(0);
    let size = (900, top + (290 + names) * branches.len().max(1) as u32);
    let drawing = svg(size, "Accuracy by unit", "One panel per branch, one line per condition.", |area| {
        let (_, below) = area.split_vertically(top);
        for (part, units) in below.split_evenly((branches.len().max(1), 1)).iter().zip(&branches) {
            lines(part, input, &layers(units), units)?;
        }
        legend(area, &keys)
    });
    Figure {
        name: "units",
        title: "Accuracy by unit",
        caption: "Each unit’s accuracy along the layers, pooled over trials. Error bars: 2 standard errors over people.".into(),
        svg: Some(drawing),
        table: input.open(table, counts_people),
    }
}

fn counts_people(column: &str) -> bool {
    column.ends_with(PEOPLE)
}

/// Draws the panel of a branch.
fn lines(
    area: &super::canvas::Area<'_>,
    input: &Input<'_>,
    names: &[String],
    units: &[UnitResults],
) -> super::canvas::Drawn {
    let x = -0.5..names.len() as f64 - 0.5;
    let (title, y_label) = (&units[0].branch, "Accuracy");
    let setting =
        Axes { title, x_label: "", y_label, x, y: MARKED_SHARES, names, whole: false, whole_x: false };
    let mut chart = axes(area, &setting)?;
    for (at, label) in input.labels.iter().enumerate() {
        let shift = (at as f64 - (input.labels.len() as f64 - 1.0) / 2.0) * 0.09;
        let measures: Vec<MeanWithError> = units.iter().map(|unit| unit.accuracy[at]).collect();
        for (place, measure) in measures.iter().enumerate() {
            if let Some(value) = measure.value {
                error_bar(&mut chart, place as f64 + shift, value, measure.bar)?;
            }
        }
        let points: Vec<_> =
            measures.iter().enumerate().map(|(place, m)| (place as f64 + shift, m.value)).collect();
        line(&mut chart, &points, at, colour(&label.colour))?;
    }
    Ok(())
}

/// Draws one small panel per unit, along the image sets.
pub fn by_image_set(input: &Input<'_>) -> Figure {
    let units = &input.results.image_sets;
    let mut table = table(input, &["Unit", "Image set"]);
    for unit in units {
        let set = unit.image_set.unwrap_or_default();
        let mut row: Vec<TableCell> = vec![unit.unit.clone().into(), TableCell::Count(set.max(0) as u64)];
        row.extend(cells(unit));
        table.push(row);
    }
    let mut names: Vec<&str> = units.iter().map(|unit| unit.unit.as_str()).collect();
    names.dedup();
    let columns = 3;
    let rows = names.len().div_ceil(columns).max(1);
    let keys = by_condition(input.labels);
    let top = legend_height(900, &keys);
    let drawing =
        svg((900, top + 190 * rows as u32), "Accuracy by image set", "One panel per unit.", |area| {
            let (_, below) = area.split_vertically(top);
            for (part, name) in below.split_evenly((rows, columns)).iter().zip(&names) {
                let x = -0.5..f64::from(input.image_sets) - 0.5;
                let sets: Vec<String> = (0..input.image_sets).map(|set| set.to_string()).collect();
                let y = MARKED_SHARES;
                let setting = Axes {
                    title: name,
                    x_label: "",
                    y_label: "",
                    x,
                    y,
                    names: &sets,
                    whole: false,
                    whole_x: false,
                };
                let mut chart = axes(part, &setting)?;
                for (at, label) in input.labels.iter().enumerate() {
                    let of_unit = units.iter().filter(|unit| unit.unit == *name);
                    let points: Vec<(f64, Option<f64>)> = of_unit
                        .map(|unit| (f64::from(unit.image_set.unwrap_or_default()), unit.accuracy[at].value))
                        .collect();
                    line(&mut chart, &points, at, colour(&label.colour))?;
                }
            }
            legend(area, &keys)
        });
    Figure {
        name: "image-sets",
        title: "Accuracy by image set",
        caption: "Accuracy of single units in each image set, by condition. Few people see each image set, so that single points \
                  say little."
            .into(),
        svg: Some(drawing),
        table: input.open(table, counts_people),
    }
}
