//! How simulated people behave: what they see, how sure they are, how long they take, and what else they do.

mod abilities;
#[cfg(test)]
mod tests;
mod times;

use std::sync::Arc;

use rand::{Rng, RngExt};

pub use abilities::{Abilities, InCondition, Scope, strength};
pub use times::ExGaussian;

use self::times::{exponential, normal, tenths};
use super::trial::{Buttons, Side, TrialKind};
use super::words;

words! {
    /// A kind of simulated person.
    Behaviour {
        /// Looks and tries, and nearly always passes the criteria.
        Honest = "honest",
        /// Presses random buttons fast, after a glance at the instructions.
        Careless = "careless",
        /// Presses only buttons under the left image, once the practice is over.
        Left = "left",
        /// A program that presses random buttons within half a second, faster than a person could look.
        Bot = "bot",
        /// Looks and tries, and vanishes at some point without telling the server.
        DropOut = "drop-out",
        /// Looks and tries, and reloads the page in the practice and in the main trials.
        Reloader = "reloader",
        /// Looks and tries, agrees a second time in the middle, and comes back with another assignment after the end.
        Duplicate = "duplicate",
        /// Looks and tries, and answers in two tabs from some main trial on.
        TwoTab = "two-tab",
    }
}

/// What a simulated person does in a trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Act {
    /// The button that they press, from 0.
    pub response: u8,
    /// Reaction time in ms.
    pub rt_ms: f64,
    /// The time from the press to Continue in ms.
    pub continue_ms: f64,
}

/// The properties of a trial that decide a simulated person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight<'a> {
    /// The kind of trial.
    pub kind: TrialKind,
    /// The unit of the trial.
    pub unit: &'a str,
    /// The side of the max query.
    pub max_side: Side,
}

/// A simulated person's behaviour and abilities.
#[derive(Debug, Clone, PartialEq)]
pub struct Observer {
    /// The kind of person.
    pub behaviour: Behaviour,
    /// Their condition.
    pub condition: String,
    /// Whether they see references.
    pub sees_references: bool,
    /// The abilities that they use if they look.
    pub abilities: Arc<Abilities>,
}

impl Observer {
    /// How long they take until the end of the fullscreen page, in ms.
    pub fn instruction_ms(&self, rng: &mut impl Rng) -> f64 {
        match self.behaviour {
            Behaviour::Careless => 8_000.0 + exponential(12_000.0, rng),
            Behaviour::Bot => rng.random_range(1_000.0..5_000.0),
            _ => 30_000.0 + exponential(45_000.0, rng),
        }
    }

    /// How long they take from the last trial to Submit, in ms.
    pub const fn feedback_ms(&self) -> f64 {
        if matches!(self.behaviour, Behaviour::Bot) { 500.0 } else { 5_000.0 }
    }

    /// The probability that they see the max query.
    fn accuracy(&self, sight: Sight<'_>) -> f64 {
        let looks = !matches!(self.behaviour, Behaviour::Careless | Behaviour::Left | Behaviour::Bot);
        if looks || sight.kind == TrialKind::Practice {
            self.abilities.accuracy(sight.kind, &self.condition, sight.unit, self.sees_references)
        } else {
            0.5
        }
    }

    /// Decides an answer by equal-variance signal detection. The sign of normal evidence for the max query decides the choice, and
    /// its distance from 0 the confidence. So people are surer when they are right, and this difference grows with accuracy.
    pub fn act(&self, sight: Sight<'_>, buttons: Buttons, rng: &mut impl Rng) -> Act {
        let evidence = strength(self.accuracy(sight)) + normal(rng);
        let side = if self.behaviour == Behaviour::Left && sight.kind != TrialKind::Practice {
            Side::Left
        } else if evidence > 0.0 {
            sight.max_side
        } else {
            sight.max_side.other()
        };
        let confidence = self.abilities.confidence(evidence, buttons.levels);
        let (rt_ms, continue_ms) = self.pace(rng);
        Act {
            response: button(side, confidence, buttons),
            rt_ms: tenths(rt_ms),
            continue_ms: tenths(continue_ms),
        }
    }

    /// The reaction time, and the time from the press to Continue, in ms.
    fn pace(&self, rng: &mut impl Rng) -> (f64, f64) {
        let (times, least, mean) = match self.behaviour {
            Behaviour::Careless | Behaviour::Left => {
                (ExGaussian { mu: 1_500.0, sigma: 300.0, tau: 1_500.0 }, 450.0, 150.0)
            }
            Behaviour::Bot => (ExGaussian { mu: 350.0, sigma: 30.0, tau: 50.0 }, 355.0, 10.0),
            _ => (self.abilities.rt(&self.condition), 600.0, 500.0),
        };
        (times.draw(rng), least + exponential(mean, rng))
    }

    /// After how many steps they vanish. None for people who stay.
    pub fn vanishes_after(&self, steps: u32, rng: &mut impl Rng) -> Option<u32> {
        (self.behaviour == Behaviour::DropOut).then(|| rng.random_range(0..steps.max(1)))
    }
}

/// The button with this label under the query of this side.
fn button(side: Side, confidence: u8, buttons: Buttons) -> u8 {
    match side {
        Side::Left => buttons.levels - confidence,
        Side::Right => buttons.levels + confidence - 1,
    }
}
