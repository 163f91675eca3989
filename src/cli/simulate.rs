//! `weber simulate` sends simulated people through a study.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;

use super::data::Data;
use crate::config::DataArgs;
use crate::domain::allocation::count_by_condition;
use crate::domain::observer::Abilities;
use crate::domain::rights::Scope;
use crate::domain::study::Mode;
use crate::flow::App;
use crate::flow::secrets::token_sha256;
use crate::simulate::{self, Client, Ending, Mix, Plan, SimulationReport};
use crate::store;
use crate::web::http::serve::{ConnectionLimits, serve};
use crate::web::{Site, WebState, router};

/// Options of `weber simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The study's short name.
    study: String,

    /// How many people arrive.
    #[arg(long, default_value_t = 100)]
    participants: u32,

    /// How many of them take part at the same time.
    #[arg(long, default_value_t = 20)]
    concurrency: usize,

    /// Seed of all random draws: the same seed makes the same people.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How they behave: weights of honest, careless, left, bot, drop-out, reloader, duplicate, two-tab.
    #[arg(long, default_value = "honest=0.8,careless=0.1,left=0.1")]
    mix: Mix,

    /// Abilities and times of those who look at the images: a TOML file (docs/simulation.md).
    #[arg(long, value_name = "FILE")]
    observers: Option<PathBuf>,

    /// How long they wait for each second that they report: 0 as fast as possible, 1 like real people.
    #[arg(long, default_value_t = 0.0, value_name = "FACTOR", value_parser = think_time)]
    think_time: f64,

    /// Server to send them to; by default one that is started for the purpose on this machine. Several servers (with commas, or
    /// given several times) take turns: each person's requests alternate between them.
    #[arg(long, value_delimiter = ',')]
    url: Vec<String>,

    /// API token for that server (see `weber token create`).
    #[arg(long, env = "WEBER_TOKEN", hide_env_values = true, requires = "url")]
    token: Option<secrecy::SecretString>,
}

/// Sends simulated people through a study and reports the results.
pub async fn run(args: &DataArgs, simulate: &SimulateArgs) -> anyhow::Result<()> {
    match simulate.url.as_slice() {
        urls @ [_, ..] => {
            let token = simulate.token.as_ref().context("--url needs an API token, as WEBER_TOKEN")?;
            let report = send(urls, secrecy::ExposeSecret::expose_secret(token), simulate).await?;
            check(&report)
        }
        [] => {
            let data = Data::open(args).await?;
            let stop = super::stop_token();
            data.during_all(async |app, changes| {
                tokio::select! {
                    result = here(app, changes, simulate) => result,
                    () = stop.cancelled() => bail!("stopped"),
                }
            })
            .await
        }
    }
}

/// Runs a server for the simulation, with an API token that is removed afterwards.
async fn here(app: &App, changes: UnboundedReceiver<i64>, simulate: &SimulateArgs) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let state = WebState::new(app.clone(), changes, Site::at(url.clone()));
    let bounds = ConnectionLimits::default();
    let server = tokio::spawn(serve(listener, router(state), bounds, std::future::pending()));
    let (name, token) = (format!("simulate-{}", app.short_name()), app.token());
    let mut conn = app.pool.acquire().await?;
    store::api_tokens::add(&mut conn, &name, &[Scope::Simulate], &token_sha256(&token), app.now()).await?;
    drop(conn);
    let report = send(&[url], &token, simulate).await;
    let mut conn = app.pool.acquire().await?;
    store::api_tokens::remove(&mut conn, &name).await?;
    server.abort();
    let report = report?;
    say_slots(app, &mut conn, &simulate.study).await?;
    check(&report)
}

async fn send(urls: &[String], token: &str, simulate: &SimulateArgs) -> anyhow::Result<SimulationReport> {
    let client = Client::new(urls, token)?;
    let plan = Plan {
        study: simulate.study.clone(),
        participants: simulate.participants,
        concurrency: simulate.concurrency,
        seed: simulate.seed,
        mix: simulate.mix.clone(),
        abilities: simulate.observers.as_deref().map(read_abilities).transpose()?.unwrap_or_default(),
        think_time: simulate.think_time,
    };
    let report = simulate::run(&client, &plan, show_progress(simulate.participants)).await?;
    say_report(simulate.participants, &report);
    Ok(report)
}

fn think_time(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor| (0.0..=10.0).contains(factor));
    factor.ok_or_else(|| "give a number from 0 to 10".into())
}

fn read_abilities(path: &Path) -> anyhow::Result<Abilities> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    toml::from_str(&text)
        .with_context(|| format!("{} does not have the format of docs/simulation.md", path.display()))
}

fn say_report(participants: u32, report: &SimulationReport) {
    let seconds = report.elapsed.as_secs_f64();
    let endings: Vec<String> = Ending::ALL
        .iter()
        .map(|ending| format!("{} {ending}", report.endings.get(ending).copied().unwrap_or_default()))
        .collect();
    super::say(format!("{participants} people in {seconds:.1} s: {}", endings.join(", ")));
    for (incident, n) in &report.incidents {
        super::say(format!("{n} {incident}"));
    }
    let per_second = |n: usize| n as f64 / seconds.max(0.001);
    super::say(format!(
        "{} requests ({:.1} per second), {} answers ({:.1} per second)",
        report.meter.count(),
        per_second(report.meter.count()),
        report.acknowledged.len(),
        per_second(report.acknowledged.len()),
    ));
    super::say(&report.meter);
}

fn show_progress(all: u32) -> impl FnMut(u32) {
    let terminal = std::io::stderr().is_terminal();
    move |done| {
        if terminal {
            let end = if done == all { "\n" } else { "" };
            let _ = write!(std::io::stderr(), "\r{done} of {all} people{end}");
        }
    }
}

async fn say_slots(app: &App, conn: &mut sqlx::PgConnection, slug: &str) -> anyhow::Result<()> {
    let study = store::studies::by_slug(&mut *conn, slug).await?.context("the study is gone")?;
    let version = app.newest_version(&mut *conn, study.id).await?;
    let slots = store::slots::all(&mut *conn, study.id, Mode::Simulated, app.now()).await?;
    let counts = count_by_condition(&slots, version.definition.design.postings_per_slot);
    super::say(format!("{:<16}{:>8}{:>8}{:>9}{:>11}", "condition", "kept", "open", "running", "exhausted"));
    for condition in &version.definition.conditions {
        let n = counts.get(&condition.name).copied().unwrap_or_default();
        super::say(format!(
            "{:<16}{:>8}{:>8}{:>9}{:>11}",
            condition.name, n.kept, n.open, n.running, n.exhausted
        ));
    }
    Ok(())
}

fn check(report: &SimulationReport) -> anyhow::Result<()> {
    if report.troubles.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = report.troubles.iter().map(|(trouble, n)| format!("{n} x {trouble}")).collect();
    bail!("some people could not go on:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn think_time_is_a_factor_within_bounds() {
        assert_eq!(think_time("0.5"), Ok(0.5));
        for wrong in ["-1", "11", "NaN", "fast"] {
            assert!(think_time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn errors_in_a_file_of_observers_name_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("observers.toml");
        let missing = format!("{:#}", read_abilities(&file).unwrap_err());
        assert!(missing.contains("observers.toml cannot be read"), "{missing}");
        std::fs::write(&file, "accuracy = 0.7\nacuracy = 0.7\n").unwrap();
        let unknown = format!("{:#}", read_abilities(&file).unwrap_err());
        for needed in ["observers.toml", "docs/simulation.md", "line 2", "acuracy", "catch_accuracy"] {
            assert!(unknown.contains(needed), "{needed}: {unknown}");
        }
        std::fs::write(&file, "accuracy = 0.7\n").unwrap();
        assert_eq!(read_abilities(&file).unwrap().accuracy, Some(0.7));
    }
}
