//! Measures 500 people who consent within one second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::people::{door, enrolment};
use super::server::Server;
use super::{Line, ms, percentile};

const PEOPLE: u32 = 500;

/// Measures 500 people who consent within one second, for 5 x 50 slots.
pub async fn measure(server: &Arc<Server>) -> Vec<Line> {
    let (link, consent) = door(server).await;
    server.sql(
        "update links set definition = jsonb_set(definition, '{conditions}', '[]') where mode = 'simulated'",
    );
    let body = Arc::new(enrolment(&link, &consent));
    // By then all connections are open, and the server has run for a moment.
    let began = Instant::now() + Duration::from_secs(2);
    let workers = (0..PEOPLE).map(|n| {
        let (server, body) = (server.clone(), body.clone());
        tokio::spawn(async move {
            let mut connection = server.connect().await;
            let due = began + Duration::from_secs(1) * n / PEOPLE;
            tokio::time::sleep_until(due.into()).await;
            let answer =
                connection.post("/api/v1/enrolments", &server.token, &body).await.expect("an answer");
            (answer.status, Instant::now().saturating_duration_since(due))
        })
    });
    let (mut latencies, mut enrolled, mut full) = (Vec::new(), 0, 0);
    for worker in workers.collect::<Vec<_>>() {
        let (status, latency) = worker.await.expect("a worker");
        match status {
            201 => enrolled += 1,
            409 => full += 1,
            other => panic!("status {other}"),
        }
        latencies.push(latency);
    }
    latencies.sort_unstable();
    let most = server.sql(
        "select coalesce(max(n), 0) from (select count(*) n from participants where claim = 'leased' and mode = 'simulated'
         group by condition) c",
    );
    let double =
        server.sql("select count(*) - count(distinct slot_id) from participants where claim = 'leased'");
    let exact = enrolled == 250 && full == 250 && most.trim() == "50" && double.trim() == "0";
    server.sql(
        "update participants set claim = 'released', stage = 'abandoned', end_reason = 'left', ended_at = now()",
    );
    let p99 = percentile(&latencies, 0.99);
    vec![
        Line::new(
            "(b) 500 people consent within one second, 5 × 50 places: given out",
            format!("{enrolled} places, {full} people told that it is full"),
            "250, none twice, 50 in each condition",
            exact,
        ),
        Line::new(
            "(b) ... how long they wait",
            format!("p50 {}, p99 {}", ms(percentile(&latencies, 0.5)), ms(p99)),
            "p99 under 250 ms",
            p99 < Duration::from_millis(250),
        ),
    ]
}
