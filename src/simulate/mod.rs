//! Simulated people: real clients of the participants' API, driven by [`crate::domain::observer`].

mod client;
mod display;
mod full_study;
mod heartbeats;
mod meter;
mod mix;
mod open_reply;
mod person;
mod screens;
mod special_behaviours;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

pub use client::{Client, Trouble};
pub use meter::{Latency, Request, RequestMeter};
pub use mix::Mix;

use crate::domain::observer::{Abilities, Scope};
use crate::domain::schedule::Place;
use crate::domain::words;
use crate::flow::study::simulation::SimulationTarget;
use full_study::FullStudy;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The study's short name.
    pub study: String,
    /// How many people arrive.
    pub participants: u32,
    /// How many of them are at it at the same time.
    pub concurrency: usize,
    /// The same seed makes the same people.
    pub seed: u64,
    /// How they behave.
    pub mix: Mix,
    /// What those who look are able to see.
    pub abilities: Abilities,
    /// How long they wait for each ms that they say they took: 0 as fast as possible, 1 like real people.
    pub think_time: f64,
}

words! {
    /// How a simulated person ended.
    Ending {
        /// Went through to the end.
        Complete = "complete",
        /// Took the offer to end after too many practice blocks.
        ScreenedOut = "screened out",
        /// Vanished without a word.
        DroppedOut = "dropped out",
        /// Found the study full when nobody was inside any more who could make room.
        Full = "found the study full",
    }
}

words! {
    /// What else happened, each time as it must; anything else is a trouble.
    Incident {
        /// The page was opened again, and everything was there.
        Reload = "reloads",
        /// Somebody agreed again, and went on in the same participation.
        Resumed = "second consents that led back to the same participation",
        /// Somebody came back after the end, and was told that they took part already.
        Refused = "returns of people who had taken part, refused",
        /// An older tab was told that a newer one has taken over, and what it said was kept.
        Superseded = "records of older tabs, taken and told so",
        /// A second, different answer to a trial was refused.
        Conflict = "second answers to a trial, refused",
    }
}

/// What a simulation came to.
#[derive(Debug, Clone, Default)]
pub struct SimulationReport {
    /// How many people ended how.
    pub endings: BTreeMap<Ending, u32>,
    /// What else happened, with how often.
    pub incidents: BTreeMap<Incident, u32>,
    /// What went wrong, each with how often.
    pub troubles: BTreeMap<String, u32>,
    /// Every answer that the server acknowledged, also those of people who could not go on.
    pub acknowledged: Vec<Acknowledged>,
    /// How long requests took.
    pub meter: RequestMeter,
    /// How long the simulation took.
    pub elapsed: Duration,
}

/// An answer that the server said it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Whose, by pseudonym.
    pub participant: String,
    /// The trial.
    pub place: Place,
    /// The button.
    pub response: u8,
}

/// What simulated people of one crowd share.
struct Simulation {
    door: FullStudy,
    entrance: SimulationTarget,
    abilities: Arc<Abilities>,
    think_time: f64,
    /// Part of everybody's id on the platform, so that another simulation has other people.
    name: uuid::Uuid,
    report: Mutex<SimulationReport>,
}

impl Simulation {
    fn report(&self) -> MutexGuard<'_, SimulationReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, incident: Incident) {
        *self.report().incidents.entry(incident).or_default() += 1;
    }
}

/// Sends people through a study, and tells after each how many are done.
pub async fn run(
    client: &Client,
    plan: &Plan,
    mut progress: impl FnMut(u32),
) -> Result<SimulationReport, Trouble> {
    let entrance = client.entrance(&plan.study).await?;
    let SimulationTarget { conditions, units, confidence_levels, .. } = &entrance;
    let problems = plan.abilities.problems(&Scope { conditions, units, levels: *confidence_levels });
    if !problems.is_empty() {
        return Err(Trouble::Abilities(problems));
    }
    let crowd = Simulation {
        door: FullStudy::default(),
        entrance,
        abilities: Arc::new(plan.abilities.clone()),
        think_time: plan.think_time,
        name: uuid::Uuid::new_v4(),
        report: Mutex::default(),
    };
    let started = Instant::now();
    let people = (0..plan.participants).map(|n| {
        let mut rng = ChaCha20Rng::seed_from_u64(plan.seed);
        rng.set_stream(u64::from(n));
        let behaviour = plan.mix.draw(&mut rng);
        person::take_part(&crowd, client.of_person(n as usize), format!("{}-{n}", crowd.name), behaviour, rng)
    });
    let mut endings = futures::stream::iter(people).buffer_unordered(plan.concurrency.max(1));
    let mut done = 0;
    while let Some(ending) = endings.next().await {
        match ending {
            Ok(ending) => *crowd.report().endings.entry(ending).or_default() += 1,
            Err(trouble) => *crowd.report().troubles.entry(trouble.to_string()).or_default() += 1,
        }
        done += 1;
        progress(done);
    }
    drop(endings);
    let report = crowd.report.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(SimulationReport { meter: client.take_meter(), elapsed: started.elapsed(), ..report })
}
