//! `weber backup` writes a backup, and `weber restore` reads one.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::data::{self, Database};
use crate::config::DataArgs;
use crate::domain::backup::BackupManifest;
use crate::flow::app::{Clock, SystemClock};
use crate::flow::audit::log::Actor;
use crate::flow::backup::{self, Archive};
use crate::flow::secrets::Secrets;

/// Options of `weber backup`.
#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist yet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Leave the secret key out: the backup can then only be restored where the key is.
    #[arg(long)]
    without_key: bool,
}

/// Options of `weber restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// The backup file.
    file: PathBuf,

    /// Only check that the file is whole and that this program can restore it; no database is needed.
    #[arg(long)]
    check: bool,
}

/// Writes a backup, reads it again, and reports it.
pub async fn run(args: &DataArgs, options: &BackupArgs) -> anyhow::Result<()> {
    if args.database_url.is_none() && !args.data.join("postgres").exists() {
        bail!("there is no database in {}: nothing to back up", args.data.display());
    }
    let key = data::existing_key(args)?;
    let database = Database::open(args, false).await?;
    let file = options.out.display();
    let (manifest, noted) = database
        .during(async |pool| {
            let now = SystemClock.now();
            let manifest = backup::write(pool, key, !options.without_key, &options.out, now).await?;
            // If the entry cannot be written, for example on a full disk, the backup stays: it is more important.
            let noted = backup::note(pool, &Actor::command_line(), &manifest, SystemClock.now()).await;
            let untold = || format!("{file} is written and whole, but the journal could not be told of it");
            Ok((manifest, noted.with_context(untold)?))
        })
        .await?;
    super::say(format!("{file} is written and was read again: {}", content(&manifest)));
    if !noted {
        super::say(
            "The journal was not told: the schema is another version's, and a backup does not change it.",
        );
    }
    if manifest.holds_key {
        super::say("It holds the secret key and all personal data: keep it as safe as the data themselves.");
    }
    Ok(())
}

/// Checks a backup, or fills a new database from it.
pub async fn restore(args: &DataArgs, options: &RestoreArgs) -> anyhow::Result<()> {
    let mut archive = Archive::open(&options.file)?;
    if options.check {
        backup::check(&mut archive)?;
        super::say(format!("{} is whole: {}", options.file.display(), content(&archive.manifest)));
        return Ok(());
    }
    let missing = missing_key(args, &mut archive)?;
    let database = Database::open(args, false).await?;
    let broken = database
        .during(async |pool| {
            // The key comes first, since a database without its key is useless.
            if let Some(key) = missing {
                let kept = data::keep_key(args, key)?;
                anyhow::ensure!(
                    kept == key,
                    "another program has just put a different secret key into the data folder"
                );
            }
            let restored = backup::restore(pool, &mut archive).await;
            if restored.is_err() && missing.is_some() {
                let _ = fs::remove_file(data::key_path(args));
            }
            Ok(restored?)
        })
        .await?;
    super::say(format!("Restored: {}", content(&archive.manifest)));
    if let Some(number) = broken {
        super::say(format!(
            "The journal was not whole when it was backed up: entry {number} does not follow from those before it."
        ));
    }
    Ok(())
}

/// The key that must be put into the data folder. None if the right key is there.
fn missing_key(args: &DataArgs, archive: &mut Archive) -> anyhow::Result<Option<[u8; 32]>> {
    match (data::existing_key(args)?, archive.key()?) {
        (Some(here), _)
            if hex::encode(Secrets::new(here).fingerprint()) != archive.manifest.key_fingerprint =>
        {
            bail!(
                "the secret key here is not the one of the backup: restore into another data folder, or give the right key as \
             WEBER_SECRET_KEY"
            )
        }
        (Some(_), _) => Ok(None),
        (None, Some(key)) => Ok(Some(key)),
        (None, None) => bail!(
            "the backup was made without the secret key: give it as WEBER_SECRET_KEY, or as the file `secret` in the data \
             folder"
        ),
    }
}

fn content(manifest: &BackupManifest) -> String {
    let rows: u64 = manifest.tables.iter().map(|table| table.measure.rows).sum();
    let bytes: u64 = manifest.tables.iter().map(|table| table.measure.bytes).sum();
    let key = if manifest.holds_key { "with" } else { "without" };
    let journal = match manifest.journal.entry {
        0 => "the journal is empty".to_owned(),
        entry => format!("the journal ends with entry {entry}, hash {}", manifest.journal.sha256),
    };
    format!(
        "Weber {}, begun at {}, {rows} rows in {} tables, {:.1} MB before compression, {key} the secret key; {journal}",
        manifest.program_version,
        manifest.created_at.format("%Y-%m-%d %H:%M:%S UTC"),
        manifest.tables.len(),
        bytes as f64 / 1e6,
    )
}
