//! Simulated people with known abilities take part by real HTTP, and the analysis must recover these abilities.

use sqlx::PgPool;
use statrs::distribution::{ContinuousCDF, Normal};
use weber::domain::observer::{Abilities, strength};
use weber::domain::results::{ConditionResults, MeanWithError};
use weber::domain::study::Mode;
use weber::domain::trial::TrialKind;
use weber::flow::study::results;
use weber::simulate::Plan;

use crate::simulation::{plan, simulate};
use crate::support::server::Server;

const CONDITIONS: [&str; 5] = ["synthetic", "natural", "mixed", "blur", "none"];

const KNOWN: &str = "
    catch_accuracy = 0.99
    practice_accuracy = 0.99
    confidence_criteria = [0.5, 1.0]
    rt = { mu = 2000, sigma = 200, tau = 400 }
    [units]
    unit-03 = 0.95
    [conditions.synthetic]
    accuracy = 0.85
    [conditions.natural]
    accuracy = 0.75
    rt = { mu = 2600, sigma = 300, tau = 500 }
    [conditions.natural.units]
    unit-05 = 0.2
    [conditions.mixed]
    accuracy = 0.65
    [conditions.blur]
    accuracy = 0.55
    [conditions.none]
    accuracy = 0.70";

/// The expected share of 18 independent trials, one of each unit, and its variance per trial. Both are the same for all
/// participants.
struct Expected {
    share: f64,
    variance: f64,
}

fn expected(shares: impl Iterator<Item = f64>) -> Expected {
    let shares: Vec<f64> = shares.collect();
    let mean = |values: &dyn Fn(f64) -> f64| {
        shares.iter().map(|share| values(*share)).sum::<f64>() / shares.len() as f64
    };
    Expected { share: mean(&|p| p), variance: mean(&|p| p * (1.0 - p)) }
}

fn accuracies(known: &Abilities, condition: &str) -> Vec<f64> {
    (0..18)
        .map(|n| known.accuracy(TrialKind::Main, condition, &format!("unit-{n:02}"), condition != "none"))
        .collect()
}

/// Asserts a distance of at most 3.5 standard errors, computed from the known values and not from the data. About one value
/// in two thousand lies farther away.
#[track_caller]
fn assert_recovered(what: &str, measure: &MeanWithError, value: f64, variance: f64) {
    let found = measure.value.unwrap();
    let error = (variance / measure.trials as f64).sqrt();
    let off = (found - value) / error;
    assert!(off.abs() <= 3.5, "{what}: {found:.4} instead of {value:.4}, {off:.1} standard errors off");
}

fn mean_confidence(shares: &[MeanWithError]) -> f64 {
    (1..).zip(shares).map(|(level, share)| f64::from(level) * share.value.unwrap()).sum()
}

fn assert_confidence_follows_accuracy(found: &ConditionResults, accuracies: &[f64]) {
    let below = |z: f64| Normal::standard().cdf(z);
    // The share of trials with evidence beyond the second criterion, on the correct side and on the wrong one.
    let sure = |side: f64| accuracies.iter().map(|p| below(side * strength(*p) - 1.0)).sum::<f64>();
    let right: f64 = accuracies.iter().sum();
    let wrong = accuracies.len() as f64 - right;
    for (measure, share) in [
        (found.confidence_if_correct[2], sure(1.0) / right),
        (found.confidence_if_wrong[2], sure(-1.0) / wrong),
    ] {
        assert_recovered("sure", &measure, share, share * (1.0 - share));
    }
    assert!(mean_confidence(&found.confidence_if_correct) > mean_confidence(&found.confidence_if_wrong));
    assert!(found.accuracy_by_confidence[2].value > found.accuracy_by_confidence[0].value);
}

#[sqlx::test]
async fn the_analysis_recovers_known_abilities(pool: PgPool) {
    let known: Abilities = toml::from_str(KNOWN).unwrap();
    let server = Server::live(pool, 20).await;
    // People take part one after the other, so that the result is reproducible.
    let plan = Plan { abilities: known.clone(), concurrency: 1, seed: 11, ..plan(100, "honest=1") };
    simulate(&server, &plan).await;
    let found = results::load(&server.app, "demo", Mode::Simulated, None).await.unwrap().compute();
    assert!(found.kept() >= 95, "{}", found.kept());
    let (mut right, mut all) = (0.0, Vec::new());
    for (condition, results) in CONDITIONS.into_iter().zip(&found.results.crowd) {
        let accuracies = accuracies(&known, condition);
        let Expected { share, variance } = expected(accuracies.iter().copied());
        assert_recovered(condition, &results.accuracy, share, variance);
        let rt = known.rt(condition);
        assert_recovered(condition, &results.rt, rt.mu + rt.tau, rt.sigma.powi(2) + rt.tau.powi(2));
        right += results.accuracy.value.unwrap() * results.accuracy.trials as f64;
        all.extend(std::iter::repeat_n(accuracies.clone(), results.people).flatten());
        if share > 0.6 {
            assert_confidence_follows_accuracy(results, &accuracies);
        }
    }
    let trials = all.len();
    let Expected { share, variance } = expected(all.into_iter());
    let pooled = MeanWithError { value: Some(right / trials as f64), trials, ..MeanWithError::default() };
    assert_recovered("all together", &pooled, share, variance);
    for unit in &found.results.units {
        for (condition, measure) in CONDITIONS.into_iter().zip(&unit.accuracy) {
            let p = known.accuracy(TrialKind::Main, condition, &unit.unit, condition != "none");
            let lies_within = in_binomial_interval(measure, p);
            assert!(lies_within, "{} in {condition}: {measure:?} instead of {p}", unit.unit);
        }
    }
}

/// Whether so few or so many correct answers occur by chance more often than once in 100,000 such tests. For 90 values (18
/// units in 5 conditions) the chance of any failure is then about one in a thousand.
fn in_binomial_interval(measure: &MeanWithError, p: f64) -> bool {
    use statrs::distribution::{Binomial, DiscreteCDF};
    let right = (measure.value.unwrap() * measure.trials as f64).round() as u64;
    let binomial = Binomial::new(p, measure.trials as u64).unwrap();
    let at_most = binomial.cdf(right);
    let at_least = if right == 0 { 1.0 } else { binomial.sf(right - 1) };
    at_most.min(at_least) > 0.000_005
}
