//! A small study and its people for tests: the shipped definition with two image sets and invented images.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::allocation::Claim;
#[cfg(test)]
use super::allocation::Slot;
use super::analysis::AnalysedPerson;
use super::exclusion::Policy;
use super::measures::{Measures, Tally};
use super::participant::{Participant, Stage};
use super::study::{Condition, Group, Mode, Platform, StoredTrial, StudyDefinition, StudyVersion};
use super::trial::{Difficulty, ImageId, KnownActivations, Trial, TrialKind};

/// The shipped `study.toml` with two image sets.
pub fn definition() -> StudyDefinition {
    let mut definition: StudyDefinition =
        toml::from_str(include_str!("../../stimuli/demo/study.toml")).expect("the shipped study can be read");
    definition.design.image_sets = 2;
    definition
}

/// A policy of the shipped study.
pub fn policy(name: &str) -> Policy {
    definition().policy(name).expect("the shipped study has this policy").clone()
}

/// The shipped design with invented trials.
pub fn version() -> StudyVersion {
    let definition = definition();
    let trials = definition.conditions.iter().flat_map(|condition| trials(condition, &definition));
    let trials = (1..).zip(trials).map(|(id, trial)| StoredTrial { id, trial }).collect();
    StudyVersion { id: 1, study_id: 1, number: 1, definition, trials, images: HashMap::new() }
}

fn trials(condition: &Condition, definition: &StudyDefinition) -> Vec<Trial> {
    let design = &definition.design;
    let mut rows = Vec::new();
    for image_set in 0..design.image_sets {
        for unit in 0..design.main_trials {
            rows.push(trial(condition, TrialKind::Main, None, Some(image_set), &format!("unit-{unit}")));
        }
    }
    for unit in 0..design.catch_trials {
        rows.push(trial(condition, TrialKind::Catch, None, None, &format!("catch-{unit}")));
    }
    if condition.practice {
        for n in 0..10 {
            let difficulty = if n < 3 { Difficulty::Obvious } else { Difficulty::Easy };
            rows.push(trial(
                condition,
                TrialKind::Practice,
                Some(difficulty),
                None,
                &format!("practice-{n}"),
            ));
        }
    }
    rows
}

fn trial(
    condition: &Condition,
    kind: TrialKind,
    difficulty: Option<Difficulty>,
    image_set: Option<u32>,
    unit: &str,
) -> Trial {
    let image = |name: &str| ImageId(format!("{}-{unit}-{image_set:?}-{name}", condition.name));
    let references = condition
        .references
        .iter()
        .map(|group| (0..group.count).map(|n| image(&format!("{}{n}", group.kind))).collect())
        .collect();
    Trial {
        condition: condition.name.clone(),
        kind,
        difficulty,
        image_set,
        unit: unit.into(),
        layer: "layer".into(),
        branch: "branch".into(),
        base: image("base"),
        max_query: image("max"),
        min_query: image("min"),
        references,
        known: KnownActivations::default(),
    }
}

/// The time so many seconds after the consent of the fixture's participants.
pub fn at(seconds: f64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::microseconds((seconds * 1e6) as i64)
}

/// A person who has just consented, in the condition `natural`.
pub fn participant() -> Participant {
    Participant {
        id: Uuid::nil(),
        study_id: 1,
        version_id: 1,
        link_id: 1,
        pseudonym: "p-fixture".into(),
        mode: Mode::Live,
        group: Group::Crowd,
        platform: Platform::Direct,
        condition: "natural".into(),
        image_set: 0,
        slot_id: Some(1),
        claim: Claim::Leased,
        stage: Stage::Consented,
        end_reason: None,
        screen: None,
        seed: 1,
        tab: 1,
        practice_attempt: 1,
        enrolled_at: at(0.0),
        leased_at: at(0.0),
        lease_until: at(300.0),
        last_seen_at: at(0.0),
        started_at: None,
        instructed_at: None,
        practised_at: None,
        running_at: None,
        ended_at: None,
        clock_ms: None,
        clock_at: None,
        clock_discrepancy_s: None,
        seen_ms: 0.0,
        instruction_ms: None,
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

/// The first slot of a condition, which no person has held yet.
#[cfg(test)]
pub fn slot(condition: &str) -> Slot {
    Slot {
        id: 1,
        condition: condition.into(),
        number: 1,
        image_set: 0,
        in_design: true,
        kept: false,
        live_lease: false,
        postings_used: 0,
        extra_postings: 0,
    }
}

/// A person who completed and passes every criterion.
pub fn person(condition: &str) -> AnalysedPerson {
    let tally =
        Tally { catch_correct: 3, catch_total: 3, left_answers: 10, right_answers: 11, ..Tally::default() };
    let measures = Measures {
        instruction_time: Some(60.0),
        total_time: Some(400.0),
        elapsed_time: Some(400.0),
        catch_correct: 3,
        catch_total: 3,
        left_answers: 10,
        right_answers: 11,
        practice_blocks: (condition != "none").then_some(1),
        clock_discrepancy: 0.0,
    };
    AnalysedPerson {
        id: uuid::Uuid::nil(),
        study: "demo".into(),
        study_version: 1,
        participant: "p-1".into(),
        mode: Mode::Live,
        condition: condition.into(),
        image_set: 0,
        slot: Some(1),
        posting: Some(1),
        platform: "direct".into(),
        stage: Stage::Complete,
        last_screen: None,
        group: Group::Crowd,
        late: false,
        clock_discrepancy: None,
        enrolled_at: at(0.0),
        started_at: Some(at(1.0)),
        completed_at: Some(at(401.0)),
        measures,
        tally,
        claim: Claim::Kept,
        end_reason: None,
        events: None,
        events_dropped: 0,
        browser: None,
        system: None,
        screen_width: None,
        screen_height: None,
        window_width: None,
        window_height: None,
        pixel_ratio: None,
        feedback: None,
        overridden: None,
    }
}
