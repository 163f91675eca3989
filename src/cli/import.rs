//! `weber import`.

use std::path::Path;

use super::data::Data;
use crate::config::DataArgs;
use crate::flow;
use crate::flow::import::Imported;

/// Brings a study folder into the database and says what happened.
pub async fn run(args: &DataArgs, path: &Path) -> anyhow::Result<()> {
    let data = Data::open(args).await?;
    let imported = data.during(async |app| Ok(flow::import::import(app, path).await?)).await?;
    let Imported { slug, version, changed, .. } = imported;
    super::say(if changed {
        format!("Imported `{slug}`, version {version}.")
    } else {
        format!("`{slug}` is unchanged: version {version} stands.")
    });
    Ok(())
}
