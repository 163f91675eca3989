//! The command line. Each command calls the same flows as the pages.

mod backup;
mod data;
mod demo;
mod descriptors;
mod doctor;
mod export;
mod import;
mod journal;
mod report;
mod researcher;
mod serve;
mod simulate;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{DataArgs, LogFormat, ServeArgs};
use crate::domain::rights::{Role, Scope};
use crate::flow::lab::team::Invitation;

/// A web server for image-choice experiments.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    data: DataArgs,
    /// How the log is written, on standard error: lines for people, or one JSON object per line. WEBER_LOG sets how much is logged:
    /// warn, info, debug, or by module, such as info,sqlx=warn.
    #[arg(long, global = true, env = "WEBER_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server. An empty database gets the demo study.
    Serve(ServeArgs),
    /// Import a study folder into the database.
    Import {
        /// The folder, as docs/study-format.md describes it.
        path: std::path::PathBuf,
    },
    /// Build the study that ships with Weber, as a folder to look at, change and import.
    Demo(demo::DemoArgs),
    /// Make the stimuli of a study from a network and a folder of photographs.
    #[cfg(feature = "workshop")]
    #[command(subcommand)]
    Stimuli(weber_workshop::command::Stimuli),
    /// Write a study's data as CSV files, raw and cleaned.
    Export(export::ExportArgs),
    /// Write a study's results, with every figure and table, into one HTML file.
    Report(report::ReportArgs),
    /// Send simulated people through a study, by the same API as real ones.
    Simulate(simulate::SimulateArgs),
    /// Manage researchers, who see and control studies.
    #[command(subcommand)]
    Researcher(ResearcherCommand),
    /// Manage API tokens for scripts.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Check or print the journal of who did what, when.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Write everything into one file: data, images, researchers, the journal and the secret key. The server may run.
    Backup(backup::BackupArgs),
    /// Fill a new database from a backup.
    Restore(backup::RestoreArgs),
    /// Examine everything that Weber needs, and say how to solve each problem.
    Doctor(doctor::DoctorArgs),
}

#[derive(Debug, Subcommand)]
enum ResearcherCommand {
    /// Add a researcher, or help one who forgot the password: prints a one-time link to set it.
    Add {
        /// The e-mail address with which they sign in.
        email: String,
        /// They may also see who participants are: pay, find, delete, forget and bar them.
        #[arg(long)]
        identities: bool,
        /// What they may do: viewer, researcher or administrator. The first researcher becomes administrator, later ones researchers;
        /// without this option an existing role stays.
        #[arg(long)]
        role: Option<Role>,
        /// Take their second factor away: they lost their phone and their recovery codes.
        #[arg(long)]
        reset_second_factor: bool,
        /// Address by which browsers reach the server.
        #[arg(long, env = "WEBER_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
        public_url: String,
    },
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Check that no entry was changed, added or removed.
    Verify(journal::VerifyArgs),
    /// Show every entry with its hash, oldest first.
    Show,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token and print it, once.
    Create {
        /// The token's name, which says its purpose.
        name: String,
        /// What the token may be used for: simulate, export, metrics. May be given several times.
        #[arg(long = "scope", default_values_t = [Scope::Simulate])]
        scopes: Vec<Scope>,
    },
    /// Remove a token, which stops working at once.
    Remove {
        /// The token's name.
        name: String,
    },
}

impl Cli {
    /// How the log is written.
    pub const fn log_format(&self) -> LogFormat {
        self.log_format
    }

    /// The default log filter: a server logs what it does, a command only warnings.
    pub const fn log_filter(&self) -> &'static str {
        match self.command {
            Command::Serve(_) => "info,sqlx=warn",
            // A long export is normal, and the command itself prints its failures.
            _ => "warn,sqlx=error",
        }
    }
}

/// Runs the command; a failure is said in words, cause by cause.
pub fn main(cli: Cli) -> ExitCode {
    match tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(cli)))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "weber: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve(args) => serve::run(&cli.data, &args).await,
        Command::Demo(args) => demo::run(&args).await,
        #[cfg(feature = "workshop")]
        Command::Stimuli(command) => {
            weber_workshop::command::run(&command, &|line| say(line)).map_err(|error| anyhow::anyhow!(error))
        }
        Command::Export(args) => export::run(&cli.data, &args).await,
        Command::Report(args) => report::run(&cli.data, &args).await,
        Command::Simulate(args) => simulate::run(&cli.data, &args).await,
        Command::Researcher(ResearcherCommand::Add {
            email,
            identities,
            role,
            reset_second_factor,
            public_url,
        }) => {
            let invitation =
                Invitation { role, sees_identities: identities, resets_second_factor: reset_second_factor };
            researcher::add(&cli.data, &email, invitation, public_url.trim_end_matches('/')).await
        }
        Command::Token(TokenCommand::Create { name, scopes }) => {
            researcher::create_token(&cli.data, &name, &scopes).await
        }
        Command::Token(TokenCommand::Remove { name }) => researcher::remove_token(&cli.data, &name).await,
        Command::Journal(JournalCommand::Verify(args)) => journal::verify(&cli.data, &args).await,
        Command::Journal(JournalCommand::Show) => journal::show(&cli.data).await,
        Command::Backup(args) => backup::run(&cli.data, &args).await,
        Command::Restore(args) => backup::restore(&cli.data, &args).await,
        Command::Doctor(args) => doctor::run(&cli.data, &args).await,
        Command::Import { path } => import::run(&cli.data, &path).await,
    }
}

/// Prints a text to standard output. If the terminal is gone, the program continues.
fn say(text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A token that Ctrl-C, or the signal with which systems end programs, cancels at any later time.
fn stop_token() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    if let (Ok(mut interrupt), Ok(mut terminate)) = signals {
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            cancelled.cancel();
        });
    }
    token
}
