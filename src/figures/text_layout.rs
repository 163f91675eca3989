//! Lays out text in figures: its width, line breaks, and legends. No browser measures the text, so widths are estimates that are
//! too wide rather than too narrow.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{Area, Drawn, INK, SOFT};
use super::marks::symbol;

const FONT: &str = "Helvetica, Arial, 'Liberation Sans', sans-serif";

/// The style of text of a size in px.
pub fn text(size: i32, colour: RGBColor) -> TextStyle<'static> {
    // The library takes the height of a line, so its letters are smaller than the size.
    (FONT, f64::from(size) * 1.24).into_font().color(&colour)
}

/// The style of text that is placed by its middle or an end.
pub fn placed(size: i32, colour: RGBColor, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    text(size, colour).pos(Pos::new(horizontal, vertical))
}

/// The estimated width of a text, in px, from the letters of DejaVu Sans, which are wider than Helvetica's and replace them on
/// many machines.
pub fn width(text: &str, size: i32) -> i32 {
    let letter = |letter: char| match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '\u{a0}' => 0.32,
        'f' | 't' | 'r' | '(' | ')' | '-' | '/' | '[' | ']' => 0.40,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' | '…' => 1.0,
        '\u{2212}' | '±' | '=' | '+' | '<' | '>' => 0.84,
        letter if letter > '\u{2e80}' => 1.0,
        letter if letter.is_uppercase() => 0.77,
        _ => 0.63,
    };
    (text.chars().map(letter).sum::<f64>() * f64::from(size)).ceil() as i32
}

/// The width of the widest word of the names, between two limits, so that words are not broken if possible.
pub fn word_room(names: &[String], size: i32, between: (i32, i32)) -> i32 {
    let words = names.iter().flat_map(|name| name.split_whitespace());
    words.map(|word| width(word, size)).max().unwrap_or(0).clamp(between.0, between.1)
}

/// The height of a line of text, in px.
pub const fn line_height(size: i32) -> i32 {
    size + 3
}

/// The most lines of a text. Longer texts are cut.
const MOST_LINES: usize = 4;

/// Breaks a text into lines of at most `room` px, at spaces except non-breaking ones. Wider words are broken within.
pub fn lines(text: &str, size: i32, room: i32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let last = lines.last_mut().expect("there is a first line");
        let longer = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
        if width(&longer, size) <= room {
            *last = longer;
            continue;
        }
        if last.is_empty() {
            lines.pop();
        }
        let mut parts = vec![String::new()];
        for letter in word.chars() {
            let part = parts.last_mut().expect("there is a first part");
            if part.is_empty() || width(&format!("{part}{letter}"), size) <= room {
                part.push(letter);
            } else {
                parts.push(letter.to_string());
            }
        }
        lines.append(&mut parts);
    }
    if lines.len() > MOST_LINES {
        let rest = lines[MOST_LINES - 1..].join(" ");
        lines.truncate(MOST_LINES - 1);
        lines.push(cut(&rest, size, room));
    }
    lines
}

/// Cuts a text to one line of at most `room` px.
pub fn cut(text: &str, size: i32, room: i32) -> String {
    let mut text = text.to_owned();
    if width(&text, size) > room {
        while !text.is_empty() && width(&format!("{text}…"), size) > room {
            text.pop();
        }
        text = format!("{}…", text.trim_end());
    }
    text
}

/// Draws lines below each other, from the given place on.
pub fn draw_lines(
    area: &Area<'_>,
    lines: &[String],
    style: &TextStyle<'_>,
    size: i32,
    at: (i32, i32),
) -> Drawn {
    for (n, line) in (0..).zip(lines) {
        area.draw_text(line, style, (at.0, at.1 + line_height(size) * n))?;
    }
    Ok(())
}

/// An entry of a legend.
pub struct LegendEntry<'n> {
    /// The condition whose symbol is drawn. None for a square.
    pub symbol: Option<usize>,
    pub name: &'n str,
    pub ink: RGBColor,
}

impl<'n> LegendEntry<'n> {
    pub const fn square(name: &'n str, ink: RGBColor) -> Self {
        Self { symbol: None, name, ink }
    }
}

const LEGEND_LEFT: i32 = 60;
const LEGEND_ROW: i32 = 20;
const LEGEND_SIZE: i32 = 12;

/// The places of the symbols, with the names cut to the available space.
fn legend_places(width: i32, keys: &[LegendEntry<'_>]) -> Vec<(i32, i32, String)> {
    let (mut x, mut y) = (LEGEND_LEFT, 12);
    let place = |key: &LegendEntry<'_>| {
        let name = cut(key.name, LEGEND_SIZE, width - LEGEND_LEFT - 30);
        let needed = 11 + self::width(&name, LEGEND_SIZE);
        if x > LEGEND_LEFT && x + needed > width - 10 {
            (x, y) = (LEGEND_LEFT, y + LEGEND_ROW);
        }
        let at = (x, y, name);
        x += needed + 22;
        at
    };
    keys.iter().map(place).collect()
}

/// The height of a legend in a drawing of the given width.
pub fn legend_height(width: u32, keys: &[LegendEntry<'_>]) -> u32 {
    let bottom = legend_places(width as i32, keys).last().map_or(0, |(_, y, _)| y + 16);
    bottom as u32
}

/// Draws a legend in as many rows as it needs.
pub fn legend(area: &Area<'_>, keys: &[LegendEntry<'_>]) -> Drawn {
    for (key, (x, y, name)) in keys.iter().zip(legend_places(area.dim_in_pixel().0 as i32, keys)) {
        match key.symbol {
            Some(which) => symbol(area, (x, y), which, 5, key.ink)?,
            None => {
                let corners = [(x - 5, y - 5), (x + 5, y + 5)];
                area.draw(&Rectangle::new(corners, key.ink.filled()))?;
                area.draw(&Rectangle::new(corners, SOFT.stroke_width(1)))?;
            }
        }
        area.draw_text(&name, &placed(LEGEND_SIZE, INK, HPos::Left, VPos::Center), (x + 11, y))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_long_words_within() {
        assert_eq!(lines("Natural", 12, 100), ["Natural"]);
        assert_eq!(lines("Natural images, blurred", 12, 70), ["Natural", "images,", "blurred"]);
        for text in ["Referenzbildbeschreibung mit Wort", "ein Referenzbild", "", "WWWW"] {
            let broken = lines(text, 12, 60);
            assert!(broken.iter().all(|line| width(line, 12) <= 60), "{broken:?}");
            assert_eq!(broken.concat().replace(' ', ""), text.replace(' ', ""), "nothing is lost");
        }
        let long = lines(&"word ".repeat(40), 12, 60);
        assert!(long.len() == MOST_LINES && long[MOST_LINES - 1].ends_with('…'), "{long:?}");
    }

    #[test]
    fn a_long_legend_continues_in_the_next_row() {
        let keys = ["one", "two", "three"].map(|name| LegendEntry::square(name, INK));
        assert_eq!(legend_height(900, &keys), 28);
        assert_eq!(legend_height(180, &keys), 48);
        let long = "very long ".repeat(30);
        let places = legend_places(300, &[LegendEntry::square(&long, INK)]);
        assert!(places[0].0 + 11 + width(&places[0].2, LEGEND_SIZE) <= 300, "{places:?}");
    }
}
