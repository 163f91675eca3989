//! The columns of the participants' table. Each column is one entry: its title, its look, the text of a person's cell, and the key
//! by which rows are sorted.

use std::cmp::Ordering;

use super::{ParticipantFilter, verdict_words};
use crate::domain::analysis::JudgedPerson;
use crate::domain::study::Group;

/// Every column, in order.
static COLUMNS: [ParticipantColumn; 10] = [
    ParticipantColumn::new("name", "Name", CellLook::Person, |p| {
        ParticipantCell::text(&p.person.participant)
    }),
    ParticipantColumn::new("condition", "Condition", CellLook::Text, |p| ParticipantCell {
        mark: (p.person.group == Group::Expert).then_some("expert"),
        ..ParticipantCell::text(&p.person.condition)
    }),
    ParticipantColumn::new("stage", "Stage", CellLook::Text, |p| {
        let stage = ParticipantCell::text(p.person.stage.as_str());
        if p.person.late {
            ParticipantCell { text: format!("{} (late)", stage.text), ..stage }
        } else {
            stage
        }
    }),
    ParticipantColumn::new("verdict", "Verdict", CellLook::Wrapped, |p| {
        ParticipantCell::text(&verdict_words(p))
    }),
    ParticipantColumn {
        tells_conditions: true,
        ..ParticipantColumn::new("accuracy", "Accuracy", CellLook::Number, |p| {
            ParticipantCell::decimals(accuracy(p), 2)
        })
    },
    ParticipantColumn::new("catch", "Catch", CellLook::Number, |p| {
        let (correct, total) = (p.person.measures.catch_correct, p.person.measures.catch_total);
        let text = if total > 0 { format!("{correct}/{total}") } else { String::new() };
        ParticipantCell { text, ..ParticipantCell::number(Some(correct)) }
    }),
    ParticipantColumn::new("instructions", "Instructions, s", CellLook::Number, |p| {
        ParticipantCell::decimals(p.person.measures.instruction_time, 0)
    }),
    ParticipantColumn::new("total", "Total, s", CellLook::Number, |p| {
        ParticipantCell::decimals(p.person.measures.total_time, 0)
    }),
    ParticipantColumn::new("blocks", "Blocks", CellLook::Number, |p| {
        ParticipantCell::number(p.person.measures.practice_blocks)
    }),
    ParticipantColumn::new("consent", "Consent (UTC)", CellLook::Text, |p| ParticipantCell {
        key: Some(SortKey::Number(p.person.enrolled_at.timestamp_millis() as f64)),
        text: p.person.enrolled_at.format("%m-%d %H:%M").to_string(),
        mark: None,
    }),
];

/// A column of the table.
pub(super) struct ParticipantColumn {
    /// Its name in the address of the sorted table.
    pub(super) name: &'static str,
    /// The text of its header.
    pub(super) title: &'static str,
    /// How its cells look.
    pub(super) look: CellLook,
    /// Whether its values would show which condition is which, so that it is left out while results are blinded.
    tells_conditions: bool,
    /// Makes a person's cell.
    cell: fn(&JudgedPerson) -> ParticipantCell,
}

/// How the cells of a column look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellLook {
    /// The header of the row: the person's name, with a link to their page.
    Person,
    /// Short text.
    Text,
    /// Text that may take several lines.
    Wrapped,
    /// Numbers, which are aligned to the right.
    Number,
}

/// A person's value in a column.
pub(super) struct ParticipantCell {
    /// The key by which rows are sorted; rows without one come last.
    key: Option<SortKey>,
    pub(super) text: String,
    /// A remark after the text in small letters.
    pub(super) mark: Option<&'static str>,
}

/// A person's row: each cell with the look of its column.
pub(super) type ParticipantCells = Vec<(CellLook, ParticipantCell)>;

enum SortKey {
    Number(f64),
    Text(String),
}

impl ParticipantColumn {
    const fn new(
        name: &'static str,
        title: &'static str,
        look: CellLook,
        cell: fn(&JudgedPerson) -> ParticipantCell,
    ) -> Self {
        Self { name, title, look, tells_conditions: false, cell }
    }

    /// The columns that may be shown and used for sorting, while results are blinded or not.
    pub(super) fn shown(blinded: bool) -> impl Iterator<Item = &'static Self> {
        COLUMNS.iter().filter(move |column| !(blinded && column.tells_conditions))
    }

    /// The value of the attribute `aria-sort`.
    pub(super) fn order(&self, filter: &ParticipantFilter) -> &'static str {
        match (self.name == filter.sort, filter.descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }

    /// Sorts people by their values. A person without a value comes last, in either direction.
    pub(super) fn sort(&self, people: &mut [&JudgedPerson], descending: bool) {
        let order = |a: &Option<SortKey>, b: &Option<SortKey>| match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) if descending => b.compare(a),
            (Some(a), Some(b)) => a.compare(b),
        };
        let mut keyed: Vec<_> = people.iter().map(|person| ((self.cell)(person).key, *person)).collect();
        keyed.sort_by(|(a, _), (b, _)| order(a, b));
        for (place, (_, person)) in people.iter_mut().zip(keyed) {
            *place = person;
        }
    }
}

/// A person's cells in the columns that may be shown.
pub(super) fn row(person: &JudgedPerson, blinded: bool) -> ParticipantCells {
    ParticipantColumn::shown(blinded).map(|column| (column.look, (column.cell)(person))).collect()
}

impl CellLook {
    /// The CSS class of the cells.
    pub(super) const fn class(self) -> Option<&'static str> {
        match self {
            Self::Person | Self::Text => None,
            Self::Wrapped => Some("wrap"),
            Self::Number => Some("number"),
        }
    }
}

impl ParticipantCell {
    fn text(text: &str) -> Self {
        let key = (!text.is_empty()).then(|| SortKey::Text(text.to_owned()));
        Self { key, text: text.to_owned(), mark: None }
    }

    fn number(value: Option<u32>) -> Self {
        Self::decimals(value.map(f64::from), 0)
    }

    fn decimals(value: Option<f64>, places: usize) -> Self {
        let text = value.map_or_else(String::new, |value| format!("{value:.places$}"));
        Self { key: value.map(SortKey::Number), text, mark: None }
    }
}

impl SortKey {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            // A column has one kind of value.
            _ => Ordering::Equal,
        }
    }
}

/// Share of main trials answered correctly.
fn accuracy(person: &JudgedPerson) -> Option<f64> {
    let tally = &person.person.tally;
    (tally.main_total > 0).then(|| f64::from(tally.main_correct) / f64::from(tally.main_total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture;

    fn judged(change: impl FnOnce(&mut crate::domain::analysis::AnalysedPerson)) -> JudgedPerson {
        let mut person = fixture::person("natural");
        change(&mut person);
        JudgedPerson::new(person, &fixture::policy("as-posted"))
    }

    #[test]
    fn every_column_has_a_name_of_its_own_and_a_cell_in_every_row() {
        let names: std::collections::BTreeSet<_> = COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(names.len(), COLUMNS.len());
        assert_eq!(row(&judged(|_| ()), false).len(), COLUMNS.len());
        let people = row(&judged(|_| ()), false).into_iter().filter(|(look, _)| *look == CellLook::Person);
        assert_eq!(people.count(), 1, "each row has one header");
    }

    #[test]
    fn accuracies_are_neither_shown_nor_sorted_by_while_conditions_are_hidden() {
        let names = |blinded| ParticipantColumn::shown(blinded).map(|column| column.name).collect::<Vec<_>>();
        assert!(names(false).contains(&"accuracy"));
        assert!(!names(true).contains(&"accuracy"));
        assert_eq!(row(&judged(|_| ()), true).len(), names(true).len());
    }

    #[test]
    fn people_without_a_value_come_last_in_either_direction() {
        let with = |total| judged(|person| person.measures.total_time = total);
        let people = [with(Some(300.0)), with(None), with(Some(20.0)), with(Some(100.0))];
        let total = ParticipantColumn::shown(false).find(|column| column.name == "total").unwrap();
        let sorted = |descending| {
            let mut sorted: Vec<_> = people.iter().collect();
            total.sort(&mut sorted, descending);
            sorted.iter().map(|person| (total.cell)(person).text).collect::<Vec<_>>()
        };
        assert_eq!(sorted(false), ["20", "100", "300", ""]);
        assert_eq!(sorted(true), ["300", "100", "20", ""]);
    }
}
