//! `weber export` writes a study's data as CSV files.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::data::Data;
use crate::config::DataArgs;
use crate::domain::exclusion::Policy;
use crate::domain::study::Mode;
use crate::flow::audit::log::Actor;
use crate::flow::study::export;
use crate::flow::study::export::{ExpertsInManifest, PolicyChoice};

/// Options of `weber export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The study's short name.
    study: String,

    /// Folder to write the files into; it is made if it does not exist.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,

    /// Exclusion policy: the name of one of the study's policies, or a TOML file; by default the enrolment policy.
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<String>,

    /// Also export participations that count toward nothing: pilot, simulated.
    #[arg(long, value_delimiter = ',', value_name = "MODES")]
    include: Vec<Mode>,
}

/// Writes the files and says how many people they contain.
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
            export::note(app, &Actor::command_line(), &request, &manifest, None).await?;
            Ok(manifest)
        })
        .await?;
    for file in &manifest.files {
        super::say(format!("{:>10} rows  {}", file.rows, export.out.join(&file.name).display()));
    }
    let counts = &manifest.counts;
    let experts = match manifest.experts() {
        ExpertsInManifest { kept: 0, excluded: 0 } => String::new(),
        ExpertsInManifest { kept, excluded } => {
            format!("; besides, {kept} experts kept, {excluded} excluded")
        }
    };
    super::say(format!(
        "{} kept, {} excluded, {} surplus{experts}",
        counts.kept, counts.excluded, counts.surplus
    ));
    Ok(())
}

fn read_policy(path: &str) -> anyhow::Result<Policy> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?;
    parse_policy(&text).with_context(|| format!("{path} is not a policy; docs/study-format.md shows one"))
}

fn parse_policy(text: &str) -> anyhow::Result<Policy> {
    let policy: Policy = toml::from_str(text)?;
    match policy.unusable() {
        Some(unusable) => anyhow::bail!("it has {unusable}"),
        None => Ok(policy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_with_unmeetable_bounds_is_refused() {
        let policy = |bounds: &str| parse_policy(&format!("name = \"p\"\n[criteria]\ntotal_time = {bounds}"));
        assert!(policy("{ min = 1, max = 1 }").is_ok());
        for bounds in
            ["{ min = nan }", "{ max = inf }", "{ min = 2, max = 1 }", "{ max = -1 }", "{}", "\"on\""]
        {
            assert!(policy(bounds).is_err(), "{bounds}");
        }
    }
}
