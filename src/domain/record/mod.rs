//! What a browser tells about a participation, and what becomes of it: the one place where steps and answers are decided.
//!
//! A record may arrive twice, late, or from a tab that another one has superseded. Whatever is new and possible is kept;
//! whatever is there already is confirmed; what contradicts it is refused and noted.

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

/// Longest time in ms that a browser may report: a week.
pub const LONGEST_MS: f64 = 7.0 * 86_400_000.0;

/// Events that are stored of one person, at most; more are counted. A whole participation with a lost network and a restless
/// window has some hundred.
pub const MOST_EVENTS: u32 = 2_000;

/// An event to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Tab and number within it; none for events that the server records.
    pub source: Option<(i32, i32)>,
    /// Which kind.
    pub kind: EventKind,
    /// In ms since Welcome.
    pub at_ms: Option<f64>,
    /// What else there is to know.
    pub detail: Value,
}

/// An answer with what it means, to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// As reported.
    pub answer: Answer,
    /// The side that was chosen.
    pub choice_side: Side,
    /// Whether it is the max query's.
    pub correct: bool,
    /// The label shown on the button.
    pub confidence: u8,
    /// When the server accepted it.
    pub answered_at: DateTime<Utc>,
}

/// What the store knows of the trials that a record may be about.
#[derive(Debug, Clone, Default)]
pub struct StoredTrials {
    /// The schedule: on which side each trial shows the max query.
    pub scheduled: BTreeMap<Place, Side>,
    /// Answers that are there.
    pub answers: BTreeMap<Place, Answer>,
    /// How many events are stored.
    pub events: u32,
}

impl StoredTrials {
    /// Adds trials that are drawn.
    pub fn schedule<'a>(&mut self, trials: impl IntoIterator<Item = &'a ScheduledTrial>) {
        self.scheduled.extend(trials.into_iter().map(|trial| (trial.place(), trial.max_side)));
    }

    /// Whether the trials of a practice block are here.
    pub fn has_practice(&self, attempt: u16) -> bool {
        self.scheduled.contains_key(&Place { block: Block::Practice, attempt, trial_index: 1 })
    }

    /// Drops practice blocks that nothing more is likely to be said about: those before the one that the person left last.
    pub fn drop_old_practice(&mut self, person: &Participant) {
        let is_old = |place: &Place| {
            place.block == Block::Practice && place.attempt < person.practice_attempt.saturating_sub(1)
        };
        // Places are in order: practice comes first.
        if self.scheduled.first_key_value().is_some_and(|(place, _)| is_old(place)) {
            self.scheduled.retain(|place, _| !is_old(place));
            self.answers.retain(|place, _| !is_old(place));
        }
    }

    /// The trial that a person goes on with; none where there are no trials, or all are answered.
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

/// What a record leads to.
#[derive(Debug, Clone, Default)]
pub struct RecordOutcome {
    /// Whether the person's row changes.
    pub changed: bool,
    /// Answers to store.
    pub responses: Vec<Response>,
    /// What became known after answers that were there.
    pub continued: Vec<Continued>,
    /// Events to store.
    pub events: Vec<NewEvent>,
    /// What to say about the steps.
    pub steps: Vec<StepReply>,
    /// What to say about the answers.
    pub answers: Vec<AnswerReply>,
    /// What to say about events that are not stored.
    pub refused_events: Vec<EventReply>,
    /// A practice block that is to be drawn.
    pub draw_practice: Option<u16>,
}

/// Applies a record to a participation. Answers that are accepted are there for whatever follows. A mere sign of life is noted
/// now and then; together with anything else, at once.
pub fn apply(
    person: &mut Participant,
    definition: &StudyDefinition,
    record: &Record,
    stored: &mut StoredTrials,
    now: DateTime<Utc>,
) -> RecordOutcome {
    let before = person.clone();
    let mut work = RecordDecision { person, definition, stored, now, outcome: RecordOutcome::default() };
    for step in &record.steps {
        match step {
            RecordPart::Read(step) => work.step(step, record.clock_ms),
            RecordPart::Unreadable(step) => work.outcome.steps.push(step.into()),
        }
    }
    for answer in &record.answers {
        match answer {
            RecordPart::Read(answer) => work.answer(answer),
            RecordPart::Unreadable(answer) => work.outcome.answers.push(answer.into()),
        }
    }
    for event in &record.events {
        let refused = match event {
            RecordPart::Read(event) => work.event(record.tab, event),
            RecordPart::Unreadable(event) => Some(event.into()),
        };
        work.outcome.refused_events.extend(refused);
    }
    let RecordDecision { person, outcome, .. } = work;
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
                self.note_conflict(answer);
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

    /// When a practice block is answered: all correct leads on, anything else to a new block, as long as there may be one.
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
        self.definition
            .buttons()
            .press(answer.response)
            .expect("the response was checked against the buttons")
    }

    fn correct(&self, answer: &Answer) -> bool {
        self.stored
            .scheduled
            .get(&answer.place())
            .is_some_and(|max_side| *max_side == self.press(answer).side)
    }

    /// The answer goes out at the click; when Continue was pressed is told with a later repetition.
    fn add_continue(&mut self, answer: &Answer) {
        let known = self.stored.answers.get_mut(&answer.place()).expect("the caller found it");
        if known.continue_rt.is_none()
            && let Some(continued) = answer.continued()
        {
            known.set_continue(&continued);
            self.outcome.continued.push(continued);
        }
    }

    fn note_conflict(&mut self, answer: &Answer) {
        let before = &self.stored.answers[&answer.place()];
        let detail = json!({
            "block": answer.block, "attempt": answer.attempt, "trial_index": answer.trial_index,
            "stored_response": before.response, "refused_response": answer.response,
            "refused_rt": answer.rt,
        });
        let at_ms = Some(answer.time_elapsed);
        self.keep(NewEvent { source: None, kind: EventKind::AnswerConflict, at_ms, detail });
    }

    /// What to say about an event that is not stored.
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

    /// Keeps an event while there is room, and counts it otherwise.
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
