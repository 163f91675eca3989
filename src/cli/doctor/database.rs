//! Examines the database and its content.

use std::path::PathBuf;

use super::DoctorFinding;
use super::DoctorFinding::{Good, Problem, Warning};
use super::backups::Newest;
use super::free_disk;
use crate::cli::data::{self, Database};
use crate::config::DataArgs;
use crate::domain::audit_log::{Entry, first_broken};
use crate::flow::app::{Clock, SystemClock};
use crate::flow::secrets::Secrets;
use crate::store;
use crate::store::health::Health;

/// The oldest version of PostgreSQL that Weber is tested with.
const OLDEST_POSTGRES: i32 = 140_000;
/// Servers and database compare each other's times, so larger differences are reported.
const CLOCK_TOLERANCE_MS: i64 = 1000;
/// Connections for other programs than Weber: psql, backups.
const SPARE_CONNECTIONS: u32 = 5;

/// Examines the database, and whether the backup was made from it.
pub async fn examine(args: &DataArgs, backup: Option<Newest>) -> Vec<DoctorFinding> {
    if args.database_url.is_none() && !data::key_path(args).exists() {
        return vec![Warning("the database does not exist yet: `weber serve` makes it".into())];
    }
    match Database::open(args, false).await {
        Ok(database) => {
            let findings = ask(args, &database, backup).await;
            let closed = database.close().await.err().map(|error| Problem(format!("{error:#}")));
            findings.into_iter().chain(closed).collect()
        }
        Err(error) => vec![Problem(format!("{error:#}"))],
    }
}

async fn ask(args: &DataArgs, database: &Database, backup: Option<Newest>) -> Vec<DoctorFinding> {
    let pool = store::pool(database.options(), 2);
    let health = async { store::health::examine(&mut *pool.acquire().await?).await }.await;
    let mut findings = match health {
        Ok(health) => {
            about(&health, connections_of(args), (SystemClock.now() - health.now).num_milliseconds())
        }
        Err(error) => return vec![Problem(format!("the database cannot be reached: {error}"))],
    };
    // A private PostgreSQL may have tablespaces on another disk than the other data.
    let elsewhere = |folder: &&PathBuf| !folder.starts_with(&args.data);
    findings.extend(database.options().get_socket().filter(elsewhere).map(|folder| free_disk(folder)));
    findings.extend(content(args, &pool, backup).await);
    pool.close().await;
    findings
}

/// How many connections a server opens: a pool, and one for the writer of answers.
fn connections_of(args: &DataArgs) -> u32 {
    args.database_connections + crate::store::record_connection::CONNECTIONS
}

fn about(health: &Health, wanted_connections: u32, clock_ms: i64) -> Vec<DoctorFinding> {
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

/// Examines the schema, the key, researchers and studies.
async fn content(args: &DataArgs, pool: &sqlx::PgPool, backup: Option<Newest>) -> Vec<DoctorFinding> {
    match store::ready(pool).await {
        Ok(true) => {}
        Ok(false) => {
            return vec![Warning(
                "the database is empty, or its schema is another version's: `weber serve` migrates it".into(),
            )];
        }
        Err(error) => return vec![Problem(format!("{error:#}"))],
    }
    let looked = async {
        let mut conn = pool.acquire().await?;
        let fingerprint = store::installation::key_fingerprint(&mut conn).await?;
        let (_, with_password) = store::researchers::counts(&mut conn).await?;
        let studies = store::studies::all(&mut conn).await?;
        let entries = store::audit_log::all(&mut conn).await?;
        let others = store::health::other_programs(&mut conn).await?;
        let backup = backup.map(|backup| backup.against(fingerprint.as_deref(), &entries, SystemClock.now()));
        let unscheduled = store::answers::unscheduled(&mut conn).await?;
        let (kept, wrong) = store::tallies::examine(&mut conn).await?;
        let findings = [
            is_right_key(args, fingerprint),
            researchers(with_password),
            journal(&entries),
            answers(&unscheduled),
            tallies(kept, &wrong),
        ];
        let studies =
            studies.iter().map(|study| Good(format!("the study {} is {}", study.slug, study.state)));
        anyhow::Ok(findings.into_iter().chain(other_programs(others)).chain(backup).chain(studies).collect())
    };
    match looked.await {
        Ok(findings) => findings,
        Err(error) => vec![Problem(format!("{error:#}"))],
    }
}

fn is_right_key(args: &DataArgs, fingerprint: Option<Vec<u8>>) -> DoctorFinding {
    let wrong = "the database was made with another secret key: give the one that it was made with, or people who took \
                 part already cannot be recognised";
    match data::existing_key(args) {
        Ok(key) if key.map(|key| Secrets::new(key).fingerprint()) == fingerprint => {
            Good("the secret key is the one that the database was made with".into())
        }
        Ok(_) => Problem(wrong.into()),
        Err(error) => Problem(format!("{error:#}")),
    }
}

fn journal(entries: &[(Entry, Vec<u8>)]) -> DoctorFinding {
    match first_broken(entries) {
        None => Good(format!("the journal is whole: {} entries", entries.len())),
        Some(number) => Problem(format!(
            "the journal was changed: entry {number} does not follow from those before it; a backup shows the earlier entries"
        )),
    }
}

/// Weber stores answers to scheduled trials only. The database does not check it, since it would have to look for the trial of each
/// answer.
fn answers(unscheduled: &[String]) -> DoctorFinding {
    if unscheduled.is_empty() {
        return Good("every answer is to a trial that was scheduled for its participant".into());
    }
    Problem(format!(
        "another program than Weber changed answers or schedules: participants, among them {}, have answers to trials that were \
         not scheduled. No export and no count has them. Restore a backup from before into another database and compare the \
         tables `responses` and `schedule` of these participants; then bring back what was lost from `schedule`, or delete the \
         wrong answers",
        unscheduled.join(", ")
    ))
}

/// Counts are stored once, when a person completes. If another program changes answers later, the counts are wrong.
fn tallies(kept: i64, wrong: &[String]) -> DoctorFinding {
    if wrong.is_empty() {
        return Good(format!("the counts of {kept} people who completed are those of their answers"));
    }
    Problem(format!(
        "another program than Weber changed answers after people completed: the counts that were stored then are wrong, \
         first of all those of {}; a backup shows the earlier answers, and `delete from tallies` makes Weber count anew",
        wrong.join(", ")
    ))
}

/// Servers of different versions run together only during an upgrade.
fn other_programs(others: Vec<String>) -> Option<DoctorFinding> {
    let others = Some(others.join(", ")).filter(|names| !names.is_empty())?;
    let own = store::PROGRAM;
    Some(Warning(format!("this is {own}, and {others} also runs on the database: replace the older version")))
}

fn researchers(with_password: i64) -> DoctorFinding {
    match with_password {
        0 => Warning(
            "no researcher can sign in yet: open the link that `weber serve` prints, or make one with `weber researcher add`"
                .into(),
        ),
        1 => Good("one researcher can sign in".into()),
        n => Good(format!("{n} researchers can sign in")),
    }
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
    fn counts_that_differ_from_the_answers_are_reported() {
        assert!(matches!(tallies(3, &[]), Good(_)));
        assert!(matches!(tallies(3, &["p-1".into()]), Problem(words) if words.contains("p-1")));
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
}
