mod bounds;
mod clock;
mod parts;

use super::*;
use crate::domain::fixture;
use crate::domain::fixture::at;
use crate::domain::schedule::{draw_at_consent, draw_practice};
use crate::domain::trial::Input;

/// A person with their stored data, who sends records.
struct Story {
    person: Participant,
    stored: StoredTrials,
    definition: StudyDefinition,
    now: f64,
}

impl Story {
    fn begin(condition: &str) -> Self {
        let version = fixture::version();
        let mut person = fixture::participant();
        person.condition = condition.into();
        let mut stored = StoredTrials::default();
        stored.schedule(&draw_at_consent(&version, condition, 0, 1));
        Self { person, stored, definition: version.definition, now: 0.0 }
    }

    /// Applies a record ten seconds later. The clock of the page is right, unless the record has one.
    fn tell(&mut self, mut record: Record) -> RecordOutcome {
        self.now += 10.0;
        if let (0.0, Some(started_at)) = (record.clock_ms, self.person.started_at) {
            record.clock_ms = (at(self.now) - started_at).as_seconds_f64() * 1000.0;
        }
        let outcome = apply(&mut self.person, &self.definition, &record, &mut self.stored, at(self.now));
        if let Some(attempt) = outcome.draw_practice {
            let drawn = draw_practice(&fixture::version(), &self.person.condition, attempt, 1);
            self.stored.schedule(&drawn);
        }
        outcome
    }

    fn step(&mut self, step: StepName) -> StepReply {
        let step = Step { step, clock_ms: self.now * 1000.0, load_wait: 0.0 };
        self.tell(Record { tab: 1, steps: vec![step.into()], ..Record::default() }).steps.remove(0)
    }

    fn answer(&mut self, answer: Answer) -> (RecordOutcome, AnswerReply) {
        let outcome = self.tell(Record { tab: 1, answers: vec![answer.into()], ..Record::default() });
        let reply = outcome.answers[0].clone();
        (outcome, reply)
    }

    /// Answers a trial correctly or not, with confidence 2.
    fn choose(
        &mut self,
        block: Block,
        attempt: u16,
        trial_index: u16,
        right: bool,
    ) -> (RecordOutcome, AnswerReply) {
        let max_side = self.stored.scheduled[&Place { block, attempt, trial_index }];
        let side = if right { max_side } else { max_side.other() };
        self.answer(Answer {
            response: if side == Side::Left { 1 } else { 4 },
            ..answer(block, attempt, trial_index)
        })
    }

    fn practise(&mut self, attempt: u16, right: bool) -> RecordOutcome {
        (1..=4).map(|index| self.choose(Block::Practice, attempt, index, right).0).last().unwrap()
    }

    fn until_main(condition: &str) -> Self {
        let mut story = Self::begin(condition);
        assert!(story.step(StepName::Welcome).taken);
        assert!(story.step(StepName::Instructed).taken);
        if story.definition.condition(condition).unwrap().practice {
            story.practise(1, true);
        }
        assert!(story.step(StepName::Main).taken);
        story
    }
}

fn answer(block: Block, attempt: u16, trial_index: u16) -> Answer {
    Answer {
        block,
        attempt,
        trial_index,
        response: 0,
        rt: Some(1234.5),
        continue_rt: None,
        time_elapsed: 60_000.0,
        input: Input::Mouse,
        presentations: 1,
        hidden_ms: 0.0,
        load_wait: 0.0,
        display_scale: 1.0,
        device_scale: Some(1.25),
        frame_ms: Some(16.7),
        pointerdown_rt: Some(1134.5),
        continue_hidden_ms: None,
    }
}

fn refusal(reply: &AnswerReply) -> Option<Refusal> {
    assert_eq!(reply.status == AnswerStatus::Refused, reply.code.is_some());
    reply.code
}

#[test]
fn with_references_practice_follows_the_instructions() {
    let mut story = Story::begin("natural");
    assert!(story.step(StepName::Welcome).taken);
    assert_eq!(story.person.stage, Stage::Consented);
    assert!(story.step(StepName::Instructed).taken);
    assert_eq!(story.person.stage, Stage::Instructed);
    assert_eq!(story.step(StepName::Main).code, Some(Refusal::TooEarly));
    story.practise(1, true);
    assert_eq!(story.person.stage, Stage::Practised);
    assert!(story.step(StepName::Main).taken);
    assert_eq!(story.person.stage, Stage::Running);
}

#[test]
fn without_references_the_main_trials_follow_the_instructions() {
    let story = Story::until_main("none");
    assert_eq!(story.person.stage, Stage::Running);
    assert_eq!(story.person.practised_at, None);
}

#[test]
fn steps_need_the_previous_ones_and_count_once() {
    let mut story = Story::begin("natural");
    assert_eq!(story.step(StepName::Instructed).code, Some(Refusal::TooEarly));
    story.step(StepName::Welcome);
    let started = story.person.started_at;
    story.step(StepName::Instructed);
    let instructed = story.person.instruction_ms;
    assert!(story.step(StepName::Welcome).taken);
    assert!(story.step(StepName::Instructed).taken);
    assert_eq!((story.person.started_at, story.person.instruction_ms), (started, instructed));
    let invalid = Step { step: StepName::Main, clock_ms: f64::NAN, load_wait: 0.0 };
    let outcome = story.tell(Record { tab: 1, steps: vec![invalid.into()], ..Record::default() });
    assert_eq!(outcome.steps[0].code, Some(Refusal::Invalid));
}

#[test]
fn a_practice_block_with_a_mistake_is_repeated_with_a_new_draw() {
    let mut story = Story::begin("natural");
    story.step(StepName::Welcome);
    story.step(StepName::Instructed);
    for index in 1..=3 {
        assert_eq!(story.choose(Block::Practice, 1, index, index != 2).1.correct, Some(index != 2));
    }
    let (last, reply) = story.choose(Block::Practice, 1, 4, true);
    assert_eq!(reply.correct, Some(true));
    assert_eq!((last.draw_practice, story.person.practice_attempt), (Some(2), 2));
    assert_eq!(story.person.stage, Stage::Instructed);
    assert_eq!(story.practise(2, true).draw_practice, None);
    assert_eq!(story.person.stage, Stage::Practised);
}

#[test]
fn main_trials_never_tell_whether_an_answer_was_correct() {
    let mut story = Story::until_main("natural");
    let (outcome, reply) = story.choose(Block::Main, 1, 1, true);
    assert_eq!(reply.correct, None);
    assert!(!serde_json::to_string(&reply).unwrap().contains("correct"));
    assert!(outcome.responses[0].correct);
    let (outcome, _) = story.choose(Block::Main, 1, 2, false);
    assert!(!outcome.responses[0].correct);
}

#[test]
fn the_stored_confidence_is_the_label_of_the_button() {
    let mut story = Story::until_main("natural");
    for (trial_index, response, side, confidence) in
        [(1, 0, Side::Left, 3), (2, 2, Side::Left, 1), (3, 3, Side::Right, 1), (4, 5, Side::Right, 3)]
    {
        let (outcome, _) = story.answer(Answer { response, ..answer(Block::Main, 1, trial_index) });
        let stored = &outcome.responses[0];
        assert_eq!((stored.choice_side, stored.confidence), (side, confidence));
    }
}

#[test]
fn the_same_answer_twice_is_stored_once_and_adds_the_time_to_continue() {
    let mut story = Story::until_main("none");
    assert_eq!(story.answer(answer(Block::Main, 1, 1)).1.status, AnswerStatus::Stored);
    let (again, reply) = story.answer(answer(Block::Main, 1, 1));
    assert_eq!(reply.status, AnswerStatus::Same);
    assert!(again.responses.is_empty() && again.continued.is_empty() && again.events.is_empty());
    let pressed =
        Answer { continue_rt: Some(800.0), continue_hidden_ms: Some(250.0), ..answer(Block::Main, 1, 1) };
    let (later, reply) = story.answer(pressed);
    assert_eq!(reply.status, AnswerStatus::Same);
    let place = answer(Block::Main, 1, 1).place();
    assert_eq!(later.continued, [Continued { place, rt: 800.0, hidden_ms: Some(250.0) }]);
    let (changed, _) = story.answer(Answer { continue_rt: Some(900.0), ..answer(Block::Main, 1, 1) });
    assert!(changed.continued.is_empty(), "a known time does not change");
}

#[test]
fn a_different_second_answer_is_refused_and_recorded() {
    let mut story = Story::until_main("none");
    story.answer(answer(Block::Main, 1, 1));
    let (outcome, reply) = story.answer(Answer { response: 5, ..answer(Block::Main, 1, 1) });
    assert_eq!(refusal(&reply), Some(Refusal::Conflict));
    assert!(outcome.responses.is_empty());
    assert_eq!(outcome.events[0].kind, EventKind::AnswerConflict);
    assert_eq!(outcome.events[0].detail["stored_response"], 0);
    assert_eq!(outcome.events[0].detail["refused_response"], 5);
}

#[test]
fn the_same_answer_twice_within_one_record_is_stored_once() {
    let mut story = Story::until_main("none");
    let answers = vec![answer(Block::Main, 1, 1).into(), answer(Block::Main, 1, 1).into()];
    let outcome = story.tell(Record { tab: 1, answers, ..Record::default() });
    assert_eq!(outcome.responses.len(), 1);
    assert_eq!(outcome.answers[1].status, AnswerStatus::Same);
}

#[test]
fn answers_to_trials_that_are_not_due_are_refused() {
    let mut story = Story::begin("natural");
    assert_eq!(refusal(&story.answer(answer(Block::Practice, 1, 1)).1), Some(Refusal::TooEarly));
    assert_eq!(refusal(&story.answer(answer(Block::Main, 1, 1)).1), Some(Refusal::TooEarly));
    let mut story = Story::until_main("natural");
    assert_eq!(refusal(&story.answer(answer(Block::Main, 1, 22)).1), Some(Refusal::NoSuchTrial));
    assert_eq!(refusal(&story.answer(answer(Block::Practice, 2, 1)).1), Some(Refusal::NoSuchTrial));
    story.person.stage = Stage::Complete;
    assert_eq!(refusal(&story.answer(answer(Block::Main, 1, 1)).1), Some(Refusal::Ended));
}

#[test]
fn a_client_need_not_send_what_it_does_not_measure() {
    let sent = json!({
        "block": "main", "attempt": 1, "trial_index": 1, "response": 0, "rt": 1234.5, "time_elapsed": 60_000.0,
        "input": "mouse", "presentations": 1, "hidden_ms": 0, "load_wait": 0, "display_scale": 1.0,
    });
    let sent: Answer = serde_json::from_value(sent).unwrap();
    let unknown =
        Answer { device_scale: None, frame_ms: None, pointerdown_rt: None, ..answer(Block::Main, 1, 1) };
    assert_eq!(sent, unknown);
    assert_eq!(Story::until_main("natural").answer(sent).1.status, AnswerStatus::Stored);
}

#[test]
fn values_out_of_range_are_refused_with_their_name() {
    let mut story = Story::until_main("natural");
    let good = || answer(Block::Main, 1, 1);
    let bad = [
        ("response", Answer { response: 6, ..good() }),
        ("rt", Answer { rt: Some(-1.0), ..good() }),
        ("continue_rt", Answer { continue_rt: Some(f64::INFINITY), ..good() }),
        ("time_elapsed", Answer { time_elapsed: f64::NAN, ..good() }),
        ("hidden_ms", Answer { hidden_ms: -0.1, ..good() }),
        ("load_wait", Answer { load_wait: 1e12, ..good() }),
        ("presentations", Answer { presentations: 0, ..good() }),
        ("display_scale", Answer { display_scale: 1.01, ..good() }),
        ("display_scale", Answer { display_scale: 0.0, ..good() }),
        ("device_scale", Answer { device_scale: Some(0.0), ..good() }),
        ("device_scale", Answer { device_scale: Some(100.1), ..good() }),
        ("frame_ms", Answer { frame_ms: Some(0.0), ..good() }),
        ("frame_ms", Answer { frame_ms: Some(10_000.1), ..good() }),
        ("pointerdown_rt", Answer { pointerdown_rt: Some(-0.1), ..good() }),
        ("continue_hidden_ms", Answer { continue_hidden_ms: Some(f64::NAN), ..good() }),
    ];
    for (name, answer) in bad {
        let (outcome, reply) = story.answer(answer);
        assert_eq!(refusal(&reply), Some(Refusal::Invalid));
        assert!(reply.detail.unwrap().contains(name), "{name}");
        assert!(outcome.responses.is_empty());
    }
    assert_eq!(story.answer(Answer { rt: None, ..good() }).1.status, AnswerStatus::Stored);
}

#[test]
fn an_invalid_answer_does_not_affect_a_valid_one() {
    let mut story = Story::until_main("natural");
    let answers =
        vec![Answer { response: 9, ..answer(Block::Main, 1, 1) }.into(), answer(Block::Main, 1, 2).into()];
    let outcome = story.tell(Record { tab: 1, answers, ..Record::default() });
    assert_eq!(
        outcome.answers.iter().map(|a| a.status).collect::<Vec<_>>(),
        [AnswerStatus::Refused, AnswerStatus::Stored]
    );
}

#[test]
fn answers_of_a_superseded_tab_are_stored_but_its_screen_is_not() {
    let mut story = Story::until_main("natural");
    story.person.tab = 2;
    story.person.screen = Some("main:2".into());
    let record = Record {
        tab: 1,
        answers: vec![answer(Block::Main, 1, 1).into()],
        screen: Some("main:1".into()),
        ..Record::default()
    };
    assert_eq!(story.tell(record).answers[0].status, AnswerStatus::Stored);
    assert_eq!(story.person.screen.as_deref(), Some("main:2"));
}

#[test]
fn events_keep_their_time_and_a_browser_cannot_send_those_of_the_server() {
    let mut story = Story::begin("natural");
    let event = |seq, kind| Event { seq, kind, at: Some(5.0), detail: json!({ "a": 1 }) };
    let events = vec![event(1, EventKind::FocusLoss).into(), event(2, EventKind::Reload).into()];
    let outcome = story.tell(Record { tab: 1, events, ..Record::default() });
    let expected = NewEvent {
        source: Some((1, 1)),
        kind: EventKind::FocusLoss,
        at_ms: Some(5.0),
        detail: json!({ "a": 1 }),
    };
    assert_eq!(outcome.events, [expected]);
    let long = Event { detail: json!({ "message": "x".repeat(3000) }), ..event(3, EventKind::ProgramError) };
    let outcome = story.tell(Record { tab: 1, events: vec![long.into()], ..Record::default() });
    assert_eq!(outcome.events[0].detail, json!({ "too_long": true }));
}

#[test]
fn an_empty_record_is_a_sign_of_life() {
    let mut story = Story::until_main("natural");
    let before = story.person.lease_until;
    story.now += 5.0;
    assert!(story.tell(Record { tab: 1, ..Record::default() }).changed);
    assert!(story.person.lease_until > before);
}

#[test]
fn an_answer_soon_after_a_sign_of_life_changes_nothing_but_the_answers() {
    let mut story = Story::until_main("natural");
    let before = story.person.clone();
    let (outcome, _) = story.answer(answer(Block::Main, 1, 1));
    assert_eq!((outcome.responses.len(), outcome.changed), (1, false));
    assert_eq!(story.person, before);
    let (outcome, _) = story.answer(answer(Block::Main, 1, 2));
    assert!(outcome.changed, "20 s later it is a sign of life again");
    assert_eq!(story.person.last_seen_at, at(story.now));
}

#[test]
fn a_change_of_screen_or_clock_is_stored_at_once_with_the_sign_of_life() {
    let mut story = Story::until_main("natural");
    let screen = Some("main:1".into());
    let clock_ms = story.now * 1000.0;
    let outcome = story.tell(Record { tab: 1, screen: screen.clone(), clock_ms, ..Record::default() });
    assert!(outcome.changed);
    assert_eq!((&story.person.screen, story.person.last_seen_at), (&screen, at(story.now)));
    assert_eq!((story.person.clock_ms, story.person.clock_at), (Some(clock_ms), Some(at(story.now))));
    let clock_ms = story.now * 1000.0 + 60_000.0;
    let outcome = story.tell(Record { tab: 1, screen, clock_ms, ..Record::default() });
    assert!(outcome.changed, "a clock that runs ahead");
    assert!(story.person.clock_discrepancy_s.is_some());
}
