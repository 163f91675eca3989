//! The `weber` program: parses the command line, starts telemetry, runs; nothing else.

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;
use weber::cli::{self, Cli};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("WEBER_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    cli::main(cli)
}
