//! Reads `study.toml`. Each part is read separately, so that a fault in one does not hide faults in others.

use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::{Problems, files};
use crate::domain::study::StudyDefinition;

/// The file's name in a study folder.
pub const FILE: &str = "study.toml";

/// Largest size of the file, in bytes.
const LARGEST: usize = 1 << 20;

/// The settings, with their lines in the file.
pub struct ReadSettings {
    /// The settings of the study.
    pub definition: StudyDefinition,
    lines: Vec<(String, usize)>,
}

impl ReadSettings {
    /// The line of a key such as `design` or `conditions[1]`.
    pub fn line(&self, key: &str) -> Option<usize> {
        self.lines.iter().find(|(known, _)| known == key).map(|(_, line)| *line)
    }
}

/// Reads the file. None if it is missing, is not TOML, or lacks a required part.
pub fn read(folder: &Path, problems: &mut Problems) -> Option<ReadSettings> {
    let text = match files::text(folder, FILE, LARGEST) {
        Ok(text) => text,
        Err((what, remedy)) => {
            problems.add(FILE, None, what, remedy);
            return None;
        }
    };
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        let line = error.span().map(|span| line_at(&text, span.start));
        problems.add(FILE, line, one_line(error.message()), "Write it as TOML");
    }
    if !errors.is_empty() {
        return None;
    }
    Reader { text: &text, table: table.into_inner(), problems, lines: Vec::new() }.definition()
}

struct Reader<'a> {
    text: &'a str,
    table: DeTable<'a>,
    problems: &'a mut Problems,
    lines: Vec<(String, usize)>,
}

impl<'a> Reader<'a> {
    fn definition(mut self) -> Option<ReadSettings> {
        let slug = self.required("slug");
        let title = self.required("title");
        let contact = self.required("contact");
        let institution = self.optional("institution");
        let family = self.optional("family");
        let enrolment_policy = self.required("enrolment_policy");
        let design = self.optional("design");
        let lease = self.optional("lease");
        let window = self.optional("window");
        let trial = self.optional("trial");
        let practice = self.optional("practice");
        let clock = self.optional("clock");
        let conditions = self.list("conditions");
        let policies = self.list("policies");
        let recruitment = self.optional("recruitment");
        let links = self.list("links");
        let texts = self.optional("texts");
        let pages = self.optional("pages");
        self.refuse_unknown_keys();
        Some(ReadSettings {
            definition: StudyDefinition {
                slug: slug?,
                title: title?,
                contact: contact?,
                institution: institution?,
                family: family?,
                enrolment_policy: enrolment_policy?,
                design: design?,
                lease: lease?,
                window: window?,
                trial: trial?,
                practice: practice?,
                clock: clock?,
                conditions: conditions?,
                policies: policies?,
                recruitment: recruitment?,
                links: links?,
                texts: texts?,
                pages: pages?,
            },
            lines: self.lines,
        })
    }

    fn take(&mut self, key: &str) -> Option<Spanned<DeValue<'a>>> {
        let (name, value) = self.table.remove_entry(key)?;
        let line = line_at(self.text, name.span().start);
        self.lines.push((key.to_owned(), line));
        Some(value)
    }

    fn required<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let Some(value) = self.take(key) else {
            self.problems.add(FILE, None, format!("`{key}` is missing"), format!("Add a line `{key} = ...`"));
            return None;
        };
        self.read(key, value)
    }

    fn optional<T: DeserializeOwned + Default>(&mut self, key: &str) -> Option<T> {
        match self.take(key) {
            Some(value) => self.read(key, value),
            None => Some(T::default()),
        }
    }

    fn list<T: DeserializeOwned>(&mut self, key: &str) -> Option<Vec<T>> {
        let Some(value) = self.take(key) else { return Some(Vec::new()) };
        let line = line_at(self.text, value.span().start);
        let DeValue::Array(items) = value.into_inner() else {
            self.problems.add(
                FILE,
                line,
                format!("`{key}` is not a list"),
                format!("Write `[[{key}]]` over each"),
            );
            return None;
        };
        let mut list = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let name = format!("{key}[{index}]");
            self.lines.push((name.clone(), line_at(self.text, item.span().start)));
            list.push(self.read(&name, item));
        }
        list.into_iter().collect()
    }

    fn read<T: DeserializeOwned>(&mut self, key: &str, value: Spanned<DeValue<'a>>) -> Option<T> {
        let mut unknown = Vec::new();
        let keys = value.clone();
        let span = value.span();
        let result =
            serde_ignored::deserialize(ValueDeserializer::from(value), |path| unknown.push(path.to_string()));
        for path in unknown {
            let at = span_of(&keys, &path).unwrap_or_else(|| span.clone());
            self.unknown(&format!("{key}.{path}"), at.start);
        }
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                let at = error.span().unwrap_or(span).start;
                let what = format!("`{key}`: {}", one_line(error.message()));
                self.problems.add(
                    FILE,
                    line_at(self.text, at),
                    what,
                    "See docs/study-format.md for what is allowed",
                );
                None
            }
        }
    }

    fn refuse_unknown_keys(&mut self) {
        let rest: Vec<_> =
            self.table.keys().map(|key| (key.get_ref().to_string(), key.span().start)).collect();
        for (key, at) in rest {
            self.unknown(&key, at);
        }
    }

    fn unknown(&mut self, key: &str, at: usize) {
        let line = line_at(self.text, at);
        self.problems.add(
            FILE,
            line,
            format!("`{key}` is not a known key"),
            "Correct its spelling or remove it",
        );
    }
}

/// The position of a key such as `references.0.kind` within a value.
fn span_of(value: &Spanned<DeValue<'_>>, path: &str) -> Option<Range<usize>> {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let (span, inner) = match value.get_ref() {
        DeValue::Table(table) => {
            let (key, inner) = table.iter().find(|(key, _)| **key.get_ref() == *head)?;
            (key.span(), inner)
        }
        DeValue::Array(items) => {
            let inner = items.get(head.parse::<usize>().ok()?)?;
            (inner.span(), inner)
        }
        _ => return None,
    };
    match rest {
        Some(rest) => span_of(inner, rest),
        None => Some(span),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
