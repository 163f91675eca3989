//! The table of a figure, for pages and as CSV.

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum TableCell {
    Text(String),
    Count(u64),
    /// A number that pages show with so many decimals, and CSV with all. None if it is undefined.
    Number(Option<f64>, usize),
    /// A probability; small ones are shown with more decimals. None if it is undefined.
    P(Option<f64>),
}

/// Pages show smaller probabilities as "less than" this one.
const SMALLEST_P: f64 = 1e-6;

impl TableCell {
    pub fn count(n: usize) -> Self {
        Self::Count(n as u64)
    }

    /// Whether the cell is aligned to the right.
    pub const fn is_number(&self) -> bool {
        !matches!(self, Self::Text(_))
    }

    /// The text that pages show.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(n) => n.to_string(),
            Self::P(Some(p)) if *p < SMALLEST_P => format!("< {SMALLEST_P:.6}"),
            Self::P(Some(p)) => format!("{p:.0$}", if *p < 0.001 { 6 } else { 4 }),
            Self::Number(Some(value), decimals) => format!("{value:.decimals$}").replace('-', "\u{2212}"),
            Self::Number(None, _) | Self::P(None) => "\u{2013}".into(),
        }
    }

    /// The cell with only the decimals that pages show.
    fn rounded(&self) -> Self {
        let round = |value: f64, decimals: usize| {
            let scale = 10f64.powi(decimals as i32);
            (value * scale).round() / scale
        };
        match self {
            Self::Number(value, decimals) => {
                Self::Number(value.map(|value| round(value, *decimals)), *decimals)
            }
            Self::P(value) => Self::P(value.map(|p| round(p, 6))),
            other => other.clone(),
        }
    }

    fn in_csv(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(n) => n.to_string(),
            Self::Number(value, _) | Self::P(value) => {
                value.map_or_else(String::new, |value| value.to_string())
            }
        }
    }
}

impl From<&str> for TableCell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for TableCell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A header with rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The names of the columns, with units in parentheses.
    pub header: Vec<String>,
    pub rows: Vec<Vec<TableCell>>,
}

impl Table {
    pub fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    pub fn push(&mut self, row: Vec<TableCell>) {
        debug_assert_eq!(row.len(), self.header.len(), "{:?}", self.header);
        self.rows.push(row);
    }

    /// Removes columns by their names.
    pub fn without(mut self, column: impl Fn(&str) -> bool) -> Self {
        let stay: Vec<bool> = self.header.iter().map(|name| !column(name)).collect();
        for row in &mut self.rows {
            let mut stays = stay.iter();
            row.retain(|_| *stays.next().unwrap_or(&true));
        }
        self.header.retain(|name| !column(name));
        self
    }

    /// The table whose CSV has only the decimals that pages show.
    pub fn rounded(mut self) -> Self {
        self.rows.iter_mut().flatten().for_each(|cell| *cell = cell.rounded());
        self
    }

    /// The table as CSV (RFC 4180) with one header row. Undefined cells are empty.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let rows = self.rows.iter().map(|row| row.iter().map(TableCell::in_csv).collect());
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
        table.push(vec!["a, b".into(), TableCell::Count(3), TableCell::Number(Some(-2.0 / 3.0), 3)]);
        table.push(vec!["c".into(), TableCell::count(0), TableCell::Number(None, 3)]);
        assert_eq!(table.to_csv(), "who,n,accuracy\n\"a, b\",3,-0.6666666666666666\nc,0,\n");
        let shown: Vec<String> = table.rows.iter().map(|row| row[2].shown()).collect();
        assert_eq!(shown, ["\u{2212}0.667", "\u{2013}"]);
    }

    #[test]
    fn a_tiny_p_is_not_shown_as_zero() {
        let shown = |p| TableCell::P(Some(p)).shown();
        assert_eq!([shown(0.2), shown(0.000_25), shown(3e-9)], ["0.2000", "0.000250", "< 0.000001"]);
        assert_eq!(
            (TableCell::P(Some(3e-9)).in_csv(), TableCell::P(None).shown()),
            ("0.000000003".into(), "\u{2013}".into())
        );
    }

    #[test]
    fn columns_and_decimals_can_be_removed() {
        let mut table = Table::new(&["who", "n", "accuracy"]);
        table.push(vec!["a".into(), TableCell::Count(3), TableCell::Number(Some(2.0 / 3.0), 3)]);
        let table = table.without(|name| name == "n").rounded();
        assert_eq!(table.to_csv(), "who,accuracy\na,0.667\n");
    }
}
