//! Draws consents, completions and kept people over time.

use chrono::{DateTime, TimeDelta, Utc};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Axes, Chart, Drawn, INK, KEPT, SOFT, axes, placed, svg};
use super::text_layout::{LegendEntry, legend};
use super::{Figure, Table, TableCell};
use crate::domain::progress::Progress;

/// Draws steps over time. None before the first consent.
pub fn progress(progress: &Progress) -> Option<Figure> {
    let first = *progress.consents.first()?;
    let last = progress.completions.last().copied().unwrap_or(first).max(*progress.consents.last()?);
    // The axis ends now while people take part, and otherwise at the last event.
    let end = if progress.as_of - last < TimeDelta::hours(1) { progress.as_of } else { last };
    let span = (end - first).as_seconds_f64().max(60.0);
    let mut table = Table::new(&["Time (UTC)", "Event"]);
    for (event, times) in series(progress) {
        for at in times {
            table.push(vec![at.format("%Y-%m-%dT%H:%M:%SZ").to_string().into(), TableCell::from(event)]);
        }
    }
    let highest = progress.consents.len().max(1) as f64 * 1.05;
    let drawing =
        svg((900, 260), "Consents, completions and kept people over time", "Three lines.", |area| {
            let (_, below) = area.split_vertically(26);
            let x_label = format!("UTC, from {}", first.format("%Y-%m-%d %H:%M"));
            let setting = Axes {
                title: "",
                x_label: &x_label,
                y_label: "People",
                x: 0.0..span,
                y: 0.0..highest,
                names: &[" ".into()],
                whole: true,
                whole_x: false,
            };
            let mut chart = axes(&below, &setting)?;
            for (at, (_, times)) in series(progress).into_iter().enumerate() {
                steps(&mut chart, times, first, span, INKS[at])?;
            }
            times_of_day(&below, &chart, first, span)?;
            legend(area, &[0, 1, 2].map(|at| LegendEntry::square(series(progress)[at].0, INKS[at])))
        });
    Some(Figure { name: "progress", title: "Over time", caption: String::new(), svg: Some(drawing), table })
}

const INKS: [RGBColor; 3] = [RGBColor(150, 160, 170), RGBColor(111, 168, 214), KEPT];

fn series(progress: &Progress) -> [(&'static str, &[DateTime<Utc>]); 3] {
    [("consented", &progress.consents), ("completed", &progress.completions), ("kept", &progress.kept)]
}

fn steps(
    chart: &mut Chart<'_, '_>,
    times: &[DateTime<Utc>],
    first: DateTime<Utc>,
    span: f64,
    ink: RGBColor,
) -> Drawn {
    let mut points = vec![(0.0, 0.0)];
    for (n, at) in times.iter().enumerate() {
        let x = (*at - first).as_seconds_f64();
        points.extend([(x, n as f64), (x, n as f64 + 1.0)]);
    }
    points.push((span, times.len() as f64));
    chart.draw_series([PathElement::new(points, ink.stroke_width(2))])?;
    Ok(())
}

/// Five times along the axis, as times of day, or with dates if the axis spans days.
fn times_of_day(
    area: &super::canvas::Area<'_>,
    chart: &Chart<'_, '_>,
    first: DateTime<Utc>,
    span: f64,
) -> Drawn {
    let format = if span > 2.0 * 86_400.0 { "%d %b" } else { "%H:%M" };
    let (left, top) = area.get_base_pixel();
    for n in 0..5 {
        let seconds = span * f64::from(n) / 4.0;
        let (x, y) = chart.backend_coord(&(seconds, 0.0));
        let at = (x - left, y - top);
        area.draw(&PathElement::new([at, (at.0, at.1 + 4)], SOFT.stroke_width(1)))?;
        let words = (first + TimeDelta::milliseconds((seconds * 1000.0) as i64)).format(format).to_string();
        let side = match n {
            0 => HPos::Left,
            4 => HPos::Right,
            _ => HPos::Center,
        };
        area.draw_text(&words, &placed(12, INK, side, VPos::Top), (at.0, at.1 + 7))?;
    }
    Ok(())
}
