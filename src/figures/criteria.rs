//! Draws data quality: excluded people by criterion, the criteria's values, postings and practice.

use plotters::prelude::*;

use super::canvas::{Area, Axes, Drawn, EXCLUDED, INK, KEPT, axes, colour, svg};
use super::conditions::{by_condition, titles};
use super::marks::{bar, marker};
use super::text_layout::{LegendEntry, legend, legend_height};
use super::{Figure, Input, Table, TableCell};
use crate::domain::exclusion::{Bounds, Criterion, CriterionSheet, Setting};
use crate::domain::workbench::{Effect, Histogram, Preview};

/// The two groups of people in figures of quality.
const KEYS: [LegendEntry<'_>; 2] =
    [LegendEntry::square("pass all criteria", KEPT), LegendEntry::square("fail any", EXCLUDED)];

/// Shows kept and excluded people by criterion, experts in a separate column.
pub fn exclusion(input: &Input<'_>) -> Figure {
    let mut header = vec!["Criterion".to_owned(), "Fail it".into(), "Fail it and pass all above".into()];
    header.extend(titles(input.labels));
    header.extend(input.experts.map(|_| "Experts who fail it".to_owned()));
    let mut table = Table { header, rows: Vec::new() };
    for (at, effect) in input.preview.effects.iter().enumerate() {
        let mut row: Vec<TableCell> = vec![
            effect.criterion.sheet().title.into(),
            TableCell::Count(effect.alone.into()),
            TableCell::Count(effect.in_order.into()),
        ];
        row.extend(effect.by_condition.iter().map(|n| TableCell::Count(u64::from(*n))));
        row.extend(input.experts.map(|experts| TableCell::Count(u64::from(experts.effects[at].alone))));
        table.push(row);
    }
    let counts = |preview: &Preview| (preview.sum(|of| of.completed), preview.sum(|of| of.pass));
    let (completed, pass) = counts(input.preview);
    let (whose, experts) = match input.experts.map(counts) {
        None => ("", String::new()),
        Some((completed, pass)) => (
            " of the crowd",
            format!(
                " Experts are in the last column only: {completed} completed, and {pass} pass, {}.",
                input.policy.experts_by().in_words()
            ),
        ),
    };
    let by_condition = match input.blinded {
        true => "",
        false => " By condition: people who fail the criterion, alone or with others.",
    };
    let is_condition = |column: &str| input.labels.iter().any(|label| label.title == column);
    Figure {
        name: "exclusion",
        title: "Exclusion by criterion",
        caption: format!(
            "{completed} people{whose} completed; {pass} pass every criterion, {} fail at least one.{by_condition}{experts}",
            completed - pass
        ),
        svg: None,
        table: input.open(table, is_condition),
    }
}

/// Draws histograms of the criteria's values.
pub fn values(input: &Input<'_>) -> Figure {
    let mut table = Table::new(&["Criterion", "From", "To", "Pass all", "Fail any"]);
    let with_values: Vec<(Criterion, &Histogram)> = input
        .preview
        .effects
        .iter()
        .filter_map(|Effect { criterion, histogram, .. }| Some((*criterion, histogram.as_ref()?)))
        .collect();
    for (criterion, histogram) in &with_values {
        for (n, (kept, excluded)) in histogram.bins.iter().enumerate().filter(|(_, bin)| **bin != (0, 0)) {
            let (from, to) = values_of(histogram, n);
            table.push(vec![
                criterion.sheet().title.into(),
                TableCell::Number(Some(from), 2),
                TableCell::Number(Some(to), 2),
                TableCell::Count(u64::from(*kept)),
                TableCell::Count(u64::from(*excluded)),
            ]);
        }
    }
    let rows = with_values.len().div_ceil(3).max(1);
    let drawing = svg((900, 30 + 230 * rows as u32), "Values of the criteria", "Histograms.", |area| {
        let (_, below) = area.split_vertically(28);
        for (part, (criterion, histogram)) in below.split_evenly((rows, 3)).iter().zip(&with_values) {
            draw_histogram(part, *criterion, histogram, bounds(input, *criterion))?;
        }
        legend(area, &KEYS)
    });
    Figure {
        name: "criteria",
        title: "Values of the criteria",
        caption: "All people who completed: those who pass all criteria, and on top of them those who fail any. Vertical \
                  lines: the inclusive bounds of the policy for all conditions, where they lie among the values; a condition may \
                  have bounds of its own."
            .into(),
        svg: (!with_values.is_empty()).then_some(drawing),
        table,
    }
}

/// The policy's bounds that hold for all conditions.
fn bounds(input: &Input<'_>, criterion: Criterion) -> Bounds {
    match input.policy.criteria.get(&criterion) {
        Some(Setting::Within(bounds)) => *bounds,
        _ => Bounds::default(),
    }
}

/// The values of a bin: one value, or the first and last of a range.
fn values_of(histogram: &Histogram, bin: usize) -> (f64, f64) {
    match histogram.step {
        Some(step) => (histogram.from + step * bin as f64, histogram.from + step * bin as f64),
        None => edges_of(histogram, bin),
    }
}

fn edges_of(histogram: &Histogram, bin: usize) -> (f64, f64) {
    let edge = |n: usize| histogram.edges.0 + histogram.width() * n as f64;
    (edge(bin), edge(bin + 1))
}

fn draw_histogram(area: &Area<'_>, criterion: Criterion, histogram: &Histogram, bounds: Bounds) -> Drawn {
    let CriterionSheet { title, unit: x_label, .. } = criterion.sheet();
    let highest = histogram.bins.iter().map(|(kept, excluded)| kept + excluded).max().unwrap_or(1);
    let top = f64::from(highest) * 1.05;
    let (x, y) = (histogram.edges.0..histogram.edges.1, 0.0..top);
    let setting = Axes {
        title,
        x_label,
        y_label: "People",
        x,
        y,
        names: &[],
        whole: true,
        whole_x: histogram.step == Some(1.0),
    };
    let mut chart = axes(area, &setting)?;
    for (n, (kept, excluded)) in histogram.bins.iter().enumerate() {
        let (from, to) = edges_of(histogram, n);
        let (kept, all) = (f64::from(*kept), f64::from(kept + excluded));
        chart.draw_series([
            Rectangle::new([(from, 0.0), (to, kept)], KEPT.filled()),
            Rectangle::new([(from, kept), (to, all)], EXCLUDED.filled()),
        ])?;
    }
    let (left, right) = histogram.edges;
    for mark in histogram.marks(bounds).filter(|mark| (left..=right).contains(mark)) {
        chart.draw_series([PathElement::new([(mark, 0.0), (mark, top)], INK.stroke_width(2))])?;
    }
    Ok(())
}

/// Slots of a condition by the number of postings that they used, or of all conditions while their names are hidden.
struct Slots<'a> {
    title: &'a str,
    ink: RGBColor,
    counts: Vec<u32>,
}

fn slots<'a>(input: &Input<'a>) -> Vec<Slots<'a>> {
    let postings = &input.quality.postings;
    let counts = |at: usize| -> Vec<u32> {
        (0..=input.quality.most_postings()).map(|n| postings[at].get(&n).copied().unwrap_or(0)).collect()
    };
    let all: Vec<Slots<'a>> = (input.labels.iter().enumerate())
        .map(|(at, label)| Slots { title: &label.title, ink: colour(&label.colour), counts: counts(at) })
        .collect();
    if !input.blinded {
        return all;
    }
    let sum = |n| all.iter().map(|slots| slots.counts[n]).sum();
    let counts = (0..=input.quality.most_postings() as usize).map(sum).collect();
    vec![Slots { title: "All conditions", ink: KEPT, counts }]
}

/// Draws how often slots were posted.
pub fn postings(input: &Input<'_>) -> Figure {
    let most = input.quality.most_postings();
    let mut header = vec!["Condition".to_owned()];
    header.extend((0..=most).map(|n| format!("{n} posting{}", if n == 1 { "" } else { "s" })));
    let mut table = Table { header, rows: Vec::new() };
    let slots = slots(input);
    for Slots { title, counts, .. } in &slots {
        let counts = counts.iter().map(|n| TableCell::Count(u64::from(*n)));
        table.push(std::iter::once((*title).into()).chain(counts).collect());
    }
    let keys = if input.blinded { Vec::new() } else { by_condition(input.labels) };
    let top = legend_height(620, &keys);
    let drawing = svg((620, 272 + top), "Postings per slot", "Slots by the number of postings.", |area| {
        let (_, below) = area.split_vertically(top);
        draw_postings(&below, &slots, !input.blinded)?;
        legend(area, &keys)
    });
    Figure {
        name: "postings",
        title: "Postings per slot",
        caption: "How many people completed while holding the slot, the kept one included.".into(),
        svg: Some(drawing),
        table,
    }
}

/// Draws bars side by side, each with its condition's symbol above it, since some colours are the same in grey.
fn draw_postings(area: &Area<'_>, slots: &[Slots<'_>], with_symbols: bool) -> Drawn {
    let numbers = slots.first().map_or(1, |slots| slots.counts.len());
    let names: Vec<String> = (0..numbers).map(|n| n.to_string()).collect();
    let highest = slots.iter().flat_map(|slots| &slots.counts).max().copied().unwrap_or(0).max(1);
    let (x, y) = (-0.6..numbers as f64 - 0.4, 0.0..f64::from(highest) * 1.15);
    let (x_label, y_label) = ("Postings used", "Slots");
    let mut chart =
        axes(area, &Axes { title: "", x_label, y_label, x, y, names: &names, whole: true, whole_x: false })?;
    let width = 0.84 / slots.len().max(1) as f64;
    for (at, Slots { ink, counts, .. }) in slots.iter().enumerate() {
        for (n, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (place, height) = (n as f64 - 0.42 + width * (at as f64 + 0.5), f64::from(*count));
            bar(&mut chart, place, width, height, *ink)?;
            if with_symbols {
                marker(&mut chart, (place, height + f64::from(highest) * 0.06), at, 4, *ink)?;
            }
        }
    }
    Ok(())
}

/// Draws how long people practised.
pub fn practice(input: &Input<'_>) -> Figure {
    let practice = &input.quality.practice;
    let mut table = Table::new(&["Practice blocks", "Pass all criteria", "Fail any"]);
    for (blocks, (passed, failed)) in practice {
        let count = |n: &u32| TableCell::Count(u64::from(*n));
        table.push(vec![count(blocks), count(passed), count(failed)]);
    }
    let names: Vec<String> = practice.keys().map(u32::to_string).collect();
    let highest = practice.values().map(|(passed, failed)| passed + failed).max().unwrap_or(1).max(1);
    let drawing = svg((620, 300), "Practice blocks", "People by the number of practice blocks.", |area| {
        let (_, below) = area.split_vertically(28);
        let x = -0.6..names.len().max(1) as f64 - 0.4;
        let y = 0.0..f64::from(highest) * 1.08;
        let (x_label, y_label) = ("Practice blocks", "People");
        let mut chart = axes(
            &below,
            &Axes { title: "", x_label, y_label, x, y, names: &names, whole: true, whole_x: false },
        )?;
        for (at, (passed, failed)) in practice.values().enumerate() {
            let (from, to) = (at as f64 - 0.3, at as f64 + 0.3);
            let (passed, all) = (f64::from(*passed), f64::from(passed + failed));
            chart.draw_series([
                Rectangle::new([(from, 0.0), (to, passed)], KEPT.filled()),
                Rectangle::new([(from, passed), (to, all)], EXCLUDED.filled()),
            ])?;
        }
        legend(area, &KEYS)
    });
    Figure {
        name: "practice",
        title: "Practice blocks",
        caption: "People who completed, in conditions with practice, by the number of practice blocks that they began.".into(),
        svg: (!practice.is_empty()).then_some(drawing),
        table,
    }
}
