//! Data quality: who was excluded by what, the values of the criteria, postings and practice.

use plotters::prelude::*;

use super::canvas::{Area, Axes, Drawn, EXCLUDED, KEPT, axes, colour, legend, svg};
use super::conditions::{by_condition, titles};
use super::{Cell, Figure, Input, Table, words};
use crate::domain::workbench::Histogram;

/// Kept and excluded people by criterion.
pub fn exclusion(input: &Input<'_>) -> Figure {
    let mut header = vec!["Criterion".to_owned(), "Fail it".into(), "Fail it and none above".into()];
    header.extend(titles(input.labels));
    let mut table = Table { header, rows: Vec::new() };
    for effect in &input.preview.effects {
        let mut row: Vec<Cell> = vec![
            words(effect.criterion).0.into(),
            Cell::Count(effect.alone.into()),
            Cell::Count(effect.in_order.into()),
        ];
        row.extend(effect.by_condition.iter().map(|n| Cell::Count(u64::from(*n))));
        table.push(row);
    }
    let sum = |of: fn(&crate::domain::workbench::Group) -> u32| -> u32 {
        input.preview.groups.iter().map(of).sum()
    };
    let (completed, pass) = (sum(|group| group.completed), sum(|group| group.pass));
    Figure {
        name: "exclusion",
        title: "Exclusion by criterion",
        caption: format!(
            "{completed} people completed; {pass} pass every criterion, {} fail at least one. By condition: people who fail the \
             criterion, whatever else they fail.",
            completed - pass
        ),
        svg: None,
        table,
    }
}

/// Histograms of the criteria's values.
pub fn values(input: &Input<'_>) -> Figure {
    let mut table = Table::new(&["Criterion", "From", "To", "Pass all", "Fail any"]);
    let with_values: Vec<(&str, &str, &Histogram)> = input
        .preview
        .effects
        .iter()
        .filter_map(|effect| {
            let (name, unit) = words(effect.criterion);
            Some((name, unit, effect.histogram.as_ref()?))
        })
        .collect();
    for (name, _, histogram) in &with_values {
        let width = (histogram.to - histogram.from) / histogram.bins.len() as f64;
        for (n, (kept, excluded)) in histogram.bins.iter().enumerate().filter(|(_, bin)| **bin != (0, 0)) {
            let from = histogram.from + width * n as f64;
            table.push(vec![
                (*name).into(),
                Cell::Number(Some(from), 2),
                Cell::Number(Some(from + width), 2),
                Cell::Count(u64::from(*kept)),
                Cell::Count(u64::from(*excluded)),
            ]);
        }
    }
    let rows = with_values.len().div_ceil(3).max(1);
    let drawing = svg((900, 30 + 230 * rows as u32), "Values of the criteria", "Histograms.", |area| {
        let (_, below) = area.split_vertically(28);
        for (part, (name, unit, histogram)) in below.split_evenly((rows, 3)).iter().zip(&with_values) {
            draw_histogram(part, name, unit, histogram)?;
        }
        legend(area, [(1, "pass all criteria", KEPT), (1, "fail any", EXCLUDED)])
    });
    Figure {
        name: "criteria",
        title: "Values of the criteria",
        caption:
            "Everybody who completed: people who pass all criteria, and on top of them those who fail any."
                .into(),
        svg: (!with_values.is_empty()).then_some(drawing),
        table,
    }
}

fn draw_histogram(area: &Area<'_>, name: &str, unit: &str, histogram: &Histogram) -> Drawn {
    let highest = histogram.bins.iter().map(|(kept, excluded)| kept + excluded).max().unwrap_or(1);
    let (x, y) = (histogram.from..histogram.to, 0.0..f64::from(highest) * 1.05);
    let setting = Axes { title: name, x_label: unit, y_label: "People", x, y, names: &[], decimals: 0 };
    let mut chart = axes(area, &setting)?;
    let width = (histogram.to - histogram.from) / histogram.bins.len() as f64;
    for (n, (kept, excluded)) in histogram.bins.iter().enumerate() {
        let (from, to) = (histogram.from + width * n as f64, histogram.from + width * (n as f64 + 1.0));
        let (kept, all) = (f64::from(*kept), f64::from(kept + excluded));
        chart.draw_series([
            Rectangle::new([(from, 0.0), (to, kept)], KEPT.filled()),
            Rectangle::new([(from, kept), (to, all)], EXCLUDED.filled()),
        ])?;
    }
    Ok(())
}

/// How often slots were posted.
pub fn postings(input: &Input<'_>) -> Figure {
    let most = input.quality.most_postings();
    let mut header = vec!["Condition".to_owned()];
    header.extend((0..=most).map(|n| format!("{n} posting{}", if n == 1 { "" } else { "s" })));
    let mut table = Table { header, rows: Vec::new() };
    let count = |at: usize, n: u32| input.quality.postings[at].get(&n).copied().unwrap_or(0);
    for (at, label) in input.labels.iter().enumerate() {
        let counts = (0..=most).map(|n| Cell::Count(u64::from(count(at, n))));
        table.push(std::iter::once(label.title.clone().into()).chain(counts).collect());
    }
    let names: Vec<String> = (0..=most).map(|n| n.to_string()).collect();
    let highest = (0..input.labels.len())
        .flat_map(|at| (0..=most).map(move |n| count(at, n)))
        .max()
        .unwrap_or(1)
        .max(1);
    let drawing = svg((620, 300), "Postings per slot", "Slots by the number of postings.", |area| {
        let (_, below) = area.split_vertically(28);
        let x = -0.6..f64::from(most) + 0.6;
        let y = 0.0..f64::from(highest) * 1.08;
        let (x_label, y_label) = ("Postings used", "Slots");
        let mut chart =
            axes(&below, &Axes { title: "", x_label, y_label, x, y, names: &names, decimals: 0 })?;
        let width = 0.84 / input.labels.len().max(1) as f64;
        for (at, label) in input.labels.iter().enumerate() {
            for n in (0..=most).filter(|n| count(at, *n) > 0) {
                let place = f64::from(n) - 0.42 + width * (at as f64 + 0.5);
                super::canvas::bar(&mut chart, place, width, f64::from(count(at, n)), colour(&label.colour))?;
            }
        }
        by_condition(area, input.labels)
    });
    Figure {
        name: "postings",
        title: "Postings per slot",
        caption: "How many people completed while holding the slot, the kept one included.".into(),
        svg: Some(drawing),
        table,
    }
}

/// How long people practised.
pub fn practice(input: &Input<'_>) -> Figure {
    let practice = &input.quality.practice;
    let mut table = Table::new(&["Practice blocks", "Pass all criteria", "Fail any"]);
    for (blocks, (passed, failed)) in practice {
        let count = |n: &u32| Cell::Count(u64::from(*n));
        table.push(vec![count(blocks), count(passed), count(failed)]);
    }
    let names: Vec<String> = practice.keys().map(u32::to_string).collect();
    let highest = practice.values().map(|(passed, failed)| passed + failed).max().unwrap_or(1).max(1);
    let drawing = svg((620, 300), "Practice blocks", "People by the number of practice blocks.", |area| {
        let (_, below) = area.split_vertically(28);
        let x = -0.6..names.len().max(1) as f64 - 0.4;
        let y = 0.0..f64::from(highest) * 1.08;
        let (x_label, y_label) = ("Practice blocks", "People");
        let mut chart =
            axes(&below, &Axes { title: "", x_label, y_label, x, y, names: &names, decimals: 0 })?;
        for (at, (passed, failed)) in practice.values().enumerate() {
            let (from, to) = (at as f64 - 0.3, at as f64 + 0.3);
            let (passed, all) = (f64::from(*passed), f64::from(passed + failed));
            chart.draw_series([
                Rectangle::new([(from, 0.0), (to, passed)], KEPT.filled()),
                Rectangle::new([(from, passed), (to, all)], EXCLUDED.filled()),
            ])?;
        }
        legend(area, [(1, "pass all criteria", KEPT), (1, "fail any", EXCLUDED)])
    });
    Figure {
        name: "practice",
        title: "Practice blocks",
        caption: "People who completed, in conditions with practice, by the number of practice blocks that they began.".into(),
        svg: (!practice.is_empty()).then_some(drawing),
        table,
    }
}
