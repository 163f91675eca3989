//! Imports a study folder into the database, completely or not at all.

use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::domain::audit_log::Action;
use crate::domain::image_file;
use crate::domain::study::{Mode, StudyDefinition, StudyState};
use crate::domain::trial::Trial;
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::participation::slots::refill;
use crate::flow::study::settings::per_condition;
use crate::flow::study::states;
use crate::flow::{App, FlowError};
use crate::store::studies::VersionHashes;
use crate::store::{self, StoreError};
use crate::study_folder::{self, FolderProblem, Problems, StudyFolder};

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The study's short name.
    pub slug: String,
    /// The study's number in the database.
    pub study_id: i64,
    /// The number of the newest version.
    pub version: i32,
    /// Whether the version is new; importing the same folder again changes nothing.
    pub changed: bool,
    /// How many images were stored without the metadata in their files.
    pub stripped: usize,
    /// Findings that could spoil a trial or reveal its answer, though the folder is valid.
    pub notices: Vec<FolderProblem>,
}

/// Why an import did nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder has faults.
    #[error(transparent)]
    Folder(#[from] Problems),
    /// The study has live data, and the folder changes its structure.
    #[error(
        "the study `{0}` has live data, and this folder changes its conditions, slots, units, image sets, images, \
         buttons or family. Give it another `slug` in study.toml to import it as a new study"
    )]
    StructureChanged(String),
    /// An image changed while it was being read.
    #[error("the image {0} changed during the import. Import the folder again when nothing writes to it")]
    ImageChanged(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ImportError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<FlowError> for ImportError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Store(error) => Self::Store(error),
            FlowError::Refused(refused) => Self::Store(StoreError::Corrupt(refused.to_string())),
        }
    }
}

/// Reads, checks and stores a study folder.
pub async fn import(app: &App, actor: &Actor, folder: &Path) -> Result<Imported, ImportError> {
    let folder = read(folder).await?;
    let mut tx = app.pool.begin().await?;
    let imported = save(app, &mut tx, actor, &folder).await?;
    tx.commit().await?;
    app.changed(imported.study_id);
    Ok(imported)
}

/// Imports a folder, and makes a new study live in the same transaction. If several servers do this at the same time, it happens
/// once.
pub async fn import_and_start(app: &App, actor: &Actor, folder: &Path) -> Result<Imported, ImportError> {
    let folder = read(folder).await?;
    let mut tx = app.pool.begin().await?;
    let imported = save(app, &mut tx, actor, &folder).await?;
    let study = store::studies::by_id(&mut tx, imported.study_id).await?;
    if study.state == StudyState::Draft {
        states::change(app, &mut tx, actor, &study, StudyState::Live, None).await?;
    }
    tx.commit().await?;
    app.changed(imported.study_id);
    Ok(imported)
}

async fn read(folder: &Path) -> Result<StudyFolder, ImportError> {
    let path = folder.to_owned();
    let read = tokio::task::spawn_blocking(move || study_folder::read(&path)).await;
    Ok(read.map_err(|error| StoreError::Corrupt(format!("reading the folder failed: {error}")))??)
}

async fn save(
    app: &App,
    conn: &mut PgConnection,
    actor: &Actor,
    folder: &StudyFolder,
) -> Result<Imported, ImportError> {
    let definition = &folder.definition;
    let now = app.now();
    // All code locks slots before studies.
    if let Some(study) = store::studies::by_slug(&mut *conn, &definition.slug).await? {
        store::slots::lock_all(&mut *conn, study.id).await?;
    }
    let study_id =
        store::studies::create_or_lock(&mut *conn, &definition.slug, definition.family(), now).await?;
    let newest = store::studies::newest_hashes(&mut *conn, study_id).await?;
    let hashes = VersionHashes {
        number: newest.as_ref().map_or(1, |version| version.number + 1),
        sha256: sha256_of(&(definition, &folder.trials)),
        structure_sha256: structure_sha256(definition, &folder.trials),
    };
    if let Some(newest) = &newest
        && newest.sha256 == hashes.sha256
    {
        return Ok(Imported {
            slug: definition.slug.clone(),
            study_id,
            version: newest.number,
            changed: false,
            stripped: 0,
            notices: folder.notices.clone(),
        });
    }
    let structure_changed = newest.is_some_and(|newest| newest.structure_sha256 != hashes.structure_sha256);
    if structure_changed && store::studies::has_live_data(&mut *conn, study_id).await? {
        return Err(ImportError::StructureChanged(definition.slug.clone()));
    }
    let stripped = store_images(&mut *conn, folder).await?;
    let version_id = store::studies::insert_version(&mut *conn, study_id, &hashes, definition, now).await?;
    for (position, trial) in (1..).zip(&folder.trials) {
        store::studies::insert_trial(&mut *conn, version_id, position, trial).await?;
    }
    store::studies::set_family(&mut *conn, study_id, definition.family()).await?;
    let study = store::studies::by_id(&mut *conn, study_id).await?;
    let version = app.version(&mut *conn, version_id).await?;
    store::slots::create(&mut *conn, study_id, definition, per_condition(&study, &version)).await?;
    for mode in Mode::ALL {
        refill(app, &mut *conn, &version, *mode).await?;
    }
    store::slots::remove_unused(&mut *conn, study_id).await?;
    for link in &definition.links {
        // By an open link, a person could take part several times and fill places that are meant for others.
        let enabled = definition.recruitment.open_links || !link.is_open_and_counts();
        store::links::create(&mut *conn, study_id, link, &app.short_name(), enabled, now).await?;
    }
    let deed = AuditEvent { action: Action::Imported, study: Some(&definition.slug), participant: None };
    let detail = json!({ "version": hashes.number, "sha256": hex::encode(&hashes.sha256) });
    log::write(app, conn, actor, deed, detail).await?;
    Ok(Imported {
        slug: definition.slug.clone(),
        study_id,
        version: hashes.number,
        changed: true,
        stripped,
        notices: folder.notices.clone(),
    })
}

/// Stores the new images without the metadata in their files, and returns how many had metadata. An image is identified by the
/// hash of its original file, so that the same folder is the same study.
async fn store_images(conn: &mut PgConnection, folder: &StudyFolder) -> Result<usize, ImportError> {
    let ids: Vec<String> = folder.images.keys().map(|id| id.0.clone()).collect();
    let stored = store::images::on_file(&mut *conn, &ids).await?;
    let mut stripped = 0;
    for (id, file) in folder.images.iter().filter(|(id, _)| !stored.contains_key(id)) {
        let changed = || ImportError::ImageChanged(file.path.display().to_string());
        let bytes = tokio::fs::read(&file.path).await.map_err(|_| changed())?;
        if hex::encode(Sha256::digest(&bytes)) != id.0 {
            return Err(changed());
        }
        let bare = image_file::bare(&bytes).ok_or_else(changed)?;
        stripped += usize::from(bare.bytes != bytes);
        store::images::insert(&mut *conn, id, &bare.bytes).await?;
    }
    Ok(stripped)
}

/// A hash of what may not change once there are live data: conditions, slots, units, image sets, images, and the buttons. Texts,
/// pay, links, leases and policies that are not pinned may change.
fn structure_sha256(definition: &StudyDefinition, trials: &[Trial]) -> Vec<u8> {
    let conditions: Vec<_> = definition
        .conditions
        .iter()
        .map(|condition| (&condition.name, &condition.references, condition.practice))
        .collect();
    sha256_of(&(
        &definition.slug,
        definition.family(),
        &definition.design,
        &definition.trial,
        conditions,
        trials,
    ))
}

fn sha256_of(value: &impl serde::Serialize) -> Vec<u8> {
    Sha256::digest(serde_json::to_vec(value).expect("definitions are plain data")).to_vec()
}
