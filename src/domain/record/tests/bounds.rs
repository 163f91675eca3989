//! Limits on the amount of data that one person can produce.

use super::*;
use crate::domain::study::Practice;

fn event(seq: i32) -> RecordPart<Event> {
    Event { seq, kind: EventKind::FocusLoss, at: None, detail: json!({}) }.into()
}

#[test]
fn events_above_the_limit_are_counted_and_not_stored() {
    let mut story = Story::begin("natural");
    story.stored.events = MOST_EVENTS - 2;
    let events = (1..=5).map(event).collect();
    let outcome = story.tell(Record { tab: 1, events, ..Record::default() });
    assert_eq!((outcome.events.len(), story.person.events_dropped), (2, 3));
    let refused: Vec<_> = outcome.refused_events.iter().map(|e| (e.seq.clone(), e.code)).collect();
    assert_eq!(refused, [3, 4, 5].map(|seq| (Value::from(seq), Refusal::TooMany)));
    assert!(outcome.changed, "the count is stored");
    story.person.events_dropped = u32::MAX;
    story.tell(Record { tab: 1, events: vec![event(6)], ..Record::default() });
    assert_eq!(story.person.events_dropped, u32::MAX);
}

#[test]
fn conflicts_count_as_events_and_are_refused_even_above_the_limit() {
    let mut story = Story::until_main("none");
    story.answer(answer(Block::Main, 1, 1));
    story.stored.events = MOST_EVENTS - 1;
    for (kept, dropped) in [(1, 0), (0, 1), (0, 2)] {
        let (outcome, reply) = story.answer(Answer { response: 5, ..answer(Block::Main, 1, 1) });
        assert_eq!(refusal(&reply), Some(Refusal::Conflict));
        assert_eq!((outcome.events.len(), story.person.events_dropped), (kept, dropped));
    }
}

#[test]
fn no_practice_block_is_drawn_after_the_last_one_allowed() {
    let mut story = Story::begin("natural");
    story.definition.practice.most_blocks = 3;
    story.step(StepName::Welcome);
    story.step(StepName::Instructed);
    for attempt in 1..=2 {
        assert_eq!(story.practise(attempt, false).draw_practice, Some(attempt + 1));
    }
    let Practice { offer_end_after_blocks, .. } = story.definition.practice;
    assert_eq!(story.practise(3, false).draw_practice, None);
    let is_used_up = |story: &Story| {
        story.definition.practice.is_used_up(story.person.stage, story.person.practice_attempt)
    };
    assert!(is_used_up(&story) && offer_end_after_blocks > 3);
    let mut passes = Story::begin("natural");
    passes.definition.practice.most_blocks = 1;
    passes.step(StepName::Welcome);
    passes.step(StepName::Instructed);
    passes.practise(1, true);
    assert!(!is_used_up(&passes) && passes.person.stage == Stage::Practised);
}

#[test]
fn practice_blocks_before_the_previous_one_are_dropped() {
    let mut story = Story::begin("natural");
    story.step(StepName::Welcome);
    story.step(StepName::Instructed);
    (1..=4).for_each(|attempt| drop(story.practise(attempt, false)));
    story.stored.drop_old_practice(&story.person);
    let kept: Vec<bool> = (1..=5).map(|attempt| story.stored.has_practice(attempt)).collect();
    assert_eq!(kept, [false, false, false, true, true]);
    assert!(story.stored.answers.keys().all(|place| place.attempt == 4));
    assert!(story.stored.scheduled.contains_key(&answer(Block::Main, 1, 21).place()));
}
