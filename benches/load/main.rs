//! Measures the load that Weber can carry, each value against its limit in the same run. `script/bench` runs it and writes the
//! table of docs/performance.md. Functions without a server are measured in benches/functions.rs.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a measurement that fails ends with its error")]

mod answers;
mod arrivals;
mod exports;
mod http;
mod images;
mod people;
mod reads;
mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use server::Server;

/// A line of the table: name, measured value, limit, and whether the limit holds.
pub struct Line {
    pub what: String,
    pub measured: String,
    pub limit: String,
    pub holds: Option<bool>,
}

impl Line {
    pub fn new(
        what: impl Into<String>,
        measured: impl Into<String>,
        limit: impl Into<String>,
        holds: bool,
    ) -> Self {
        Self { what: what.into(), measured: measured.into(), limit: limit.into(), holds: Some(holds) }
    }

    pub fn known(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self { what: what.into(), measured: measured.into(), limit: String::new(), holds: None }
    }
}

/// The value below which the given share of the sorted values lies.
pub fn percentile(sorted: &[Duration], share: f64) -> Duration {
    sorted
        .get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

pub fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

/// Runs a load on a single thread of its own: on a small machine, threads that wake each other would slow the measured server.
fn on_one_thread<T: Send>(load: impl Future<Output = T> + Send) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    std::thread::scope(|scope| scope.spawn(move || runtime.block_on(load)).join().expect("a measurement"))
}

#[tokio::main]
async fn main() {
    let only = std::env::args().nth(1).filter(|argument| !argument.starts_with('-')).unwrap_or_default();
    let wanted = |part: &str| only.is_empty() || only.split(',').any(|name| name == part);
    let study =
        PathBuf::from(std::env::var("WEBER_BENCH_STUDY").expect("script/bench sets WEBER_BENCH_STUDY"));
    let server = Arc::new(Server::start(&study));
    let mut lines = vec![
        Line::known("from start to ready, on a prepared database", ms(server.start_to_ready)),
        Line::known("memory, idle", format!("{:.0} MiB", server.memory_mib())),
    ];
    if wanted("arrivals") {
        lines.extend(arrivals::measure(&server).await);
    }
    // Images come first, before the database has maintenance to do after many answers.
    if wanted("images") {
        lines.extend(images::measure(&server).await);
    }
    if wanted("answers") {
        lines.extend(on_one_thread(answers::measure(&server)));
    }
    if wanted("at-work") {
        lines.extend(answers::at_work(&server).await);
    }
    if wanted("export") {
        lines.extend(exports::measure(&server));
    }
    if wanted("reads") {
        lines.extend(reads::measure(&study).await);
    }
    lines.push(Line::known("memory after all that", format!("{:.0} MiB", server.memory_mib())));
    println!("| what | measured | limit | |\n|---|---|---|---|");
    for line in &lines {
        let holds = line.holds.map_or("", |holds| if holds { "holds" } else { "**does not hold**" });
        println!("| {} | {} | {} | {holds} |", line.what, line.measured, line.limit);
    }
}
