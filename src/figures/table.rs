//! The table beside a figure, on pages and as CSV.

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A whole number.
    Count(u64),
    /// A number with so many decimals on pages; in CSV with all. None where it is undefined.
    Number(Option<f64>, usize),
}

impl Cell {
    /// A whole number.
    pub fn count(n: usize) -> Self {
        Self::Count(n as u64)
    }

    /// Whether it stands at the right.
    pub const fn is_number(&self) -> bool {
        !matches!(self, Self::Text(_))
    }

    /// As pages show it.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(n) => n.to_string(),
            Self::Number(Some(value), decimals) => format!("{value:.decimals$}").replace('-', "\u{2212}"),
            Self::Number(None, _) => "\u{2013}".into(),
        }
    }

    fn in_csv(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(n) => n.to_string(),
            Self::Number(value, _) => value.map_or_else(String::new, |value| value.to_string()),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// Rows under a header.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Names of the columns, units in parentheses.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.header.len(), "{:?}", self.header);
        self.rows.push(row);
    }

    /// As CSV (RFC 4180): one header row, empty where undefined.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let rows = self.rows.iter().map(|row| row.iter().map(Cell::in_csv).collect());
        for row in std::iter::once(self.header.clone()).chain(rows) {
            writer.write_record(row).expect("writing to memory");
        }
        String::from_utf8(writer.into_inner().expect("writing to memory")).expect("text was written")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_round_and_csv_does_not() {
        let mut table = Table::new(&["who", "n", "accuracy"]);
        table.push(vec!["a, b".into(), Cell::Count(3), Cell::Number(Some(-2.0 / 3.0), 3)]);
        table.push(vec!["c".into(), Cell::count(0), Cell::Number(None, 3)]);
        assert_eq!(table.to_csv(), "who,n,accuracy\n\"a, b\",3,-0.6666666666666666\nc,0,\n");
        let shown: Vec<String> = table.rows.iter().map(|row| row[2].shown()).collect();
        assert_eq!(shown, ["\u{2212}0.667", "\u{2013}"]);
    }
}
