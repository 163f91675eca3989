//! Examines whether a recent backup of this database exists.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};

use super::DoctorFinding;
use super::DoctorFinding::{Good, Problem, Warning};
use crate::domain::audit_log::Entry;
use crate::domain::backup::BackupManifest;
use crate::flow::backup::Archive;

/// The greatest age of a daily backup, with two hours for making it.
const FRESH: TimeDelta = TimeDelta::hours(26);
const STALE: TimeDelta = TimeDelta::days(7);

/// The newest backup found, or why there is none.
pub struct Newest(Result<(PathBuf, BackupManifest), String>);

/// Finds the newest backup. The path is a backup or a folder of backups.
pub fn newest(path: &Path) -> Newest {
    let read = |path: &Path| Archive::open(path).map(|archive| (path.to_owned(), archive.manifest));
    if !path.is_dir() {
        return Newest(read(path).map_err(|error| error.to_string()));
    }
    let files = fs::read_dir(path).into_iter().flatten().flatten();
    let backups = files.filter_map(|entry| read(&entry.path()).ok());
    let newest = backups.max_by_key(|(_, manifest)| manifest.created_at);
    Newest(newest.ok_or_else(|| format!("there is no backup in {}", path.display())))
}

impl Newest {
    /// Compares the backup with the database from which it should have been made.
    pub fn against(
        self,
        fingerprint: Option<&[u8]>,
        entries: &[(Entry, Vec<u8>)],
        now: DateTime<Utc>,
    ) -> DoctorFinding {
        let (path, manifest) = match self.0 {
            Ok(found) => found,
            Err(reason) => return Problem(reason),
        };
        let (name, head) = (path.display(), &manifest.journal);
        if fingerprint.map(hex::encode).as_ref() != Some(&manifest.key_fingerprint) {
            return Problem(format!("{name} is a backup of another installation"));
        }
        if !head.is_in(entries) {
            return Problem(format!(
                "the journal was changed since {name} was made: its entry {} is not there as it was",
                head.entry
            ));
        }
        let age = now - manifest.created_at;
        let words = format!("the newest backup, {name}, is {} hours old", age.num_hours());
        match age {
            age if age <= FRESH => Good(words),
            age if age <= STALE => Warning(format!("{words}: back up every day while people take part")),
            _ => Problem(format!("{words}: back up now")),
        }
    }
}
