//! Each criterion fails alone, exactly at its bound.

use super::*;
use crate::domain::fixture;
use crate::domain::measures::{Tally, Times};

/// Measures that pass every criterion of both shipped policies in every condition.
fn good() -> Measures {
    Measures {
        instruction_time: Some(60.0),
        total_time: Some(400.0),
        elapsed_time: Some(400.0),
        catch_correct: 3,
        catch_total: 3,
        left_answers: 10,
        right_answers: 11,
        practice_blocks: Some(1),
        clock_discrepancy: 0.0,
    }
}

fn failed(policy: &str, condition: &str, measures: Measures) -> Vec<Criterion> {
    judge(&fixture::policy(policy), Group::Crowd, condition, &measures).failed().collect()
}

#[track_caller]
fn assert_edge(policy: &str, condition: &str, criterion: Criterion, inside: Measures, outside: Measures) {
    assert_eq!(failed(policy, condition, inside), [], "{policy} {condition} {criterion}: inside");
    assert_eq!(failed(policy, condition, outside), [criterion], "{policy} {condition} {criterion}: outside");
}

#[test]
fn a_clock_may_run_ahead_by_30_s_or_stay_behind_by_any_time() {
    let of = |s| {
        let times = Times { clock_discrepancy_s: s, ..Times::default() };
        let measured = Measures::new(&times, &Tally::default(), true).clock_discrepancy;
        Measures { clock_discrepancy: measured, ..good() }
    };
    for (policy, condition) in [("as-posted", "natural"), ("as-posted", "none"), ("as-analysed", "none")] {
        assert_edge(policy, condition, Criterion::ClockDiscrepancy, of(Some(30.0)), of(Some(30.001)));
        assert_eq!(failed(policy, condition, of(None)), []);
        assert_eq!(failed(policy, condition, of(Some(-3600.0))), []);
    }
}

#[test]
fn a_policy_from_before_a_criterion_does_not_apply_it_and_keeps_its_hash() {
    let document = r#"{"name":"old","criteria":{"total_time":{"min":90.0,"max":900.0}},"conditions":{}}"#;
    let policy: Policy = serde_json::from_str(document).unwrap();
    assert_eq!(serde_json::to_string(&policy).unwrap(), document);
    assert_eq!(policy.sha256(), "e4ff71374137dbb2cd087148dcf839024d7d6aeb6a274a6803e1e69bddb79def");
    let verdict = judge(&policy, Group::Crowd, "natural", &Measures { clock_discrepancy: 1e6, ..good() });
    assert_eq!((verdict.passed(), verdict.pass(Criterion::ClockDiscrepancy)), (true, None));
}

#[test]
fn a_good_participation_passes_everywhere() {
    for policy in ["as-posted", "as-analysed"] {
        for condition in ["synthetic", "natural", "mixed", "blur", "none"] {
            assert_eq!(failed(policy, condition, good()), []);
        }
    }
}

#[test]
fn instruction_time_has_a_lower_bound() {
    let of = |s| Measures { instruction_time: Some(s), ..good() };
    for (policy, condition, bound) in [
        ("as-posted", "natural", 20.0),
        ("as-posted", "none", 15.0),
        ("as-analysed", "blur", 15.0),
        ("as-analysed", "none", 15.0),
    ] {
        assert_edge(policy, condition, Criterion::InstructionTime, of(bound), of(bound - 0.001));
    }
}

#[test]
fn total_time_has_two_bounds() {
    let of = |s| Measures { total_time: Some(s), ..good() };
    for (policy, condition, min, max) in [
        ("as-posted", "synthetic", 90.0, 900.0),
        ("as-posted", "none", 40.0, 900.0),
        ("as-analysed", "mixed", 90.0, 900.0),
        ("as-analysed", "none", 90.0, 900.0),
    ] {
        assert_edge(policy, condition, Criterion::TotalTime, of(min), of(min - 0.001));
        assert_edge(policy, condition, Criterion::TotalTime, of(max), of(max + 0.001));
    }
}

#[test]
fn two_of_three_catch_trials_must_be_correct() {
    let of = |n| Measures { catch_correct: n, ..good() };
    for condition in ["natural", "none"] {
        assert_edge("as-posted", condition, Criterion::CatchTrials, of(2), of(1));
    }
}

#[test]
fn each_side_must_be_chosen_at_least_once() {
    let of = |left, right| Measures { left_answers: left, right_answers: right, ..good() };
    for condition in ["natural", "none"] {
        assert_edge("as-posted", condition, Criterion::AnswerVariability, of(1, 20), of(0, 21));
        assert_edge("as-posted", condition, Criterion::AnswerVariability, of(20, 1), of(21, 0));
    }
}

#[test]
fn at_most_five_practice_blocks_pass_and_the_condition_none_has_no_practice() {
    let of = |n| Measures { practice_blocks: Some(n), ..good() };
    assert_edge("as-posted", "natural", Criterion::PracticeBlocks, of(5), of(6));
    assert_eq!(failed("as-posted", "none", Measures { practice_blocks: None, ..good() }), []);
}

#[test]
fn a_value_that_could_not_be_measured_does_not_pass() {
    let unmeasured = Measures { instruction_time: None, ..good() };
    assert_eq!(failed("as-posted", "natural", unmeasured), [Criterion::InstructionTime]);
    let no_catch = Measures { catch_total: 0, catch_correct: 0, ..good() };
    assert_eq!(failed("as-posted", "natural", no_catch), [Criterion::CatchTrials]);
}

#[test]
fn a_criterion_that_is_off_has_no_result() {
    let mut policy = fixture::policy("as-posted");
    policy.criteria.insert(Criterion::TotalTime, Setting::Off(Off::Off));
    let verdict = judge(&policy, Group::Crowd, "natural", &Measures { total_time: Some(1.0), ..good() });
    assert!(verdict.passed());
    assert_eq!(verdict.pass(Criterion::TotalTime), None);
    assert_eq!(verdict.pass(Criterion::InstructionTime), Some(true));
}

#[test]
fn a_policy_reads_from_toml_and_its_hash_follows_its_content() {
    let policy = fixture::policy("as-posted");
    assert_eq!(policy.bounds(Group::Crowd, "none", Criterion::PracticeBlocks), None);
    assert_eq!(
        policy.bounds(Group::Crowd, "none", Criterion::TotalTime),
        Some(Bounds { min: Some(40.0), max: Some(900.0) })
    );
    let mut other = policy.clone();
    assert_eq!(policy.sha256(), other.sha256());
    other.criteria.insert(Criterion::PracticeBlocks, Setting::Within(Bounds { min: None, max: Some(6.0) }));
    assert_ne!(policy.sha256(), other.sha256());
    assert!(toml::from_str::<Policy>("name='x'\n[criteria]\ntotal_time={ minimum = 3 }").is_err());
    assert!(toml::from_str::<Policy>("name='x'\n[criteria]\ntotal_tim={ min = 3 }").is_err());
}

#[test]
fn bounds_that_no_value_can_meet_are_found_with_criterion_and_condition() {
    let found = |text: &str| {
        let policy: Policy = toml::from_str(&format!("name = 'p'\n{text}")).unwrap();
        policy.unusable().map(|unusable| unusable.to_string())
    };
    for (usable, text) in [
        (true, "[criteria]\ncatch_trials = { min = 1 }"),
        (false, "[criteria]\ncatch_trials = { min = 60 }"),
        (true, "[criteria]\ntotal_time = { min = 60, max = 60 }"),
        (false, "[criteria]\ntotal_time = { max = -1 }"),
        (false, "[criteria]\ntotal_time = {}"),
        (true, "[criteria]\ntotal_time = 'off'"),
    ] {
        assert_eq!(found(text).is_none(), usable, "{text}");
    }
    assert_eq!(
        found("[criteria]\n[conditions.none]\ntotal_time = { min = 900, max = 100 }").unwrap(),
        "bounds for total_time in none that nothing can meet: at least 900 and at most 100"
    );
}

#[test]
fn policies_judge_alike_despite_other_names_and_criteria_that_are_off() {
    let policy = |text: &str| toml::from_str::<Policy>(&format!("name = 'p'\n[criteria]\n{text}")).unwrap();
    let base = policy("total_time = { max = 900 }");
    let alike = [
        "total_time = { max = 900 }\ncatch_trials = 'off'",
        "total_time = { max = 900 }\n[conditions.none]\ncatch_trials = 'off'",
        "total_time = { max = 900 }\n[conditions.none]\ntotal_time = { max = 900 }",
    ];
    for text in alike {
        let other = Policy { name: "other".into(), ..policy(text) };
        assert!(base.judges_like(&other) && other.judges_like(&base), "{text}");
    }
    for text in [
        "",
        "total_time = { max = 901 }",
        "total_time = { max = 900 }\n[conditions.none]\ntotal_time = 'off'",
    ] {
        assert!(!base.judges_like(&policy(text)) && !policy(text).judges_like(&base), "{text}");
    }
}

#[test]
fn experts_are_judged_by_the_crowds_criteria_by_their_own_or_by_none() {
    let policy = |text: &str| {
        let criteria =
            "[criteria]\ntotal_time = { max = 300 }\n[conditions.none]\ntotal_time = { max = 500 }\n";
        toml::from_str::<Policy>(&format!("name = 'p'\n{criteria}{text}")).unwrap()
    };
    let own =
        "[experts.criteria]\ncatch_trials = { min = 1 }\n[experts.conditions.none]\ncatch_trials = 'off'";
    let judged = |text: &str, group, condition: &str| {
        let measures = Measures { total_time: Some(400.0), catch_correct: 2, ..good() };
        judge(&policy(text), group, condition, &measures).failed().collect::<Vec<_>>()
    };
    for (text, by, in_natural) in [
        ("", ExpertsBy::Crowd, vec![Criterion::TotalTime]),
        ("[experts]", ExpertsBy::Nothing, vec![]),
        ("[experts.criteria]\ntotal_time = 'off'", ExpertsBy::Nothing, vec![]),
        (own, ExpertsBy::Own, vec![Criterion::CatchTrials]),
    ] {
        assert_eq!(policy(text).experts_by(), by, "{text}");
        assert_eq!(judged(text, Group::Expert, "natural"), in_natural, "{text}");
        assert_eq!(judged(text, Group::Expert, "none"), [], "{text}");
        assert_eq!(judged(text, Group::Crowd, "natural"), [Criterion::TotalTime], "{text}");
        assert_eq!(policy(text).judges_like(&policy("")), by == ExpertsBy::Crowd, "{text}");
    }
    assert!(policy("[experts]").judges_like(&policy("[experts.criteria]\ntotal_time = 'off'")));
    let unusable = policy("[experts.conditions.none]\ncatch_trials = { min = 3 }").unusable().unwrap();
    let words = "bounds for catch_trials in none of experts that nothing can meet: at least 3";
    assert_eq!(unusable.to_string(), words);
}

#[test]
fn a_policy_that_does_not_mention_experts_keeps_its_document_and_hash() {
    let text = "name = 'p'\n[criteria]\ntotal_time = { max = 900 }\n[conditions.none]\ntotal_time = 'off'";
    let policy: Policy = toml::from_str(text).unwrap();
    let document =
        r#"{"name":"p","criteria":{"total_time":{"max":900.0}},"conditions":{"none":{"total_time":"off"}}}"#;
    assert_eq!(serde_json::to_string(&policy).unwrap(), document);
    assert_eq!(policy.sha256(), hex::encode(<sha2::Sha256 as sha2::Digest>::digest(document)));
    let with = Policy { experts: Some(Rules::default()), ..policy.clone() };
    assert_ne!(with.sha256(), policy.sha256());
    assert_eq!(serde_json::from_str::<Policy>(&serde_json::to_string(&with).unwrap()).unwrap(), with);
}
