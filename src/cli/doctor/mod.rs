//! `weber doctor` examines everything that Weber needs, and says how to solve each problem. It changes nothing.

mod address;
mod backups;
mod database;

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;

use super::data;
use crate::config::{DataArgs, public_url};

/// A study of 1,000 people with its images needs a few hundred MB, and PostgreSQL must never fill the disk.
const LOW_DISK_BYTES: u64 = 2_000_000_000;
const TOO_LITTLE_DISK_BYTES: u64 = 200_000_000;

/// Options of `weber doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Address by which browsers reach the server, to be tried from this machine.
    #[arg(long, env = "WEBER_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    public_url: Option<String>,

    /// A backup, or a folder of backups, of which the newest is examined.
    #[arg(long, env = "WEBER_BACKUPS", value_name = "FILE_OR_FOLDER")]
    backup: Option<PathBuf>,
}

/// The result of one examination.
#[derive(Debug, Clone, PartialEq, Eq)]
enum DoctorFinding {
    Good(String),
    Warning(String),
    Problem(String),
}

use DoctorFinding::{Good, Problem, Warning};

impl fmt::Display for DoctorFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Good(words) => write!(f, "  good     {words}"),
            Warning(words) => write!(f, "  warning  {words}"),
            Problem(words) => write!(f, "  PROBLEM  {words}"),
        }
    }
}

/// Examines everything; fails if there is a problem.
pub async fn run(args: &DataArgs, doctor: &DoctorArgs) -> anyhow::Result<()> {
    let mut findings = vec![free_disk(&args.data), key_file(args)];
    let backup = doctor.backup.as_deref().map(backups::newest);
    findings.extend(database::examine(args, backup).await);
    findings.extend(match &doctor.public_url {
        Some(url) => address::examine(url).await,
        None => {
            vec![Warning("no --public-url was given: how browsers reach the server was not examined".into())]
        }
    });
    findings.iter().for_each(super::say);
    match findings.iter().filter(|finding| matches!(finding, Problem(_))).count() {
        0 => Ok(()),
        1 => bail!("there is a problem"),
        n => bail!("there are {n} problems"),
    }
}

fn free_disk(folder: &Path) -> DoctorFinding {
    let existing = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(existing) {
        Ok(disk) => free_space(folder, disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Problem(format!("{} cannot be read: {error}", folder.display())),
    }
}

fn free_space(folder: &Path, bytes: u64) -> DoctorFinding {
    let words = format!("{:.1} GB are free for {}", bytes as f64 / 1e9, folder.display());
    if bytes < TOO_LITTLE_DISK_BYTES {
        Problem(format!("only {words}: free some space before anything is lost"))
    } else if bytes < LOW_DISK_BYTES {
        Warning(format!("only {words}: 2 GB and more are comfortable"))
    } else {
        Good(words)
    }
}

fn key_file(args: &DataArgs) -> DoctorFinding {
    if args.secret_key.is_some() {
        return Good(
            "the secret key comes from WEBER_SECRET_KEY: keep a copy apart from the database".into(),
        );
    }
    let path = data::key_path(args);
    match fs::metadata(&path) {
        Ok(file) if file.permissions().mode() & 0o077 != 0 => Problem(format!(
            "{} holds the secret key, and others may read it: chmod 600 '{}'",
            path.display(),
            path.display()
        )),
        Ok(_) => {
            Good(format!("the secret key is in {}: keep a copy apart from the database", path.display()))
        }
        Err(_) => Warning(format!("{} does not exist yet: `weber serve` makes it", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_little_space_is_reported() {
        let folder = Path::new("data");
        assert!(matches!(free_space(folder, 199_999_999), Problem(_)));
        assert!(matches!(free_space(folder, 200_000_000), Warning(_)));
        assert!(matches!(free_space(folder, 2_000_000_000), Good(_)));
    }
}
