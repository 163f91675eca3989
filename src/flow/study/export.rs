//! Exports raw and cleaned files from one snapshot, under a policy that the manifest names.

mod files;
mod manifest;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

pub use crate::flow::study::export::files::Filed;
pub use crate::flow::study::export::manifest::{ExpertsInManifest, Manifest};

use crate::domain::analysis::JudgedPerson;
use crate::domain::audit_log::{Action, Head};
use crate::domain::codebook;
use crate::domain::exclusion::Policy;
use crate::domain::preregistration::PreregistrationStatus;
use crate::domain::study::{Mode, StudyVersion};
use crate::domain::trial::TrialKind;
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::study::export::files::{ExportTable, OutputFolder};
use crate::flow::study::export::manifest::{Counter, PolicyEntry};
use crate::flow::study::policies;
use crate::flow::study::settings::enrolment_policy;
use crate::flow::{App, FlowError};
use crate::store::exports::Wanted;
use crate::store::studies::Study;
use crate::store::{self, StoreError};

/// The manifest's name.
pub const MANIFEST: &str = "manifest.json";

/// Every file of an export.
pub const FILES: [&str; 6] = [
    codebook::trials::FILE,
    codebook::trials::CLEANED_FILE,
    codebook::people::FILE,
    codebook::events::FILE,
    codebook::FILE,
    MANIFEST,
];

/// Why an export was not made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no such study.
    #[error("there is no study `{0}`")]
    NoSuchStudy(String),
    /// There is no such policy.
    #[error("the study has no policy `{name}`; it has: {}", .known.join(", "))]
    NoSuchPolicy {
        name: String,
        /// The policies that the study has.
        known: Vec<String>,
    },
    /// A file could not be written.
    #[error("{path} cannot be written ({source})")]
    File { path: String, source: std::io::Error },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ExportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The choice of a policy.
#[derive(Debug, Clone)]
pub enum PolicyChoice {
    /// The enrolment policy.
    Enrolment,
    /// A policy of the study, by name.
    Named(String),
    /// A policy that the caller gives.
    Given(Policy),
}

/// The study, policy and modes of an export.
#[derive(Debug, Clone)]
pub struct Request {
    study: Study,
    version: Arc<StudyVersion>,
    policy: Policy,
    standing: PreregistrationStatus,
    modes: Vec<Mode>,
}

/// Finds the study and the policy. Pilots and simulated people are left out unless `include` names them.
pub async fn prepare(
    app: &App,
    slug: &str,
    policy: PolicyChoice,
    include: &[Mode],
) -> Result<Request, ExportError> {
    let mut conn = app.pool.acquire().await?;
    let study = store::studies::by_slug(&mut conn, slug).await?;
    let study = study.ok_or_else(|| ExportError::NoSuchStudy(slug.to_owned()))?;
    let version = app.newest_version(&mut conn, study.id).await?;
    let policy = match policy {
        PolicyChoice::Enrolment => enrolment_policy(&study, &version),
        PolicyChoice::Given(policy) => policy,
        PolicyChoice::Named(name) => match policies::chosen(&mut conn, &study, &version, &name).await? {
            Some(chosen) => chosen.policy,
            None => {
                let known = policies::all(&mut conn, &study, &version).await?;
                let known = known.into_iter().map(|known| known.policy.name).collect();
                return Err(ExportError::NoSuchPolicy { name, known });
            }
        },
    };
    let standing = policies::standing(&mut conn, &study, &policy).await?;
    let modes =
        Mode::ALL.iter().copied().filter(|mode| *mode == Mode::Live || include.contains(mode)).collect();
    Ok(Request { study, version, policy, standing, modes })
}

/// Writes all files into a folder. They get their final names only when all are complete.
pub async fn export(app: &App, request: &Request, folder: &Path) -> Result<Manifest, ExportError> {
    let mut tx = app.pool.begin().await?;
    store::exports::take_snapshot(&mut tx).await?;
    let now = app.now();
    let modes: Vec<String> = request.modes.iter().map(Mode::to_string).collect();
    let mut output = OutputFolder::new(folder)?;
    let counter = write_people(&mut tx, request, &modes, &mut output, now).await?;
    write_trials(&mut tx, request, &modes, &counter, &mut output).await?;
    write_events(&mut tx, request, &modes, &mut output).await?;
    write_codebook(&mut output)?;
    let slots = slots(&mut tx, request, now).await?;
    let journal = Head::of(store::audit_log::head(&mut tx).await?);
    // All is read: the files get their names without a connection.
    tx.commit().await?;
    let manifest = Manifest::new(
        &request.study,
        &request.version,
        PolicyEntry::new(&request.study, &request.version, &request.policy, &request.standing),
        counter,
        slots,
        journal,
        output.filed(),
        now,
    );
    output.write(MANIFEST, &manifest.to_json())?;
    output.publish()?;
    Ok(manifest)
}

async fn write_people(
    conn: &mut PgConnection,
    request: &Request,
    modes: &[String],
    output: &mut OutputFolder,
    now: DateTime<Utc>,
) -> Result<Counter, ExportError> {
    use futures::TryStreamExt;
    let practising = request.version.definition.practising();
    let mut table = ExportTable::new(output, codebook::people::FILE, codebook::people::COLUMNS)?;
    let mut counter = Counter::default();
    let wanted = Wanted {
        study_id: request.study.id,
        modes,
        practising: &practising,
        person: None,
        with_events: true,
    };
    let mut people = std::pin::pin!(store::exports::people(conn, wanted, now));
    while let Some(person) = people.try_next().await? {
        let judged = JudgedPerson::new(person, &request.policy);
        counter.count(&judged);
        table.write(&judged)?;
    }
    table.finish()?;
    Ok(counter)
}

async fn write_trials(
    conn: &mut PgConnection,
    request: &Request,
    modes: &[String],
    counter: &Counter,
    output: &mut OutputFolder,
) -> Result<(), ExportError> {
    use futures::TryStreamExt;
    let mut raw = ExportTable::new(output, codebook::trials::FILE, codebook::trials::COLUMNS)?;
    let mut cleaned = ExportTable::new(output, codebook::trials::CLEANED_FILE, codebook::trials::COLUMNS)?;
    let mut trials = std::pin::pin!(store::exports::trials(conn, request.study.id, modes));
    while let Some(trial) = trials.try_next().await? {
        raw.write(&trial)?;
        if trial.trial_kind == TrialKind::Main.as_str() && counter.is_kept(trial.participant_id) {
            cleaned.write(&trial)?;
        }
    }
    raw.finish()?;
    cleaned.finish()
}

async fn write_events(
    conn: &mut PgConnection,
    request: &Request,
    modes: &[String],
    output: &mut OutputFolder,
) -> Result<(), ExportError> {
    use futures::TryStreamExt;
    let mut table = ExportTable::new(output, codebook::events::FILE, codebook::events::COLUMNS)?;
    let mut events = std::pin::pin!(store::exports::events(conn, request.study.id, modes));
    while let Some(event) = events.try_next().await? {
        table.write(&event)?;
    }
    table.finish()
}

fn write_codebook(output: &mut OutputFolder) -> Result<(), ExportError> {
    let mut table = ExportTable::<()>::with_header(output, codebook::FILE, codebook::HEADER)?;
    for row in codebook::rows() {
        table.write_fields(row)?;
    }
    table.finish()
}

async fn slots(
    conn: &mut PgConnection,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<manifest::SlotsByMode, ExportError> {
    let postings = request.version.definition.design.postings_per_slot;
    let mut by_mode = manifest::SlotsByMode::default();
    for mode in &request.modes {
        let slots = store::slots::all(&mut *conn, request.study.id, *mode, now).await?;
        by_mode.insert(*mode, crate::domain::allocation::count_by_condition(&slots, postings));
    }
    Ok(by_mode)
}

/// Writes the export into the journal: one file, or all.
pub async fn note(
    app: &App,
    actor: &Actor,
    request: &Request,
    manifest: &Manifest,
    file: Option<&str>,
) -> Result<(), FlowError> {
    let mut tx = app.pool.begin().await?;
    let deed = AuditEvent { action: Action::Exported, study: Some(&request.study.slug), participant: None };
    let detail = serde_json::json!({
        "file": file.unwrap_or("all"),
        "modes": request.modes,
        "policy": request.policy.name,
        "policy_sha256": request.policy.sha256(),
        "kept": manifest.counts.kept,
        "experts_kept": manifest.experts().kept,
    });
    log::write(app, &mut tx, actor, deed, detail).await?;
    tx.commit().await?;
    Ok(())
}
