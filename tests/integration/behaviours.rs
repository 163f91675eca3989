//! The data that each kind of simulated person leads to, by real HTTP.

use std::collections::{HashMap, HashSet};

use sqlx::PgPool;
use weber::domain::study::Mode;
use weber::flow::study::export::PolicyChoice;
use weber::simulate::{Ending, Incident, Request, SimulationReport, Trouble, run};

use crate::export::Exported;
use crate::simulation::{client, plan, simulate, slots};
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

type Row = HashMap<String, String>;

async fn exported(server: &Server) -> Exported {
    Exported::of(server, PolicyChoice::Enrolment, &[Mode::Simulated]).await
}

/// The participants who completed.
fn complete(exported: &Exported) -> Vec<Row> {
    exported.rows("participants.csv").into_iter().filter(|row| row["stage"] == "complete").collect()
}

fn ended(report: &SimulationReport, ending: Ending) -> u32 {
    report.endings.get(&ending).copied().unwrap_or_default()
}

fn happened(report: &SimulationReport, incident: Incident) -> usize {
    report.incidents.get(&incident).copied().unwrap_or_default() as usize
}

/// Asserts that the export has exactly the acknowledged answers, as they were given.
fn assert_nothing_lost(report: &SimulationReport, exported: &Exported) {
    let acknowledged: HashSet<_> = report
        .acknowledged
        .iter()
        .map(|a| {
            let place =
                [a.place.block.to_string(), a.place.attempt.to_string(), a.place.trial_index.to_string()];
            (a.participant.clone(), place, a.response.to_string())
        })
        .collect();
    let rows = exported.rows("trials.csv");
    let answers: HashSet<_> = rows
        .iter()
        .map(|row| {
            let place = ["block", "attempt", "trial_index"].map(|column| row[column].clone());
            (row["participant"].clone(), place, row["response"].clone())
        })
        .collect();
    assert_eq!((rows.len(), &answers), (answers.len(), &acknowledged));
}

#[sqlx::test]
async fn bots_are_excluded_by_instruction_time_and_total_time(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let report = simulate(&server, &plan(8, "bot=1")).await;
    let people = complete(&exported(&server).await);
    assert_eq!(people.len() as u32, ended(&report, Ending::Complete));
    assert!(people.len() >= 4);
    for row in people {
        let reasons: Vec<&str> = row["exclusion_reasons"].split(';').collect();
        assert_eq!(reasons[..2], ["instruction_time", "total_time"], "{reasons:?}");
        assert_eq!(row["kept"], "false");
    }
}

#[sqlx::test]
async fn people_who_answer_left_only_are_excluded_by_answer_variability(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    simulate(&server, &plan(8, "left=1")).await;
    let people = complete(&exported(&server).await);
    assert!(people.len() >= 4);
    for row in people {
        assert_eq!((row["left_answers"].as_str(), row["right_answers"].as_str()), ("21", "0"));
        assert!(row["exclusion_reasons"].contains("answer_variability"));
    }
}

#[sqlx::test]
async fn drop_outs_hold_their_slots_until_the_lease_lapses(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    server.import(&TinyStudy::new(6)).await;
    let client = client(&server).await;
    let report = run(&client, &plan(34, "drop-out=1"), |_| ()).await.unwrap();
    assert_eq!((ended(&report, Ending::DroppedOut), ended(&report, Ending::Full)), (30, 4));
    let before = exported(&server).await;
    assert_nothing_lost(&report, &before);
    assert_eq!(slots(&before), [[0, 0, 0, 6]; 5]);
    let stages: HashSet<String> =
        before.rows("participants.csv").into_iter().map(|row| row["stage"].clone()).collect();
    assert!(stages.len() > 1 && !stages.contains("complete"), "they stop at different stages: {stages:?}");
    clock.advance(2 * 3600);
    let after = exported(&server).await;
    assert_eq!(slots(&after), [[0, 0, 6, 0]; 5]);
    for row in after.rows("participants.csv") {
        assert_eq!((row["stage"].as_str(), row["exclusion_reasons"].as_str()), ("expired", "incomplete"));
    }
    let others = run(&client, &plan(30, "honest=1"), |_| ()).await.unwrap();
    assert_eq!(ended(&others, Ending::Full), 0, "their slots are given out again");
}

#[sqlx::test]
async fn reloaders_go_on_where_they_were(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let report = simulate(&server, &plan(10, "reloader=1")).await;
    let exported = exported(&server).await;
    assert_nothing_lost(&report, &exported);
    let trials = exported.rows("trials.csv");
    let mut reloads = 0;
    for row in complete(&exported) {
        // They reload in practice, if their condition has it, and in the main trials.
        let expected = if row["condition"] == "none" { 1 } else { 2 };
        assert_eq!(row["reloads"], expected.to_string(), "{}", row["condition"]);
        let own = trials.iter().filter(|trial| trial["participant"] == row["participant"]);
        let shown: Vec<_> = own.map(|trial| trial["presentations"].as_str()).collect();
        assert_eq!(shown.iter().filter(|shown| **shown == "2").count(), expected);
        assert_eq!(shown.iter().filter(|shown| !["1", "2"].contains(shown)).count(), 0);
        reloads += expected;
    }
    assert!(reloads > 10 && happened(&report, Incident::Reload) >= reloads);
}

#[sqlx::test]
async fn duplicates_take_part_once(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let report = simulate(&server, &plan(10, "duplicate=0.6,honest=0.4")).await;
    let refused = happened(&report, Incident::Refused);
    assert!((2..=9).contains(&refused));
    assert!((2..=refused).contains(&happened(&report, Incident::Resumed)));
    assert_eq!(
        server.count("select count(*) from participants").await,
        10,
        "each person has one participation"
    );
    assert_eq!(server.count("select count(*) from once_only").await as usize, refused);
    assert_eq!(
        server.count("select sum(n)::bigint from arrivals where kind = 'already_took_part'").await as usize,
        refused,
        "each further visit is counted once"
    );
    let errors: Vec<_> = report.meter.errors().collect();
    assert_eq!(errors, [(Request::Enrol, "already_took_part", refused as u32)]);
    assert_nothing_lost(&report, &exported(&server).await);
}

#[sqlx::test]
async fn two_tabs_lose_nothing(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let report = simulate(&server, &plan(10, "two-tab=1")).await;
    let exported = exported(&server).await;
    assert_nothing_lost(&report, &exported);
    let people = complete(&exported);
    assert!(people.len() >= 8);
    for row in &people {
        let main: u32 = ["main_total", "catch_total"].iter().map(|c| row[*c].parse::<u32>().unwrap()).sum();
        assert_eq!((main, row["reloads"].as_str()), (21, "1"));
    }
    assert_eq!(happened(&report, Incident::Conflict), people.len(), "each sends one contradicting answer");
    let conflicts = "select count(*) from events where kind = 'answer_conflict'";
    assert_eq!(server.count(conflicts).await as usize, people.len());
    assert!(happened(&report, Incident::Superseded) >= people.len());
}

#[sqlx::test]
async fn every_request_is_measured(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let report = simulate(&server, &plan(7, "honest=1")).await;
    let full: u32 = report.meter.errors().map(|(_, code, n)| if code == "full" { n } else { 0 }).sum();
    let count: HashMap<_, _> =
        report.meter.latencies().map(|(request, l)| (request, l.count as u32)).collect();
    assert_eq!((count[&Request::Entrance], count[&Request::Page]), (1, count[&Request::Enrol]));
    assert_eq!(count[&Request::Open], count[&Request::Enrol] - full);
    assert_eq!(count[&Request::Complete], ended(&report, Ending::Complete));
    assert!(count[&Request::Record] as usize > report.acknowledged.len());
    for (_, latency) in report.meter.latencies() {
        assert!(latency.p50 <= latency.p95 && latency.p95 <= latency.p99 && latency.p99 <= latency.max);
    }
}

#[sqlx::test]
async fn abilities_must_fit_the_study(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let abilities = toml::from_str("[conditions.natrual]\naccuracy = 0.7").unwrap();
    let wrong = weber::simulate::Plan { abilities, ..plan(3, "honest=1") };
    let Err(Trouble::Abilities(problems)) = run(&client(&server).await, &wrong, |_| ()).await else {
        panic!("it was taken");
    };
    let expected =
        "`conditions.natrual`: the study has no such condition, only synthetic, natural, mixed, blur, none";
    assert_eq!(problems, [expected]);
    assert_eq!(server.count("select count(*) from participants").await, 0);
}
