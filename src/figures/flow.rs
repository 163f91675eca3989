//! The CONSORT flow diagram.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, INK, SOFT, placed, svg};
use super::{Cell, Figure, Table, words};
use crate::domain::consort::Flow;
use crate::domain::gate::Arrival;

/// A box: its head, and lines under it.
struct Station {
    head: String,
    lines: Vec<String>,
    /// Who goes from here to the side: head and lines.
    aside: Option<(String, Vec<String>)>,
}

/// How many people got how far. `titles`: conditions as figures name them, in the study's order.
pub fn flow(flow: &Flow, titles: &[String]) -> Figure {
    let stations = stations(flow, titles);
    let height = stations.iter().map(|station| depth(station) + 34).sum::<i32>();
    let drawing =
        svg((720, height as u32), "Flow of participants", "From the first visit to the analysis.", |area| {
            let mut top = 14;
            for (n, station) in stations.iter().enumerate() {
                draw_station(area, station, top, n + 1 < stations.len())?;
                top += depth(station) + 34;
            }
            Ok(())
        });
    Figure {
        name: "flow",
        title: "Flow of participants",
        caption: "Visits before consent are anonymous and counted as they come: one person may come several times. From consent \
                  on, everybody stands in exactly one place. Excluded people are counted by the first criterion that they fail."
            .into(),
        svg: Some(drawing),
        table: table(flow, titles),
    }
}

/// Each line of the diagram with its number.
fn table(flow: &Flow, titles: &[String]) -> Table {
    let mut table = Table::new(&["Step", "Of these", "Number"]);
    let mut row = |step: &str, of: &str, n: u64| table.push(vec![step.into(), of.into(), Cell::Count(n)]);
    for (arrival, n) in &flow.visits {
        row("visits", visit(*arrival), *n);
    }
    row("consented", "", flow.consented);
    row("consented", "never started", flow.never_started);
    row("started", "", flow.started);
    row("started", "at work", flow.at_work);
    for (part, n) in &flow.abandoned {
        row("started", &format!("left in {part}"), *n);
    }
    row("started", "screened out in practice", flow.screened_out);
    row("started", "withdrew their data", flow.withdrawn);
    row("completed", "", flow.completed);
    for (criterion, n) in &flow.excluded {
        row("completed", &format!("excluded: {}", words(*criterion).0.to_lowercase()), *n);
    }
    row("completed", "excluded by decision", flow.excluded_by_decision);
    row("completed", "surplus: passed without a place", flow.surplus);
    row("analysed", "", flow.analysed_in_all());
    row("analysed", "included by decision", flow.included_by_decision);
    for ((_, n), title) in flow.analysed.iter().zip(titles) {
        row("analysed", title, *n);
    }
    table
}

const fn visit(arrival: Arrival) -> &'static str {
    match arrival {
        Arrival::Arrived => "saw the consent page",
        Arrival::Preview => "previewed the task",
        Arrival::Declined => "declined",
        Arrival::Unsuitable => "device or window unsuitable",
        Arrival::AlreadyTookPart => "had taken part before",
        Arrival::Full => "found every place taken",
        Arrival::Paused => "came while the study was paused",
        Arrival::Closed => "came when the study was closed",
    }
}

fn stations(flow: &Flow, titles: &[String]) -> Vec<Station> {
    let station = |head: &str, n: u64, aside: Option<(String, Vec<String>)>| Station {
        head: format!("{head} (n = {n})"),
        lines: Vec::new(),
        aside,
    };
    let aside = |head: &str, n: u64, lines: Vec<(String, u64)>| {
        let lines = lines.into_iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{what}: {n}"));
        Some((format!("{head} (n = {n})"), lines.collect()))
    };
    let not_arrived = flow.visits.iter().filter(|(arrival, _)| **arrival != Arrival::Arrived);
    let turned: Vec<(String, u64)> =
        not_arrived.map(|(arrival, n)| (visit(*arrival).to_owned(), *n)).collect();
    let arrived = flow.visits.get(&Arrival::Arrived).copied().unwrap_or(0);
    let mut abandoned: Vec<(String, u64)> =
        flow.abandoned.iter().map(|(part, n)| (format!("left in {part}"), *n)).collect();
    abandoned.extend([
        ("screened out in practice".to_owned(), flow.screened_out),
        ("withdrew their data".to_owned(), flow.withdrawn),
    ]);
    let mut excluded: Vec<(String, u64)> =
        flow.excluded.iter().map(|(criterion, n)| (words(*criterion).0.to_lowercase(), *n)).collect();
    excluded.extend([
        ("by decision".to_owned(), flow.excluded_by_decision),
        ("surplus: passed without a place".to_owned(), flow.surplus),
    ]);
    let mut started =
        station("Started", flow.started, aside("Did not complete", flow.abandoned_in_all(), abandoned));
    if flow.at_work > 0 {
        started.lines.push(format!("{} still at work", flow.at_work));
    }
    let mut analysed = station("Analysed", flow.analysed_in_all(), None);
    analysed.lines =
        flow.analysed.iter().zip(titles).map(|((_, n), title)| format!("{title}: {n}")).collect();
    let turned_away = turned.iter().map(|(_, n)| n).sum();
    vec![
        station("Visits that saw the consent page", arrived, aside("Other visits", turned_away, turned)),
        station("Consented", flow.consented, aside("Never started", flow.never_started, Vec::new())),
        started,
        station("Completed", flow.completed, aside("Not analysed", flow.excluded_in_all(), excluded)),
        analysed,
    ]
}

const LINE_HEIGHT: i32 = 18;

fn box_height(lines: usize) -> i32 {
    34 + LINE_HEIGHT * lines as i32
}

fn depth(station: &Station) -> i32 {
    let aside = station.aside.as_ref().map_or(0, |(_, lines)| box_height(lines.len()));
    box_height(station.lines.len()).max(aside)
}

fn draw_station(area: &Area<'_>, station: &Station, top: i32, goes_on: bool) -> Drawn {
    let (left, width, aside_left, aside_width) = (4, 330, 386, 330);
    let height = box_height(station.lines.len());
    draw_box(area, (left, top), (width, height), &station.head, &station.lines)?;
    if let Some((head, lines)) = &station.aside {
        draw_box(area, (aside_left, top), (aside_width, box_height(lines.len())), head, lines)?;
        arrow(area, (left + width, top + 17), (aside_left, top + 17))?;
    }
    if goes_on {
        let x = left + width / 2;
        arrow(area, (x, top + height), (x, top + depth(station) + 34))?;
    }
    Ok(())
}

fn draw_box(area: &Area<'_>, at: (i32, i32), size: (i32, i32), head: &str, lines: &[String]) -> Drawn {
    let corners = [at, (at.0 + size.0, at.1 + size.1)];
    area.draw(&Rectangle::new(corners, WHITE.filled()))?;
    area.draw(&Rectangle::new(corners, SOFT.stroke_width(1)))?;
    area.draw_text(head, &placed(14, INK, HPos::Left, VPos::Center), (at.0 + 12, at.1 + 17))?;
    for (n, line) in lines.iter().enumerate() {
        let y = at.1 + 38 + LINE_HEIGHT * n as i32;
        area.draw_text(line, &placed(13, SOFT, HPos::Left, VPos::Center), (at.0 + 24, y))?;
    }
    Ok(())
}

fn arrow(area: &Area<'_>, from: (i32, i32), to: (i32, i32)) -> Drawn {
    area.draw(&PathElement::new([from, to], SOFT.stroke_width(1)))?;
    let head = if from.0 == to.0 {
        vec![to, (to.0 - 4, to.1 - 7), (to.0 + 4, to.1 - 7)]
    } else {
        vec![to, (to.0 - 7, to.1 - 4), (to.0 - 7, to.1 + 4)]
    };
    area.draw(&Polygon::new(head, SOFT.filled()))?;
    Ok(())
}
