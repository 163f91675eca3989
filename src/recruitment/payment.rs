//! Lists of people to pay, with amount and reason, in each platform's format for bulk payments.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::study::{Outcome, Platform, Usd};

/// The payment of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The platform that the person came from.
    pub platform: Platform,
    /// The person's id on the platform.
    pub worker_id: String,
    /// The id of the assignment or submission.
    pub assignment_id: Option<String>,
    /// The id of the task.
    pub hit_id: Option<String>,
    /// Other assignments with which the person opened the study.
    pub other_assignments: Vec<String>,
    /// The amount in US dollars.
    pub amount: Usd,
    /// The outcome for which the person is paid.
    pub outcome: Outcome,
    /// When the participation ended.
    pub ended_at: DateTime<Utc>,
    /// The code or receipt that the platform got at the end.
    pub receipt: String,
}

/// Says in words why a person is paid.
pub const fn reason(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => "all answers arrived",
        Outcome::TimedOut => "all answers arrived, after the place had gone to somebody else",
        Outcome::ScreenedOut => "practice was not passed, and the study offered an end",
        _ => "",
    }
}

#[derive(Serialize)]
struct PaymentLine<'a> {
    platform: Platform,
    worker_id: &'a str,
    assignment_id: &'a str,
    hit_id: &'a str,
    amount_usd: String,
    outcome: Outcome,
    reason: &'static str,
    ended_at: String,
    receipt: &'a str,
    other_assignments: &'a str,
}

/// All payments as a CSV file.
pub fn table(payments: &[Payment]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for payment in payments {
        writer.serialize(PaymentLine {
            platform: payment.platform,
            worker_id: &plain(&payment.worker_id),
            assignment_id: &plain(payment.assignment_id.as_deref().unwrap_or_default()),
            hit_id: &plain(payment.hit_id.as_deref().unwrap_or_default()),
            amount_usd: payment.amount.to_string(),
            outcome: payment.outcome,
            reason: reason(payment.outcome),
            ended_at: payment.ended_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            receipt: &payment.receipt,
            other_assignments: &plain(&payment.other_assignments.join(" ")),
        })?;
    }
    finish(writer)
}

/// A file in which one platform takes many people at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlatformFile {
    /// The platform.
    pub platform: Platform,
    /// The ending of the file's name.
    ending: &'static str,
    /// The format of its content, in one word.
    content: &'static str,
}

impl PlatformFile {
    /// The file of a platform. None if people are not paid through it.
    const fn of(platform: Platform) -> Option<Self> {
        let (ending, content) = match platform {
            Platform::Direct => return None,
            Platform::Mturk => ("csv", "CSV"),
            Platform::Prolific | Platform::Connect | Platform::Sona | Platform::Generic => ("txt", "ids"),
        };
        Some(Self { platform, ending, content })
    }

    /// Its title, such as `MTurk (CSV)`.
    pub fn title(&self) -> String {
        format!("{} ({})", super::title(self.platform), self.content)
    }

    /// Its name, such as `mturk.csv`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.platform, self.ending)
    }
}

/// The file of every platform that has one.
pub fn platform_files() -> impl Iterator<Item = PlatformFile> {
    Platform::ALL.iter().filter_map(|platform| PlatformFile::of(*platform))
}

/// The payments of one platform in its own format: for MTurk a table of assignments to approve, for the others a list of ids.
pub fn bulk(platform: Platform, payments: &[Payment]) -> Result<String, csv::Error> {
    let own = payments.iter().filter(|payment| payment.platform == platform);
    if platform != Platform::Mturk {
        return Ok(own.map(|payment| format!("{}\n", payment.worker_id)).collect());
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["HITId", "AssignmentId", "WorkerId", "Approve", "Reject"])?;
    for payment in own {
        let id = |id: &Option<String>| plain(id.as_deref().unwrap_or_default());
        let (hit, assignment) = (id(&payment.hit_id), id(&payment.assignment_id));
        writer.write_record([hit.as_str(), assignment.as_str(), &plain(&payment.worker_id), "x", ""])?;
    }
    finish(writer)
}

fn finish(writer: csv::Writer<Vec<u8>>) -> Result<String, csv::Error> {
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Keeps an id from becoming a formula in a spreadsheet, since ids come from addresses that anyone can write.
fn plain(id: &str) -> String {
    if id.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{id}") } else { id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::at;

    fn payment(platform: Platform, worker_id: &str) -> Payment {
        Payment {
            platform,
            worker_id: worker_id.into(),
            assignment_id: Some("3A".into()),
            hit_id: Some("3H".into()),
            other_assignments: vec!["3B".into(), "3C".into()],
            amount: Usd::try_from(1.95).unwrap(),
            outcome: Outcome::TimedOut,
            ended_at: at(0.0),
            receipt: "R".into(),
        }
    }

    #[test]
    fn each_platform_gets_its_own_people_in_its_own_format() {
        let all = [payment(Platform::Mturk, "A1"), payment(Platform::Prolific, "5f")];
        assert_eq!(
            bulk(Platform::Mturk, &all).unwrap(),
            "HITId,AssignmentId,WorkerId,Approve,Reject\n3H,3A,A1,x,\n"
        );
        assert_eq!(bulk(Platform::Prolific, &all).unwrap(), "5f\n");
        assert_eq!(bulk(Platform::Sona, &all).unwrap(), "");
        let table = table(&all).unwrap();
        assert!(table.contains("mturk,A1,3A,3H,1.95,timed_out,\"all answers arrived, after"), "{table}");
        assert!(table.lines().next().unwrap().ends_with(",receipt,other_assignments"), "{table}");
        assert!(table.contains(",R,3B 3C\n"), "{table}");
    }

    #[test]
    fn every_platform_that_pays_has_a_file_of_its_own() {
        let names: Vec<String> = platform_files().map(|file| file.name()).collect();
        assert_eq!(names, ["mturk.csv", "prolific.txt", "connect.txt", "sona.txt", "generic.txt"]);
    }

    #[test]
    fn an_id_cannot_become_a_formula() {
        let table = table(&[payment(Platform::Generic, "=HYPERLINK(\"x\")")]).unwrap();
        assert!(table.contains("'=HYPERLINK"), "{table}");
    }
}
