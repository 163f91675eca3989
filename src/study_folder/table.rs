//! Reads `trials.csv`.

use std::path::Path;
use std::str::FromStr;

use super::images::Files;
use super::{Problems, files};
use crate::domain::trial::{Difficulty, ImageId, KnownActivations, Trial, TrialKind};

/// The file's name in a study folder.
pub const FILE: &str = "trials.csv";

/// Largest size of the file, in bytes: enough for some hundred thousand rows.
const LARGEST: usize = 64 << 20;

/// The columns, which are written in one place: where the demo's table is made. A table may have them in any order, and must
/// have no others.
pub use weber_stimuli::trials::COLUMNS;

/// A row of the file.
#[derive(Debug, Clone)]
pub struct TrialsFileRow {
    /// The line, counted from 1.
    pub line: usize,
    /// The condition's name.
    pub condition: String,
    /// The kind of trial.
    pub kind: TrialKind,
    /// Only practice trials have one.
    pub difficulty: Option<Difficulty>,
    /// The image set, counted from 0.
    pub image_set: Option<u32>,
    pub unit: String,
    pub layer: String,
    pub branch: String,
    /// The base image's file, relative to the folder.
    pub base: String,
    /// The max query's file, the correct answer.
    pub max_query: String,
    /// The min query's file.
    pub min_query: String,
    /// The references' files, by group.
    pub references: Vec<Vec<String>>,
    /// Activations and the answers of baselines.
    pub known: KnownActivations,
}

impl TrialsFileRow {
    /// Every image that the row names.
    pub fn image_names(&self) -> impl Iterator<Item = &str> {
        let queries = [&self.base, &self.max_query, &self.min_query];
        queries.into_iter().chain(self.references.iter().flatten()).map(String::as_str)
    }
}

/// Reads the table. None if its content cannot be checked further.
pub fn read(folder: &Path, problems: &mut Problems) -> Option<Vec<TrialsFileRow>> {
    let text = match files::text(folder, FILE, LARGEST) {
        Ok(text) => text,
        Err((what, remedy)) => {
            problems.add(FILE, None, what, remedy);
            return None;
        }
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect(),
        Err(error) => {
            problems.add(
                FILE,
                1,
                format!("is not a table ({error})"),
                "Save it as CSV in UTF-8, with commas",
            );
            return None;
        }
    };
    if !header_is_right(&header, problems) {
        return None;
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => rows.extend(TrialFields { header: &header, record: &record, problems }.row()),
            Err(error) => {
                let line = error.position().map(line_of);
                problems.add(
                    FILE,
                    line,
                    format!("cannot be read ({error})"),
                    "Save the table as CSV in UTF-8",
                );
            }
        }
    }
    Some(rows)
}

fn header_is_right(header: &[String], problems: &mut Problems) -> bool {
    let mut right = true;
    for column in COLUMNS {
        if header.iter().filter(|name| *name == column).count() != 1 {
            problems.add(
                FILE,
                1,
                format!("the column `{column}` must be there once"),
                "Correct the first line",
            );
            right = false;
        }
    }
    for name in header.iter().filter(|name| !COLUMNS.contains(&name.as_str())) {
        problems.add(FILE, 1, format!("`{name}` is not a known column"), "Correct its spelling or remove it");
        right = false;
    }
    right
}

struct TrialFields<'a> {
    header: &'a [String],
    record: &'a csv::StringRecord,
    problems: &'a mut Problems,
}

impl TrialFields<'_> {
    fn row(mut self) -> Option<TrialsFileRow> {
        if self.record.len() != self.header.len() {
            let (has, needs) = (self.record.len(), self.header.len());
            self.problem(format!("the row has {has} fields, not {needs}"), "Quote fields that hold a comma");
            return None;
        }
        let kind = self.word("kind");
        let known = KnownActivations {
            base_activation: self.parsed("base_activation", "a number"),
            max_activation: self.parsed("max_activation", "a number"),
            min_activation: self.parsed("min_activation", "a number"),
            center_correct: self.parsed("center_correct", "true or false"),
            variance_correct: self.parsed("variance_correct", "true or false"),
            saliency_correct: self.parsed("saliency_correct", "true or false"),
            object_correct: self.parsed("object_correct", "true or false"),
        };
        let row = TrialsFileRow {
            line: self.line(),
            condition: self.needed("condition"),
            kind: kind.unwrap_or(TrialKind::Main),
            difficulty: self.word("difficulty"),
            image_set: self.parsed("image_set", "a number from 0"),
            unit: self.needed("unit"),
            layer: self.needed("layer"),
            branch: self.needed("branch"),
            base: self.needed("base"),
            max_query: self.needed("max_query"),
            min_query: self.needed("min_query"),
            references: groups(self.get("references")),
            known,
        };
        if kind.is_none() && self.get("kind").is_empty() {
            self.problem("`kind` is empty".into(), "Write main, catch, practice or instruction");
        }
        self.finite(&row);
        kind.map(|_| row)
    }

    fn line(&self) -> usize {
        self.record.position().map_or(0, line_of)
    }

    fn get(&self, column: &str) -> &str {
        let index = self.header.iter().position(|name| name == column);
        index.and_then(|index| self.record.get(index)).unwrap_or_default().trim()
    }

    fn needed(&mut self, column: &str) -> String {
        if self.get(column).is_empty() {
            self.problem(format!("`{column}` is empty"), "Fill it in");
        }
        self.get(column).to_owned()
    }

    fn word<T: FromStr<Err = crate::domain::UnknownWord>>(&mut self, column: &str) -> Option<T> {
        let text = self.get(column).to_owned();
        if text.is_empty() {
            return None;
        }
        text.parse().map_err(|error| self.problem(format!("`{column}`: {error}"), "Write one of these")).ok()
    }

    fn parsed<T: FromStr>(&mut self, column: &str, expected: &str) -> Option<T> {
        let text = self.get(column).to_owned();
        if text.is_empty() {
            return None;
        }
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(format!("`{column}` is `{text}`, not {expected}"), "Correct it or leave it empty");
        }
        parsed
    }

    fn finite(&mut self, row: &TrialsFileRow) {
        let known = &row.known;
        let numbers = [known.base_activation, known.max_activation, known.min_activation];
        if numbers.into_iter().flatten().any(|number| !number.is_finite()) {
            self.problem("an activation is not a finite number".into(), "Correct it or leave it empty");
        }
    }

    fn problem(&mut self, what: String, remedy: &str) {
        let line = self.line();
        self.problems.add(FILE, line, what, remedy);
    }
}

/// Reads `a;b|c` as two groups: a and b, and c.
fn groups(text: &str) -> Vec<Vec<String>> {
    let names = |group: &str| group.split(';').map(|name| name.trim().to_owned()).collect();
    if text.is_empty() { Vec::new() } else { text.split('|').map(names).collect() }
}

/// Resolves the images of each row. None for a row with an image that is missing or faulty.
pub fn resolve(rows: &[TrialsFileRow], files: &Files) -> Vec<Option<Trial>> {
    let image = |name: &String| -> Option<ImageId> { files.get(name).map(|(id, _)| id.clone()) };
    rows.iter()
        .map(|row| {
            let references: Option<Vec<Vec<ImageId>>> =
                row.references.iter().map(|group| group.iter().map(image).collect()).collect();
            Some(Trial {
                condition: row.condition.clone(),
                kind: row.kind,
                difficulty: row.difficulty,
                image_set: row.image_set,
                unit: row.unit.clone(),
                layer: row.layer.clone(),
                branch: row.branch.clone(),
                base: image(&row.base)?,
                max_query: image(&row.max_query)?,
                min_query: image(&row.min_query)?,
                references: references?,
                known: row.known.clone(),
            })
        })
        .collect()
}
fn line_of(position: &csv::Position) -> usize {
    usize::try_from(position.line()).unwrap_or(usize::MAX)
}
