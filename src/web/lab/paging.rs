//! Splits a long table into pages.

use std::ops::Range;

/// One page of many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageOfRows {
    /// Its number, from 1.
    number: usize,
    /// The number of the last page, at least 1.
    pub last: usize,
    /// Rows on a page.
    size: usize,
    /// Rows on all pages together.
    pub found: usize,
}

impl PageOfRows {
    /// The page with this number, or the last page if the table is shorter.
    pub fn new(asked: usize, found: usize, size: usize) -> Self {
        let last = found.div_ceil(size).max(1);
        Self { number: asked.clamp(1, last), last, size, found }
    }

    /// The rows on this page, from 0.
    pub fn rows(&self) -> Range<usize> {
        let from = (self.number - 1) * self.size;
        from..(from + self.size).min(self.found)
    }

    /// The rows on this page, in words.
    pub fn in_words(&self) -> String {
        let rows = self.rows();
        format!("{} to {} of {}", grouped(rows.start + 1), grouped(rows.end), grouped(self.found))
    }

    /// Links to other pages: the label, and the page's number.
    pub fn ways(&self) -> Vec<(&'static str, usize)> {
        let ways = [
            ("First", 1, self.number > 1),
            ("Previous", self.number.saturating_sub(1), self.number > 1),
            ("Next", self.number + 1, self.number < self.last),
            ("Last", self.last, self.number < self.last),
        ];
        ways.into_iter().filter(|(.., possible)| *possible).map(|(words, page, _)| (words, page)).collect()
    }
}

/// A number with separators between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_every_row_once() {
        for found in [0, 1, 99, 100, 101, 250] {
            let last = PageOfRows::new(1, found, 100).last;
            let rows: Vec<usize> =
                (1..=last).flat_map(|page| PageOfRows::new(page, found, 100).rows()).collect();
            assert_eq!(rows, (0..found).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_page_names_its_rows_and_links_to_other_pages() {
        let second = PageOfRows::new(2, 10_000, 100);
        assert_eq!(second.in_words(), "101 to 200 of 10,000");
        assert_eq!(second.ways(), [("First", 1), ("Previous", 1), ("Next", 3), ("Last", 100)]);
        assert_eq!(PageOfRows::new(1, 150, 100).ways(), [("Next", 2), ("Last", 2)]);
        assert_eq!(PageOfRows::new(1, 100, 100).ways(), []);
    }

    #[test]
    fn a_number_that_is_too_large_gives_the_last_page() {
        assert_eq!(PageOfRows::new(usize::MAX, 150, 100).rows(), 100..150);
        assert_eq!(PageOfRows::new(0, 150, 100).rows(), 0..100);
        assert_eq!(PageOfRows::new(3, 0, 100).rows(), 0..0);
    }
}
