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
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use parking_lot::{Mutex, MutexGuard};
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

/// The settings of a simulation.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The study's short name.
    pub study: String,
    /// The number of people who arrive.
    pub participants: u32,
    /// The number of people who take part at the same time.
    pub concurrency: usize,
    /// The seed of all random draws: the same seed makes the same people.
    pub seed: u64,
    /// The shares of behaviours.
    pub mix: Mix,
    /// The abilities of those who look at the images.
    pub abilities: Abilities,
    /// How long they wait for each ms that they report: 0 as fast as possible, 1 like real people.
    pub think_time: f64,
}

words! {
    /// How a simulated person's participation ended.
    Ending {
        /// The person answered all trials.
        Complete = "complete",
        /// The person took the offer to end after too many practice blocks.
        ScreenedOut = "screened out",
        /// The person left without telling the server.
        DroppedOut = "dropped out",
        /// The study was full, and no person was left in it who could make room.
        Full = "found the study full",
    }
}

words! {
    /// Other events of a simulation that are as they must be. All other events are troubles.
    Incident {
        /// A page was opened again, and knew every answer.
        Reload = "reloads",
        /// A person agreed again, and continued the same participation.
        Resumed = "second consents that led back to the same participation",
        /// A person came back after the end, and was refused because they had taken part.
        Refused = "returns of people who had taken part, refused",
        /// An older tab was told that a newer one has replaced it, and its record was kept.
        Superseded = "records of older tabs, taken and told so",
        /// A second, different answer to a trial was refused.
        Conflict = "second answers to a trial, refused",
    }
}

/// The result of a simulation.
#[derive(Debug, Clone, Default)]
pub struct SimulationReport {
    /// How many people ended in each way.
    pub endings: BTreeMap<Ending, u32>,
    /// How often each incident happened.
    pub incidents: BTreeMap<Incident, u32>,
    /// How often each error happened.
    pub troubles: BTreeMap<String, u32>,
    /// Every answer that the server acknowledged, also those of people who could not go on.
    pub acknowledged: Vec<Acknowledged>,
    /// How long requests took.
    pub meter: RequestMeter,
    /// How long the simulation took.
    pub elapsed: Duration,
}

/// An answer that the server acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// The participant's pseudonym.
    pub participant: String,
    /// The trial's place.
    pub place: Place,
    /// The button that was pressed.
    pub response: u8,
}

/// The state that all people of a simulation share.
struct Simulation {
    full_study: FullStudy,
    entrance: SimulationTarget,
    abilities: Arc<Abilities>,
    think_time: f64,
    /// A part of every id on the platform, so that another simulation has other people.
    name: uuid::Uuid,
    report: Mutex<SimulationReport>,
}

impl Simulation {
    fn report(&self) -> MutexGuard<'_, SimulationReport> {
        self.report.lock()
    }

    fn note(&self, incident: Incident) {
        *self.report().incidents.entry(incident).or_default() += 1;
    }
}

/// Sends people through a study, and reports after each how many are done.
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
        full_study: FullStudy::default(),
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
    let report = crowd.report.into_inner();
    Ok(SimulationReport { meter: client.take_meter(), elapsed: started.elapsed(), ..report })
}
