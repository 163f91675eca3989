//! Draws marks between axes: bars, error bars, lines, and a symbol for each condition.

use plotters::prelude::*;

use super::canvas::{Area, Chart, Drawn, INK};

/// Draws a bar from zero. Its width is in units of the horizontal axis.
pub fn bar(chart: &mut Chart<'_, '_>, x: f64, width: f64, height: f64, fill: RGBColor) -> Drawn {
    let from = chart.plotting_area().get_y_range().start.max(0.0);
    let corners = [(x - width / 2.0, from), (x + width / 2.0, height)];
    chart.draw_series([
        Rectangle::new(corners, fill.filled()),
        Rectangle::new(corners, INK.stroke_width(1)),
    ])?;
    Ok(())
}

/// Draws an error bar around a value. An end beyond the axis gets no cap, so that the bar does not look complete.
pub fn error_bar(chart: &mut Chart<'_, '_>, x: f64, value: f64, half: Option<f64>) -> Drawn {
    let Some(half) = half else { return Ok(()) };
    let range = chart.plotting_area().get_y_range();
    let (low, high) = ((value - half).max(range.start), (value + half).min(range.end));
    chart.draw_series([PathElement::new([(x, low), (x, high)], INK.stroke_width(2))])?;
    for end in [value - half, value + half] {
        if range.start <= end && end <= range.end {
            let (root, at) = pixel(chart, (x, end));
            root.draw(&PathElement::new([(at.0 - 5, at.1), (at.0 + 5, at.1)], INK.stroke_width(2)))?;
        }
    }
    Ok(())
}

/// Draws a line through values, interrupted at missing ones, with the condition's marker at each.
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

/// Draws the marker of a condition.
pub fn marker(chart: &mut Chart<'_, '_>, at: (f64, f64), which: usize, size: i32, ink: RGBColor) -> Drawn {
    let (root, at) = pixel(chart, at);
    symbol(&root, at, which, size, ink)
}

/// The area between the axes, and a place in it in px.
fn pixel<'b>(chart: &Chart<'_, 'b>, at: (f64, f64)) -> (Area<'b>, (i32, i32)) {
    let (x, y) = chart.backend_coord(&at);
    let root = chart.plotting_area().strip_coord_spec();
    let (left, top) = root.get_base_pixel();
    (root, (x - left, y - top))
}

/// The number of different symbols of conditions.
pub const SYMBOLS: usize = 8;

/// Draws the symbol of a condition: circle, square, triangle, diamond, ring, inverted triangle, open square, cross. Further
/// conditions repeat them.
pub fn symbol(area: &Area<'_>, (x, y): (i32, i32), which: usize, size: i32, ink: RGBColor) -> Drawn {
    let polygon =
        |points: &[(i32, i32)]| -> Drawn { Ok(area.draw(&Polygon::new(points.to_vec(), ink.filled()))?) };
    let corners = [(x - size, y - size), (x + size, y + size)];
    match which % SYMBOLS {
        0 => area.draw(&Circle::new((x, y), size, ink.filled()))?,
        1 => area.draw(&Rectangle::new(corners, ink.filled()))?,
        2 => polygon(&[(x, y - size - 1), (x + size + 1, y + size), (x - size - 1, y + size)])?,
        3 => polygon(&[(x, y - size - 2), (x + size + 2, y), (x, y + size + 2), (x - size - 2, y)])?,
        4 => {
            area.draw(&Circle::new((x, y), size, WHITE.filled()))?;
            area.draw(&Circle::new((x, y), size, ink.stroke_width(2)))?;
        }
        5 => polygon(&[(x, y + size + 1), (x + size + 1, y - size), (x - size - 1, y - size)])?,
        6 => {
            area.draw(&Rectangle::new(corners, WHITE.filled()))?;
            area.draw(&Rectangle::new(corners, ink.stroke_width(2)))?;
        }
        _ => {
            for (from, to) in [((-size, -size), (size, size)), ((-size, size), (size, -size))] {
                let ends = [(x + from.0, y + from.1), (x + to.0, y + to.1)];
                area.draw(&PathElement::new(ends, ink.stroke_width(3)))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::figures::canvas::{Axes, MARKED_SHARES, axes, svg};

    /// Makes a drawing with axes of shares.
    fn drawn(draw: impl Fn(&mut Chart<'_, '_>) -> Drawn) -> String {
        let (title, x_label, y_label) = ("", "", "");
        let names = ["a".to_owned()];
        let setting = Axes {
            title,
            x_label,
            y_label,
            x: -0.5..0.5,
            y: MARKED_SHARES,
            names: &names,
            whole: false,
            whole_x: false,
        };
        svg((300, 200), "", "", |area| draw(&mut axes(area, &setting)?))
    }

    #[test]
    fn an_error_bar_that_leaves_the_axis_has_no_end_there() {
        let strokes = |value, half| {
            drawn(|chart| error_bar(chart, 0.0, value, Some(half))).matches("stroke-width=\"2\"").count()
        };
        assert_eq!(
            (strokes(0.5, 0.2), strokes(0.9, 0.3), strokes(0.1, 0.3), strokes(0.5, 0.7)),
            (3, 2, 2, 1)
        );
        assert_eq!((strokes(1.0, 0.0), strokes(0.0, 0.0)), (3, 3), "all of it is on the axis");
    }

    #[test]
    fn a_marker_at_the_end_of_the_scale_is_as_large_as_elsewhere() {
        let extent = |value: f64| {
            let drawing = drawn(|chart| marker(chart, (0.0, value), 3, 5, INK));
            let points = drawing.split_once("<polygon").unwrap().1.split_once("points=\"").unwrap().1;
            let points = points.split('"').next().unwrap().split_whitespace();
            let heights: Vec<i32> =
                points.map(|point| point.split_once(',').unwrap().1.parse().unwrap()).collect();
            heights.iter().max().unwrap() - heights.iter().min().unwrap()
        };
        assert_eq!((extent(0.0), extent(1.0)), (extent(0.5), extent(0.5)));
    }

    #[test]
    fn each_symbol_is_unlike_every_other() {
        let drawings: BTreeSet<String> =
            (0..SYMBOLS).map(|which| drawn(|chart| marker(chart, (0.0, 0.5), which, 5, INK))).collect();
        assert_eq!(drawings.len(), SYMBOLS);
    }
}
