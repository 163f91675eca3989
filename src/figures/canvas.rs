//! The style of all figures: colours and axes. Each condition also has a symbol and a place of its own, so that figures can be
//! read in grey.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::text_layout;
pub use super::text_layout::placed;
use super::text_layout::text;

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A drawing area with axes.
pub type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// The result of drawing. Drawing into memory does not fail.
pub type Drawn = Result<(), Box<dyn std::error::Error>>;

/// The colour of text and axes.
pub const INK: RGBColor = RGBColor(28, 33, 38);
/// The colour of less important text.
pub const SOFT: RGBColor = RGBColor(89, 99, 109);
/// The colour of grid lines.
pub const LINE: RGBColor = RGBColor(223, 227, 231);
/// The colour of kept people.
pub const KEPT: RGBColor = RGBColor(47, 125, 91);
/// The colour of excluded people.
pub const EXCLUDED: RGBColor = RGBColor(205, 150, 128);

/// Makes a drawing of a size in px, with a title and a description for people who cannot see it.
pub fn svg(
    size: (u32, u32),
    title: &str,
    description: &str,
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> String {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?)).expect("drawing into memory");
    }
    let title = format!("<title>{}</title><desc>{}</desc>", escape(title), escape(description));
    let body = text.find('>').map_or(0, |end| end + 1);
    let (head, rest) = text.split_at(body);
    format!("{}{title}{rest}", head.replacen("<svg ", "<svg role=\"img\" ", 1))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Reads a colour from `#rrggbb`. Other texts give grey.
pub fn colour(text: &str) -> RGBColor {
    let part = |from: usize| text.get(from..from + 2).and_then(|part| u8::from_str_radix(part, 16).ok());
    match (part(1), part(3), part(5)) {
        (Some(red), Some(green), Some(blue)) => RGBColor(red, green, blue),
        _ => RGBColor(92, 103, 112),
    }
}

/// The labels and ranges of axes.
pub struct Axes<'a> {
    pub title: &'a str,
    pub x_label: &'a str,
    pub y_label: &'a str,
    pub x: Range<f64>,
    pub y: Range<f64>,
    /// Names along the horizontal axis, at 0, 1, 2, ... Without names the axis shows numbers.
    pub names: &'a [String],
    /// Whether the vertical axis counts, so that it has whole numbers only.
    pub whole: bool,
    /// Whether the horizontal axis counts, so that it has whole numbers only.
    pub whole_x: bool,
}

/// The vertical axis of shares that are drawn as bars. It is a little longer, so that a share of 1 is completely visible.
pub const SHARES: Range<f64> = 0.0..1.06;

/// The vertical axis of shares with markers, which must be completely visible at 0, too.
pub const MARKED_SHARES: Range<f64> = -0.06..1.06;

const TITLE: i32 = 14;
const NAME: i32 = 12;
const LEFT: i32 = 54;
const RIGHT: i32 = 14;
/// The least width of a line of a name, in px. With less space every second name is left out, and so on.
const NARROWEST: i32 = 34;
/// The space between two names, in px.
const GAP: i32 = 6;

/// The positions of the names that are shown, each with its lines.
fn shown_names(names: &[String], width: i32, places: f64) -> Vec<(usize, Vec<String>)> {
    let place = f64::from(width - LEFT - RIGHT) / places.max(1.0);
    let widest = names.iter().map(|name| text_layout::width(name, NAME)).max().unwrap_or(0);
    let every = (f64::from(widest.min(NARROWEST) + GAP) / place).ceil().max(1.0);
    let lines = |name: &String| text_layout::lines(name, NAME, (place * every) as i32 - GAP);
    names.iter().enumerate().step_by(every as usize).map(|(place, name)| (place, lines(name))).collect()
}

fn most_lines(names: &[(usize, Vec<String>)]) -> i32 {
    names.iter().map(|(_, lines)| lines.len()).max().unwrap_or(1) as i32
}

/// The additional height, in px, of a panel whose names need more than one line.
pub fn height_of_names(names: &[String], width: u32) -> u32 {
    let shown = shown_names(names, width as i32, names.len() as f64 + 0.2);
    (text_layout::line_height(NAME) * (most_lines(&shown) - 1)) as u32
}

/// Draws axes, and returns the chart in which to draw.
pub fn axes<'a, 'b>(
    area: &'a Area<'b>,
    axes: &Axes<'_>,
) -> Result<Chart<'a, 'b>, Box<dyn std::error::Error>> {
    let width = area.dim_in_pixel().0 as i32;
    let title = text_layout::lines(axes.title, TITLE, width - 16);
    let names = shown_names(axes.names, width, axes.x.end - axes.x.start);
    let over: i32 = if axes.title.is_empty() { 14 } else { 6 + 18 * title.len() as i32 };
    let under = 15
        + text_layout::line_height(NAME) * most_lines(&names)
        + if axes.x_label.is_empty() { 0 } else { 14 };
    text_layout::draw_lines(
        area,
        &title,
        &placed(TITLE, INK, HPos::Center, VPos::Top),
        TITLE,
        (width / 2, 4),
    )?;
    let mut chart = ChartBuilder::on(area)
        .margin_right(RIGHT)
        .margin_top(over)
        .margin_bottom(if axes.x_label.is_empty() { 0 } else { 5 })
        .set_label_area_size(LabelAreaPosition::Left, LEFT)
        .set_label_area_size(LabelAreaPosition::Bottom, under)
        .build_cartesian_2d(axes.x.clone(), axes.y.clone())?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_mesh()
        .x_labels(0)
        .y_labels(0)
        .axis_style(SOFT)
        .axis_desc_style(text(12, SOFT))
        .x_desc(axes.x_label);
    if !axes.y_label.is_empty() {
        mesh.y_desc(axes.y_label);
    }
    mesh.draw()?;
    y_ticks(area, &mut chart, axes)?;
    x_ticks(area, &chart, axes, &names)?;
    Ok(chart)
}

/// Converts a place on the axes to px of the area around them.
fn outside(area: &Area<'_>, chart: &Chart<'_, '_>, at: (f64, f64)) -> (i32, i32) {
    let ((x, y), (left, top)) = (chart.backend_coord(&at), area.get_base_pixel());
    (x - left, y - top)
}

fn y_ticks(area: &Area<'_>, chart: &mut Chart<'_, '_>, axes: &Axes<'_>) -> Drawn {
    for (value, number) in ticks(&axes.y, axes.whole) {
        chart.draw_series([PathElement::new([(axes.x.start, value), (axes.x.end, value)], LINE)])?;
        let (x, y) = outside(area, chart, (axes.x.start, value));
        area.draw(&PathElement::new([(x - 5, y), (x, y)], SOFT))?;
        area.draw_text(&number, &placed(NAME, INK, HPos::Right, VPos::Center), (x - 8, y))?;
    }
    Ok(())
}

fn x_ticks(area: &Area<'_>, chart: &Chart<'_, '_>, axes: &Axes<'_>, names: &[(usize, Vec<String>)]) -> Drawn {
    let style = placed(NAME, INK, HPos::Center, VPos::Top);
    for (place, lines) in names {
        let (x, y) = outside(area, chart, (*place as f64, axes.y.start));
        text_layout::draw_lines(area, lines, &style, NAME, (x, y + 7))?;
    }
    if axes.names.is_empty() {
        for (value, number) in ticks(&axes.x, axes.whole_x) {
            let (x, y) = outside(area, chart, (value, axes.y.start));
            area.draw(&PathElement::new([(x, y), (x, y + 5)], SOFT))?;
            area.draw_text(&number, &style, (x, y + 7))?;
        }
    }
    Ok(())
}

/// At most seven round numbers in a range, with as many decimals as their distance needs. Counts get whole numbers.
fn ticks(range: &Range<f64>, whole: bool) -> Vec<(f64, String)> {
    let least = (range.end - range.start) / 6.0;
    let power = 10f64.powf(least.log10().floor());
    let step =
        [1.0, 2.0, 5.0].map(|n| n * power).into_iter().find(|step| *step >= least).unwrap_or(10.0 * power);
    let step = if whole { step.max(1.0) } else { step };
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let (first, last) = ((range.start / step).ceil() as i64, (range.end / step).floor() as i64);
    let tick = |n: i64| (n as f64 * step, format!("{:.decimals$}", n as f64 * step).replace('-', "\u{2212}"));
    (first..=last).map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_distinct() {
        let numbers = |range, whole| ticks(&range, whole).into_iter().map(|tick| tick.1).collect::<Vec<_>>();
        assert_eq!(numbers(0.0..1.6, false), ["0.0", "0.5", "1.0", "1.5"]);
        assert_eq!(numbers(0.0..1.05, true), ["0", "1"]);
        assert_eq!(numbers(-0.06..1.06, false), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(numbers(-30.0..90.0, false), ["\u{2212}20", "0", "20", "40", "60", "80"]);
        assert_eq!(numbers(0.0..0.043, false), ["0.00", "0.01", "0.02", "0.03", "0.04"]);
        for end in 1..400 {
            for (unit, whole) in [(0.01, false), (0.37, false), (1.0, true)] {
                let found = numbers(0.0..f64::from(end) * unit, whole);
                let distinct: std::collections::BTreeSet<_> = found.iter().collect();
                assert!((2..=7).contains(&found.len()) && distinct.len() == found.len(), "{found:?}");
            }
        }
    }

    #[test]
    fn names_are_left_out_if_there_is_too_little_space() {
        let numbers = |n: u32| (0..n).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(shown_names(&numbers(10), 300, 10.0).len(), 10);
        let shown = shown_names(&numbers(60), 300, 60.0);
        assert!((10..=30).contains(&shown.len()), "{shown:?}");
        assert!(shown.iter().all(|(place, lines)| lines == &[place.to_string()]), "{shown:?}");
    }
}
