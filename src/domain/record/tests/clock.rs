//! What a browser says about time is believed as far as the server saw time pass.

use super::*;
use crate::domain::exclusion::{Criterion, judge};
use crate::domain::measures::{Measures, Tally};
use crate::domain::study::{ClockCheck, Group};

const CHECK: ClockCheck = ClockCheck { discrepancy_s: 5.0 };

/// Somebody who tells when the server hears (s since consent) what their clock shows (s since Welcome): Welcome first, then the end
/// of the instructions, signs of life, and at last the press on Submit. What of the shipped policy they fail.
fn failed(told: &[(f64, f64)]) -> (Vec<Criterion>, Participant) {
    let mut story = Story::begin("none");
    let (submit, way) = told.split_last().unwrap();
    for (n, (heard, clock)) in way.iter().enumerate() {
        let step = [StepName::Welcome, StepName::Instructed].get(n);
        let step = step.map(|step| Step { step: *step, clock_ms: clock * 1000.0, load_wait: 0.0 }.into());
        story.now = heard - 10.0;
        story.tell(Record {
            tab: 1,
            clock_ms: clock * 1000.0,
            steps: step.into_iter().collect(),
            screen: Some(n.to_string()),
            ..Record::default()
        });
    }
    let mut person = story.person;
    person.total_ms = Some(submit.1 * 1000.0);
    person.total_bound_ms = person.believable_ms(submit.1 * 1000.0, &CHECK, at(submit.0));
    person.hear_clock(submit.1 * 1000.0, &CHECK, at(submit.0));
    let tally =
        Tally { catch_correct: 3, catch_total: 3, left_answers: 9, right_answers: 12, ..Tally::default() };
    let measures = Measures::new(&person.times(), &tally, false);
    (judge(&fixture::policy("as-analysed"), Group::Crowd, "none", &measures).failed().collect(), person)
}

#[test]
fn who_is_done_in_one_second_and_claims_three_minutes_fails() {
    let (reasons, person) = failed(&[(0.1, 0.0), (0.3, 60.0), (0.5, 100.0), (1.0, 182.0)]);
    assert_eq!(reasons, [Criterion::InstructionTime, Criterion::TotalTime, Criterion::ClockDiscrepancy]);
    assert!(person.clock_discrepancy_s.unwrap() > 180.0);
    // Nor does it help to have been at Welcome for three minutes by the time of the first message.
    let (reasons, _) = failed(&[(0.1, 180.0), (0.3, 180.0), (1.0, 182.0)]);
    assert_eq!(reasons, [Criterion::InstructionTime, Criterion::TotalTime, Criterion::ClockDiscrepancy]);
    // Who claims no more than what a policy lets pass by the clock is judged by the time that the server saw.
    let (reasons, _) = failed(&[(0.1, 0.0), (20.0, 20.0), (75.0, 100.0), (80.0, 100.0)]);
    assert_eq!(reasons, [Criterion::TotalTime]);
}

#[test]
fn honest_people_are_not_hurt_by_slow_networks_sleep_or_times_without_a_network() {
    let ways: [(&str, &[(f64, f64)]); 6] = [
        ("a good network", &[(2.0, 0.0), (20.0, 18.0), (60.0, 58.0), (97.0, 95.0)]),
        (
            "Welcome was 25 s under way, all else was not",
            &[(27.0, 0.0), (28.0, 16.0), (60.0, 58.0), (97.0, 95.0)],
        ),
        ("each message was 25 s under way", &[(27.0, 0.0), (43.0, 16.0), (85.0, 58.0), (122.0, 95.0)]),
        ("Welcome came when the network was back", &[(62.0, 60.0), (62.0, 60.0), (97.0, 95.0)]),
        ("all came at once, at the end", &[(97.0, 95.0), (97.0, 16.0), (97.0, 95.0), (98.0, 95.0)]),
        ("the computer slept for an hour", &[(2.0, 0.0), (20.0, 18.0), (3660.0, 58.0), (3697.0, 95.0)]),
    ];
    for (name, told) in ways {
        let (reasons, person) = failed(told);
        assert_eq!(reasons, [], "{name}");
        assert_eq!(person.times().total_ms, Some(95_000.0), "{name}");
        let measures = Measures::new(&person.times(), &Tally::default(), false);
        assert_eq!(measures.total_time, Some(95.0), "{name}: what the browser measured is what counts");
    }
}

#[test]
fn a_clock_that_stood_still_leaves_a_trace_and_one_that_ran_ahead_stays_on_record() {
    let (_, slept) = failed(&[(2.0, 0.0), (20.0, 18.0), (3660.0, 58.0), (3697.0, 95.0)]);
    assert_eq!(slept.clock_discrepancy_s, Some(-3600.0));
    let (_, slow) = failed(&[(2.0, 0.0), (45.0, 18.0), (85.0, 58.0), (122.0, 95.0)]);
    assert_eq!(slow.clock_discrepancy_s, None, "messages may be under way for so long");
    let (_, both) = failed(&[(2.0, 0.0), (20.0, 48.0), (3660.0, 58.0), (3697.0, 95.0)]);
    assert_eq!(both.clock_discrepancy_s, Some(30.0));
}

#[test]
fn while_the_servers_clock_steps_people_are_believed() {
    for steps in [[-3600.0, 86_400.0, -86_400.0], [86_400.0, -3600.0, -3600.0], [-3.0, -3.0, -3.0]] {
        let [one, two, three] = steps;
        let told =
            [(2.0, 0.0), (20.0 + one, 18.0), (60.0 + one + two, 58.0), (97.0 + one + two + three, 95.0)];
        assert_eq!(failed(&told).0, [], "{steps:?}");
    }
}

#[test]
fn simulated_people_do_not_wait_and_are_believed() {
    let mut person = fixture::participant();
    person.mode = crate::domain::study::Mode::Simulated;
    assert_eq!(person.believable_ms(1e6, &CHECK, at(1.0)), None);
}
