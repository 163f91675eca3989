//! The workshop without the server: `weber-stimuli build` is `weber stimuli build`.

use std::process::ExitCode;

use clap::Parser;
use weber_workshop::command::{Stimuli, run};

/// Makes the stimuli of a study from a network and a folder of images.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Stimuli,
}

#[expect(clippy::print_stdout, reason = "lines for people")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> ExitCode {
    match run(&Cli::parse().command, &say) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
