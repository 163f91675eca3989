//! Taking in what browsers tell: many records, one transaction, each decided by itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{App, Refused, Result};
use crate::domain::participant::{Participant, Stage};
use crate::domain::record::{self, AnswerReply, AnswerStatus, Outcome, Record, StepReply, Stored};
use crate::domain::schedule::{Place, ScheduledTrial, draw_practice};
use crate::domain::study::Practice;
use crate::domain::trial::Block;
use crate::store;

/// One record, with the hash of the token that it came with.
#[derive(Debug, Clone)]
pub struct Job {
    /// Whose.
    pub token_sha256: Vec<u8>,
    /// What they tell.
    pub record: Record,
}

/// What the browser is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Where the person stands now.
    pub stage: Stage,
    /// Whether a newer page has taken over.
    pub superseded: bool,
    /// The practice block they are in.
    pub practice_attempt: u16,
    /// What became of the steps.
    pub steps: Vec<StepReply>,
    /// What became of the answers.
    pub answers: Vec<AnswerReply>,
    /// After a refusal: the trial to go on with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub position: Option<Place>,
    /// A practice block that was drawn just now.
    #[serde(skip)]
    pub drawn: Vec<ScheduledTrial>,
    /// The version that the person sees.
    #[serde(skip)]
    pub version_id: i64,
}

impl Reply {
    /// Answers that were stored for the first time.
    pub fn stored(&self) -> u64 {
        self.answers.iter().filter(|answer| answer.status == AnswerStatus::Stored).count() as u64
    }
}

/// Takes in records of any number of people in one transaction. A record that is refused fails alone; if the
/// transaction fails, nothing was taken in.
pub async fn record_all(app: &App, jobs: &[Job]) -> Result<Vec<Result<Reply>>> {
    let mut tx = app.pool.begin().await?;
    let hashes: Vec<Vec<u8>> = jobs.iter().map(|job| job.token_sha256.clone()).collect();
    let owners: BTreeMap<_, _> =
        store::participants::ids_of_tokens(&mut tx, &hashes).await?.into_iter().collect();
    let ids: Vec<Uuid> = owners.values().copied().collect();
    let people = store::participants::lock_all(&mut tx, &ids).await?;
    let before: BTreeMap<Uuid, Participant> = people.into_iter().map(|person| (person.id, person)).collect();
    let mut people = before.clone();
    let mut stored = load(&mut tx, jobs, &owners).await?;
    let mut work = Work::default();
    let mut replies = Vec::with_capacity(jobs.len());
    for job in jobs {
        let person = owners.get(&job.token_sha256).and_then(|id| people.get_mut(id));
        replies.push(match person {
            None => Err(Refused::UnknownToken.into()),
            Some(person) => {
                let on_file = stored.entry(person.id).or_default();
                Ok((person.id, work.take_in(app, &mut tx, person, on_file, &job.record).await?))
            }
        });
    }
    work.save(&mut tx, app.now()).await?;
    save_people(&mut tx, &before, &people).await?;
    for (id, reply) in replies.iter_mut().flatten() {
        if reply.answers.iter().any(|answer| answer.status == AnswerStatus::Refused) {
            reply.position = position(&mut tx, &people[id]).await?;
        }
    }
    tx.commit().await?;
    for study_id in people.values().map(|person| person.study_id).collect::<BTreeSet<_>>() {
        app.changed(study_id);
    }
    Ok(replies.into_iter().map(|reply| reply.map(|(_, reply)| reply)).collect())
}

/// The trials that the records are about: for a practice trial its whole block, which decides what follows.
async fn load(
    conn: &mut PgConnection,
    jobs: &[Job],
    owners: &BTreeMap<Vec<u8>, Uuid>,
) -> Result<BTreeMap<Uuid, Stored>> {
    let mut places = BTreeSet::new();
    for job in jobs {
        let Some(id) = owners.get(&job.token_sha256) else { continue };
        for place in job.record.answers.iter().map(record::Answer::place) {
            places.insert((*id, place));
            if place.block == Block::Practice {
                places.extend(
                    (1..=Practice::LONGEST_BLOCK).map(|trial_index| (*id, Place { trial_index, ..place })),
                );
            }
        }
    }
    let mut stored = BTreeMap::<Uuid, Stored>::new();
    if places.is_empty() {
        return Ok(stored);
    }
    for trial in store::records::trials_at(conn, &Vec::from_iter(places)).await? {
        let on_file = stored.entry(trial.participant_id).or_default();
        let place = trial.scheduled.place();
        on_file.scheduled.insert(place, trial.scheduled);
        on_file.answers.extend(trial.answer.map(|answer| (place, answer)));
    }
    Ok(stored)
}

/// What a batch will write.
#[derive(Default)]
struct Work {
    responses: Vec<(Uuid, record::Response)>,
    continued: Vec<(Uuid, Place, f64)>,
    events: Vec<(Uuid, record::NewEvent)>,
    drawn: Vec<(Uuid, Vec<ScheduledTrial>)>,
}

impl Work {
    async fn take_in(
        &mut self,
        app: &App,
        conn: &mut PgConnection,
        person: &mut Participant,
        on_file: &mut Stored,
        record: &Record,
    ) -> Result<Reply> {
        let version = app.version(conn, person.version_id).await?;
        let now = app.now();
        let outcome = record::apply(person, &version.definition, record, on_file, now);
        let Outcome { responses, continued, events, steps, answers, draw_practice: draw } = outcome;
        let id = person.id;
        self.responses.extend(responses.into_iter().map(|response| (id, response)));
        self.continued.extend(continued.into_iter().map(|(place, ms)| (id, place, ms)));
        self.events.extend(events.into_iter().map(|event| (id, event)));
        let drawn = match draw {
            Some(attempt) => draw_practice(&version, &person.condition, attempt, person.seed),
            None => Vec::new(),
        };
        if !drawn.is_empty() {
            on_file.scheduled.extend(drawn.iter().map(|trial| (trial.place(), trial.clone())));
            self.drawn.push((id, drawn.clone()));
        }
        Ok(Reply {
            stage: person.stage,
            superseded: record.tab < person.tab,
            practice_attempt: person.practice_attempt,
            steps,
            answers,
            position: None,
            drawn,
            version_id: person.version_id,
        })
    }

    async fn save(self, conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
        store::records::insert_responses(&mut *conn, &self.responses).await?;
        store::records::set_continued(&mut *conn, &self.continued).await?;
        store::records::insert_events(&mut *conn, &self.events, now).await?;
        for (id, trials) in &self.drawn {
            store::records::insert_schedule(&mut *conn, *id, trials).await?;
        }
        Ok(())
    }
}

/// Most records are signs of life and answers, which move little: those people are written in one statement.
async fn save_people(
    conn: &mut PgConnection,
    before: &BTreeMap<Uuid, Participant>,
    after: &BTreeMap<Uuid, Participant>,
) -> Result<()> {
    let (seen, moved): (Vec<_>, Vec<_>) =
        after.values().partition(|person| person.only_seen_since(&before[&person.id]));
    store::participants::update_seen(&mut *conn, &seen).await?;
    for person in moved {
        store::participants::update(&mut *conn, person).await?;
    }
    Ok(())
}

/// The trial to go on with.
async fn position(conn: &mut PgConnection, person: &Participant) -> Result<Option<Place>> {
    let (block, attempt) = match person.stage {
        Stage::Instructed => (Block::Practice, person.practice_attempt),
        Stage::Running => (Block::Main, 1),
        _ => return Ok(None),
    };
    let unanswered = store::records::unanswered(conn, person.id, block, attempt).await?;
    Ok(unanswered.first().map(|trial_index| Place { block, attempt, trial_index: *trial_index }))
}
