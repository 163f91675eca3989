//! One style for all figures: sizes, colours, axes, bars, markers. Each condition has a marker and a place of its own besides
//! its colour, so that figures can be read in grey.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Where things are drawn.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// An area with axes.
pub type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// What drawing ends in: into memory it does not fail.
pub type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Text and axes.
pub const INK: RGBColor = RGBColor(28, 33, 38);
/// Less important text.
pub const SOFT: RGBColor = RGBColor(89, 99, 109);
/// Grid lines.
pub const LINE: RGBColor = RGBColor(223, 227, 231);
/// People who are kept.
pub const KEPT: RGBColor = RGBColor(47, 125, 91);
/// People who are not.
pub const EXCLUDED: RGBColor = RGBColor(205, 150, 128);

const FONT: &str = "Helvetica, Arial, 'Liberation Sans', sans-serif";

/// A drawing of a size in px, with a title and a description for people who do not see it.
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

/// Text of a size in px.
pub fn text(size: i32, colour: RGBColor) -> TextStyle<'static> {
    // The library takes sizes for those of a line, and writes smaller letters.
    (FONT, f64::from(size) * 1.24).into_font().color(&colour)
}

/// Text that is placed by its middle or by an end.
pub fn placed(size: i32, colour: RGBColor, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    text(size, colour).pos(Pos::new(horizontal, vertical))
}

/// A colour from `#rrggbb`; grey if it is none.
pub fn colour(text: &str) -> RGBColor {
    let part = |from: usize| text.get(from..from + 2).and_then(|part| u8::from_str_radix(part, 16).ok());
    match (part(1), part(3), part(5)) {
        (Some(red), Some(green), Some(blue)) => RGBColor(red, green, blue),
        _ => RGBColor(92, 103, 112),
    }
}

/// What an axis says.
pub struct Axes<'a> {
    /// Over the area.
    pub title: &'a str,
    /// Under the horizontal axis.
    pub x_label: &'a str,
    /// Beside the vertical axis.
    pub y_label: &'a str,
    /// Values of the horizontal axis.
    pub x: Range<f64>,
    /// Values of the vertical axis.
    pub y: Range<f64>,
    /// Names along the horizontal axis, at 0, 1, 2, ...; with none, numbers stand there.
    pub names: &'a [String],
    /// Decimals of the vertical axis' numbers.
    pub decimals: usize,
}

/// Draws axes and returns what to draw between them.
pub fn axes<'a, 'b>(
    area: &'a Area<'b>,
    axes: &Axes<'_>,
) -> Result<Chart<'a, 'b>, Box<dyn std::error::Error>> {
    let mut builder = ChartBuilder::on(area);
    builder.margin_right(14).margin_top(if axes.title.is_empty() { 14 } else { 4 });
    if !axes.title.is_empty() {
        builder.caption(axes.title, text(14, INK));
    }
    builder.set_label_area_size(LabelAreaPosition::Left, 54);
    builder.set_label_area_size(LabelAreaPosition::Bottom, if axes.x_label.is_empty() { 30 } else { 44 });
    let mut chart = builder.build_cartesian_2d(axes.x.clone(), axes.y.clone())?;
    let decimals = axes.decimals;
    let y_number = move |value: &f64| format!("{value:.decimals$}");
    let x_number = |value: &f64| short(*value);
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(LINE)
        .axis_style(SOFT)
        .label_style(text(12, INK))
        .axis_desc_style(text(12, SOFT))
        .y_desc(axes.y_label)
        .x_desc(axes.x_label)
        .y_labels(6)
        .y_label_formatter(&y_number);
    if axes.names.is_empty() {
        mesh.x_labels(6).x_label_formatter(&x_number);
    } else {
        mesh.x_labels(0);
    }
    mesh.draw()?;
    let foot = chart.plotting_area().get_y_range().start;
    for (place, name) in axes.names.iter().enumerate() {
        let (x, y) = chart.backend_coord(&(place as f64, foot));
        let (left, top) = area.get_base_pixel();
        area.draw_text(name, &placed(12, INK, HPos::Center, VPos::Top), (x - left, y - top + 7))?;
    }
    Ok(chart)
}

/// A number without the dust of arithmetic.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A bar from zero, of a width in units of the horizontal axis.
pub fn bar(chart: &mut Chart<'_, '_>, x: f64, width: f64, height: f64, fill: RGBColor) -> Drawn {
    let from = chart.plotting_area().get_y_range().start.max(0.0);
    let corners = [(x - width / 2.0, from), (x + width / 2.0, height)];
    chart.draw_series([
        Rectangle::new(corners, fill.filled()),
        Rectangle::new(corners, INK.stroke_width(1)),
    ])?;
    Ok(())
}

/// An error bar around a value, where there is one.
pub fn error_bar(chart: &mut Chart<'_, '_>, x: f64, value: f64, half: Option<f64>) -> Drawn {
    if let Some(half) = half {
        let (low, high) = (value - half, value + half);
        chart.draw_series([PathElement::new([(x, low), (x, high)], INK.stroke_width(2))])?;
        for end in [low, high] {
            let (px, py) = chart.backend_coord(&(x, end));
            let root = chart.plotting_area().strip_coord_spec();
            let (left, top) = root.get_base_pixel();
            let at = (px - left, py - top);
            root.draw(&PathElement::new([(at.0 - 5, at.1), (at.0 + 5, at.1)], INK.stroke_width(2)))?;
        }
    }
    Ok(())
}

/// A line through values, interrupted where one is missing, with the condition's own marker at each.
pub fn line(chart: &mut Chart<'_, '_>, values: &[(f64, Option<f64>)], which: usize, ink: RGBColor) -> Drawn {
    for run in values.split(|(_, value)| value.is_none()) {
        let points: Vec<(f64, f64)> = run.iter().filter_map(|(x, value)| Some((*x, (*value)?))).collect();
        chart.draw_series([PathElement::new(points.clone(), ink.stroke_width(2))])?;
        for point in points {
            marker(chart, point, which, 5, ink)?;
        }
    }
    Ok(())
}

/// The marker of a condition, by its place.
pub fn marker(chart: &mut Chart<'_, '_>, at: (f64, f64), which: usize, size: i32, ink: RGBColor) -> Drawn {
    let (x, y) = chart.backend_coord(&at);
    let root = chart.plotting_area().strip_coord_spec();
    let (left, top) = root.get_base_pixel();
    symbol(&root, (x - left, y - top), which, size, ink)
}

/// A condition's symbol: circle, square, triangle, diamond, ring, and so on again.
pub fn symbol(area: &Area<'_>, (x, y): (i32, i32), which: usize, size: i32, ink: RGBColor) -> Drawn {
    let polygon =
        |points: &[(i32, i32)]| -> Drawn { Ok(area.draw(&Polygon::new(points.to_vec(), ink.filled()))?) };
    match which % 5 {
        0 => area.draw(&Circle::new((x, y), size, ink.filled()))?,
        1 => polygon(&[
            (x - size, y - size),
            (x + size, y - size),
            (x + size, y + size),
            (x - size, y + size),
        ])?,
        2 => polygon(&[(x, y - size - 1), (x + size + 1, y + size), (x - size - 1, y + size)])?,
        3 => polygon(&[(x, y - size - 2), (x + size + 2, y), (x, y + size + 2), (x - size - 2, y)])?,
        _ => {
            area.draw(&Circle::new((x, y), size, WHITE.filled()))?;
            area.draw(&Circle::new((x, y), size, ink.stroke_width(2)))?;
        }
    }
    Ok(())
}

/// Names with their symbols, in a row.
pub fn legend<'n>(area: &Area<'_>, entries: impl IntoIterator<Item = (usize, &'n str, RGBColor)>) -> Drawn {
    let mut x = 60;
    for (which, name, ink) in entries {
        symbol(area, (x, 12), which, 5, ink)?;
        area.draw_text(name, &placed(12, INK, HPos::Left, VPos::Center), (x + 11, 12))?;
        x += 36 + 8 * name.chars().count() as i32;
    }
    Ok(())
}
