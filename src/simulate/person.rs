//! One simulated person, from consent to the end. They report the times that a real person would take, and wait for as much of
//! them as the plan says.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::domain::count;
use crate::domain::observer::{Behaviour, Observer, Sight};
use crate::domain::participant::{EndReason, Stage};
use crate::domain::record::{Answer, AnswerReply, AnswerStatus, Record, RecordPart, Step, StepName};
use crate::domain::schedule::Place;
use crate::domain::trial::{Block, Buttons, Input};
use crate::flow::records::job::RecordResult;
use crate::flow::study::simulation::{AnswerKey, KeyEntry};
use crate::simulate::client::{ArrivalParameters, strange};
use crate::simulate::display::Display;
use crate::simulate::heartbeats::cut_wait;
use crate::simulate::open_reply::OpenedPage;
use crate::simulate::screens::{ScreenReports, name_of};
use crate::simulate::{Acknowledged, Client, Ending, Incident, Request, Simulation, Trouble};

/// The number of practice blocks after which even a patient person takes the offer to end.
const MOST_PRACTICE_BLOCKS: u16 = 8;

/// The delay in ms after which a page reports a new screen, unless it sends another record earlier.
const BATCH_DELAY_MS: f64 = 1_500.0;

/// Why a person stops.
pub enum Stop {
    /// An error happened.
    Trouble(Trouble),
    /// The person left without telling the server.
    Vanished,
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// How a person arrived.
pub struct Arrival {
    /// The link's code.
    pub link: String,
    /// The parameters that the platform added to the address.
    pub parameters: ArrivalParameters,
    /// The hash of the consent text that they agreed to.
    pub consent_sha256: String,
}

/// Takes part in a study. The name is the person's id on the platform.
pub async fn take_part(
    crowd: &Simulation,
    client: Client,
    name: String,
    behaviour: Behaviour,
    rng: ChaCha20Rng,
) -> Result<Ending, Trouble> {
    let visitor = crowd.full_study.arrive();
    let (link, parameters) = match behaviour {
        Behaviour::Duplicate => (&crowd.entrance.platform_link, assignment(&name, 1)),
        _ => (&crowd.entrance.link, ArrivalParameters::new()),
    };
    let (arrival, token) = loop {
        let departures = visitor.watch();
        let hash = client.consent_page(link, &parameters).await?;
        let hash = hash.ok_or_else(|| strange(Request::Page, "the page shows no consent"))?;
        match client.enrol(link, &parameters, &hash).await {
            Err(Trouble::Refused { code, .. }) if code == "full" => {
                if !visitor.wait(departures).await {
                    return Ok(Ending::Full);
                }
            }
            enrolled => {
                let arrival = Arrival { link: link.clone(), parameters, consent_sha256: hash };
                break (arrival, enrolled?.token);
            }
        }
    };
    let mut person = SimulatedPerson::open(crowd, client, token, behaviour, rng).await?;
    match person.go_through(&arrival).await {
        Ok(ending) => person.come_back(&name, &arrival).await.map(|()| ending),
        Err(Stop::Vanished) => Ok(Ending::DroppedOut),
        Err(Stop::Trouble(trouble)) => Err(trouble),
    }
}

/// The parameters that Prolific adds for the n-th assignment that a person accepts, each of another task.
pub fn assignment(name: &str, n: u32) -> ArrivalParameters {
    // Prolific's ids are numbers of 12 bytes.
    let id = |what: &str| hex::encode(&Sha256::digest(what.as_bytes())[..12]);
    [
        ("PROLIFIC_PID", id(name)),
        ("SESSION_ID", id(&format!("{name}-{n}"))),
        ("STUDY_ID", id(&format!("task-{n}"))),
    ]
    .into()
}

/// A simulated person who is taking part.
pub struct SimulatedPerson<'a> {
    pub crowd: &'a Simulation,
    pub client: Client,
    pub participant: String,
    pub token: String,
    pub observer: Observer,
    pub tab: i32,
    /// An older tab that they still use, for every other record.
    pub older_tab: Option<i32>,
    pub buttons: Buttons,
    pub clock_ms: f64,
    /// The screens that the page reports.
    pub screens: ScreenReports,
    /// The last answer, which is sent once more with its time to Continue.
    pub unfinished: Option<Answer>,
    /// Trials whose answers the server acknowledged.
    pub answered: Vec<Place>,
    /// How often the next trial will have been shown.
    pub presentations: u32,
    /// Positions in the first practice block and in the main block at which the person does something special.
    pub moments: [u16; 2],
    display: Display,
    rng: ChaCha20Rng,
    key: BTreeMap<Place, KeyEntry>,
    heartbeat_ms: f64,
    instruction_pages: usize,
    uses_older_tab: bool,
    /// Steps until the person vanishes.
    steps_left: Option<u32>,
}

impl<'a> SimulatedPerson<'a> {
    async fn open(
        crowd: &'a Simulation,
        client: Client,
        token: String,
        behaviour: Behaviour,
        mut rng: ChaCha20Rng,
    ) -> Result<Self, Trouble> {
        let opened: OpenedPage = client.post(Request::Open, &token, &json!({})).await?;
        let AnswerKey { condition, trials } = client.answer_key(&token).await?;
        let key = by_place(trials);
        let sees_references = opened.sees_references();
        let observer = Observer { behaviour, condition, sees_references, abilities: crowd.abilities.clone() };
        let trials =
            |block| key.keys().filter(|place| place.block == block).map(|place| place.trial_index).max();
        let moments =
            [Block::Practice, Block::Main].map(|block| rng.random_range(1..=trials(block).unwrap_or(1)));
        // The steps are: two into instructions and main trials, the trials, and Submit.
        let steps_left = observer.vanishes_after(count(key.len()) + 4, &mut rng);
        Ok(Self {
            crowd,
            client,
            participant: opened.participant.clone(),
            token,
            observer,
            tab: opened.tab,
            older_tab: None,
            buttons: Buttons { levels: crowd.entrance.confidence_levels },
            clock_ms: 0.0,
            screens: ScreenReports::default(),
            unfinished: None,
            answered: Vec::new(),
            presentations: 1,
            moments,
            display: Display::draw(&rng),
            rng,
            key,
            heartbeat_ms: opened.heartbeat_ms(),
            instruction_pages: opened.instruction_pages(),
            uses_older_tab: false,
            steps_left,
        })
    }

    async fn go_through(&mut self, arrival: &Arrival) -> Result<Ending, Stop> {
        self.go_on().await?;
        self.show("welcome".into());
        self.step(StepName::Welcome).await?;
        self.read_instructions().await?;
        self.go_on().await?;
        self.step(StepName::Instructed).await?;
        if !self.places(Block::Practice, 1).is_empty() {
            if !self.practise(arrival).await? {
                return Ok(Ending::ScreenedOut);
            }
            self.show("main".into());
        }
        self.go_on().await?;
        self.step(StepName::Main).await?;
        for place in self.places(Block::Main, 1) {
            self.answer(place, arrival).await?;
        }
        self.complete().await?;
        Ok(Ending::Complete)
    }

    fn places(&self, block: Block, attempt: u16) -> Vec<Place> {
        self.key.keys().filter(|place| place.block == block && place.attempt == attempt).copied().collect()
    }

    /// Counts a step. A person who vanishes now has reported the current screen before, as a page does soon after showing it.
    async fn go_on(&mut self) -> Result<(), Stop> {
        match &mut self.steps_left {
            Some(0) => {
                if self.screens.has_news() {
                    self.tell(Vec::new(), Vec::new()).await?;
                }
                return Err(Stop::Vanished);
            }
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(())
    }

    /// Shows a screen, with the name that the trial program gives it.
    pub fn show(&mut self, screen: String) {
        self.screens.show(screen, self.clock_ms);
    }

    /// Reads from Welcome to the page before fullscreen. A person who is about to vanish stops at a random page.
    async fn read_instructions(&mut self) -> Result<(), Stop> {
        let pages = (1..=self.instruction_pages).map(|page| format!("instructions:{page}"));
        let screens: Vec<_> =
            ["welcome".into()].into_iter().chain(pages).chain(["fullscreen".into()]).collect();
        let each_ms = self.observer.instruction_ms(&mut self.rng) / screens.len() as f64;
        let read = match self.steps_left {
            Some(0) => self.rng.random_range(1..=screens.len()),
            _ => screens.len(),
        };
        for screen in screens.into_iter().take(read) {
            self.show(screen);
            self.spend(each_ms).await?;
        }
        Ok(())
    }

    /// Lets time pass on the experiment clock, and waits as much of it as the plan says, with the page's signs of life.
    pub async fn spend(&mut self, ms: f64) -> Result<(), Trouble> {
        let think_time = self.crowd.think_time;
        let end_ms = self.clock_ms + ms;
        let first_ms = if self.screens.has_news() { BATCH_DELAY_MS } else { self.heartbeat_ms };
        for (n, nap_ms) in cut_wait(ms * think_time, first_ms, self.heartbeat_ms).enumerate() {
            if n > 0 {
                let record = self.record(self.tab);
                let _: RecordResult = self.client.post(Request::Record, &self.token, &record).await?;
            }
            tokio::time::sleep(Duration::from_secs_f64(nap_ms / 1000.0)).await;
            self.clock_ms += nap_ms / think_time;
        }
        self.clock_ms = end_ms;
        Ok(())
    }

    /// A record with the current screen and the screens since the last record. Without other content it is a sign of life.
    fn record(&mut self, tab: i32) -> Record {
        let (screen, events) = self.screens.take_news();
        let events = events.into_iter().map(RecordPart::from).collect();
        Record { tab, clock_ms: self.clock_ms, screen, events, ..Record::default() }
    }

    /// Sends steps and answers from the tab whose turn it is.
    pub async fn tell(&mut self, steps: Vec<Step>, answers: Vec<Answer>) -> Result<RecordResult, Trouble> {
        self.uses_older_tab = self.older_tab.is_some() && !self.uses_older_tab;
        let tab = self.older_tab.filter(|_| self.uses_older_tab).unwrap_or(self.tab);
        let steps = steps.into_iter().map(RecordPart::from).collect();
        let answers = answers.into_iter().map(RecordPart::from).collect();
        let record = Record { steps, answers, ..self.record(tab) };
        let reply: RecordResult = self.client.post(Request::Record, &self.token, &record).await?;
        if reply.superseded != self.uses_older_tab {
            let error = format!("tab {tab} of {} was told superseded: {}", self.tab, reply.superseded);
            return Err(strange(Request::Record, error));
        }
        if reply.superseded {
            self.crowd.note(Incident::Superseded);
        }
        Ok(reply)
    }

    async fn step(&mut self, step: StepName) -> Result<(), Trouble> {
        self.tell(vec![Step { step, clock_ms: self.clock_ms, load_wait: 0.0 }], Vec::new()).await?;
        Ok(())
    }

    /// Practises until a block is all correct. False if the person took the offer to end before that.
    async fn practise(&mut self, arrival: &Arrival) -> Result<bool, Stop> {
        for attempt in 1..=MOST_PRACTICE_BLOCKS {
            if attempt > 1 {
                self.show(format!("practice:{attempt}"));
            }
            for place in self.places(Block::Practice, attempt) {
                if self.answer(place, arrival).await?.stage == Stage::Practised {
                    return Ok(true);
                }
            }
            self.key = by_place(self.client.answer_key(&self.token).await?.trials);
        }
        let body = json!({ "reason": EndReason::ScreenedOut });
        self.client.post::<Value>(Request::Leave, &self.token, &body).await?;
        Ok(false)
    }

    async fn answer(&mut self, place: Place, arrival: &Arrival) -> Result<RecordResult, Stop> {
        self.show(name_of(place));
        self.go_on().await?;
        self.before(place, arrival).await?;
        self.show(name_of(place));
        let Some(entry) = self.key.get(&place) else {
            return Err(strange(Request::Key, format!("it lacks trial {}", place.trial_index)).into());
        };
        let sight = Sight { kind: entry.kind, unit: &entry.unit, max_side: entry.max_side };
        let act = self.observer.act(sight, self.buttons, &mut self.rng);
        self.spend(act.rt_ms).await?;
        let answer = Answer {
            block: place.block,
            attempt: place.attempt,
            trial_index: place.trial_index,
            response: act.response,
            rt: Some(act.rt_ms),
            continue_rt: None,
            time_elapsed: self.clock_ms,
            input: Input::Mouse,
            presentations: std::mem::replace(&mut self.presentations, 1),
            hidden_ms: 0.0,
            load_wait: 0.0,
            display_scale: 1.0,
            device_scale: Some(self.display.device_scale),
            frame_ms: Some(self.display.frame_ms),
            pointerdown_rt: Some(Display::pointerdown_rt(act.rt_ms)),
            continue_hidden_ms: None,
        };
        let finished =
            Answer { continue_rt: Some(act.continue_ms), continue_hidden_ms: Some(0.0), ..answer.clone() };
        let answers = self.unfinished.replace(finished).into_iter().chain([answer.clone()]).collect();
        let reply = self.tell(Vec::new(), answers).await?;
        self.acknowledged(&answer, &reply)?;
        self.after(&answer).await?;
        self.spend(act.continue_ms).await?;
        Ok(reply)
    }

    /// Notes that the server acknowledged an answer.
    fn acknowledged(&mut self, answer: &Answer, reply: &RecordResult) -> Result<(), Trouble> {
        let place = answer.place();
        if !matches!(status_of(reply, place)?.status, AnswerStatus::Stored | AnswerStatus::Same) {
            return Err(strange(
                Request::Record,
                format!("{} {} was refused", place.block, place.trial_index),
            ));
        }
        self.answered.push(place);
        let participant = self.participant.clone();
        self.crowd.report().acknowledged.push(Acknowledged { participant, place, response: answer.response });
        Ok(())
    }

    async fn complete(&mut self) -> Result<(), Stop> {
        self.show("feedback".into());
        self.go_on().await?;
        let last = self.unfinished.take().into_iter().collect();
        self.tell(Vec::new(), last).await?;
        self.spend(self.observer.feedback_ms()).await?;
        let body = json!({ "tab": self.tab, "clock_ms": self.clock_ms, "feedback": "" });
        self.client.post::<Value>(Request::Complete, &self.token, &body).await?;
        Ok(())
    }
}

fn by_place(trials: Vec<KeyEntry>) -> BTreeMap<Place, KeyEntry> {
    trials.into_iter().map(|entry| (entry.place, entry)).collect()
}

/// The server's reply about the answer to this trial.
pub fn status_of(reply: &RecordResult, place: Place) -> Result<&AnswerReply, Trouble> {
    let found = reply.answers.iter().find(|answer| answer.place.is(&place));
    found.ok_or_else(|| strange(Request::Record, format!("trial {} is not mentioned", place.trial_index)))
}
