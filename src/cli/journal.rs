//! `weber journal verify` checks the audit log, and `weber journal show` prints it.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::data::Data;
use crate::config::DataArgs;
use crate::domain::audit_log::{Entry, first_broken};
use crate::flow::audit::witness;
use crate::store;

/// Options of `weber journal verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Manifests of exports, or backups, that were kept where they could not be changed: the journal must still hold the entry
    /// that was its newest then. Without one, a cut at the end and a full set of new hashes go unnoticed.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    against: Vec<PathBuf>,
}

/// Checks that no entry was changed, added or removed.
pub async fn verify(args: &DataArgs, options: &VerifyArgs) -> anyhow::Result<()> {
    let head = |path: &PathBuf| witness::read(path).with_context(|| path.display().to_string());
    let heads = options.against.iter().map(head).collect::<anyhow::Result<Vec<_>>>()?;
    let entries = entries(args).await?;
    if let Some(number) = first_broken(&entries) {
        bail!("the journal is not whole: entry {number} does not follow from those before it");
    }
    for (head, path) in heads.iter().zip(&options.against) {
        let (number, path) = (head.entry, path.display());
        if !head.is_in(&entries) {
            bail!("the journal was changed since {path} was made: its entry {number} is not there as it was");
        }
        super::say(match number {
            0 => format!("{path} was made when the journal was empty, and says nothing about it."),
            _ => format!("The journal agrees with {path} up to entry {number}."),
        });
    }
    let newest = entries.last().map_or_else(|| "none".to_owned(), |(_, hash)| hex::encode(hash));
    super::say(format!("The journal is whole: {} entries. Hash of the newest: {newest}", entries.len()));
    if heads.is_empty() {
        super::say(
            "If it was cut off or replaced as a whole, only an older manifest or backup tells: --against FILE",
        );
    }
    Ok(())
}

/// Shows every entry with its hash, oldest first.
pub async fn show(args: &DataArgs) -> anyhow::Result<()> {
    for (entry, hash) in entries(args).await? {
        super::say(format!(
            "{:>6}  {}  {:<24} {:<20} {:<16} {:<14} {}  {}",
            entry.number,
            entry.at.format("%Y-%m-%d %H:%M:%S"),
            entry.actor,
            entry.action,
            entry.study.as_deref().unwrap_or("-"),
            entry.participant.as_deref().unwrap_or("-"),
            hex::encode(hash),
            entry.detail
        ));
    }
    Ok(())
}

async fn entries(args: &DataArgs) -> anyhow::Result<Vec<(Entry, Vec<u8>)>> {
    let data = Data::open(args).await?;
    data.during(async |app| Ok(store::audit_log::all(&mut *app.pool.acquire().await?).await?)).await
}
