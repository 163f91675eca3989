//! The server accepts a browser's times up to the time that it measured itself.

use super::*;
use crate::domain::exclusion::{Criterion, judge};
use crate::domain::measures::{Measures, Tally};
use crate::domain::study::{ClockCheck, Group};

const CHECK: ClockCheck = ClockCheck { discrepancy_s: 5.0 };

/// The criteria of the shipped policy that a person fails who sends these messages: Welcome, the end of the instructions, signs of life,
/// and the press on Submit. Each has the time when the server receives it (s since consent) and the browser's clock (s since Welcome).
fn failed(messages: &[(f64, f64)]) -> (Vec<Criterion>, Participant) {
    let mut story = Story::begin("none");
    let (submit, others) = messages.split_last().unwrap();
    for (n, (received, clock)) in others.iter().enumerate() {
        let step = [StepName::Welcome, StepName::Instructed].get(n);
        let step = step.map(|step| Step { step: *step, clock_ms: clock * 1000.0, load_wait: 0.0 }.into());
        story.now = received - 10.0;
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
fn a_person_who_needs_one_second_and_reports_three_minutes_fails() {
    let (reasons, person) = failed(&[(0.1, 0.0), (0.3, 60.0), (0.5, 100.0), (1.0, 182.0)]);
    assert_eq!(reasons, [Criterion::InstructionTime, Criterion::TotalTime, Criterion::ClockDiscrepancy]);
    assert!(person.clock_discrepancy_s.unwrap() > 180.0);
    // The same is true if the first message already says that Welcome was three minutes ago.
    let (reasons, _) = failed(&[(0.1, 180.0), (0.3, 180.0), (1.0, 182.0)]);
    assert_eq!(reasons, [Criterion::InstructionTime, Criterion::TotalTime, Criterion::ClockDiscrepancy]);
    // If the clock runs ahead by less than the policy's bound, the time that the server measured is judged.
    let (reasons, _) = failed(&[(0.1, 0.0), (20.0, 20.0), (75.0, 100.0), (80.0, 100.0)]);
    assert_eq!(reasons, [Criterion::TotalTime]);
}

#[test]
fn slow_networks_sleep_and_network_failures_do_not_exclude_honest_people() {
    let cases: [(&str, &[(f64, f64)]); 6] = [
        ("a good network", &[(2.0, 0.0), (20.0, 18.0), (60.0, 58.0), (97.0, 95.0)]),
        (
            "the message of Welcome took 25 s, the others did not",
            &[(27.0, 0.0), (28.0, 16.0), (60.0, 58.0), (97.0, 95.0)],
        ),
        ("each message took 25 s", &[(27.0, 0.0), (43.0, 16.0), (85.0, 58.0), (122.0, 95.0)]),
        ("the message of Welcome came after a network failure", &[(62.0, 60.0), (62.0, 60.0), (97.0, 95.0)]),
        ("all messages came at the end", &[(97.0, 95.0), (97.0, 16.0), (97.0, 95.0), (98.0, 95.0)]),
        ("the computer slept for an hour", &[(2.0, 0.0), (20.0, 18.0), (3660.0, 58.0), (3697.0, 95.0)]),
    ];
    for (name, messages) in cases {
        let (reasons, person) = failed(messages);
        assert_eq!(reasons, [], "{name}");
        assert_eq!(person.times().total_ms, Some(95_000.0), "{name}");
        let measures = Measures::new(&person.times(), &Tally::default(), false);
        assert_eq!(measures.total_time, Some(95.0), "{name}: the browser's time counts");
    }
}

#[test]
fn a_clock_that_stopped_is_recorded_unless_it_also_ran_ahead() {
    let (_, slept) = failed(&[(2.0, 0.0), (20.0, 18.0), (3660.0, 58.0), (3697.0, 95.0)]);
    assert_eq!(slept.clock_discrepancy_s, Some(-3600.0));
    let (_, slow) = failed(&[(2.0, 0.0), (45.0, 18.0), (85.0, 58.0), (122.0, 95.0)]);
    assert_eq!(slow.clock_discrepancy_s, None, "a message may take so long");
    let (_, both) = failed(&[(2.0, 0.0), (20.0, 48.0), (3660.0, 58.0), (3697.0, 95.0)]);
    assert_eq!(both.clock_discrepancy_s, Some(30.0));
}

#[test]
fn the_browsers_clock_is_accepted_when_the_servers_clock_is_set() {
    for steps in [[-3600.0, 86_400.0, -86_400.0], [86_400.0, -3600.0, -3600.0], [-3.0, -3.0, -3.0]] {
        let [one, two, three] = steps;
        let messages =
            [(2.0, 0.0), (20.0 + one, 18.0), (60.0 + one + two, 58.0), (97.0 + one + two + three, 95.0)];
        assert_eq!(failed(&messages).0, [], "{steps:?}");
    }
}

#[test]
fn the_times_of_simulated_people_have_no_limit() {
    let mut person = fixture::participant();
    person.mode = crate::domain::study::Mode::Simulated;
    assert_eq!(person.believable_ms(1e6, &CHECK, at(1.0)), None);
}
