//! `weber doctor`: looks at everything that a study rests on, and says what to do about what is not well. It changes
//! nothing.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use clap::Args;

use super::data::{self, Database};
use crate::config::{DataArgs, public_url};
use crate::flow::app::{Clock, SystemClock};
use crate::flow::secrets::Secrets;
use crate::outgoing::http_client;
use crate::store;
use crate::store::health::Health;

/// A study of 1,000 people with its images needs a few hundred MB; PostgreSQL must never run into a full disk.
const LOW_DISK_BYTES: u64 = 2_000_000_000;
const TOO_LITTLE_DISK_BYTES: u64 = 200_000_000;
/// The oldest PostgreSQL that Weber is tested with.
const OLDEST_POSTGRES: i32 = 140_000;
/// Times of servers and database are compared with each other.
const CLOCK_TOLERANCE_MS: i64 = 1000;
/// The schema's users besides Weber: psql, backups.
const SPARE_CONNECTIONS: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(10);

/// What to look at.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Address by which browsers reach the server, to be tried from here.
    #[arg(long, env = "WEBER_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    public_url: Option<String>,
}

/// How one thing is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    Good(String),
    Warning(String),
    Problem(String),
}

use Finding::{Good, Problem, Warning};

impl fmt::Display for Finding {
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
    let mut findings = vec![disk(&args.data), key_file(args)];
    findings.extend(database(args).await);
    findings.extend(match &doctor.public_url {
        Some(url) => public_address(url).await,
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

fn disk(folder: &Path) -> Finding {
    let existing = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    match rustix::fs::statvfs(existing) {
        Ok(disk) => free_space(folder, disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Problem(format!("{} cannot be read: {error}", folder.display())),
    }
}

fn free_space(folder: &Path, bytes: u64) -> Finding {
    let words = format!("{:.1} GB are free for {}", bytes as f64 / 1e9, folder.display());
    if bytes < TOO_LITTLE_DISK_BYTES {
        Problem(format!("only {words}: free some space before anything is lost"))
    } else if bytes < LOW_DISK_BYTES {
        Warning(format!("only {words}: 2 GB and more are comfortable"))
    } else {
        Good(words)
    }
}

fn key_file(args: &DataArgs) -> Finding {
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
        Err(_) => Warning(format!("{} is not there yet: `weber serve` makes it", path.display())),
    }
}

async fn database(args: &DataArgs) -> Vec<Finding> {
    if args.database_url.is_none() && !data::key_path(args).exists() {
        return vec![Warning("there is no database yet: `weber serve` makes it".into())];
    }
    match Database::open(args, false).await {
        Ok(database) => {
            let findings = examine(args, &database).await;
            let closed = database.close().await.err().map(|error| Problem(format!("{error:#}")));
            findings.into_iter().chain(closed).collect()
        }
        Err(error) => vec![Problem(format!("{error:#}"))],
    }
}

async fn examine(args: &DataArgs, database: &Database) -> Vec<Finding> {
    let pool = store::pool(database.options(), 2);
    let health = async { store::health::examine(&mut *pool.acquire().await?).await }.await;
    let mut findings = match health {
        Ok(health) => {
            about(&health, args.database_connections, (SystemClock.now() - health.now).num_milliseconds())
        }
        Err(error) => return vec![Problem(format!("the database cannot be reached: {error}"))],
    };
    findings.extend(content(args, &pool).await);
    pool.close().await;
    findings
}

fn about(health: &Health, wanted_connections: u32, clock_ms: i64) -> Vec<Finding> {
    let version = format!("PostgreSQL {}", health.version / 10_000);
    let connections = u32::try_from(health.max_connections).unwrap_or_default();
    vec![
        if health.version >= OLDEST_POSTGRES {
            Good(format!("the database is {version}"))
        } else {
            Problem(format!("the database is {version}: Weber needs {} or newer", OLDEST_POSTGRES / 10_000))
        },
        if health.durable {
            Good("an answer is on disk before it is acknowledged".into())
        } else {
            Problem(
                "the database acknowledges what is not on disk yet: set fsync, full_page_writes and \
                 synchronous_commit to on"
                    .into(),
            )
        },
        if connections >= wanted_connections + SPARE_CONNECTIONS {
            Good(format!(
                "the database takes {connections} connections; each server uses up to {wanted_connections}"
            ))
        } else {
            Problem(format!(
                "the database takes only {connections} connections, and each server may want {wanted_connections}: \
                 raise max_connections, or start with a smaller --database-connections"
            ))
        },
        if clock_ms.abs() <= CLOCK_TOLERANCE_MS {
            Good("this machine's clock and the database's agree".into())
        } else {
            Problem(format!(
                "this machine's clock and the database's are {:.1} s apart: let both follow a time server",
                clock_ms.abs() as f64 / 1000.0
            ))
        },
    ]
}

/// What is in the database: the schema, the key, researchers and studies.
async fn content(args: &DataArgs, pool: &sqlx::PgPool) -> Vec<Finding> {
    match store::ready(pool).await {
        Ok(true) => {}
        Ok(false) => {
            return vec![Warning(
                "the schema is of another version: `weber serve` brings it up to date".into(),
            )];
        }
        Err(_) => return vec![Warning("the database is empty: `weber serve` prepares it".into())],
    }
    let looked = async {
        let mut conn = pool.acquire().await?;
        let fingerprint = store::installation::key_fingerprint(&mut conn).await?;
        let (_, with_password) = store::researchers::counts(&mut conn).await?;
        let studies = store::studies::all(&mut conn).await?;
        anyhow::Ok((is_right_key(args, fingerprint), researchers(with_password), studies))
    };
    match looked.await {
        Ok((key, researchers, studies)) => {
            let studies =
                studies.iter().map(|study| Good(format!("the study {} is {}", study.slug, study.state)));
            [key, researchers].into_iter().chain(studies).collect()
        }
        Err(error) => vec![Problem(format!("{error:#}"))],
    }
}

fn is_right_key(args: &DataArgs, fingerprint: Option<Vec<u8>>) -> Finding {
    let wrong = "the database was made with another secret key: bring back the one it was made with, or nobody can be \
                 recognised who already took part";
    match data::existing_key(args) {
        Ok(key) if key.map(|key| Secrets::new(key).fingerprint()) == fingerprint => {
            Good("the secret key is the one that the database was made with".into())
        }
        Ok(_) => Problem(wrong.into()),
        Err(error) => Problem(format!("{error:#}")),
    }
}

fn researchers(with_password: i64) -> Finding {
    match with_password {
        0 => Warning(
            "nobody can sign in yet: open the link that `weber serve` prints, or make one with `weber researcher add`"
                .into(),
        ),
        1 => Good("one researcher can sign in".into()),
        n => Good(format!("{n} researchers can sign in")),
    }
}

/// The way that participants come.
async fn public_address(url: &str) -> Vec<Finding> {
    let local = url.contains("//127.0.0.1") || url.contains("//localhost");
    let way = match (url.starts_with("https://"), local) {
        (true, _) => Good(format!("{url} is encrypted")),
        (false, true) => Warning(format!("{url} can be reached from this machine only")),
        (false, false) => Problem(format!(
            "{url} is not encrypted: platforms refuse it, and answers and passwords can be read on the way"
        )),
    };
    vec![way, reach(url).await]
}

async fn reach(url: &str) -> Finding {
    let client = match http_client(PATIENCE) {
        Ok(client) => client,
        Err(error) => return Problem(format!("no request can be sent: {error}")),
    };
    match client.get(format!("{url}/readyz")).send().await {
        Ok(reply) if reply.status().is_success() => Good(format!("{url} answers, and its database is ready")),
        Ok(reply) => Problem(format!(
            "{url}/readyz answers {}: look at the server's and the proxy's logs",
            reply.status()
        )),
        Err(error) => Problem(format!("{url} cannot be reached from here: {}", reasons(&error))),
    }
}

/// An error with its causes: certificates are only spoken of in the last one.
fn reasons(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> Health {
        Health { version: 150_006, durable: true, max_connections: 100, now: SystemClock.now() }
    }

    fn problems(health: &Health, connections: u32, clock_ms: i64) -> Vec<String> {
        let findings = about(health, connections, clock_ms);
        findings
            .into_iter()
            .filter_map(|finding| if let Problem(words) = finding { Some(words) } else { None })
            .collect()
    }

    #[test]
    fn each_fault_of_a_database_is_found() {
        assert!(problems(&health(), 20, 999).is_empty());
        for (sick, connections, clock_ms, word) in [
            (Health { version: 130_011, ..health() }, 20, 0, "PostgreSQL 13"),
            (Health { durable: false, ..health() }, 20, 0, "fsync"),
            (health(), 96, 0, "max_connections"),
            (health(), 20, -1001, "1.0 s apart"),
        ] {
            let found = problems(&sick, connections, clock_ms);
            assert!(found.len() == 1 && found[0].contains(word), "{word}: {found:?}");
        }
    }

    #[test]
    fn a_disk_that_fills_up_is_told() {
        let folder = Path::new("data");
        assert!(matches!(free_space(folder, 199_999_999), Problem(_)));
        assert!(matches!(free_space(folder, 200_000_000), Warning(_)));
        assert!(matches!(free_space(folder, 2_000_000_000), Good(_)));
    }
}
