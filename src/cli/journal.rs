//! `weber journal`.

use anyhow::bail;

use super::data::Data;
use crate::config::DataArgs;
use crate::domain::journal::first_broken;
use crate::store;

/// Checks that no entry was changed, added or taken out.
pub async fn verify(args: &DataArgs) -> anyhow::Result<()> {
    let data = Data::open(args).await?;
    let entries =
        data.during(async |app| Ok(store::journal::all(&mut *app.pool.acquire().await?).await?)).await?;
    if let Some(number) = first_broken(&entries) {
        bail!("the journal is not whole: entry {number} does not follow from those before it");
    }
    let head = entries.last().map_or_else(|| "none".to_owned(), |(_, hash)| hex::encode(hash));
    super::say(format!("The journal is whole: {} entries. Hash of the newest: {head}", entries.len()));
    Ok(())
}

/// Shows every entry, oldest first.
pub async fn show(args: &DataArgs) -> anyhow::Result<()> {
    let data = Data::open(args).await?;
    let entries =
        data.during(async |app| Ok(store::journal::all(&mut *app.pool.acquire().await?).await?)).await?;
    for (entry, _) in entries {
        super::say(format!(
            "{:>6}  {}  {:<24} {:<20} {:<16} {:<14} {}",
            entry.number,
            entry.at.format("%Y-%m-%d %H:%M:%S"),
            entry.actor,
            entry.action,
            entry.study.as_deref().unwrap_or("-"),
            entry.participant.as_deref().unwrap_or("-"),
            entry.detail
        ));
    }
    Ok(())
}
