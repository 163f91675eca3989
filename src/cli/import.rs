//! `weber import`.

use std::path::Path;

use super::data::Data;
use crate::config::DataArgs;
use crate::flow;

/// Brings a study folder into the database and says what happened.
pub async fn run(args: &DataArgs, path: &Path) -> anyhow::Result<()> {
    let data = Data::open(args).await?;
    let imported = flow::import::import(&data.app, path).await;
    data.close().await;
    let imported = imported?;
    let crate::flow::import::Imported { slug, version, changed, .. } = imported;
    super::say(if changed {
        format!("Imported `{slug}`, version {version}.")
    } else {
        format!("`{slug}` is unchanged: version {version} stands.")
    });
    Ok(())
}
