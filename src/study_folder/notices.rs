//! Finds images that could spoil a trial or reveal its answer in a study folder without faults. Only the study's author can
//! decide whether they do.

use std::collections::BTreeMap;

use super::images::Files;
use super::table::{self, TrialsFileRow};
use super::{FolderProblem, Problems};
use crate::domain::trial::{ImageId, TrialKind};

/// How many notices of a kind are shown in full. A table that repeats its queries does so in every row, so the rest is counted.
const MOST: usize = 5;

/// Finds all notices.
pub fn find(rows: &[TrialsFileRow], files: &Files) -> Vec<FolderProblem> {
    let mut notices = Vec::new();
    cut("pairs of queries that look alike", pairs_that_look_alike(rows, files), &mut notices);
    cut("queries that are used again", queries_used_again(rows, files), &mut notices);
    cut("pairs of queries in two formats", pairs_in_two_formats(rows, files), &mut notices);
    notices
}

fn cut(kind: &str, found: Problems, notices: &mut Vec<FolderProblem>) {
    let found = found.sorted();
    notices.extend(found.iter().take(MOST).map(|notice| (*notice).clone()));
    if let Some(first_left_out) = found.get(MOST) {
        let what = format!("and {} more {kind}, the next in this line", found.len() - MOST);
        notices.push(FolderProblem { what, ..(*first_left_out).clone() });
    }
}

/// Whether people are told the correct answer after a trial of this kind.
const fn is_told(kind: TrialKind) -> bool {
    matches!(kind, TrialKind::Practice | TrialKind::Instruction)
}

/// Finds queries that are used in two trials: a person who was told the answer to one trial recognises the query in the other.
fn queries_used_again(rows: &[TrialsFileRow], files: &Files) -> Problems {
    let mut found = Problems::default();
    let mut uses: BTreeMap<&ImageId, Vec<&TrialsFileRow>> = BTreeMap::new();
    for row in rows {
        for name in [&row.max_query, &row.min_query] {
            let Some((_, file)) = files.get(name) else { continue };
            let uses = uses.entry(&file.pixels).or_default();
            if let Some(other) = uses.iter().find(|other| other.line != row.line && tells(other, row)) {
                let why = if is_told(other.kind) || is_told(row.kind) {
                    "and people are told the answer to one of the two"
                } else {
                    "and one person sees both"
                };
                let what = format!("the query `{name}` is also a query in line {}, {why}", other.line);
                found.add(table::FILE, row.line, what, "Give each of the two trials queries of its own");
            }
            uses.push(row);
        }
    }
    found
}

/// Whether a query of both trials can reveal the answer to a trial that counts.
fn tells(one: &TrialsFileRow, other: &TrialsFileRow) -> bool {
    match (is_told(one.kind), is_told(other.kind)) {
        (true, true) => false,
        (false, false) => seen_by_one_person(one, other),
        _ => true,
    }
}

/// Whether one person sees both trials.
fn seen_by_one_person(one: &TrialsFileRow, other: &TrialsFileRow) -> bool {
    let both_main = one.kind == TrialKind::Main && other.kind == TrialKind::Main;
    one.condition == other.condition && (!both_main || one.image_set == other.image_set)
}

/// Finds pairs of queries that show the same pixels, so that people cannot tell them apart.
fn pairs_that_look_alike(rows: &[TrialsFileRow], files: &Files) -> Problems {
    let mut found = Problems::default();
    for row in rows {
        let pixels = |name| files.get(name).map(|(_, file)| &file.pixels);
        if pixels(&row.max_query).is_some_and(|max| pixels(&row.min_query) == Some(max)) {
            let what = "the max and the min query show the same pixels";
            found.add(table::FILE, row.line, what, "Look whether one of the two is the image that was meant");
        }
    }
    found
}

/// Finds pairs of queries in two formats, since a browser receives the format with the image.
fn pairs_in_two_formats(rows: &[TrialsFileRow], files: &Files) -> Problems {
    let mut found = Problems::default();
    for row in rows {
        let format = |name| files.get(name).map(|(_, file)| file.format.name());
        if let (Some(max), Some(min)) = (format(&row.max_query), format(&row.min_query))
            && max != min
        {
            let what = format!("the max query is a {max} image and the min query a {min} image");
            found.add(
                table::FILE,
                row.line,
                what,
                "Save both in one format: a browser receives the format with the image",
            );
        }
    }
    found
}
