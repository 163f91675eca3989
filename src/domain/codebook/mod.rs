//! The exported files: each column is defined once, and header, values and codebook are made from that.

pub mod events;
pub mod people;
pub mod trials;

use std::fmt::{Display, Write};

use chrono::{DateTime, SecondsFormat, Utc};

use super::words;

words! {
    /// What a column holds.
    ColumnType {
        /// Text. Text that a spreadsheet would run as a formula begins with an apostrophe.
        Text = "text",
        /// A whole number.
        Integer = "integer",
        /// A number with `.` as the decimal point.
        Number = "number",
        /// `true` or `false`.
        Boolean = "boolean",
        /// ISO 8601 in UTC, with milliseconds.
        Time = "time",
        /// A JSON document.
        Json = "json",
    }
}

/// A column of a file whose rows are made of `R`.
pub struct Column<R> {
    /// Its name; never changed within a major version.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnType,
    /// Its unit, where it has one.
    pub unit: &'static str,
    /// What values it may have, where they can be listed.
    pub allowed: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Writes the value of a row; writes nothing where it is not applicable or not known.
    pub value: fn(&R, &mut String),
}

/// Writes a value if there is one.
fn put(value: Option<impl Display>, out: &mut String) {
    if let Some(value) = value {
        let _ = write!(out, "{value}");
    }
}

/// Writes a time.
fn put_time(time: Option<DateTime<Utc>>, out: &mut String) {
    put(time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)), out);
}

impl<R> Column<R> {
    /// Writes a row's value as it stands in the file, before quoting.
    pub fn write(&self, row: &R, out: &mut String) {
        let start = out.len();
        (self.value)(row, out);
        if matches!(self.kind, ColumnType::Text | ColumnType::Json) && out[start..].contains(commands) {
            let shown = out.split_off(start).replace(commands, "\u{fffd}");
            out.push_str(&shown);
        }
        if self.kind == ColumnType::Text && runs_as_formula(&out[start..]) {
            out.insert(start, '\'');
        }
    }
}

/// Whether a character is a command to a terminal, such as escape, and no part of a text.
fn commands(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r')
}

/// Whether a spreadsheet might take a text for a formula.
fn runs_as_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// The name of the codebook's own file.
pub const FILE: &str = "codebook.csv";

/// Header of the codebook.
pub const HEADER: [&str; 6] = ["file", "column", "type", "unit", "allowed", "description"];

/// The codebook: a row for every column of every file, its own included.
pub fn rows() -> Vec<[&'static str; 6]> {
    let mut rows = Vec::new();
    describe(trials::FILE, trials::COLUMNS, &mut rows);
    describe(trials::CLEANED_FILE, trials::COLUMNS, &mut rows);
    describe(people::FILE, people::COLUMNS, &mut rows);
    describe(events::FILE, events::COLUMNS, &mut rows);
    let own = [
        "File that the column is in",
        "Name of the column. Text that a spreadsheet would run as a formula (it begins with = + - @, a tab or a carriage \
         return) has an apostrophe put before it in every file; remove it to get the original text. Control characters but tab, line \
         feed and carriage return stand as U+FFFD: a terminal would obey them",
        "What the column holds",
        "Unit of its values",
        "Values that it may have, where they can be listed; any column may be empty: not applicable or not known",
        "What the column means",
    ];
    rows.extend(HEADER.into_iter().zip(own).map(|(column, meaning)| [FILE, column, "text", "", "", meaning]));
    rows
}

fn describe<R>(file: &'static str, columns: &[Column<R>], rows: &mut Vec<[&'static str; 6]>) {
    rows.extend(columns.iter().map(|c| [file, c.name, c.kind.as_str(), c.unit, c.allowed, c.description]));
}

/// Lists the columns of a file: name, type, unit, allowed, description, and how to write it.
macro_rules! columns {
    ($row:ty; $($name:literal, $kind:ident, $unit:literal, $allowed:literal, $description:literal
        => |$r:ident, $out:ident| $value:expr;)+) => {
        &[$($crate::domain::codebook::Column {
            name: $name,
            kind: $crate::domain::codebook::ColumnType::$kind,
            unit: $unit,
            allowed: $allowed,
            description: $description,
            value: |$r: &$row, $out: &mut String| $value,
        }),+]
    };
}
use columns;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_made_harmless_in_texts_only() {
        let text = Column::<&str> {
            name: "t",
            kind: ColumnType::Text,
            unit: "",
            allowed: "",
            description: "",
            value: |row, out| out.push_str(row),
        };
        let written = |column: &Column<&str>, value: &'static str| {
            let mut out = "before".to_owned();
            column.write(&value, &mut out);
            out[6..].to_owned()
        };
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(written(&text, formula), format!("'{formula}"));
        }
        assert_eq!(written(&text, "a=1"), "a=1");
        assert_eq!(written(&text, ""), "");
        let number = Column { kind: ColumnType::Number, ..text };
        assert_eq!(written(&number, "-0.5"), "-0.5");
    }

    #[test]
    fn commands_to_terminals_are_made_harmless_in_texts_and_documents() {
        let text = "a\tb\r\nc \u{1b}[31m\u{7}\u{7f}\u{9b}2J é \u{202e}";
        let shown = "a\tb\r\nc \u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}2J é \u{202e}";
        for kind in [ColumnType::Text, ColumnType::Json] {
            let value = |row: &&str, out: &mut String| out.push_str(row);
            let column = Column::<&str> { name: "t", kind, unit: "", allowed: "", description: "", value };
            let mut out = "before \u{7} ".to_owned();
            column.write(&text, &mut out);
            assert_eq!(out.strip_prefix("before \u{7} "), Some(shown));
        }
    }

    #[test]
    fn the_codebook_describes_every_column_once() {
        let rows = rows();
        let names: std::collections::BTreeSet<_> = rows.iter().map(|row| (row[0], row[1])).collect();
        assert_eq!(names.len(), rows.len());
        assert!(rows.iter().all(|row| !row[5].is_empty()));
        assert_eq!(rows.iter().filter(|row| row[0] == trials::FILE).count(), trials::COLUMNS.len());
    }
}
