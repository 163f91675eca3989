//! The command line: another mouth for the same flows.

mod data;
mod import;
mod serve;

use clap::{Parser, Subcommand};

use crate::config::{DataArgs, ServeArgs};

/// A web server for image-choice experiments.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server. An empty database gets the demo study.
    Serve(ServeArgs),
    /// Bring a study folder into the database.
    Import {
        /// The folder, as docs/study-format.md describes it.
        path: std::path::PathBuf,
    },
}

/// Runs the command.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve(args) => serve::run(&cli.data, &args).await,
        Command::Import { path } => import::run(&cli.data, &path).await,
    }
}

/// Says something to the person at the terminal.
#[expect(clippy::print_stdout, reason = "this is what a command line is for")]
fn say(text: impl std::fmt::Display) {
    println!("{text}");
}
