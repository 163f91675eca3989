//! Compares a platform's own export with Weber's data and suggests what to do. Researchers decide about pay.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ids::{What, normal_or_as_it_is};
use super::mturk::UNVERIFIED;
use crate::domain::identity::Identity;
use crate::domain::study::{Outcome, Platform};

/// A line of the platform's export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformRow {
    /// The person's id on the platform.
    pub worker_id: String,
    /// The id of the assignment or submission.
    pub assignment_id: String,
    /// What the platform says about it.
    pub status: String,
    /// The code or receipt that was handed in.
    pub code: String,
}

/// A person in Weber's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyPerson {
    /// The person's name in all data.
    pub pseudonym: String,
    /// The person's id on the platform.
    pub worker_id: String,
    /// How the participation ended. None while the person is taking part, or if they left.
    pub outcome: Option<Outcome>,
    /// The codes that the person should have handed in. If it is empty, every code is accepted.
    pub codes: BTreeSet<String>,
}

/// The result of comparing one person's data with the platform's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Discrepancy {
    /// Finished here; the platform says it timed out or was returned.
    TimedOutThere,
    /// Finished here; the platform does not know.
    OnlyHere,
    /// Handed in there; unknown here.
    OnlyThere,
    /// Handed in there; here they did not get to the end.
    Unfinished,
    /// Finished here and handed in there, with a wrong code.
    WrongCode,
    /// Finished here and handed in there, without a code.
    MissingCode,
    /// Handed in while the server could not be reached; the answers have arrived since.
    Unverified,
    /// Finished here and handed in there.
    Agreed,
}

impl Discrepancy {
    /// The result in words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::TimedOutThere => "Finished here, timed out or returned there",
            Self::OnlyHere => "Finished here, not in the platform's file",
            Self::OnlyThere => "Handed in there, unknown here",
            Self::Unfinished => "Handed in there, not finished here",
            Self::WrongCode => "Finished here, wrong code there",
            Self::MissingCode => "Finished here, no code there",
            Self::Unverified => "Finished here, handed in while the server could not be reached",
            Self::Agreed => "Finished here and handed in there",
        }
    }

    /// Tells the researcher what to do.
    pub const fn suggestion(self) -> &'static str {
        match self {
            Self::TimedOutThere => {
                "Pay them: all their answers are here. Use a bonus, or a small task for them alone."
            }
            Self::OnlyHere => {
                "Wait until the platform's file is complete; then pay them by a bonus, or ask them to hand in."
            }
            Self::OnlyThere => {
                "Ask them what happened before anything else. They may have come under another id, or by another study's link."
            }
            Self::Unfinished => {
                "Ask them what happened; pay for the time they spent, or ask them to return the task."
            }
            Self::WrongCode | Self::MissingCode => "Approve: all their answers are here.",
            Self::Unverified | Self::Agreed => "Approve.",
        }
    }
}

/// One person, with the result of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparisonLine {
    /// The result of the comparison.
    pub finding: Discrepancy,
    /// The person's id on the platform.
    pub worker_id: String,
    /// The person's name in Weber's data.
    pub pseudonym: Option<String>,
    /// The status on the platform.
    pub status: Option<String>,
}

/// The columns by which a platform's export is recognised: person, assignment, status, code.
const FORMATS: [(Platform, [&str; 4]); 2] = [
    (Platform::Mturk, ["WorkerId", "AssignmentId", "AssignmentStatus", "Answer.receipt"]),
    (Platform::Prolific, ["Participant id", "Submission id", "Status", "Completion code"]),
];

/// Reads a platform's export and recognises the platform.
///
/// # Errors
/// Tells the researcher what is wrong with the file, and where.
pub fn read(text: &str) -> Result<(Platform, Vec<PlatformRow>), String> {
    let mut reader =
        csv::ReaderBuilder::new().flexible(false).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().map_err(|error| format!("The file is not a table: {error}."))?.clone();
    let position = |name: &str| header.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
    let known = FORMATS.iter().find(|(_, names)| names[..3].iter().all(|name| position(name).is_some()));
    let Some((platform, names)) = known else {
        return Err("The file has neither MTurk's columns (WorkerId, AssignmentId, AssignmentStatus, Answer.receipt) nor \
                    Prolific's (Submission id, Participant id, Status, Completion code). Upload it as the platform gave it."
            .into());
    };
    let columns = names.map(position);
    let rows = reader.records().map(|record| {
        let record = record.map_err(|error| format!("The file cannot be read: {error}."))?;
        let cell = |column: Option<usize>| {
            column.and_then(|column| record.get(column)).unwrap_or_default().trim().to_owned()
        };
        let [person, assignment, status, code] = columns.map(cell);
        let worker_id = normal_or_as_it_is(*platform, What::Person, &person);
        let assignment_id = normal_or_as_it_is(*platform, What::Assignment, &assignment);
        Ok(PlatformRow { worker_id, assignment_id, status, code })
    });
    let rows: Vec<PlatformRow> = rows.collect::<Result<_, String>>()?;
    Ok((*platform, rows.into_iter().filter(|row| !row.worker_id.is_empty()).collect()))
}

/// The assignments that were handed in according to the platform, each with its person.
pub struct HandedIn<'a>(BTreeSet<(&'a str, &'a str)>);

/// Collects the assignments that were handed in.
pub fn handed_in(there: &[PlatformRow]) -> HandedIn<'_> {
    let rows = there.iter().filter(|row| is_handed_in(&row.status));
    HandedIn(rows.map(|row| (row.worker_id.as_str(), row.assignment_id.as_str())).collect())
}

impl HandedIn<'_> {
    /// The assignment that a person handed in instead of the one that they finished. Only assignments with which they opened the
    /// study are considered.
    pub fn instead<'a>(&self, identity: &Identity, seen: &'a [String]) -> Option<&'a str> {
        let is_in = |assignment: &str| self.0.contains(&(identity.worker_id.as_str(), assignment));
        let finished = identity.assignment_id.as_deref();
        let mut others = seen.iter().map(String::as_str).filter(|seen| is_in(seen));
        if finished.is_some_and(is_in) { None } else { others.next() }
    }
}

/// Compares both sides. The most urgent lines come first.
pub fn compare(there: &[PlatformRow], here: &[StudyPerson]) -> Vec<ComparisonLine> {
    let mut rows: BTreeMap<&str, &PlatformRow> = BTreeMap::new();
    for row in there {
        // If a person has several lines, the line of the assignment that was handed in counts.
        let known = rows.entry(&row.worker_id).or_insert(row);
        if !is_handed_in(&known.status) {
            *known = row;
        }
    }
    let known: BTreeSet<&str> = here.iter().map(|person| person.worker_id.as_str()).collect();
    let ours = here.iter().filter_map(|person| {
        let row = rows.get(person.worker_id.as_str()).copied();
        judge(person, row).map(|finding| ComparisonLine {
            finding,
            worker_id: person.worker_id.clone(),
            pseudonym: Some(person.pseudonym.clone()),
            status: row.map(|row| row.status.clone()),
        })
    });
    let theirs = rows.values().filter(|row| !known.contains(row.worker_id.as_str()));
    let theirs = theirs.filter(|row| is_handed_in(&row.status)).map(|row| ComparisonLine {
        finding: Discrepancy::OnlyThere,
        worker_id: row.worker_id.clone(),
        pseudonym: None,
        status: Some(row.status.clone()),
    });
    let mut lines: Vec<ComparisonLine> = ours.chain(theirs).collect();
    lines.sort_by(|a, b| (a.finding, &a.worker_id).cmp(&(b.finding, &b.worker_id)));
    lines
}

/// Returns none if the person neither finished here nor handed in there.
fn judge(person: &StudyPerson, row: Option<&PlatformRow>) -> Option<Discrepancy> {
    let finished = person.outcome.is_some_and(super::is_paid);
    let Some(row) = row else { return finished.then_some(Discrepancy::OnlyHere) };
    match (finished, is_handed_in(&row.status)) {
        (false, false) => None,
        (false, true) => Some(Discrepancy::Unfinished),
        (true, false) => Some(Discrepancy::TimedOutThere),
        (true, true) if row.code.is_empty() => {
            Some(if person.codes.is_empty() { Discrepancy::Agreed } else { Discrepancy::MissingCode })
        }
        (true, true) if row.code == UNVERIFIED => Some(Discrepancy::Unverified),
        (true, true) if person.codes.is_empty() || person.codes.contains(&row.code) => {
            Some(Discrepancy::Agreed)
        }
        (true, true) => Some(Discrepancy::WrongCode),
    }
}

/// Whether the platform says that the person handed in.
fn is_handed_in(status: &str) -> bool {
    let status = status.to_lowercase();
    [
        "submitted",
        "approved",
        "rejected",
        "awaiting review",
        "awaiting_review",
        "screened out",
        "screened-out",
    ]
    .contains(&status.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(worker_id: &str, status: &str, code: &str) -> PlatformRow {
        PlatformRow {
            worker_id: worker_id.into(),
            assignment_id: "3".into(),
            status: status.into(),
            code: code.into(),
        }
    }

    fn here(worker_id: &str, outcome: Option<Outcome>) -> StudyPerson {
        StudyPerson {
            pseudonym: format!("p-{worker_id}"),
            worker_id: worker_id.into(),
            outcome,
            codes: ["GOOD".to_owned()].into(),
        }
    }

    fn finding(there: Option<PlatformRow>, here: Option<StudyPerson>) -> Option<Discrepancy> {
        let lines = compare(there.as_slice(), here.as_slice());
        assert!(lines.len() <= 1);
        lines.first().map(|line| line.finding)
    }

    #[test]
    fn every_combination_has_its_discrepancy() {
        let done = || Some(here("A", Some(Outcome::Complete)));
        let late = || Some(here("A", Some(Outcome::TimedOut)));
        let gone = || Some(here("A", None));
        let row = |status, code| Some(there("A", status, code));
        assert_eq!(finding(row("Submitted", "GOOD"), done()), Some(Discrepancy::Agreed));
        assert_eq!(finding(row("APPROVED", "GOOD"), late()), Some(Discrepancy::Agreed));
        assert_eq!(finding(row("Submitted", "BAD"), done()), Some(Discrepancy::WrongCode));
        assert_eq!(finding(row("Submitted", ""), done()), Some(Discrepancy::MissingCode));
        assert_eq!(finding(row("Submitted", "unverified"), done()), Some(Discrepancy::Unverified));
        assert_eq!(finding(row("TIMED-OUT", ""), done()), Some(Discrepancy::TimedOutThere));
        assert_eq!(finding(row("RETURNED", ""), late()), Some(Discrepancy::TimedOutThere));
        assert_eq!(finding(None, done()), Some(Discrepancy::OnlyHere));
        assert_eq!(finding(row("Awaiting review", "GOOD"), gone()), Some(Discrepancy::Unfinished));
        assert_eq!(finding(row("Submitted", "GOOD"), None), Some(Discrepancy::OnlyThere));
        assert_eq!(finding(row("RETURNED", ""), gone()), None);
        assert_eq!(finding(row("RETURNED", ""), None), None);
        assert_eq!(finding(None, gone()), None);
    }

    #[test]
    fn without_expected_codes_every_code_is_accepted() {
        let mut person = here("A", Some(Outcome::Complete));
        person.codes.clear();
        assert_eq!(finding(Some(there("A", "Submitted", "x")), Some(person)), Some(Discrepancy::Agreed));
    }

    #[test]
    fn the_line_that_was_handed_in_counts() {
        let rows = [there("A", "Submitted", "GOOD"), there("A", "Returned", "")];
        assert_eq!(compare(&rows, &[here("A", Some(Outcome::Complete))])[0].finding, Discrepancy::Agreed);
    }

    #[test]
    fn both_platforms_exports_are_read() {
        let mturk = "HITId,AssignmentId,WorkerId,AssignmentStatus,Answer.receipt\nH,3A,A1,Submitted,R\n";
        let (platform, rows) = read(mturk).unwrap();
        assert_eq!(
            (platform, &rows[0]),
            (Platform::Mturk, &PlatformRow { assignment_id: "3A".into(), ..there("A1", "Submitted", "R") })
        );
        let prolific = "\u{feff}Submission id,Participant id,Status,Completion code\ns, 5F00aa11bb22cc33dd44ee55,AWAITING REVIEW,C\n";
        let (platform, rows) = read(prolific).unwrap();
        assert_eq!(
            (platform, rows[0].worker_id.as_str(), rows[0].code.as_str()),
            (Platform::Prolific, "5f00aa11bb22cc33dd44ee55", "C"),
            "ids are in their normal form"
        );
    }

    #[test]
    fn the_assignment_that_was_handed_in_is_paid() {
        let row = |worker: &str, assignment: &str, status: &str| PlatformRow {
            assignment_id: assignment.into(),
            ..there(worker, status, "R")
        };
        let rows = [
            row("A", "1", "Returned"),
            row("A", "2", "Submitted"),
            row("B", "3", "Submitted"),
            row("B", "4", "Submitted"),
        ];
        let instead = |worker: &str, finished: &str, seen: &[&str]| {
            let identity = Identity {
                platform: Platform::Mturk,
                ids_of: Platform::Mturk,
                worker_id: worker.into(),
                assignment_id: Some(finished.into()),
                hit_id: None,
            };
            let seen: Vec<String> = seen.iter().map(|seen| (*seen).to_owned()).collect();
            handed_in(&rows).instead(&identity, &seen).map(str::to_owned)
        };
        assert_eq!(instead("A", "1", &["1", "2"]).as_deref(), Some("2"));
        assert_eq!(instead("A", "1", &["1"]), None, "never seen here");
        assert_eq!(instead("A", "1", &["1", "3"]), None, "handed in by others");
        assert_eq!(instead("B", "3", &["3", "4"]), None, "what they finished was handed in");
    }

    #[test]
    fn a_file_that_is_no_export_is_refused_with_an_explanation() {
        assert!(read("a,b\n1,2\n").unwrap_err().contains("WorkerId"));
        assert!(read("WorkerId,AssignmentId,AssignmentStatus\nA\n").unwrap_err().contains("line"));
    }

    #[test]
    fn no_suggestion_refuses_pay() {
        for finding in [
            Discrepancy::OnlyThere,
            Discrepancy::Unfinished,
            Discrepancy::WrongCode,
            Discrepancy::MissingCode,
        ] {
            assert!(!finding.suggestion().to_lowercase().contains("reject"), "{finding:?}");
        }
    }
}
