//! Finds the server's programs. Debian keeps them outside PATH, and several major versions may be installed.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::Error;

/// The oldest major version that works: it introduced `log_parameter_max_length`.
const MINIMUM: u32 = 13;

/// The usual folders. One `*` stands for a version.
const USUAL: [&str; 11] = [
    "/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
    "/usr/pgsql-*/bin",                                   // packages of postgresql.org for Fedora and its kin
    "/usr/libexec/postgresql*",                           // Alpine
    "/usr/lib/postgresql*/bin",                           // openSUSE
    "/usr/lib64/postgresql-*/bin",                        // Gentoo
    "/usr/local/pgsql/bin",                               // built from source
    "/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew on Apple silicon
    "/usr/local/opt/postgresql@*/bin",                    // Homebrew on Intel
    "/opt/local/lib/postgresql*/bin",                     // MacPorts
    "/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
    "/Library/PostgreSQL/*/bin",                          // EnterpriseDB
];

/// The places where the server's programs are searched for.
#[derive(Debug, Clone)]
pub struct Search {
    /// Folders, separated by colons. They are searched for the programs, and for `pg_config`, which knows the programs' folder.
    pub path: OsString,
    /// Further folders. One part of each may contain one `*`.
    pub folders: Vec<String>,
}

impl Default for Search {
    /// The variable `PATH` and the usual folders of Linux distributions and macOS.
    fn default() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        Self { path, folders: USUAL.iter().map(ToString::to_string).collect() }
    }
}

/// An installation of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) major: u32,
    folder: PathBuf,
}

impl Programs {
    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
}

impl Search {
    /// Finds the newest installation, or for an existing cluster that of its major version. It ignores programs that `account` cannot
    /// run.
    pub(super) async fn find(
        &self,
        account: &Account,
        existing: Option<(&Path, u32)>,
    ) -> Result<Programs, Error> {
        let mut found = Vec::new();
        for folder in self.candidates(account).await {
            if let Some(major) = version(account, &folder).await {
                found.push(Programs { major, folder });
            }
        }
        found.sort_by_key(|programs| std::cmp::Reverse(programs.major)); // stable: among equal versions the first one found is used
        let usable = |p: &&Programs| p.major >= MINIMUM && existing.is_none_or(|(_, major)| p.major == major);
        if let Some(programs) = found.iter().find(usable) {
            return Ok(programs.clone());
        }
        let installed = list(&found);
        match existing {
            Some((folder, major)) if found.iter().any(|p| p.major >= MINIMUM) => {
                Err(Error::OtherMajor { folder: folder.to_owned(), major, installed })
            }
            _ => Err(Error::NoPrograms { minimum: MINIMUM, too_old: installed, searched: self.to_string() }),
        }
    }

    /// The folders that contain the programs, each once.
    async fn candidates(&self, account: &Account) -> Vec<PathBuf> {
        let path: Vec<PathBuf> = std::env::split_paths(&self.path).filter(|p| p.is_absolute()).collect();
        let mut folders = Vec::new();
        for program in path.iter().map(|folder| folder.join("pg_config")).filter(|p| p.is_file()) {
            let output = account.command(&program).arg("--bindir").output().await;
            let answer = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
            folders.extend(answer.map(|answer| PathBuf::from(answer.trim_end())));
        }
        folders.extend(path);
        folders.extend(self.folders.iter().flat_map(|pattern| expand(pattern)));
        let mut seen = HashSet::new();
        folders
            .into_iter()
            .filter(|folder| folder.join("initdb").is_file())
            .filter(|folder| fs::canonicalize(folder.join("postgres")).is_ok_and(|file| seen.insert(file)))
            .collect()
    }
}

impl std::fmt::Display for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pg_config and PATH ({}), {}", self.path.display(), self.folders.join(", "))
    }
}

/// Lists installations for a message. Empty without any.
fn list(found: &[Programs]) -> String {
    let each = |p: &Programs| format!("PostgreSQL {} in {}", p.major, p.folder.display());
    found.iter().map(each).collect::<Vec<_>>().join(", ")
}

/// The folders that match a pattern with at most one `*`.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![PathBuf::from(pattern)] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or((".", before));
    let (suffix, rest) = after.split_once('/').unwrap_or((after, ""));
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let fits = |name: &str| {
        name.len() >= prefix.len() + suffix.len() && name.starts_with(prefix) && name.ends_with(suffix)
    };
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(fits))
        .map(|entry| entry.path().join(rest))
        .collect()
}

/// The major version of the programs in a folder, if `account` can run them.
async fn version(account: &Account, folder: &Path) -> Option<u32> {
    let output = account.command(&folder.join("postgres")).arg("--version").output().await.ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` or `postgres (PostgreSQL) 18beta1`.
fn major(answer: &str) -> Option<u32> {
    let (_, version) = answer.split_once("(PostgreSQL) ")?;
    let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_form_of_the_output() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("postgres (PostgreSQL) 9.6.24\n"), Some(9));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn a_star_stands_for_one_part_of_a_path() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["pgsql-16/bin", "pgsql-17/bin", "other/bin"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let mut found = expand(&format!("{}/pgsql-*/bin", folder.path().display()));
        found.sort();
        assert_eq!(found, ["pgsql-16/bin", "pgsql-17/bin"].map(|name| folder.path().join(name)));
        assert_eq!(expand("/no/star/bin"), [PathBuf::from("/no/star/bin")]);
        assert!(expand("/does/not/exist/*/bin").is_empty());
    }
}
