//! `weber report` writes a study's results into one HTML file.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::data::Data;
use crate::config::DataArgs;
use crate::domain::study::Mode;
use crate::flow::audit::log::Actor;
use crate::flow::study::{control, results};
use crate::web::lab::results::report;

/// Options of `weber report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The study's short name.
    study: String,
    /// The file to write.
    #[arg(long)]
    out: PathBuf,
    /// Exclusion policy; by default the enrolment policy.
    #[arg(long)]
    policy: Option<String>,
    /// Whose results: live, pilot or simulated.
    #[arg(long, default_value_t = Mode::Live)]
    mode: Mode,
    /// Show which condition is which before the study is full: permanently, to all researchers, and noted in the journal.
    #[arg(long)]
    unblind: bool,
}

/// Writes a study's results into one HTML file that needs no other file.
pub async fn run(args: &DataArgs, asked: &ReportArgs) -> anyhow::Result<()> {
    let data = Data::open(args).await?;
    let text = data
        .during(async |app| {
            if asked.unblind {
                control::unblind(app, &Actor::command_line(), &asked.study).await?;
            }
            Ok(report(&results::load(app, &asked.study, asked.mode, asked.policy.as_deref()).await?))
        })
        .await?;
    let partial = asked.out.with_extension("partial");
    let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, &asked.out));
    written.with_context(|| format!("{} cannot be written", asked.out.display()))?;
    super::say(format!("{} holds the report.", asked.out.display()));
    Ok(())
}
