//! Draws the agreement between people of the conditions and baselines.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, INK, placed, svg};
use super::table::TableCell;
use super::text_layout;
use super::text_layout::{draw_lines, line_height};
use super::{Figure, Input, Table};
use crate::domain::results::{BASELINES, Cell as Agreement};

/// The raters of the matrix: every condition, and the baselines that form a pair with a person.
struct Raters {
    names: Vec<String>,
    /// Their positions in the results.
    places: Vec<usize>,
    /// Baselines that form no pair.
    missing: Vec<&'static str>,
}

fn raters(input: &Input<'_>) -> Raters {
    let conditions = input.labels.len();
    let pairs =
        |at: usize| input.results.agreement.cells[at].iter().any(|cell| cell.pairs + cell.undefined > 0);
    let mut raters = Raters {
        names: input.labels.iter().map(|label| label.title.clone()).collect(),
        places: (0..conditions).collect(),
        missing: Vec::new(),
    };
    for (at, name) in (conditions..).zip(BASELINES) {
        if pairs(at) {
            raters.names.push(name.to_owned());
            raters.places.push(at);
        } else {
            raters.missing.push(name);
        }
    }
    raters
}

/// Draws the matrix.
pub fn kappa(input: &Input<'_>) -> Figure {
    let Raters { names, places, missing } = raters(input);
    let cells: Vec<Vec<Agreement>> = places
        .iter()
        .map(|a| places.iter().map(|b| input.results.agreement.cells[*a][*b]).collect())
        .collect();
    let without = match missing.as_slice() {
        [] => String::new(),
        _ => format!(
            " Left out, since a baseline makes a pair only where its decision in every trial is known: {}.",
            missing.join(", ")
        ),
    };
    let undefined = total(&cells, |cell| cell.undefined);
    Figure {
        name: "kappa",
        title: "Agreement: Cohen’s kappa × 100",
        caption: format!(
            "Agreement on which trials are answered correctly, beyond chance, between people (and baselines) of the same image \
             set; mean over pairs ± 2 standard errors. Pairs share people, so that these errors are too small: the table gives \
             bootstrap intervals over people beside them. Pairs whose kappa is undefined (both always right or both always \
             wrong) are left out: {undefined}.{without}"
        ),
        svg: Some(drawing(&names, &cells)),
        table: input
            .open(table(&names, &cells, input.blinded), |name| ["Pairs", "Undefined pairs"].contains(&name)),
    }
}

/// The sum over all pairs of raters.
fn total(cells: &[Vec<Agreement>], of: impl Fn(&Agreement) -> usize) -> usize {
    cells.iter().enumerate().map(|(a, row)| row[a..].iter().map(&of).sum::<usize>()).sum()
}

fn table(names: &[String], cells: &[Vec<Agreement>], blinded: bool) -> Table {
    let header = [
        "First",
        "Second",
        "Kappa × 100",
        "2 SEM × 100",
        "Bootstrap low × 100",
        "Bootstrap high × 100",
        "Pairs",
        "Undefined pairs",
    ];
    let mut table = Table::new(&header);
    let hundred = |value: Option<f64>| TableCell::Number(value.map(|value| 100.0 * value), 1);
    let mut push = |first: &str, second: &str, cell: &Agreement| {
        table.push(vec![
            first.into(),
            second.into(),
            hundred(cell.mean),
            hundred(cell.bar),
            hundred(cell.interval.map(|interval| interval.low)),
            hundred(cell.interval.map(|interval| interval.high)),
            TableCell::count(cell.pairs),
            TableCell::count(cell.undefined),
        ]);
    };
    for (a, row) in cells.iter().enumerate() {
        for (b, cell) in row.iter().enumerate().skip(a).filter(|(_, cell)| cell.pairs + cell.undefined > 0) {
            push(&names[a], &names[b], cell);
        }
    }
    let (pairs, undefined) = (total(cells, |cell| cell.pairs), total(cells, |cell| cell.undefined));
    if pairs + undefined > 0 && !blinded {
        push("all", "all", &Agreement { pairs, undefined, ..Agreement::default() });
    }
    table
}

const NAME: i32 = 12;
/// Names at the left are broken into lines of at most this width.
const WIDEST_NAME: i32 = 170;
/// The least width of a cell. Cells are as wide as the widest word above them, if the page is wide enough.
const CELL_WIDTH: i32 = 84;
const PAGE_WIDTH: i32 = 960;

/// The position of the matrix and the height of its rows, which depend on the names.
struct MatrixLayout {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
    at_left: Vec<Vec<String>>,
    on_top: Vec<Vec<String>>,
}

impl MatrixLayout {
    fn new(names: &[String]) -> Self {
        let broken =
            |room: i32| names.iter().map(|name| text_layout::lines(name, NAME, room)).collect::<Vec<_>>();
        let most = |lines: &[Vec<String>]| lines.iter().map(Vec::len).max().unwrap_or(1) as i32;
        let at_left = broken(WIDEST_NAME);
        let widest = at_left.iter().flatten().map(|line| text_layout::width(line, NAME)).max().unwrap_or(0);
        let left = widest + 16;
        let fair = ((PAGE_WIDTH - left) / names.len().max(1) as i32).max(CELL_WIDTH);
        let room = text_layout::word_room(names, NAME, (CELL_WIDTH - 6, fair - 6));
        let on_top = broken(room);
        Self {
            left,
            top: line_height(NAME) * most(&on_top) + 14,
            width: room + 6,
            height: (line_height(NAME) * most(&at_left) + 8).max(46),
            at_left,
            on_top,
        }
    }

    fn size(&self) -> (u32, u32) {
        let n = self.at_left.len() as i32;
        ((self.left + self.width * n + 8) as u32, (self.top + self.height * n + 8) as u32)
    }

    /// The left upper corner of a cell.
    fn corner(&self, row: usize, column: usize) -> (i32, i32) {
        (self.left + self.width * column as i32, self.top + self.height * row as i32)
    }
}

fn drawing(names: &[String], cells: &[Vec<Agreement>]) -> String {
    let layout = MatrixLayout::new(names);
    let title = "Cohen’s kappa between conditions and baselines";
    svg(layout.size(), title, "A matrix of numbers.", |area| {
        draw_names(area, &layout)?;
        for (a, row) in cells.iter().enumerate() {
            for (b, cell) in row.iter().enumerate().take(a + 1) {
                draw_cell(area, layout.corner(a, b), (layout.width, layout.height), cell)?;
            }
        }
        Ok(())
    })
}

fn draw_names(area: &Area<'_>, layout: &MatrixLayout) -> Drawn {
    let half = |lines: &[String]| line_height(NAME) * (lines.len() as i32 - 1) / 2;
    for (n, lines) in layout.at_left.iter().enumerate() {
        let (x, y) = layout.corner(n, 0);
        let at = (x - 8, y + layout.height / 2 - half(lines));
        draw_lines(area, lines, &placed(NAME, INK, HPos::Right, VPos::Center), NAME, at)?;
    }
    for (n, lines) in layout.on_top.iter().enumerate() {
        let (x, y) = layout.corner(0, n);
        let at = (x + layout.width / 2, y - 8 - 2 * half(lines));
        draw_lines(area, lines, &placed(NAME, INK, HPos::Center, VPos::Bottom), NAME, at)?;
    }
    Ok(())
}

fn draw_cell(area: &Area<'_>, (x, y): (i32, i32), (width, height): (i32, i32), cell: &Agreement) -> Drawn {
    let corners = [(x + 1, y + 1), (x + width - 1, y + height - 1)];
    let Some(mean) = cell.mean else {
        area.draw(&Rectangle::new(corners, RGBColor(246, 247, 248).filled()))?;
        return Ok(());
    };
    let fill = blue(mean);
    area.draw(&Rectangle::new(corners, fill.filled()))?;
    let whole = |share: f64| (100.0 * share).round() as i64;
    let value = match cell.bar {
        Some(bar) => format!("{} ± {}", whole(mean), whole(bar)),
        None => whole(mean).to_string(),
    };
    let value = value.replace('-', "\u{2212}");
    let style = placed(14, legible(fill), HPos::Center, VPos::Center);
    area.draw_text(&value, &style, (x + width / 2, y + height / 2))?;
    Ok(())
}

/// The colour of a cell: more agreement is darker, and no or negative agreement is white.
fn blue(mean: f64) -> RGBColor {
    let share = mean.clamp(0.0, 0.8) / 0.8;
    let mix = |from: f64, to: f64| (from + (to - from) * share) as u8;
    RGBColor(mix(244.0, 29.0), mix(247.0, 77.0), mix(250.0, 115.0))
}

/// The contrast that small text needs (WCAG 2.2, 1.4.3).
const LEAST_CONTRAST: f64 = 4.5;

/// White if its contrast suffices, otherwise black, whose contrast then suffices.
fn legible(fill: RGBColor) -> RGBColor {
    if contrast(WHITE, fill) >= LEAST_CONTRAST { WHITE } else { BLACK }
}

/// WCAG 2.2's contrast of two colours, 1 to 21.
fn contrast(a: RGBColor, b: RGBColor) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: RGBColor) -> f64 {
    let linear = |part: u8| match f64::from(part) / 255.0 {
        part if part <= 0.040_45 => part / 12.92,
        part => ((part + 0.055) / 1.055).powf(2.4),
    };
    0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_in_every_cell_can_be_read() {
        assert!((contrast(WHITE, BLACK) - 21.0).abs() < 1e-9);
        for hundredth in -100..=100 {
            let fill = blue(f64::from(hundredth) / 100.0);
            assert!(contrast(legible(fill), fill) >= LEAST_CONTRAST, "{hundredth}");
        }
        assert_eq!((legible(blue(0.0)), legible(blue(0.8))), (BLACK, WHITE));
    }

    #[test]
    fn more_raters_and_longer_names_make_the_drawing_larger() {
        let size = |names: &[&str]| {
            MatrixLayout::new(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).size()
        };
        let (five, twelve) = (size(&["Natural"; 5]), size(&["Natural"; 12]));
        assert_eq!((twelve.0 - five.0, twelve.1 - five.1), (7 * CELL_WIDTH as u32, 7 * 46));
        assert!(size(&["Natural images, strongly blurred"; 5]).0 > five.0);
    }
}
