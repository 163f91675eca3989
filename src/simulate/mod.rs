//! Simulated people: real clients of the participants' API, driven by [`crate::domain::observer`].

mod client;
mod door;
mod person;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::StreamExt;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

pub use client::{Client, Trouble};

use crate::domain::observer::Behaviour;
use crate::domain::schedule::Place;
use door::Door;

/// How many of each behaviour: weights that need not add up to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix(Vec<(Behaviour, f64)>);

impl std::str::FromStr for Mix {
    type Err = String;

    /// Reads `honest=0.8,careless=0.1,left=0.1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut mix = Vec::new();
        for part in text.split(',') {
            let (name, weight) =
                part.split_once('=').ok_or_else(|| format!("`{part}` is not NAME=WEIGHT"))?;
            let behaviour =
                name.trim().parse().map_err(|error: crate::domain::UnknownWord| error.to_string())?;
            let weight: f64 = weight.trim().parse().map_err(|_| format!("`{weight}` is not a number"))?;
            if !weight.is_finite() || weight < 0.0 {
                return Err(format!("the weight of `{name}` must be 0 or more"));
            }
            mix.push((behaviour, weight));
        }
        if mix.iter().all(|(_, weight)| *weight == 0.0) {
            return Err("at least one weight must be above 0".into());
        }
        Ok(Self(mix))
    }
}

impl Mix {
    fn draw(&self, rng: &mut ChaCha20Rng) -> Behaviour {
        let total: f64 = self.0.iter().map(|(_, weight)| weight).sum();
        let mut at = rng.random::<f64>() * total;
        for (behaviour, weight) in &self.0 {
            at -= weight;
            if at < 0.0 {
                return *behaviour;
            }
        }
        self.0.last().map_or(Behaviour::Honest, |(behaviour, _)| *behaviour)
    }
}

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
}

/// How a simulated person ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// Went through to the end.
    Complete,
    /// Took the offer to end after too many practice blocks.
    ScreenedOut,
    /// Found the study full when nobody was inside any more who could make room.
    Full,
}

/// What a simulation came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How many people ended how.
    pub endings: BTreeMap<Ending, u32>,
    /// What went wrong, each with how often.
    pub troubles: BTreeMap<String, u32>,
    /// Every answer that the server acknowledged, also those of people who could not go on.
    pub acknowledged: Vec<Acknowledged>,
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
struct Crowd {
    door: Door,
    link: String,
    acknowledged: Mutex<Vec<Acknowledged>>,
}

/// Sends people through a study, and tells after each how many are done.
pub async fn run(client: &Client, plan: &Plan, mut progress: impl FnMut(u32)) -> Result<Report, Trouble> {
    let link = client.simulation_link(&plan.study).await?;
    let crowd = Crowd { door: Door::default(), link, acknowledged: Mutex::default() };
    let people = (0..plan.participants).map(|n| {
        let mut rng = ChaCha20Rng::seed_from_u64(plan.seed);
        rng.set_stream(u64::from(n));
        let behaviour = plan.mix.draw(&mut rng);
        person::take_part(&crowd, client.of_person(n as usize), behaviour, rng)
    });
    let mut endings = futures::stream::iter(people).buffer_unordered(plan.concurrency.max(1));
    let mut report = Report::default();
    let mut done = 0;
    while let Some(ending) = endings.next().await {
        match ending {
            Ok(ending) => *report.endings.entry(ending).or_default() += 1,
            Err(trouble) => *report.troubles.entry(trouble.to_string()).or_default() += 1,
        }
        done += 1;
        progress(done);
    }
    drop(endings);
    report.acknowledged = crowd.acknowledged.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_drawn_by_its_weights() {
        let mix: Mix = "honest=3,careless=1,left=0".parse().unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let drawn: Vec<_> = (0..4000).map(|_| mix.draw(&mut rng)).collect();
        let honest = drawn.iter().filter(|b| **b == Behaviour::Honest).count();
        assert!(honest.abs_diff(3000) < 150);
        assert!(!drawn.contains(&Behaviour::Left));
    }

    #[test]
    fn a_wrong_mix_is_explained() {
        for wrong in ["honest", "honest=x", "nice=1", "honest=-1", "honest=0", ""] {
            assert!(wrong.parse::<Mix>().is_err(), "{wrong}");
        }
    }
}
