//! Backing everything up into one file, and bringing it back.
//!
//! The content travels by PostgreSQL's own `COPY`, row by row: it needs no program beside Weber, suits a private
//! PostgreSQL and any other, of whatever version, and takes the same memory for a small study and for a large one.

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

/// Why nothing was backed up or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file has the name already.
    #[error("{0} is there already: choose another name")]
    Exists(String),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no backup, or not the one that was written.
    #[error("{path} is damaged, or no backup of Weber: {what}")]
    Damaged {
        /// Which.
        path: String,
        /// What shows it.
        what: String,
    },
    /// This program cannot restore it.
    #[error("the backup cannot be restored: {0}")]
    Unfit(#[from] Unfit),
    /// The database was never used.
    #[error("the database is empty: there is nothing to back up")]
    NothingThere,
    /// The database has a schema of a newer program.
    #[error("the database was brought up to date by a newer Weber: back it up with that one")]
    NewerDatabase,
    /// The key is not there.
    #[error(
        "the secret key that the database was made with is not there: give it as WEBER_SECRET_KEY or as the file \
         `secret` in the data folder, or back up without it"
    )]
    NoKey,
    /// The key is another one.
    #[error("the secret key is not the one that the database was made with")]
    WrongKey,
    /// Some tables refer to each other in a circle.
    #[error("the tables of the database cannot be put in order")]
    Unordered,
    /// The database holds something.
    #[error(
        "the database is not empty, and nothing in it is ever overwritten: restore into a new database, or into another \
         data folder"
    )]
    NotEmpty,
    /// Fewer or more rows arrived than the backup holds.
    #[error("{arrived} of {rows} rows of the table `{table}` arrived")]
    RowsMissing {
        /// In which table.
        table: String,
        /// How many arrived.
        arrived: u64,
        /// How many there are.
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

/// Writes everything into one file, as it stands at one moment; others may work meanwhile. The schema is left as it is, so
/// that a new program can back up what an old one left.
///
/// `key` is the installation's; without `holds_key` it only has to be the right one, if it is there.
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

/// Writes into the journal that everything was taken out. Where the schema is not this program's nothing is written, and
/// false comes back.
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

/// Refuses a file that is not whole, or that this program cannot restore.
pub fn check(archive: &mut Archive) -> Result<(), BackupError> {
    archive.manifest.check_schema(|schema| store::MIGRATOR.version_exists(schema))?;
    archive.verify()
}

/// Fills an empty database from a backup, and brings it up to date; all of it or nothing. Returns the number of the first
/// entry of the journal that does not follow from those before it, if there is one: it was so when it was backed up.
pub async fn restore(pool: &PgPool, archive: &mut Archive) -> Result<Option<i64>, BackupError> {
    check(archive)?;
    let mut tx = pool.begin().await?;
    if !store::backup::is_empty(&mut tx).await? {
        return Err(BackupError::NotEmpty);
    }
    // The tables as they were, so that later migrations find what they expect.
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
