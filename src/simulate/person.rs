//! One simulated person, from consent to the end. They report the times that they would have taken, and do not wait.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use rand_chacha::ChaCha20Rng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Acknowledged, Client, Crowd, Ending, Trouble};
use crate::domain::observer::{Behaviour, Observer};
use crate::domain::participant::{EndReason, Stage};
use crate::domain::record::{Answer, AnswerReply, AnswerStatus, Record, Step, StepName};
use crate::domain::schedule::Place;
use crate::domain::trial::{Block, Buttons, Input};
use crate::flow::record::Reply;
use crate::flow::simulation::KeyEntry;

/// Practice blocks after which even a patient person takes the offer to end.
const PATIENCE: u16 = 8;

/// What a simulated person needs of the answer to `open`.
#[derive(Debug, Deserialize)]
struct Opened {
    participant: String,
    tab: i32,
    study: Study,
    blocks: Vec<BlockOfTrials>,
}

#[derive(Debug, Deserialize)]
struct Study {
    practice: Option<Value>,
    trial: TrialNumbers,
}

#[derive(Debug, Deserialize)]
struct TrialNumbers {
    confidence_levels: u8,
}

#[derive(Debug, Deserialize)]
struct BlockOfTrials {
    block: Block,
    trials: Vec<ShownTrial>,
}

#[derive(Debug, Deserialize)]
struct ShownTrial {
    trial_index: u16,
    references: Vec<String>,
}

/// Takes part in a study.
pub async fn take_part(
    crowd: &Crowd,
    client: Client,
    behaviour: Behaviour,
    rng: ChaCha20Rng,
) -> Result<Ending, Trouble> {
    let visitor = crowd.door.arrive();
    loop {
        let somebody_left = visitor.watch();
        match client.consent(&crowd.link).await {
            Err(Trouble::Refused { code, .. }) if code == "full" => {
                if !visitor.wait(somebody_left).await {
                    return Ok(Ending::Full);
                }
            }
            token => return go_through(crowd, client, token?, behaviour, rng).await,
        }
    }
}

async fn go_through(
    crowd: &Crowd,
    client: Client,
    token: String,
    behaviour: Behaviour,
    mut rng: ChaCha20Rng,
) -> Result<Ending, Trouble> {
    let opened: Opened = client.post("/api/v1/open", &token, &json!({})).await?;
    let main = opened.blocks.iter().find(|block| block.block == Block::Main);
    let trials = main.map(|block| block.trials.as_slice()).unwrap_or_default();
    let observer =
        Observer { behaviour, sees_references: trials.iter().any(|trial| !trial.references.is_empty()) };
    let instruction_ms = observer.instruction_ms(&mut rng);
    let mut person = Person {
        crowd,
        client,
        participant: opened.participant,
        token,
        observer,
        rng,
        tab: opened.tab,
        buttons: Buttons { levels: opened.study.trial.confidence_levels },
        clock_ms: 0.0,
        key: BTreeMap::new(),
        unfinished: None,
    };
    person.learn_key().await?;
    person.step(StepName::Welcome).await?;
    person.clock_ms = instruction_ms;
    person.step(StepName::Instructed).await?;
    if opened.study.practice.is_some() && !person.practise().await? {
        return Ok(Ending::ScreenedOut);
    }
    person.step(StepName::Main).await?;
    for trial in trials {
        person.answer(Place { block: Block::Main, attempt: 1, trial_index: trial.trial_index }).await?;
    }
    person.complete().await?;
    Ok(Ending::Complete)
}

struct Person<'a> {
    crowd: &'a Crowd,
    client: Client,
    participant: String,
    token: String,
    observer: Observer,
    rng: ChaCha20Rng,
    tab: i32,
    buttons: Buttons,
    clock_ms: f64,
    key: BTreeMap<Place, KeyEntry>,
    /// The last answer, to be sent once more with its time to Continue.
    unfinished: Option<Answer>,
}

impl Person<'_> {
    async fn learn_key(&mut self) -> Result<(), Trouble> {
        let entries = self.client.answer_key(&self.token).await?;
        self.key = entries.into_iter().map(|entry| (entry.place, entry)).collect();
        Ok(())
    }

    async fn tell(&self, steps: Vec<Step>, answers: Vec<Answer>) -> Result<Reply, Trouble> {
        let record = Record { tab: self.tab, clock_ms: self.clock_ms, steps, answers, ..Record::default() };
        self.client.post("/api/v1/records", &self.token, &record).await
    }

    async fn step(&self, step: StepName) -> Result<(), Trouble> {
        self.tell(vec![Step { step, clock_ms: self.clock_ms, load_wait: 0.0 }], Vec::new()).await?;
        Ok(())
    }

    /// Practises until a block is all correct; false if the person took the offer to end before that.
    async fn practise(&mut self) -> Result<bool, Trouble> {
        for attempt in 1..=PATIENCE {
            let block: Vec<Place> = self
                .key
                .keys()
                .filter(|p| p.block == Block::Practice && p.attempt == attempt)
                .copied()
                .collect();
            for place in block {
                if self.answer(place).await?.stage == Stage::Practised {
                    return Ok(true);
                }
            }
            self.learn_key().await?;
        }
        let body = json!({ "reason": EndReason::ScreenedOut });
        self.client.post::<Value>("/api/v1/leave", &self.token, &body).await?;
        Ok(false)
    }

    async fn answer(&mut self, place: Place) -> Result<Reply, Trouble> {
        let Some(entry) = self.key.get(&place) else {
            let error = format!("the key lacks trial {}", place.trial_index);
            return Err(Trouble::Strange { path: "/api/v1/simulation/answer-key".into(), error });
        };
        let act = self.observer.act(entry.kind, entry.max_side, self.buttons, &mut self.rng);
        self.clock_ms += act.rt_ms;
        let answer = Answer {
            block: place.block,
            attempt: place.attempt,
            trial_index: place.trial_index,
            response: act.response,
            rt: Some(act.rt_ms),
            continue_rt: None,
            time_elapsed: self.clock_ms,
            input: Input::Mouse,
            presentations: 1,
            hidden_ms: 0.0,
            load_wait: 0.0,
            display_scale: 1.0,
        };
        let finished = Answer { continue_rt: Some(act.continue_ms), ..answer.clone() };
        let answers = self.unfinished.replace(finished).into_iter().chain([answer]).collect();
        let reply = self.tell(Vec::new(), answers).await?;
        self.note(place, act.response, &reply);
        self.clock_ms += act.continue_ms;
        Ok(reply)
    }

    /// Keeps what the server said it has.
    fn note(&self, place: Place, response: u8, reply: &Reply) {
        let has = |answer: &AnswerReply| answer.place == place && answer.status != AnswerStatus::Refused;
        if reply.answers.iter().any(has) {
            let acknowledged = Acknowledged { participant: self.participant.clone(), place, response };
            self.crowd.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(acknowledged);
        }
    }

    async fn complete(&mut self) -> Result<(), Trouble> {
        let last = self.unfinished.take().into_iter().collect();
        self.tell(Vec::new(), last).await?;
        self.clock_ms += 5_000.0;
        let body = json!({ "tab": self.tab, "clock_ms": self.clock_ms, "feedback": "" });
        self.client.post::<Value>("/api/v1/complete", &self.token, &body).await?;
        Ok(())
    }
}
