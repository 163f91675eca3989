//! Draws the CONSORT flow diagram.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, INK, SOFT, placed, svg};
use super::{Figure, Table, TableCell};
use crate::domain::consort::ConsortFlow;
use crate::domain::gate::Arrival;

/// The figure's name.
pub const FLOW: &str = "flow";

/// A box: a heading, with lines below it.
struct Station {
    head: String,
    lines: Vec<String>,
    /// Heading and lines of the box beside it, for people who leave here.
    aside: Option<(String, Vec<String>)>,
}

/// Draws how many people of the crowd reached each step. Experts, if any took part, have a column of the table. `titles`: the
/// names of the conditions in figures, in the study's order.
pub fn flow(flow: &ConsortFlow, experts: Option<&ConsortFlow>, titles: &[String]) -> Figure {
    let stations = stations(flow, experts.is_some(), titles);
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
    let whom = match experts {
        Some(_) => " Crowd only: experts are in the last column of the table.",
        None => "",
    };
    Figure {
        name: FLOW,
        title: "Flow of participants",
        caption: format!(
            "Visits before consent are anonymous: one person may be counted several times. No decision: the person is still \
             reading, left without an answer, or agreed too late or a second time. From consent on, each person is counted \
             in exactly one place; people who left are counted where they were seen last, in the table by the screen. \
             Excluded people are counted by the first criterion that they fail.{whom}"
        ),
        svg: Some(drawing),
        table: table(flow, experts, titles),
    }
}

/// A label with its number.
type Counted = (String, u64);

/// The table of the diagram's numbers, with the screens on which people were seen last.
fn table(flow: &ConsortFlow, experts: Option<&ConsortFlow>, titles: &[String]) -> Table {
    let Some(experts) = experts else {
        let mut table = Table::new(&["Step", "Of these", "Number"]);
        lines(flow, titles).into_iter().for_each(|line| table.push(line.into()));
        return table;
    };
    let mut table = Table::new(&["Step", "Of these", "Number", "Experts"]);
    let of_experts = lines(&experts.clone().beside(flow), titles);
    for (line, [.., number]) in lines(&flow.clone().beside(experts), titles).into_iter().zip(of_experts) {
        table.push(line.into_iter().chain([number]).collect());
    }
    table
}

/// The table's rows: step, of these, number.
fn lines(flow: &ConsortFlow, titles: &[String]) -> Vec<[TableCell; 3]> {
    let mut table = Vec::new();
    let mut row = |step: &str, of: &str, n: u64| table.push([step.into(), of.into(), TableCell::Count(n)]);
    let mut rows = |step: &str, lines: Vec<Counted>| lines.iter().for_each(|(of, n)| row(step, of, *n));
    let all = |n: u64| vec![(String::new(), n)];
    rows("visits", all(flow.visits_in_all()));
    rows("visits", turned_away(flow));
    rows("saw the consent page", all(flow.saw_consent()));
    rows("saw the consent page", without_consent(flow));
    rows("consented", all(flow.consented));
    rows(
        "consented",
        vec![(ARRIVING.into(), flow.arriving), ("never started".into(), flow.gone.never_started)],
    );
    rows("started", all(flow.started()));
    rows("started", vec![(AT_WORK.into(), flow.at_work)]);
    rows("started", not_completed(flow));
    for (part, screens) in &flow.gone.left {
        let lines = screens.iter().map(|(screen, n)| (screen.to_string(), *n));
        rows(&format!("left in {part}"), lines.collect());
    }
    rows("completed", all(flow.completed));
    rows("completed", not_analysed(flow, "excluded: ", "excluded "));
    rows("analysed", all(flow.analysed_in_all()));
    rows("analysed", vec![(INCLUDED.into(), flow.included_by_decision)]);
    rows("analysed", by_condition(flow, titles));
    table
}

const ARRIVING: &str = "about to start";
const AT_WORK: &str = "at work";
const INCLUDED: &str = "included by decision";

fn turned_away(flow: &ConsortFlow) -> Vec<Counted> {
    let without_consent_page = flow.visits.iter().filter(|(arrival, _)| !arrival.saw_consent());
    without_consent_page.map(|(arrival, n)| (arrival.in_words().to_owned(), *n)).collect()
}

fn without_consent(flow: &ConsortFlow) -> Vec<Counted> {
    // A person who is asked to wait has not left.
    let ended = |arrival: &Arrival| arrival.saw_consent() && *arrival != Arrival::Crowded;
    let refused = flow.visits.iter().filter(|(arrival, _)| ended(arrival));
    let counted = refused.map(|(arrival, n)| match arrival {
        Arrival::Arrived => (arrival.in_words().to_owned(), flow.undecided()),
        _ => (arrival.in_words().to_owned(), *n),
    });
    counted.collect()
}

fn not_completed(flow: &ConsortFlow) -> Vec<Counted> {
    let left = flow.gone.left_by_part().map(|(part, n)| (format!("left in {part}"), n));
    let others = [
        ("screened out in practice".to_owned(), flow.gone.screened_out),
        ("withdrew their data".to_owned(), flow.gone.withdrawn),
    ];
    left.chain(others).collect()
}

/// The people who are not analysed. `by_rule` and `otherwise` are prefixes of criteria and of decisions.
fn not_analysed(flow: &ConsortFlow, by_rule: &str, otherwise: &str) -> Vec<Counted> {
    let failed = flow.excluded.iter().map(|(criterion, n)| {
        let name = criterion.sheet().title.to_lowercase();
        (format!("{by_rule}{name}"), *n)
    });
    let others = [
        (format!("{otherwise}by decision"), flow.excluded_by_decision),
        ("surplus: passed without a place".to_owned(), flow.surplus),
    ];
    failed.chain(others).collect()
}

fn by_condition(flow: &ConsortFlow, titles: &[String]) -> Vec<Counted> {
    flow.analysed.iter().zip(titles).map(|((_, n), title)| (title.clone(), *n)).collect()
}

fn stations(flow: &ConsortFlow, besides_experts: bool, titles: &[String]) -> Vec<Station> {
    let visits = if besides_experts { "Visits of the crowd" } else { "Visits" };
    let lines = |lines: Vec<Counted>| -> Vec<String> {
        lines.into_iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{what}: {n}")).collect()
    };
    let station =
        |head: &str, n: u64, inside: Vec<Counted>, aside: Option<(&str, u64, Vec<Counted>)>| Station {
            head: format!("{head} (n = {n})"),
            lines: lines(inside),
            aside: aside.map(|(head, n, beside)| (format!("{head} (n = {n})"), lines(beside))),
        };
    let refused = flow.saw_consent() - flow.consented;
    let (arriving, at_work) = (vec![(ARRIVING.into(), flow.arriving)], vec![(AT_WORK.into(), flow.at_work)]);
    let gone = &flow.gone;
    let away = Some(("Turned away", flow.turned_away(), turned_away(flow)));
    let without = Some(("Did not consent", refused, without_consent(flow)));
    let never = Some(("Never started", gone.never_started, Vec::new()));
    let incomplete = Some(("Did not complete", gone.after_welcome(), not_completed(flow)));
    let excluded = Some(("Not analysed", flow.excluded_in_all(), not_analysed(flow, "", "")));
    let mut analysed = by_condition(flow, titles);
    analysed.push((INCLUDED.into(), flow.included_by_decision));
    vec![
        station(visits, flow.visits_in_all(), Vec::new(), away),
        station("Saw the consent page", flow.saw_consent(), Vec::new(), without),
        station("Consented", flow.consented, arriving, never),
        station("Started", flow.started(), at_work, incomplete),
        station("Completed", flow.completed, Vec::new(), excluded),
        station("Analysed", flow.analysed_in_all(), analysed, None),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::consort::Gone;
    use crate::domain::screen::Screen;

    fn full() -> ConsortFlow {
        let left = ["main:3", "main:3", "practice:1:2"].map(|name| Screen::new(Some(name)));
        let mut gone = Gone { never_started: 2, screened_out: 1, withdrawn: 1, ..Gone::default() };
        for screen in left {
            *gone.left.entry(screen.part()).or_default().entry(screen).or_default() += 1;
        }
        ConsortFlow {
            visits: Arrival::ALL
                .iter()
                .map(|arrival| (*arrival, if *arrival == Arrival::Arrived { 30 } else { 2 }))
                .collect(),
            consented: 20,
            arriving: 1,
            at_work: 3,
            gone,
            completed: 9,
            excluded: BTreeMap::from([(crate::domain::exclusion::Criterion::CatchTrials, 2)]),
            excluded_by_decision: 1,
            surplus: 1,
            included_by_decision: 1,
            analysed: vec![("natural".into(), 5)],
        }
    }

    /// The numbers of a step: its own, and the sum of those listed below it.
    fn step(table: &Table, name: &str) -> (u64, u64) {
        let csv = table.to_csv();
        let rows = csv.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(','));
        let numbers: Vec<u64> = rows.map(|row| row.rsplit(',').next().unwrap().parse().unwrap()).collect();
        (numbers[0], numbers[1..].iter().sum())
    }

    #[test]
    fn every_step_is_the_previous_one_without_those_who_left() {
        let table = flow(&full(), None, &["Natural".into()]).table;
        for (from, to) in [
            ("visits", "saw the consent page"),
            ("saw the consent page", "consented"),
            ("consented", "started"),
            ("started", "completed"),
            ("completed", "analysed"),
        ] {
            let (n, beside) = step(&table, from);
            assert_eq!(n - beside, step(&table, to).0, "{from} to {to}: {}", table.to_csv());
        }
    }

    #[test]
    fn the_table_lists_the_screens_of_each_part() {
        let csv = flow(&full(), None, &["Natural".into()]).table.to_csv();
        for line in [
            "started,left in main trials,2",
            "left in main trials,trial 3,2",
            "left in practice,\"block 1, trial 2\",1",
        ] {
            assert!(csv.lines().any(|each| each == line), "{line} in {csv}");
        }
    }

    #[test]
    fn experts_stand_in_a_column_of_their_own_line_by_line() {
        let mut experts = ConsortFlow { analysed: vec![("natural".into(), 2)], ..ConsortFlow::default() };
        (experts.consented, experts.completed, experts.gone.never_started) = (4, 2, 1);
        let screen = Screen::new(Some("main:9"));
        experts.gone.left.entry(screen.part()).or_default().insert(screen, 1);
        let (alone, with) = (flow(&full(), None, &["Natural".into()]), {
            flow(&full(), Some(&experts), &["Natural".into()])
        });
        let drawn = with.svg.unwrap().replace("Visits of the crowd (n = 46)", "Visits (n = 46)");
        assert_eq!(Some(drawn), alone.svg, "the drawing shows the crowd only, and says so");
        assert!(with.caption.contains("Crowd only") && !alone.caption.contains("Crowd only"));
        let csv = with.table.to_csv();
        for line in [
            "Step,Of these,Number,Experts",
            "visits,,46,4",
            "consented,,20,4",
            "left in main trials,trial 3,2,0",
            "left in main trials,trial 9,0,1",
            "completed,excluded: catch trials,2,0",
            "analysed,,5,2",
            "analysed,Natural,5,2",
        ] {
            assert!(csv.lines().any(|each| each == line), "{line} in {csv}");
        }
    }

    #[test]
    fn drawing_and_table_have_the_same_numbers() {
        let svg = flow(&full(), None, &["Natural".into()]).svg.unwrap();
        for text in [
            "Visits (n = 46)",
            "no decision: 4",
            "included by decision: 1",
            "about to start: 1",
            "Natural: 5",
        ] {
            assert!(svg.contains(text), "{text}");
        }
        let none =
            flow(&ConsortFlow { included_by_decision: 0, ..full() }, None, &["Natural".into()]).svg.unwrap();
        assert!(!none.contains("included by decision"));
        let width = svg.split("width=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert!(width.parse::<u32>().unwrap() <= 720, "it fits windows of 800 px");
    }
}
