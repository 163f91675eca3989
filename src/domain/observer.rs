//! How simulated people behave: what they answer, how sure they are, and how long they take.

use rand::{Rng, RngExt};

use super::trial::{Buttons, Side, TrialKind};
use super::words;

words! {
    /// A kind of simulated person.
    Behaviour {
        /// Looks and tries; passes the criteria nearly always.
        Honest = "honest",
        /// Presses anything, fast, after a glance at the instructions.
        Careless = "careless",
        /// Presses buttons under the left image only, once the practice is over.
        Left = "left",
    }
}

/// What a simulated person does in a trial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Act {
    /// The button.
    pub response: u8,
    /// Reaction time in ms.
    pub rt_ms: f64,
    /// From the press to Continue in ms.
    pub continue_ms: f64,
}

/// A simulated person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observer {
    /// How they behave.
    pub behaviour: Behaviour,
    /// Whether they see references.
    pub sees_references: bool,
}

impl Observer {
    /// How long they take until the end of the fullscreen page, in ms.
    pub fn instruction_ms(&self, rng: &mut impl Rng) -> f64 {
        match self.behaviour {
            Behaviour::Honest | Behaviour::Left => 30_000.0 + exponential(45_000.0, rng),
            Behaviour::Careless => 8_000.0 + exponential(12_000.0, rng),
        }
    }

    /// How likely they choose the max query.
    ///
    /// Accuracies of honest people are near the published ones: .67 with references, .60 without.
    fn accuracy(&self, kind: TrialKind) -> f64 {
        match (self.behaviour, kind) {
            // Whoever reaches the main trials has passed the practice.
            (_, TrialKind::Practice | TrialKind::Instruction) => 0.93,
            (Behaviour::Careless | Behaviour::Left, _) => 0.5,
            (Behaviour::Honest, TrialKind::Catch) => 0.95,
            (Behaviour::Honest, TrialKind::Main) if self.sees_references => 0.67,
            (Behaviour::Honest, TrialKind::Main) => 0.60,
        }
    }

    /// What they do in a trial with the max query on `max_side`.
    pub fn act(&self, kind: TrialKind, max_side: Side, buttons: Buttons, rng: &mut impl Rng) -> Act {
        let right = rng.random_bool(self.accuracy(kind));
        let side = if self.behaviour == Behaviour::Left && kind != TrialKind::Practice {
            Side::Left
        } else if right {
            max_side
        } else {
            max_side.other()
        };
        let confidence = self.confidence(side == max_side, buttons.levels, rng);
        let (rt_ms, continue_ms) = match self.behaviour {
            Behaviour::Honest => (ex_gaussian(3_500.0, 900.0, 3_000.0, rng), 600.0 + exponential(500.0, rng)),
            Behaviour::Careless | Behaviour::Left => {
                (ex_gaussian(1_500.0, 300.0, 1_500.0, rng), 450.0 + exponential(150.0, rng))
            }
        };
        Act {
            response: button(side, confidence, buttons),
            rt_ms: tenths(rt_ms),
            continue_ms: tenths(continue_ms),
        }
    }

    /// Honest people are surer when they are right; the others do not care.
    fn confidence(&self, correct: bool, levels: u8, rng: &mut impl Rng) -> u8 {
        let sureness = match self.behaviour {
            Behaviour::Honest if correct => 0.65,
            Behaviour::Honest => 0.35,
            Behaviour::Careless | Behaviour::Left => 0.5,
        };
        1 + (1..levels).filter(|_| rng.random_bool(sureness)).count() as u8
    }
}

/// The button with this label under the query of this side.
fn button(side: Side, confidence: u8, buttons: Buttons) -> u8 {
    match side {
        Side::Left => buttons.levels - confidence,
        Side::Right => buttons.levels + confidence - 1,
    }
}

/// The sum of a normal and an exponential variable, the usual model of reaction times (Luce 1986), at least 200 ms.
fn ex_gaussian(mean: f64, deviation: f64, tau: f64, rng: &mut impl Rng) -> f64 {
    (mean + deviation * normal(rng) + exponential(tau, rng)).max(200.0)
}

/// A standard normal variable, by Box and Muller's method.
fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * uniform(rng).ln()).sqrt();
    radius * (2.0 * std::f64::consts::PI * uniform(rng)).cos()
}

fn exponential(mean: f64, rng: &mut impl Rng) -> f64 {
    -mean * uniform(rng).ln()
}

/// Above 0, at most 1.
fn uniform(rng: &mut impl Rng) -> f64 {
    1.0 - rng.random::<f64>()
}

fn tenths(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    const BUTTONS: Buttons = Buttons { levels: 3 };

    fn share_correct(behaviour: Behaviour, sees_references: bool, kind: TrialKind) -> f64 {
        let observer = Observer { behaviour, sees_references };
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let n = 4000;
        let correct = (0..n)
            .filter(|n| {
                let max_side = if n % 2 == 0 { Side::Left } else { Side::Right };
                let act = observer.act(kind, max_side, BUTTONS, &mut rng);
                BUTTONS.press(act.response).unwrap().side == max_side
            })
            .count();
        correct as f64 / f64::from(n)
    }

    #[test]
    fn honest_people_have_their_accuracy() {
        assert!((share_correct(Behaviour::Honest, true, TrialKind::Main) - 0.67).abs() < 0.03);
        assert!((share_correct(Behaviour::Honest, false, TrialKind::Main) - 0.60).abs() < 0.03);
        assert!(share_correct(Behaviour::Honest, true, TrialKind::Catch) > 0.92);
        assert!((share_correct(Behaviour::Careless, true, TrialKind::Main) - 0.5).abs() < 0.03);
    }

    #[test]
    fn left_people_answer_left_after_the_practice() {
        let observer = Observer { behaviour: Behaviour::Left, sees_references: true };
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        for _ in 0..200 {
            let act = observer.act(TrialKind::Main, Side::Right, BUTTONS, &mut rng);
            assert!(act.response < 3 && act.rt_ms >= 200.0);
        }
        assert!(share_correct(Behaviour::Left, true, TrialKind::Practice) > 0.9);
    }

    #[test]
    fn every_button_can_be_pressed() {
        for confidence in 1..=3 {
            for side in [Side::Left, Side::Right] {
                let press = BUTTONS.press(button(side, confidence, BUTTONS)).unwrap();
                assert_eq!((press.side, press.confidence), (side, confidence));
            }
        }
    }
}
