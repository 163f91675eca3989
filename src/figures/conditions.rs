//! Draws what people of each condition did: accuracy, reaction time, confidence.

use super::canvas::{Axes, INK, MARKED_SHARES, SHARES, SOFT, axes, colour, height_of_names, svg};
use super::marks::{bar, error_bar, line};
use super::text_layout::{LegendEntry, legend, legend_height, word_room};
use super::{Figure, Input, Label, Table, TableCell};
use crate::domain::results::{ConditionResults, MeanWithError};
use crate::domain::stats::{REPLICATES, SEED};
use plotters::prelude::*;

/// The accuracy of guessing between two images.
const CHANCE: f64 = 0.5;

/// The groups of people, each with the results of its conditions.
fn groups<'a>(input: &Input<'a>) -> Vec<(&'static str, &'a [ConditionResults])> {
    let experts = input.results.experts.as_deref().map(|experts| ("experts", experts));
    std::iter::once(("crowd", input.results.crowd.as_slice())).chain(experts).collect()
}

pub fn titles(labels: &[Label]) -> Vec<String> {
    labels.iter().map(|label| label.title.clone()).collect()
}

/// The range of the horizontal axis for bars by condition.
pub fn span(labels: &[Label]) -> std::ops::Range<f64> {
    -0.6..labels.len() as f64 - 0.4
}

/// The width in px of a drawing with one column per condition.
pub fn wide(labels: &[Label]) -> u32 {
    let place = word_room(&titles(labels), 12, (80, 130)) + 10;
    (70 + place as u32 * labels.len() as u32).max(620)
}

/// Draws accuracy by condition.
pub fn accuracy(input: &Input<'_>) -> Figure {
    let header =
        ["Condition", "Group", "People", "Trials", "Accuracy", "2 SEM", "Bootstrap low", "Bootstrap high"];
    let mut table = Table::new(&header);
    for (group, results) in groups(input) {
        for (at, (label, condition)) in input.labels.iter().zip(results).enumerate() {
            let interval = input.results.differences.intervals[at].filter(|_| group == "crowd");
            table.push(vec![
                label.title.clone().into(),
                group.into(),
                TableCell::count(condition.people),
                TableCell::count(condition.accuracy.trials),
                TableCell::Number(condition.accuracy.value, 3),
                TableCell::Number(condition.accuracy.bar, 3),
                TableCell::Number(interval.map(|interval| interval.low), 3),
                TableCell::Number(interval.map(|interval| interval.high), 3),
            ]);
        }
    }
    let whose = if input.experts.is_some() { " of the crowd" } else { "" };
    Figure {
        name: "accuracy",
        title: "Accuracy",
        caption: format!(
            "Share of main trials in which the max query was chosen, pooled over trials. Error bars: 2 standard errors over \
             people’s own means (standard deviation with ddof 0). Dashed line: chance. The bootstrap interval{whose} holds the \
             central 95 % of {REPLICATES} resamples of people within conditions (seed {SEED})."
        ),
        svg: Some(bars(input, "Accuracy by condition", ("Accuracy", SHARES.end, Some(CHANCE)), |c| {
            c.accuracy
        })),
        table: input.open(table, |name| ["People", "Trials"].contains(&name)),
    }
}

/// Draws reaction time by condition.
pub fn reaction_time(input: &Input<'_>) -> Figure {
    let mut table = Table::new(&["Condition", "Group", "People", "Trials", "Reaction time (s)", "2 SEM (s)"]);
    for (group, results) in groups(input) {
        for (label, condition) in input.labels.iter().zip(results) {
            let rt = in_seconds(condition.rt);
            table.push(vec![
                label.title.clone().into(),
                group.into(),
                TableCell::count(rt.people),
                TableCell::count(rt.trials),
                TableCell::Number(rt.value, 2),
                TableCell::Number(rt.bar, 2),
            ]);
        }
    }
    let top = |c: &ConditionResults| Some((c.rt.value? + c.rt.bar.unwrap_or_default()) / 1000.0);
    let highest =
        groups(input).iter().flat_map(|(_, results)| results.iter().filter_map(top)).fold(0.1, f64::max);
    Figure {
        name: "reaction-time",
        title: "Reaction time",
        caption: "From the painted screen to the press on a number, pooled over trials, without those in which the tab was \
                  hidden. Error bars: 2 standard errors over people’s own means."
            .into(),
        svg: Some(bars(input, "Reaction time by condition", ("Reaction time, s", highest * 1.08, None), |c| {
            in_seconds(c.rt)
        })),
        table: input.open(table, |name| ["People", "Trials"].contains(&name)),
    }
}

fn in_seconds(measure: MeanWithError) -> MeanWithError {
    let seconds = |ms: Option<f64>| ms.map(|ms| ms / 1000.0);
    MeanWithError { value: seconds(measure.value), bar: seconds(measure.bar), ..measure }
}

/// Draws bars by condition, crowd and experts side by side. `scale`: name and end of the axis, and the place of a dashed line.
fn bars(
    input: &Input<'_>,
    title: &str,
    scale: (&str, f64, Option<f64>),
    of: impl Fn(&ConditionResults) -> MeanWithError,
) -> String {
    let names = titles(input.labels);
    let groups = groups(input);
    let width = if groups.len() > 1 { 0.36 } else { 0.6 };
    let (y_label, end, dashed) = scale;
    let keys = match groups.len() {
        1 => Vec::new(),
        _ => vec![LegendEntry::square("crowd", SOFT), LegendEntry::square("experts (paler)", pale(SOFT))],
    };
    let width_in_px = wide(input.labels);
    let top = legend_height(width_in_px, &keys);
    let size = (width_in_px, 314 + top + height_of_names(&names, width_in_px));
    svg(size, title, "The table beside it contains the numbers.", |area| {
        let x = span(input.labels);
        let setting = Axes {
            title: "",
            x_label: "",
            y_label,
            x: x.clone(),
            y: 0.0..end,
            names: &names,
            whole: false,
            whole_x: false,
        };
        let (_, below) = area.split_vertically(top);
        let mut chart = axes(&below, &setting)?;
        for (n, (_, results)) in groups.iter().enumerate() {
            for (at, (label, condition)) in input.labels.iter().zip(*results).enumerate() {
                let measure = of(condition);
                let Some(value) = measure.value else { continue };
                let place = at as f64 + if groups.len() > 1 { (n as f64 - 0.5) * 0.4 } else { 0.0 };
                let fill = colour(&label.colour);
                bar(&mut chart, place, width, value, if n == 0 { fill } else { pale(fill) })?;
                error_bar(&mut chart, place, value, measure.bar)?;
            }
        }
        if let Some(at) = dashed {
            chart.draw_series(DashedPath::of(x, at))?;
        }
        legend(area, &keys)
    })
}

/// The colour half way to white.
pub fn pale(ink: RGBColor) -> RGBColor {
    let half = |part: u8| part / 2 + 127;
    RGBColor(half(ink.0), half(ink.1), half(ink.2))
}

/// A dashed line over the whole width.
pub struct DashedPath;

impl DashedPath {
    /// A line at the height `y`.
    pub fn of(x: std::ops::Range<f64>, y: f64) -> Vec<PathElement<(f64, f64)>> {
        let step = (x.end - x.start) / 60.0;
        let dash = |n: usize| {
            let from = x.start + 2.0 * n as f64 * step;
            PathElement::new([(from, y), (from + step, y)], INK.stroke_width(1))
        };
        (0..30).map(dash).collect()
    }
}

/// The rows of confidence: each has a name and its results.
type Rows<'a> = [(&'static str, fn(&ConditionResults) -> &[MeanWithError]); 3];

const AMONG: Rows<'static> = [
    ("all trials", |c| &c.confidence),
    ("correct trials", |c| &c.confidence_if_correct),
    ("wrong trials", |c| &c.confidence_if_wrong),
];

/// Draws the share of each confidence.
pub fn confidence(input: &Input<'_>) -> Figure {
    let header =
        ["Condition", "Among", "Confidence", "Share", "2 SEM", "People", "People without any", "Trials"];
    let mut table = Table::new(&header);
    for (among, of) in AMONG {
        for (label, condition) in input.labels.iter().zip(&input.results.crowd) {
            for (level, measure) in (1..).zip(of(condition)) {
                table.push(row(
                    vec![label.title.clone().into(), among.into(), TableCell::Count(level)],
                    measure,
                ));
            }
        }
    }
    let names = titles(input.labels);
    let levels = input.results.crowd.first().map_or(0, |condition| condition.confidence.len());
    let ratings: Vec<String> = (1..=levels).map(|level| format!("rating {level}")).collect();
    let shades = (0..levels).map(|level| shade(SOFT, level, levels));
    let keys: Vec<LegendEntry<'_>> =
        ratings.iter().zip(shades).map(|(name, ink)| LegendEntry::square(name, ink)).collect();
    let width = wide(input.labels);
    let top = legend_height(width, &keys);
    let size = (width, top + 3 * (230 + height_of_names(&names, width)));
    let drawing = svg(size, "Confidence by condition", "Shares of the ratings.", |area| {
        let (_, below) = area.split_vertically(top);
        for (part, (among, of)) in below.split_evenly((AMONG.len(), 1)).iter().zip(AMONG) {
            let (x, y) = (span(input.labels), SHARES);
            let setting = Axes {
                title: among,
                x_label: "",
                y_label: "Share of ratings",
                x,
                y,
                names: &names,
                whole: false,
                whole_x: false,
            };
            let mut chart = axes(part, &setting)?;
            for (at, (label, condition)) in input.labels.iter().zip(&input.results.crowd).enumerate() {
                let measures = of(condition);
                let width = 0.84 / measures.len().max(1) as f64;
                for (level, measure) in measures.iter().enumerate() {
                    let Some(value) = measure.value else { continue };
                    let place = at as f64 - 0.42 + width * (level as f64 + 0.5);
                    bar(
                        &mut chart,
                        place,
                        width,
                        value,
                        shade(colour(&label.colour), level, measures.len()),
                    )?;
                    error_bar(&mut chart, place, value, measure.bar)?;
                }
            }
        }
        legend(area, &keys)
    });
    Figure {
        name: "confidence",
        title: "Confidence",
        caption: "Share of each rating, from unsure (1, palest) to sure; pooled over trials. Error bars: 2 standard errors over \
                  people’s own shares; people without such a trial are left out of them and counted."
            .into(),
        svg: Some(drawing),
        table: input.open(table, counts_people),
    }
}

/// Whether a column of [`row`] counts people or trials.
fn counts_people(column: &str) -> bool {
    ["People", "People without any", "Trials"].contains(&column)
}

/// The colour of a confidence: higher confidence is darker.
fn shade(ink: RGBColor, level: usize, levels: usize) -> RGBColor {
    let share = (level as f64 + 1.0) / levels.max(1) as f64;
    let mix = |part: u8| (255.0 - (255.0 - f64::from(part)) * share) as u8;
    RGBColor(mix(ink.0), mix(ink.1), mix(ink.2))
}

fn row(mut start: Vec<TableCell>, measure: &MeanWithError) -> Vec<TableCell> {
    start.extend([
        TableCell::Number(measure.value, 3),
        TableCell::Number(measure.bar, 3),
        TableCell::count(measure.people),
        TableCell::count(measure.left_out),
        TableCell::count(measure.trials),
    ]);
    start
}

/// Draws the accuracy of answers with each confidence.
pub fn accuracy_by_confidence(input: &Input<'_>) -> Figure {
    let header = ["Condition", "Confidence", "Accuracy", "2 SEM", "People", "People without any", "Trials"];
    let mut table = Table::new(&header);
    for (label, condition) in input.labels.iter().zip(&input.results.crowd) {
        for (level, measure) in (1..).zip(&condition.accuracy_by_confidence) {
            table.push(row(vec![label.title.clone().into(), TableCell::Count(level)], measure));
        }
    }
    let levels = input.results.crowd.first().map_or(0, |c| c.accuracy_by_confidence.len());
    let names: Vec<String> = (1..=levels).map(|level| level.to_string()).collect();
    let keys = by_condition(input.labels);
    let top = legend_height(620, &keys);
    let drawing = svg((620, 314 + top), "Accuracy by confidence", "One line per condition.", |area| {
        let x = -0.5..levels.max(1) as f64 - 0.5;
        let (y_label, x_label) = ("Accuracy", "Confidence");
        let (_, below) = area.split_vertically(top);
        let setting = Axes {
            title: "",
            x_label,
            y_label,
            x,
            y: MARKED_SHARES,
            names: &names,
            whole: false,
            whole_x: false,
        };
        let mut chart = axes(&below, &setting)?;
        for (at, (label, condition)) in input.labels.iter().zip(&input.results.crowd).enumerate() {
            // Conditions are shifted sideways, so that error bars do not hide each other.
            let shift = (at as f64 - (input.labels.len() as f64 - 1.0) / 2.0) * 0.07;
            let measures = condition.accuracy_by_confidence.iter().enumerate();
            let points: Vec<(f64, Option<f64>)> =
                measures.clone().map(|(level, measure)| (level as f64 + shift, measure.value)).collect();
            for (level, measure) in measures {
                if let Some(value) = measure.value {
                    error_bar(&mut chart, level as f64 + shift, value, measure.bar)?;
                }
            }
            line(&mut chart, &points, at, colour(&label.colour))?;
        }
        legend(area, &keys)
    });
    Figure {
        name: "accuracy-by-confidence",
        title: "Accuracy by confidence",
        caption: "Accuracy of the answers with each rating, pooled over trials. Error bars: 2 standard errors over people’s own \
                  means; people without such an answer are left out of them and counted."
            .into(),
        svg: Some(drawing),
        table: input.open(table, counts_people),
    }
}

/// Legend entries with the conditions' symbols and names.
pub fn by_condition(labels: &[Label]) -> Vec<LegendEntry<'_>> {
    let places = labels.iter().enumerate();
    places
        .map(|(at, label)| LegendEntry { symbol: Some(at), name: &label.title, ink: colour(&label.colour) })
        .collect()
}
