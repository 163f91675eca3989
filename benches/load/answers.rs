//! Measures acknowledged answers per second, against pgbench, and a load of a thousand people.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::http::Connection;
use super::people::{Person, prepare};
use super::server::{Server, psql, said};
use super::{Line, ms, percentile};

/// (connections, share of pgbench's rate that Weber must reach, people: more than can finish in the time).
const LEVELS: [(usize, f64, usize); 4] =
    [(1, 0.55, 1_000), (16, 0.85, 5_500), (64, 1.4, 8_000), (256, 2.3, 10_000)];

/// How many turns of how many seconds. Weber and pgbench alternate, because the machine's speed changes.
const TURNS: u32 = 2;
const SECONDS: u64 = 2;

/// Measures answers per second, each acknowledged after its commit, and pgbench's transactions of one inserted row.
pub async fn measure(server: &Arc<Server>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (connections, limit, people) in LEVELS {
        let people = prepared(server, people).await;
        let (mut pgbench, mut answers, mut latencies) = (0.0, 0.0, Vec::new());
        for _ in 0..TURNS {
            pgbench += self::pgbench(server, connections) / f64::from(TURNS);
            let turn = answer(server, &people, connections, Then::Nothing).await;
            answers += turn.0 / f64::from(TURNS);
            latencies.extend(turn.1);
        }
        latencies.sort_unstable();
        let share = answers / pgbench;
        eprintln!(
            "{connections} connections: {answers:.0} against {pgbench:.0}, {} people left",
            people.lock().await.len()
        );
        lines.push(Line::new(
            format!(
                "(a) durable answers per second, {connections} connections (p99 {})",
                ms(percentile(&latencies, 0.99))
            ),
            format!("{answers:.0}, {share:.2} of pgbench's {pgbench:.0}"),
            format!("at least {limit} of pgbench"),
            share >= limit,
        ));
    }
    let people = prepared(server, 2_000).await;
    let (answers, _) = answer(server, &people, 64, Then::Shown).await;
    lines.push(Line::known(
        "... each followed by the record of Continue and of the next screen, 64 connections",
        format!("{answers:.0} pairs per second"),
    ));
    lines
}

/// People who are about to answer, in a database without pending maintenance. Autovacuum finishes it within a minute or two, but
/// no study gets thousands of people within one.
async fn prepared(server: &Arc<Server>, people: usize) -> Arc<Mutex<Vec<Person>>> {
    let people = prepare(server, people).await;
    server.sql("vacuum (analyze)");
    Arc::new(Mutex::new(people))
}

/// The record that follows an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    /// One record, a second and a half later, reports when Continue was pressed and the new screen.
    Shown,
}

/// Transactions per second of the database by itself.
fn pgbench(server: &Server, connections: usize) -> f64 {
    psql(
        &server.database,
        "drop table if exists bench_rows; create table bench_rows (id bigint generated always as identity primary key, \
         person uuid not null, trial smallint not null, response smallint not null, rt double precision, at timestamptz not null)",
    );
    let mut script = tempfile::NamedTempFile::new().expect("a file");
    let row = "insert into bench_rows (person, trial, response, rt, at) values (gen_random_uuid(), 3, 2, 2345.6, now());\n";
    script.write_all(row.as_bytes()).expect("a file");
    let output = said(
        std::process::Command::new("pgbench")
            .args(["-n", "-f"])
            .arg(script.path())
            .args([
                "-c",
                &connections.to_string(),
                "-j",
                &connections.min(2).to_string(),
                "-T",
                &SECONDS.to_string(),
            ])
            .arg(&server.database),
    );
    let line = output.lines().find(|line| line.starts_with("tps")).expect("pgbench prints its rate");
    line.split_whitespace().nth(2).and_then(|rate| rate.parse().ok()).expect("a rate")
}

async fn answer(
    server: &Arc<Server>,
    people: &Arc<Mutex<Vec<Person>>>,
    connections: usize,
    then: Then,
) -> (f64, Vec<Duration>) {
    let until = Instant::now() + Duration::from_secs(SECONDS);
    let began = Instant::now();
    let workers = (0..connections).map(|_| {
        let (server, people) = (server.clone(), people.clone());
        tokio::spawn(async move {
            let mut connection = server.connect().await;
            let mut latencies = Vec::new();
            'people: while let Some(mut person) = take(&people).await {
                while let Some(body) = person.next() {
                    let sent = Instant::now();
                    if sent >= until {
                        break 'people;
                    }
                    tell(&mut connection, &person, &body).await;
                    if then == Then::Shown {
                        tell(&mut connection, &person, &person.shown()).await;
                    }
                    latencies.push(sent.elapsed());
                }
            }
            latencies
        })
    });
    let mut latencies = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        latencies.extend(worker.await.expect("a worker"));
    }
    let seconds = began.elapsed().as_secs_f64();
    latencies.sort_unstable();
    (latencies.len() as f64 / seconds, latencies)
}

async fn tell(connection: &mut Connection, person: &Person, record: &str) {
    let reply = connection.post("/api/v1/records", &person.token, record).await.expect("a reply");
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
}

async fn take(people: &Mutex<Vec<Person>>) -> Option<Person> {
    people.lock().await.pop()
}

/// Measures a load of a thousand people who give an answer every five seconds.
pub async fn at_work(server: &Arc<Server>) -> Vec<Line> {
    const PEOPLE: u32 = 1_000;
    const ROUNDS: u32 = 6;
    const EVERY: Duration = Duration::from_secs(5);
    let people = prepare(server, PEOPLE as usize).await;
    server.sql("analyze");
    // All connections are open by then.
    let began = Instant::now() + Duration::from_secs(2);
    let workers = people.into_iter().enumerate().map(|(n, mut person)| {
        let server = server.clone();
        tokio::spawn(async move {
            let mut connection = server.connect().await;
            let mut latencies = Vec::new();
            for round in 0..ROUNDS {
                let due = began + EVERY * round + EVERY * n as u32 / PEOPLE;
                tokio::time::sleep_until(due.into()).await;
                let body = person.next().expect("fewer rounds than trials");
                // The time counts from when the answer was due, since a person does not wait for the server.
                tell(&mut connection, &person, &body).await;
                latencies.push(Instant::now().saturating_duration_since(due));
            }
            latencies
        })
    });
    let mut latencies = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        latencies.extend(worker.await.expect("a worker"));
    }
    latencies.sort_unstable();
    let p99 = percentile(&latencies, 0.99);
    vec![Line::new(
        "(c) 1,000 people at work, an answer each every 5 s",
        format!(
            "p50 {}, p95 {}, p99 {}",
            ms(percentile(&latencies, 0.5)),
            ms(percentile(&latencies, 0.95)),
            ms(p99)
        ),
        "p99 under 50 ms",
        p99 < Duration::from_millis(50),
    )]
}
