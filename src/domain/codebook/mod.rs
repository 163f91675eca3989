//! The exported files. Each column is defined once, and that definition gives its header, its values and its row in the codebook.

pub(crate) mod events;
pub(crate) mod people;
pub(crate) mod trials;
mod value;

pub use value::{ColumnType, ColumnValue};

/// A column of a file whose rows are values of `R`.
pub struct Column<R> {
    /// The column's name. It never changes within a major version.
    pub name: &'static str,
    /// The type of its values.
    pub kind: ColumnType,
    /// The unit of its values, or empty.
    pub unit: &'static str,
    /// The values that it may have.
    pub allowed: Allowed,
    /// The explanation for users.
    pub description: &'static str,
    /// Gets the column's value from a row.
    pub value: fn(&R) -> ColumnValue<'_>,
}

impl<R> Column<R> {
    /// Writes a row's value as in the CSV file, before quoting.
    pub fn write_csv(&self, row: &R, out: &mut String) {
        let value = (self.value)(row);
        debug_assert!(value.column_type().is_none_or(|kind| kind == self.kind), "{}: {value:?}", self.name);
        value.write_csv(out);
    }
}

/// The values that a column may have.
#[derive(Debug, Clone, Copy)]
pub enum Allowed {
    /// All values of its type.
    Any,
    /// The values of a range, such as `0..1`.
    Range(&'static str),
    /// Only these words.
    OneOf(&'static [&'static str]),
}

/// The values of a boolean column.
const YES_OR_NO: Allowed = Allowed::OneOf(&["true", "false"]);

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Range(range) => f.write_str(range),
            Self::OneOf(words) => f.write_str(&words.join(", ")),
        }
    }
}

/// The name of the codebook's own file.
pub const FILE: &str = "codebook.csv";

/// The header of the codebook.
pub const HEADER: [&str; 6] = ["file", "column", "type", "unit", "allowed", "description"];

/// The codebook: one row for each column of each file, including the codebook itself.
pub fn rows() -> Vec<[String; 6]> {
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
    let text = ColumnType::Text.as_str();
    let own = HEADER.into_iter().zip(own).map(|(column, meaning)| [FILE, column, text, "", "", meaning]);
    rows.extend(own.map(|row| row.map(str::to_owned)));
    rows
}

fn describe<R>(file: &str, columns: &[Column<R>], rows: &mut Vec<[String; 6]>) {
    rows.extend(columns.iter().map(|column| {
        let Column { name, kind, unit, allowed, description, .. } = column;
        [file, name, kind.as_str(), unit, &allowed.to_string(), description].map(str::to_owned)
    }));
}

/// Defines the columns of a file: name, type, unit, allowed values, description, and how to get the value from a row.
macro_rules! columns {
    ($row:ty; $($name:literal, $kind:ident, $unit:literal, $allowed:expr, $description:expr => |$r:ident| $value:expr;)+) => {
        &[$($crate::domain::codebook::Column {
            name: $name,
            kind: $crate::domain::codebook::ColumnType::$kind,
            unit: $unit,
            allowed: $allowed,
            description: $description,
            value: |$r: &$row| $crate::domain::codebook::ColumnValue::from($value),
        }),+]
    };
}
use columns;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codebook_describes_every_column_once() {
        let rows = rows();
        let names: std::collections::BTreeSet<_> = rows.iter().map(|row| (&row[0], &row[1])).collect();
        assert_eq!(names.len(), rows.len());
        assert!(rows.iter().all(|row| !row[5].is_empty()));
        assert_eq!(rows.iter().filter(|row| row[0] == trials::FILE).count(), trials::COLUMNS.len());
    }

    #[test]
    #[should_panic(expected = "n: Text")]
    fn a_value_of_another_type_than_the_codebook_says_panics() {
        let columns: &[Column<String>] =
            columns! { String; "n", Integer, "", Allowed::Any, "A number" => |r| r; };
        columns[0].write_csv(&"1".to_owned(), &mut String::new());
    }

    #[test]
    fn allowed_values_are_the_words_of_the_enums() {
        let rows = rows();
        let allowed = |column: &str| rows.iter().find(|row| row[1] == column).map(|row| row[4].as_str());
        assert_eq!(allowed("platform"), Some("direct, mturk, prolific, connect, sona, generic"));
        assert_eq!(allowed("kept"), Some("true, false"));
        assert_eq!(allowed("catch_share"), Some("0..1"));
        assert_eq!(allowed("feedback"), Some(""));
    }
}
