//! Measures, with criterion, the pure functions that a server calls for every person, answer or page. `script/bench functions`
//! makes the study for them: the demo with its ten image sets.

#![expect(clippy::expect_used, reason = "a measurement that fails ends with its error")]

use std::hint::black_box;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use uuid::Uuid;
use weber::domain::allocation::{Claim, Slot, choose};
use weber::domain::exclusion::judge;
use weber::domain::measures::Measures;
use weber::domain::participant::{Participant, Stage};
use weber::domain::record::{Record, StoredTrials, apply};
use weber::domain::results::{MainAnswer, Results};
use weber::domain::schedule::draw_main;
use weber::domain::study::{Group, Mode, Platform, StoredTrial, StudyVersion};
use weber::study_folder;

fn version() -> StudyVersion {
    let folder =
        PathBuf::from(std::env::var("WEBER_BENCH_STUDY").expect("script/bench sets WEBER_BENCH_STUDY"));
    let study = study_folder::read(&folder).expect("the demo has no fault");
    let trials = (1..).zip(study.trials).map(|(id, trial)| StoredTrial { id, trial }).collect();
    let images = Default::default();
    StudyVersion { id: 1, study_id: 1, number: 1, definition: study.definition, trials, images }
}

/// A person at the first main trial.
fn participant(now: DateTime<Utc>) -> Participant {
    Participant {
        id: Uuid::nil(),
        study_id: 1,
        version_id: 1,
        link_id: 1,
        pseudonym: "p-bench".into(),
        mode: Mode::Live,
        group: Group::Crowd,
        platform: Platform::Direct,
        condition: "natural".into(),
        image_set: 3,
        slot_id: Some(1),
        claim: Claim::Leased,
        stage: Stage::Running,
        end_reason: None,
        screen: None,
        seed: 1,
        tab: 1,
        practice_attempt: 1,
        enrolled_at: now,
        leased_at: now,
        lease_until: now + TimeDelta::minutes(30),
        last_seen_at: now,
        started_at: Some(now),
        instructed_at: Some(now),
        practised_at: Some(now),
        running_at: Some(now),
        ended_at: None,
        clock_ms: Some(60_000.0),
        clock_at: Some(now),
        clock_discrepancy_s: None,
        seen_ms: 0.0,
        instruction_ms: Some(50_000.0),
        instruction_bound_ms: None,
        instruction_load_wait_ms: 0.0,
        total_ms: None,
        total_bound_ms: None,
        events_dropped: 0,
        posting: None,
        passed: None,
        late: false,
    }
}

fn enrolment(c: &mut Criterion) {
    let version = version();
    let postings = version.definition.design.postings_per_slot;
    let design = &version.definition;
    let mut id = 0;
    let slots: Vec<Slot> = design
        .conditions
        .iter()
        .flat_map(|condition| (1..=design.design.slots_per_condition).map(move |number| (condition, number)))
        .map(|(condition, number)| {
            id += 1;
            let image_set = design.image_set_of_slot(number);
            let kept = number % 3 == 0;
            let (condition, live_lease) = (condition.name.clone(), number % 3 == 1);
            Slot {
                id,
                condition,
                number,
                image_set,
                in_design: true,
                kept,
                live_lease,
                postings_used: 0,
                extra_postings: 0,
            }
        })
        .collect();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    c.bench_function("choose a slot of 250", |b| {
        b.iter(|| choose(black_box(&slots), postings, |_| true, &mut rng).map(|slot| slot.id))
    });
    let mut seed = 0;
    c.bench_function("draw the main block of one person", |b| {
        b.iter(|| {
            seed += 1;
            draw_main(black_box(&version), "natural", 3, seed)
        })
    });
}

fn answers(c: &mut Criterion) {
    let version = version();
    let now = DateTime::UNIX_EPOCH;
    let mut stored = StoredTrials::default();
    stored.schedule(&draw_main(&version, "natural", 3, 1));
    let record: Record = serde_json::from_value(serde_json::json!({
        "tab": 1, "clock_ms": 64_000.0, "screen": "main:1",
        "answers": [{ "block": "main", "attempt": 1, "trial_index": 1, "response": 4, "rt": 2345.6, "time_elapsed": 63_000.0,
                      "input": "mouse", "presentations": 1, "hidden_ms": 0.0, "load_wait": 0.0, "display_scale": 1.0 }],
    }))
    .expect("a record");
    c.bench_function("decide one answer", |b| {
        b.iter_batched(
            || (participant(now), stored.clone()),
            |(mut person, mut stored)| apply(&mut person, &version.definition, &record, &mut stored, now),
            BatchSize::SmallInput,
        )
    });
    let policy = version.definition.policy("as-posted").expect("the demo has this policy");
    let measures = Measures {
        instruction_time: Some(60.0),
        total_time: Some(400.0),
        elapsed_time: Some(400.0),
        catch_correct: 3,
        catch_total: 3,
        left_answers: 10,
        right_answers: 11,
        practice_blocks: Some(1),
        clock_discrepancy: 0.0,
    };
    c.bench_function("judge one person", |b| {
        b.iter(|| judge(policy, Group::Crowd, "natural", black_box(&measures)))
    });
}

/// The main trials of 50 people in each condition, who are right in two of three.
fn kept_answers(version: &StudyVersion) -> Vec<MainAnswer> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let design = &version.definition;
    let mut answers = Vec::new();
    for condition in &design.conditions {
        for slot in 1..=design.design.slots_per_condition {
            let (person, image_set) = (Uuid::from_u128(rng.random()), design.image_set_of_slot(slot));
            for StoredTrial { id, trial } in version.main_trials(&condition.name, image_set) {
                answers.push(MainAnswer {
                    person,
                    group: Group::Crowd,
                    condition: condition.name.clone(),
                    image_set: image_set as i32,
                    place: *id,
                    unit: trial.unit.clone(),
                    layer: trial.layer.clone(),
                    branch: trial.branch.clone(),
                    correct: rng.random_bool(0.67),
                    confidence: rng.random_range(1..=3),
                    rt: Some(rng.random_range(1_000.0..9_000.0)),
                    difference: Some(rng.random()),
                    baselines: std::array::from_fn(|_| Some(rng.random_bool(0.6))),
                });
            }
        }
    }
    answers
}

fn results(c: &mut Criterion) {
    let version = version();
    let answers = kept_answers(&version);
    let conditions: Vec<String> =
        version.definition.conditions.iter().map(|each| each.name.clone()).collect();
    let mut group = c.benchmark_group("results");
    group.sample_size(20);
    group.bench_function("all results of 250 people, 10,000 resamples", |b| {
        b.iter(|| Results::new(black_box(&answers), &conditions, 3))
    });
    group.finish();
}

criterion_group!(benches, enrolment, answers, results);
criterion_main!(benches);
