//! How many people behave in each way.

use rand::{Rng, RngExt};

use crate::domain::UnknownWord;
use crate::domain::observer::Behaviour;

/// The weight of each behaviour. Weights need not add up to 1.
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
            let behaviour = name.trim().parse().map_err(|error: UnknownWord| error.to_string())?;
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
    /// Draws the behaviour of the next person.
    pub fn draw(&self, rng: &mut impl Rng) -> Behaviour {
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

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    #[test]
    fn a_mix_is_drawn_by_its_weights() {
        let mix: Mix = "honest=3,two-tab=1,left=0".parse().unwrap();
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
