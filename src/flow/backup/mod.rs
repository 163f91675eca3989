//! Backs up all data into one file, and restores them.
//!
//! The content is copied by PostgreSQL's own `COPY`, row by row. That needs no other program, works with every PostgreSQL and its
//! versions, and takes the same memory for small and large studies.

mod archive;

use std::path::Path;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use serde_json::json;
use sqlx::{PgConnection, PgPool};

use archive::Draft;
pub use archive::{Archive, LARGEST_MANIFEST};

use crate::domain::audit_log::{Action, Head, first_broken};
use crate::domain::backup::{BackupManifest, BackupTable, FORMAT, Unfit, in_order};
use crate::flow::audit::log;
use crate::flow::audit::log::{Actor, AuditEvent};
use crate::flow::secrets::Secrets;
use crate::store::{self, StoreError};

/// Why a backup was not written or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The name is taken.
    #[error("{0} exists already: choose another name")]
    Exists(String),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File { path: String, source: std::io::Error },
    /// A file is not a backup, or was changed since it was written.
    #[error("{path} is damaged, or is not a backup of Weber: {what}")]
    Damaged {
        path: String,
        /// The fault that was found.
        what: String,
    },
    /// This program cannot restore the backup.
    #[error("the backup cannot be restored: {0}")]
    Unfit(#[from] Unfit),
    /// The database has no schema.
    #[error("the database is empty: there is nothing to back up")]
    NothingThere,
    /// The database has a schema of a newer program.
    #[error("the database was upgraded by a newer Weber: back it up with the newer Weber")]
    NewerDatabase,
    /// The key is missing.
    #[error(
        "the secret key of the database is missing: give it as WEBER_SECRET_KEY or as the file `secret` in the data \
         folder, or back up without it"
    )]
    NoKey,
    /// The key belongs to another database.
    #[error("the secret key belongs to another database")]
    WrongKey,
    /// The foreign keys of some tables form a cycle.
    #[error("the tables of the database cannot be put in order: their foreign keys form a cycle")]
    Unordered,
    /// The database to restore into is not empty.
    #[error(
        "the database is not empty, and nothing in it is ever overwritten: restore into a new database, or into another \
         data folder"
    )]
    NotEmpty,
    /// Fewer or more rows arrived than the backup holds.
    #[error("{arrived} of {rows} rows of the table `{table}` arrived")]
    RowsMissing {
        table: String,
        /// Rows that PostgreSQL stored.
        arrived: u64,
        /// Rows in the backup.
        rows: u64,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl BackupError {
    fn damaged(path: &Path, what: &dyn std::fmt::Display) -> Self {
        Self::Damaged { path: path.display().to_string(), what: what.to_string() }
    }
}

/// Writes a snapshot of all data into one file; the server may run meanwhile. The schema is not changed, so that a new program
/// can back up the database of an old one.
///
/// `key` is the installation's key. Without `holds_key` it may be missing, but a wrong one is refused.
pub async fn write(
    pool: &PgPool,
    key: Option<[u8; 32]>,
    holds_key: bool,
    path: &Path,
    now: DateTime<Utc>,
) -> Result<BackupManifest, BackupError> {
    let mut tx = pool.begin().await?;
    store::exports::take_snapshot(&mut tx).await?;
    let schema_version = store::schema_version(&mut tx).await?.ok_or(BackupError::NothingThere)?;
    if !store::MIGRATOR.version_exists(schema_version) {
        return Err(BackupError::NewerDatabase);
    }
    let fingerprint = store::installation::key_fingerprint(&mut tx).await?;
    let fingerprint = fingerprint.ok_or(BackupError::NothingThere)?;
    check_key(key, holds_key, &fingerprint)?;
    let journal = Head::of(store::audit_log::head(&mut tx).await?);
    let mut draft = Draft::create(path)?;
    if let Some(key) = key.filter(|_| holds_key) {
        draft.key(key)?;
    }
    let tables = copy_tables(&mut tx, &mut draft).await?;
    let manifest = BackupManifest {
        format: FORMAT,
        program_version: env!("CARGO_PKG_VERSION").into(),
        schema_version,
        created_at: now,
        key_fingerprint: hex::encode(fingerprint),
        holds_key,
        journal,
        tables,
        sequences: store::backup::sequences(&mut tx).await?,
    };
    tx.commit().await?;
    draft.finish(&manifest)?;
    Ok(manifest)
}

/// Writes the backup into the journal. If the schema is not this program's, it writes nothing and returns false.
pub async fn note(
    pool: &PgPool,
    actor: &Actor,
    manifest: &BackupManifest,
    now: DateTime<Utc>,
) -> Result<bool, BackupError> {
    if !store::ready(pool).await? {
        return Ok(false);
    }
    let mut tx = pool.begin().await?;
    let deed = AuditEvent { action: Action::BackedUp, study: None, participant: None };
    let detail = json!({ "holds_key": manifest.holds_key, "journal_entry": manifest.journal.entry });
    log::write_at(&mut tx, actor, deed, detail, now).await?;
    tx.commit().await?;
    Ok(true)
}

fn check_key(key: Option<[u8; 32]>, needed: bool, fingerprint: &[u8]) -> Result<(), BackupError> {
    match key {
        None if needed => Err(BackupError::NoKey),
        Some(key) if Secrets::new(key).fingerprint() != fingerprint => Err(BackupError::WrongKey),
        _ => Ok(()),
    }
}

async fn copy_tables(conn: &mut PgConnection, draft: &mut Draft) -> Result<Vec<BackupTable>, BackupError> {
    let layouts = store::backup::tables(&mut *conn).await?;
    let count = layouts.len();
    let ordered = in_order(layouts, &store::backup::references(&mut *conn).await?);
    if ordered.len() < count {
        return Err(BackupError::Unordered);
    }
    let mut tables = Vec::with_capacity(count);
    for layout in ordered {
        let mut table = draft.table(&layout)?;
        let mut pieces = store::backup::copy_out(&mut *conn, &layout).await?;
        while let Some(piece) = pieces.try_next().await? {
            table.write(piece.as_ref())?;
        }
        tables.push(BackupTable { measure: table.finish(), layout });
    }
    Ok(tables)
}

/// Refuses a file that is damaged, or that this program cannot restore.
pub fn check(archive: &mut Archive) -> Result<(), BackupError> {
    archive.manifest.check_schema(|schema| store::MIGRATOR.version_exists(schema))?;
    archive.verify()
}

/// Fills an empty database from a backup and migrates it, completely or not at all. Returns the number of the first entry of the
/// journal that does not follow from those before it, if there is one: it was broken before the backup.
pub async fn restore(pool: &PgPool, archive: &mut Archive) -> Result<Option<i64>, BackupError> {
    check(archive)?;
    let mut tx = pool.begin().await?;
    if !store::backup::is_empty(&mut tx).await? {
        return Err(BackupError::NotEmpty);
    }
    // The schema of the backup, so that later migrations find what they expect.
    store::migrate_to(&mut tx, archive.manifest.schema_version).await?;
    archive.manifest.check_tables(&store::backup::tables(&mut tx).await?)?;
    for table in archive.manifest.tables.clone() {
        fill(&mut tx, archive, &table).await?;
    }
    for sequence in &archive.manifest.sequences {
        store::backup::set_sequence(&mut tx, sequence).await?;
    }
    let broken = first_broken(&store::audit_log::all(&mut tx).await?);
    store::migrate_to(&mut tx, store::newest_migration()).await?;
    for table in store::backup::tables(&mut tx).await? {
        store::backup::analyze(&mut tx, &table).await?;
    }
    tx.commit().await?;
    tracing::info!(schema = archive.manifest.schema_version, "A backup was restored");
    Ok(broken)
}

async fn fill(
    conn: &mut PgConnection,
    archive: &mut Archive,
    table: &BackupTable,
) -> Result<(), BackupError> {
    let mut pieces = archive.table(&table.layout)?;
    let mut filling = store::backup::copy_in(conn, &table.layout).await?;
    while let Some(piece) = pieces.next()? {
        filling.send(piece).await?;
    }
    let (arrived, rows) = (filling.finish().await?, table.measure.rows);
    if arrived == rows {
        return Ok(());
    }
    Err(BackupError::RowsMissing { table: table.layout.name.clone(), arrived, rows })
}
