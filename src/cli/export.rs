//! `weber export`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::data::Data;
use crate::config::DataArgs;
use crate::domain::exclusion::Policy;
use crate::domain::study::Mode;
use crate::flow::export::{self, PolicyChoice};
use crate::flow::journal::Actor;

/// What to export.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The study's short name.
    study: String,

    /// Folder to write the files into; it is made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,

    /// Exclusion policy: the name of one of the study's, or a TOML file; by default the enrolment policy.
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,

    /// Also export these participations, which count toward nothing: pilot, simulated.
    #[arg(long, value_delimiter = ',', value_name = "MODES")]
    include: Vec<Mode>,
}

/// Writes the files and says how many people they hold.
pub async fn run(args: &DataArgs, export: &ExportArgs) -> anyhow::Result<()> {
    let policy = match &export.policy {
        None => PolicyChoice::Enrolment,
        Some(name) if name.ends_with(".toml") => PolicyChoice::Given(read_policy(name)?),
        Some(name) => PolicyChoice::Named(name.clone()),
    };
    let data = Data::open(args).await?;
    let manifest = data
        .during(async |app| {
            let request = export::prepare(app, &export.study, policy, &export.include).await?;
            let manifest = export::export(app, &request, &export.out).await?;
            export::note(app, &Actor::command_line(), &export.study, &manifest).await?;
            Ok(manifest)
        })
        .await?;
    for file in &manifest.files {
        super::say(format!("{:>10} rows  {}", file.rows, export.out.join(&file.name).display()));
    }
    let counts = &manifest.counts;
    super::say(format!("{} kept, {} excluded, {} surplus", counts.kept, counts.excluded, counts.surplus));
    Ok(())
}

fn read_policy(path: &str) -> anyhow::Result<Policy> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?;
    toml::from_str(&text).with_context(|| format!("{path} is not a policy; docs/study-format.md shows one"))
}
