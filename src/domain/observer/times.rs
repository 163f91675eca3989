//! Models of how long simulated people take.

use rand::{Rng, RngExt};
use serde::Deserialize;

/// The shortest reaction time, in ms.
pub const FASTEST_MS: f64 = 200.0;

/// The ex-Gaussian: the sum of a normal and an exponential variable, the usual model of reaction times (Luce, Response Times,
/// 1986). Its mean is mu + tau, its variance sigma² + tau². All in ms.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExGaussian {
    /// Mean of the normal part.
    pub mu: f64,
    /// Standard deviation of the normal part.
    pub sigma: f64,
    /// Mean of the exponential part.
    pub tau: f64,
}

impl ExGaussian {
    /// A time in ms, at least [`FASTEST_MS`].
    pub fn draw(self, rng: &mut impl Rng) -> f64 {
        let Self { mu, sigma, tau } = self;
        (mu + sigma * normal(rng) + exponential(tau, rng)).max(FASTEST_MS)
    }

    /// The problem that makes the distribution unusable. Times are cut at [`FASTEST_MS`], and a frequent cut would move the mean.
    pub(super) fn problem(self) -> Option<String> {
        let Self { mu, sigma, tau } = self;
        if ![mu, sigma, tau].iter().all(|ms| (0.0..=600_000.0).contains(ms)) {
            return Some("mu, sigma and tau must be from 0 to 600000 ms".into());
        }
        let least = FASTEST_MS + 3.0 * sigma;
        (mu < least).then(|| format!("mu must be at least {FASTEST_MS} ms + 3 sigma, here {least}, not {mu}"))
    }
}

/// Draws a standard normal variable by Box and Muller's method.
pub fn normal(rng: &mut impl Rng) -> f64 {
    let radius = (-2.0 * uniform(rng).ln()).sqrt();
    radius * (2.0 * std::f64::consts::PI * uniform(rng)).cos()
}

/// Draws an exponential variable with this mean.
pub fn exponential(mean: f64, rng: &mut impl Rng) -> f64 {
    -mean * uniform(rng).ln()
}

/// Draws a uniform variable above 0 and at most 1.
fn uniform(rng: &mut impl Rng) -> f64 {
    1.0 - rng.random::<f64>()
}

/// Rounds to 0.1 ms, as browsers report times.
pub fn tenths(ms: f64) -> f64 {
    (ms * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    #[test]
    fn reaction_times_have_the_moments_of_an_ex_gaussian() {
        let times = ExGaussian { mu: 1500.0, sigma: 200.0, tau: 800.0 };
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let drawn: Vec<f64> = (0..200_000).map(|_| times.draw(&mut rng)).collect();
        let n = drawn.len() as f64;
        let mean = drawn.iter().sum::<f64>() / n;
        let moment = |k: i32| drawn.iter().map(|ms| (ms - mean).powi(k)).sum::<f64>() / n;
        assert!((mean - 2300.0).abs() < 8.0, "{mean}");
        assert!((moment(2).sqrt() - (200.0f64.powi(2) + 800.0f64.powi(2)).sqrt()).abs() < 10.0);
        // The third central moment comes from the exponential part alone: 2 tau^3.
        assert!((moment(3) / (2.0 * 800.0f64.powi(3)) - 1.0).abs() < 0.1);
    }

    #[test]
    fn times_that_would_be_cut_are_refused() {
        let good = ExGaussian { mu: 800.0, sigma: 200.0, tau: 0.0 };
        assert_eq!(good.problem(), None);
        assert!(ExGaussian { mu: 799.0, ..good }.problem().unwrap().contains("at least 200 ms + 3 sigma"));
        for wrong in [f64::NAN, -1.0, 600_001.0] {
            assert!(ExGaussian { tau: wrong, ..good }.problem().unwrap().contains("from 0 to 600000"));
        }
    }
}
