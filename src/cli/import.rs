//! `weber import` imports a study folder.

use std::path::Path;

use super::data::Data;
use crate::config::DataArgs;
use crate::flow::audit::log::Actor;
use crate::flow::study::import::{Imported, import};

/// Imports a study folder into the database and prints what happened.
pub async fn run(args: &DataArgs, path: &Path) -> anyhow::Result<()> {
    let data = Data::open(args).await?;
    let imported = data.during(async |app| Ok(import(app, &Actor::command_line(), path).await?)).await?;
    let Imported { slug, version, changed, stripped, notices, .. } = imported;
    super::say(if changed {
        format!("Imported `{slug}`, version {version}.")
    } else {
        format!("`{slug}` is unchanged: it stays at version {version}.")
    });
    if stripped > 0 {
        super::say(format!(
            "{stripped} of its images held more than pixels and colours, such as texts, dates or thumbnails. It was left out: browsers \
             receive images without it."
        ));
    }
    if !notices.is_empty() {
        super::say("The study is imported. The following could spoil a trial or reveal its answer:");
        notices.iter().for_each(|notice| super::say(format!("  {notice}")));
    }
    Ok(())
}
