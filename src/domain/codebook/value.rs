//! The values of columns, and how each type is written into a CSV file.

use std::borrow::Cow;
use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::words;

words! {
    /// The type of a column's values.
    ColumnType {
        /// Text. If a spreadsheet would run it as a formula, an apostrophe precedes it.
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

/// A row's value in a column.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValue<'a> {
    /// The value is not applicable or not known, and the field is empty.
    Nothing,
    Text(Cow<'a, str>),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Time(DateTime<Utc>),
    Json(&'a serde_json::Value),
}

impl ColumnValue<'_> {
    /// The type of the columns that may have this value. None if all columns may have it.
    pub const fn column_type(&self) -> Option<ColumnType> {
        Some(match self {
            Self::Nothing => return None,
            Self::Text(_) => ColumnType::Text,
            Self::Integer(_) => ColumnType::Integer,
            Self::Number(_) => ColumnType::Number,
            Self::Boolean(_) => ColumnType::Boolean,
            Self::Time(_) => ColumnType::Time,
            Self::Json(_) => ColumnType::Json,
        })
    }

    /// Writes the value as in a CSV file, before quoting.
    pub fn write_csv(&self, out: &mut String) {
        let _ = match self {
            Self::Nothing => Ok(()),
            Self::Text(text) => {
                if runs_as_formula(text) {
                    out.push('\'');
                }
                write_without_controls(text, out);
                Ok(())
            }
            Self::Integer(number) => write!(out, "{number}"),
            Self::Number(number) => write!(out, "{number}"),
            Self::Boolean(yes) => write!(out, "{yes}"),
            Self::Time(time) => out.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            Self::Json(document) => {
                write_without_controls(&document.to_string(), out);
                Ok(())
            }
        };
    }
}

/// Writes a text with U+FFFD in place of control characters, such as escape, because a terminal would obey them.
fn write_without_controls(text: &str, out: &mut String) {
    let is_command = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if text.contains(is_command) {
        out.push_str(&text.replace(is_command, "\u{fffd}"));
    } else {
        out.push_str(text);
    }
}

/// Whether a spreadsheet may run a text as a formula.
fn runs_as_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

impl<'a, T: Into<Self>> From<Option<T>> for ColumnValue<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// Converts the types of rows' fields into values.
macro_rules! values_from {
    ($($from:ty => $variant:ident),+ $(,)?) => {
        $(impl<'a> From<$from> for ColumnValue<'a> {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        })+
    };
}

values_from! {
    &'a str => Text,
    &'a String => Text,
    String => Text,
    i16 => Integer,
    i32 => Integer,
    i64 => Integer,
    u32 => Integer,
    f64 => Number,
    bool => Boolean,
    DateTime<Utc> => Time,
    &'a serde_json::Value => Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<'a>(value: impl Into<ColumnValue<'a>>) -> String {
        let mut out = "before \u{7} ".to_owned();
        value.into().write_csv(&mut out);
        out.strip_prefix("before \u{7} ").unwrap().to_owned()
    }

    #[test]
    fn formulas_are_made_harmless_in_texts_only() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(written(formula), format!("'{formula}"));
        }
        assert_eq!(written("a=1"), "a=1");
        assert_eq!(written(""), "");
        assert_eq!(written(-0.5), "-0.5");
        assert_eq!(written(-1_i32), "-1");
    }

    #[test]
    fn commands_to_terminals_are_made_harmless_in_texts_and_documents() {
        let text = "a\tb\r\nc \u{1b}[31m\u{7}\u{7f}\u{9b}2J é \u{202e}";
        assert_eq!(written(text), "a\tb\r\nc \u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}2J é \u{202e}");
        // JSON writes the first 32 characters as escapes; DEL and those from U+0080 on stand as they are.
        let document = serde_json::json!({ "a": "\u{7f}\u{9b}2J" });
        assert_eq!(written(&document), "{\"a\":\"\u{fffd}\u{fffd}2J\"}");
    }

    #[test]
    fn each_type_is_written_as_the_codebook_says() {
        assert_eq!(written(None::<f64>), "");
        assert_eq!(written(Some(7_u32)), "7");
        assert_eq!(written(120.0), "120");
        assert_eq!(written(0.1), "0.1");
        assert_eq!(written(true), "true");
        let time = DateTime::from_timestamp_millis(1_700_000_000_005).unwrap();
        assert_eq!(written(time), "2023-11-14T22:13:20.005Z");
    }
}
