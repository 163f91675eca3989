//! `weber simulate`.

use std::io::{IsTerminal, Write};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;

use super::data::Data;
use crate::config::DataArgs;
use crate::domain::allocation::count_by_condition;
use crate::domain::rights::Scope;
use crate::domain::study::Mode;
use crate::flow::App;
use crate::flow::secrets::token_sha256;
use crate::simulate::{self, Client, Ending, Mix, Plan, Report};
use crate::store;
use crate::web::serve::Bounds;
use crate::web::{self, Site, WebState};

/// What to simulate.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The study's short name.
    study: String,

    /// How many people arrive.
    #[arg(long, default_value_t = 100)]
    participants: u32,

    /// How many of them are at it at the same time.
    #[arg(long, default_value_t = 20)]
    concurrency: usize,

    /// The same seed makes the same people.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How they behave: weights of honest, careless and left.
    #[arg(long, default_value = "honest=0.8,careless=0.1,left=0.1")]
    mix: Mix,

    /// Server to send them to; by default one that runs for the purpose on this machine.
    #[arg(long)]
    url: Option<String>,

    /// API token for that server (see `weber token create`).
    #[arg(long, env = "WEBER_TOKEN", hide_env_values = true, requires = "url")]
    token: Option<secrecy::SecretString>,
}

/// Sends simulated people through a study and says what came of it.
pub async fn run(args: &DataArgs, simulate: &SimulateArgs) -> anyhow::Result<()> {
    match &simulate.url {
        Some(url) => {
            let token = simulate.token.as_ref().context("--url needs an API token, as WEBER_TOKEN")?;
            let report = send(url, secrecy::ExposeSecret::expose_secret(token), simulate).await?;
            check(&report)
        }
        None => {
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

/// Runs a server for the purpose, with an API token that is gone afterwards.
async fn here(app: &App, changes: UnboundedReceiver<i64>, simulate: &SimulateArgs) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let state = WebState::new(app.clone(), changes, Site::at(url.clone()));
    let bounds = Bounds::default();
    let server =
        tokio::spawn(web::serve::serve(listener, web::router(state), bounds, std::future::pending()));
    let (name, token) = (format!("simulate-{}", app.short_name()), app.token());
    let mut conn = app.pool.acquire().await?;
    store::api_tokens::add(&mut conn, &name, &[Scope::Simulate], &token_sha256(&token), app.now()).await?;
    drop(conn);
    let report = send(&url, &token, simulate).await;
    let mut conn = app.pool.acquire().await?;
    store::api_tokens::remove(&mut conn, &name).await?;
    server.abort();
    let report = report?;
    say_slots(app, &mut conn, &simulate.study).await?;
    check(&report)
}

async fn send(url: &str, token: &str, simulate: &SimulateArgs) -> anyhow::Result<Report> {
    let client = Client::new(url, token)?;
    let plan = Plan {
        study: simulate.study.clone(),
        participants: simulate.participants,
        concurrency: simulate.concurrency,
        seed: simulate.seed,
        mix: simulate.mix.clone(),
    };
    let started = Instant::now();
    let report = simulate::run(&client, &plan, show_progress(simulate.participants)).await?;
    let count = |ending| report.endings.get(&ending).copied().unwrap_or_default();
    super::say(format!(
        "{} people in {:.1} s: {} complete, {} screened out, {} found the study full",
        simulate.participants,
        started.elapsed().as_secs_f64(),
        count(Ending::Complete),
        count(Ending::ScreenedOut),
        count(Ending::Full),
    ));
    Ok(report)
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

fn check(report: &Report) -> anyhow::Result<()> {
    if report.troubles.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = report.troubles.iter().map(|(trouble, n)| format!("{n} x {trouble}")).collect();
    bail!("some people could not go on:\n{}", lines.join("\n"))
}
