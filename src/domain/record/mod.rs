//! Decides what to do with the steps, answers and events of a record.
//!
//! A record may arrive twice, late, or from a tab that another one has superseded. Data that are new and possible are stored. Data that are
//! stored already are confirmed. A different answer to the same trial is refused and recorded as an event.

mod message;
mod part;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

pub use message::{
    Answer, AnswerReply, AnswerStatus, Continued, Event, EventKind, EventReply, Record, Refusal, Step,
    StepName, StepReply,
};
pub use part::{NamedPart, RecordPart};

use super::participant::{Participant, Stage};
use super::schedule::{Place, ScheduledTrial};
use super::study::StudyDefinition;
use super::trial::{Block, Press, Side};

/// The longest time in ms that a browser may report: a week.
pub const LONGEST_MS: f64 = 7.0 * 86_400_000.0;

/// The most events that are stored of one person. Further events are only counted. A whole participation with network failures and many
/// changes of the window has some hundred.
pub const MOST_EVENTS: u32 = 2_000;

/// An event to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The tab, and the event's number within it. None for events that the server records.
    pub source: Option<(i32, i32)>,
    /// The kind of event.
    pub kind: EventKind,
    /// The experiment clock when it happened, in ms since Welcome.
    pub at_ms: Option<f64>,
    /// Further details, which depend on the kind.
    pub detail: Value,
}

/// An answer with its meaning, to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The answer as the browser reported it.
    pub answer: Answer,
    /// The chosen side.
    pub choice_side: Side,
    /// Whether the max query was on that side.
    pub correct: bool,
    /// The label on the button.
    pub confidence: u8,
    /// The time when the server accepted it.
    pub answered_at: DateTime<Utc>,
}

/// The stored data of a participation to which a record may refer.
#[derive(Debug, Clone, Default)]
pub struct StoredTrials {
    /// The schedule: the side on which each trial shows the max query.
    pub scheduled: BTreeMap<Place, Side>,
    /// The stored answers.
    pub answers: BTreeMap<Place, Answer>,
    /// The number of stored events.
    pub events: u32,
}

impl StoredTrials {
    /// Adds scheduled trials.
    pub fn schedule<'a>(&mut self, trials: impl IntoIterator<Item = &'a ScheduledTrial>) {
        self.scheduled.extend(trials.into_iter().map(|trial| (trial.place(), trial.max_side)));
    }

    /// Whether the schedule has the trials of a practice block.
    pub fn has_practice(&self, attempt: u16) -> bool {
        self.scheduled.contains_key(&Place { block: Block::Practice, attempt, trial_index: 1 })
    }

    /// Drops practice blocks about which no more records are likely: those before the previous one.
    pub fn drop_old_practice(&mut self, person: &Participant) {
        let is_old = |place: &Place| {
            place.block == Block::Practice && place.attempt < person.practice_attempt.saturating_sub(1)
        };
        // Places are sorted, and practice comes first.
        if self.scheduled.first_key_value().is_some_and(|(place, _)| is_old(place)) {
            self.scheduled.retain(|place, _| !is_old(place));
            self.answers.retain(|place, _| !is_old(place));
        }
    }

    /// The next trial of a person. None if their stage has no trials, or all are answered.
    pub fn position(&self, person: &Participant) -> Option<Place> {
        let (block, attempt) = match person.stage {
            Stage::Instructed => (Block::Practice, person.practice_attempt),
            Stage::Running => (Block::Main, 1),
            _ => return None,
        };
        let mut places =
            self.scheduled.keys().filter(|place| (place.block, place.attempt) == (block, attempt));
        places.find(|place| !self.answers.contains_key(place)).copied()
    }
}

/// The result of a record: what to store, and what to reply.
#[derive(Debug, Clone, Default)]
pub struct RecordOutcome {
    /// Whether the person's row changes.
    pub changed: bool,
    /// The new answers to store.
    pub responses: Vec<Response>,
    /// The presses of Continue to add to answers that were stored before.
    pub continued: Vec<Continued>,
    /// The new events to store.
    pub events: Vec<NewEvent>,
    /// The replies to the steps.
    pub steps: Vec<StepReply>,
    /// The replies to the answers.
    pub answers: Vec<AnswerReply>,
    /// The replies to events that are not stored.
    pub refused_events: Vec<EventReply>,
    /// The number of a practice block to draw.
    pub draw_practice: Option<u16>,
}

/// Applies a record to a participation, and adds accepted answers to `stored`. A sign of life alone is stored only now and then. If the
/// record changes anything else, it is stored at once.
pub fn apply(
    person: &mut Participant,
    definition: &StudyDefinition,
    record: &Record,
    stored: &mut StoredTrials,
    now: DateTime<Utc>,
) -> RecordOutcome {
    let before = person.clone();
    let mut decision = RecordDecision { person, definition, stored, now, outcome: RecordOutcome::default() };
    for step in &record.steps {
        match step {
            RecordPart::Read(step) => decision.step(step, record.clock_ms),
            RecordPart::Unreadable(step) => decision.outcome.steps.push(step.into()),
        }
    }
    for answer in &record.answers {
        match answer {
            RecordPart::Read(answer) => decision.answer(answer),
            RecordPart::Unreadable(answer) => decision.outcome.answers.push(answer.into()),
        }
    }
    for event in &record.events {
        let refused = match event {
            RecordPart::Read(event) => decision.event(record.tab, event),
            RecordPart::Unreadable(event) => Some(event.into()),
        };
        decision.outcome.refused_events.extend(refused);
    }
    let RecordDecision { person, outcome, .. } = decision;
    if !person.stage.ended() {
        if record.tab == person.tab
            && let Some(screen) = &record.screen
        {
            person.screen = Some(screen.chars().take(40).collect());
        }
        let clock_ms = record.clock_ms.clamp(0.0, LONGEST_MS);
        person.check_clock(clock_ms, &definition.clock, now);
        if *person != before || person.is_to_be_noted(&definition.lease, now) {
            person.seen(&definition.lease, now);
            person.hear_clock(clock_ms, &definition.clock, now);
        }
    }
    RecordOutcome { changed: *person != before, ..outcome }
}

struct RecordDecision<'a> {
    person: &'a mut Participant,
    definition: &'a StudyDefinition,
    stored: &'a mut StoredTrials,
    now: DateTime<Utc>,
    outcome: RecordOutcome,
}

impl RecordDecision<'_> {
    fn step(&mut self, step: &Step, clock_ms: f64) {
        let result = if valid_ms(step.clock_ms) && valid_ms(step.load_wait) && valid_ms(clock_ms) {
            self.take(step, clock_ms)
        } else {
            Err(Refusal::Invalid)
        };
        let (step, taken, code) = (NamedPart::Known(step.step), result.is_ok(), result.err());
        self.outcome.steps.push(StepReply { step, taken, code, detail: None });
    }

    fn take(&mut self, step: &Step, clock_ms: f64) -> Result<(), Refusal> {
        let practises = self.definition.practises(&self.person.condition);
        let person = &mut *self.person;
        match (step.step, person.stage) {
            (StepName::Welcome, _) if person.started_at.is_some() => Ok(()),
            (StepName::Instructed, _) if person.instructed_at.is_some() => Ok(()),
            (StepName::Main, _) if person.running_at.is_some() => Ok(()),
            (_, stage) if stage.ended() => Err(Refusal::Ended),
            (StepName::Welcome, Stage::Consented) => {
                person.start(clock_ms, self.now);
                Ok(())
            }
            (StepName::Instructed, Stage::Consented) if person.started_at.is_some() => {
                person.stage = Stage::Instructed;
                person.instructed_at = Some(self.now);
                person.instruction_ms = Some(step.clock_ms);
                person.instruction_bound_ms =
                    person.believable_ms(clock_ms, &self.definition.clock, self.now);
                person.instruction_load_wait_ms = step.load_wait;
                Ok(())
            }
            (StepName::Main, stage)
                if stage == if practises { Stage::Practised } else { Stage::Instructed } =>
            {
                person.stage = Stage::Running;
                person.running_at = Some(self.now);
                Ok(())
            }
            _ => Err(Refusal::TooEarly),
        }
    }

    fn answer(&mut self, answer: &Answer) {
        let place = NamedPart::Known(answer.place());
        let reply = match self.accept(answer) {
            Ok(status) => AnswerReply {
                place,
                status,
                code: None,
                detail: None,
                correct: (answer.block == Block::Practice).then(|| self.correct(answer)),
            },
            Err((code, detail)) => {
                AnswerReply { place, status: AnswerStatus::Refused, code: Some(code), detail, correct: None }
            }
        };
        self.outcome.answers.push(reply);
    }

    fn accept(&mut self, answer: &Answer) -> Result<AnswerStatus, (Refusal, Option<String>)> {
        let place = answer.place();
        if let Some(problem) = answer.problem(self.definition) {
            return Err((Refusal::Invalid, Some(problem)));
        }
        if let Some(before) = self.stored.answers.get(&place) {
            if !before.same_as(answer) {
                self.record_conflict(answer);
                return Err((Refusal::Conflict, None));
            }
            self.add_continue(answer);
            return Ok(AnswerStatus::Same);
        }
        if !self.stored.scheduled.contains_key(&place) {
            return Err((Refusal::NoSuchTrial, None));
        }
        match (place.block, self.person.stage) {
            (_, stage) if stage.ended() => Err((Refusal::Ended, None)),
            (Block::Practice, Stage::Instructed) | (Block::Main, Stage::Running) => {
                self.store(answer);
                Ok(AnswerStatus::Stored)
            }
            _ => Err((Refusal::TooEarly, None)),
        }
    }

    fn store(&mut self, answer: &Answer) {
        let press = self.press(answer);
        self.outcome.responses.push(Response {
            answer: answer.clone(),
            choice_side: press.side,
            correct: self.correct(answer),
            confidence: press.confidence,
            answered_at: self.now,
        });
        self.stored.answers.insert(answer.place(), answer.clone());
        if answer.block == Block::Practice {
            self.finish_practice_block();
        }
    }

    /// If all trials of the practice block are answered: the person has passed practice if all answers are correct, and gets a new block
    /// otherwise, up to the largest number of blocks.
    fn finish_practice_block(&mut self) {
        let attempt = self.person.practice_attempt;
        let block =
            self.stored.scheduled.keys().filter(|p| p.block == Block::Practice && p.attempt == attempt);
        let answers: Option<Vec<&Answer>> = block.map(|place| self.stored.answers.get(place)).collect();
        let Some(answers) = answers else { return };
        if answers.iter().all(|answer| self.correct(answer)) {
            self.person.stage = Stage::Practised;
            self.person.practised_at = Some(self.now);
        } else {
            self.person.practice_attempt += 1;
            let Participant { stage, practice_attempt: next, .. } = *self.person;
            self.outcome.draw_practice =
                Some(next).filter(|_| !self.definition.practice.is_used_up(stage, next));
        }
    }

    fn press(&self, answer: &Answer) -> Press {
        self.definition.buttons().press(answer.response).expect("`Answer::problem` checked the response")
    }

    fn correct(&self, answer: &Answer) -> bool {
        self.stored
            .scheduled
            .get(&answer.place())
            .is_some_and(|max_side| *max_side == self.press(answer).side)
    }

    /// Adds the time when Continue was pressed. The browser sends the answer at the click, and again with this time.
    fn add_continue(&mut self, answer: &Answer) {
        let known = self.stored.answers.get_mut(&answer.place()).expect("the caller found the answer");
        if known.continue_rt.is_none()
            && let Some(continued) = answer.continued()
        {
            known.set_continue(&continued);
            self.outcome.continued.push(continued);
        }
    }

    fn record_conflict(&mut self, answer: &Answer) {
        let before = &self.stored.answers[&answer.place()];
        let detail = json!({
            "block": answer.block, "attempt": answer.attempt, "trial_index": answer.trial_index,
            "stored_response": before.response, "refused_response": answer.response,
            "refused_rt": answer.rt,
        });
        let at_ms = Some(answer.time_elapsed);
        self.keep(NewEvent { source: None, kind: EventKind::AnswerConflict, at_ms, detail });
    }

    /// Handles an event. Returns a reply if it is not stored.
    fn event(&mut self, tab: i32, event: &Event) -> Option<EventReply> {
        let refused = |code, detail| Some(EventReply { seq: event.seq.into(), code, detail });
        if [EventKind::Reload, EventKind::AnswerConflict, EventKind::NewAssignment].contains(&event.kind) {
            return refused(Refusal::Invalid, Some(format!("`kind`: the server records `{}`", event.kind)));
        }
        let kept = self.keep(NewEvent {
            source: Some((tab, event.seq)),
            kind: event.kind,
            at_ms: event.at.filter(|ms| valid_ms(*ms)),
            detail: bounded(&event.detail),
        });
        if kept { None } else { refused(Refusal::TooMany, None) }
    }

    /// Keeps an event, or only counts it if the most events are stored. Returns whether it is kept.
    fn keep(&mut self, event: NewEvent) -> bool {
        let has_room = self.stored.events < MOST_EVENTS;
        if has_room {
            self.stored.events += 1;
            self.outcome.events.push(event);
        } else {
            self.person.events_dropped = self.person.events_dropped.saturating_add(1);
        }
        has_room
    }
}

fn valid_ms(ms: f64) -> bool {
    (0.0..=LONGEST_MS).contains(&ms)
}

fn bounded(detail: &Value) -> Value {
    if detail.is_object() && detail.to_string().len() <= 2000 {
        detail.clone()
    } else {
        json!({ "too_long": true })
    }
}

#[cfg(test)]
mod tests;
