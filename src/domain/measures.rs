//! The counts and times of a participation, and the measures that criteria judge.

use serde::Serialize;

/// Counts of a participation's answers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// The number of stored answers, including practice.
    pub answers: u32,
    /// The number of catch trials answered correctly.
    pub catch_correct: u32,
    /// The number of catch trials answered.
    pub catch_total: u32,
    /// The number of main trials answered correctly.
    pub main_correct: u32,
    /// The number of main trials answered.
    pub main_total: u32,
    /// The number of answers on the left in main and catch trials.
    pub left_answers: u32,
    /// The number of answers on the right in main and catch trials.
    pub right_answers: u32,
    /// The number of practice blocks with at least one answer.
    pub practice_blocks: u32,
    /// The sum of waits for the images of trials, in ms.
    pub load_wait_ms: f64,
}

/// Times of a participation by the experiment clock, in ms since Welcome, and the server's limits for them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Times {
    /// The first end of the fullscreen page.
    pub instruction_ms: Option<f64>,
    /// The longest time that the server accepted at that moment. None if it accepts any.
    pub instruction_bound_ms: Option<f64>,
    /// The sum of waits for images until then.
    pub instruction_load_wait_ms: f64,
    /// The press on Submit.
    pub total_ms: Option<f64>,
    /// The longest time that the server accepted at that moment. None if it accepts any.
    pub total_bound_ms: Option<f64>,
    /// How far the clock ran ahead of the server's time, in s, if that was too far. Below 0: how far it stayed behind.
    pub clock_discrepancy_s: Option<f64>,
}

/// A time that a browser reported, limited by what the server accepted.
fn believed(reported_ms: Option<f64>, bound_ms: Option<f64>) -> Option<f64> {
    reported_ms.map(|ms| ms.min(bound_ms.unwrap_or(f64::INFINITY)))
}

/// The measures of a participation that criteria judge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Measures {
    /// The time from Welcome to the end of the fullscreen page in s, without waits for images, limited by what the server accepted.
    pub instruction_time: Option<f64>,
    /// The time from Welcome to Submit in s, without waits for images, limited by what the server accepted.
    pub total_time: Option<f64>,
    /// The time from Welcome to Submit in s, including waits for images, limited by what the server accepted.
    pub elapsed_time: Option<f64>,
    /// The number of catch trials answered correctly.
    pub catch_correct: u32,
    /// The number of catch trials answered.
    pub catch_total: u32,
    /// The number of answers on the left in main and catch trials.
    pub left_answers: u32,
    /// The number of answers on the right in main and catch trials.
    pub right_answers: u32,
    /// The number of practice blocks with at least one answer. None if the condition has no practice.
    pub practice_blocks: Option<u32>,
    /// How far the clock ran ahead, in s. 0 if it ran ahead by no more than the study allows, or stayed behind.
    pub clock_discrepancy: f64,
}

impl Measures {
    /// Measures a participation. `practises` says whether its condition has practice.
    pub fn new(times: &Times, tally: &Tally, practises: bool) -> Self {
        let waited = times.instruction_load_wait_ms;
        let instruction_ms = believed(times.instruction_ms, times.instruction_bound_ms);
        let total_ms = believed(times.total_ms, times.total_bound_ms);
        Self {
            instruction_time: instruction_ms.map(|ms| (ms - waited) / 1000.0),
            total_time: total_ms.map(|ms| (ms - waited - tally.load_wait_ms) / 1000.0),
            elapsed_time: total_ms.map(|ms| ms / 1000.0),
            catch_correct: tally.catch_correct,
            catch_total: tally.catch_total,
            left_answers: tally.left_answers,
            right_answers: tally.right_answers,
            practice_blocks: practises.then_some(tally.practice_blocks),
            clock_discrepancy: times.clock_discrepancy_s.unwrap_or(0.0).max(0.0),
        }
    }

    /// The share of catch trials answered correctly. None without catch trials.
    pub fn catch_share(&self) -> Option<f64> {
        (self.catch_total > 0).then(|| f64::from(self.catch_correct) / f64::from(self.catch_total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_criteria_do_not_include_waits_for_images() {
        let times = Times {
            instruction_ms: Some(30_000.0),
            instruction_load_wait_ms: 4_000.0,
            total_ms: Some(300_000.0),
            ..Times::default()
        };
        let tally = Tally { load_wait_ms: 6_000.0, practice_blocks: 2, ..Tally::default() };
        let measures = Measures::new(&times, &tally, true);
        assert_eq!((measures.instruction_time, measures.total_time), (Some(26.0), Some(290.0)));
        assert_eq!(measures.elapsed_time, Some(300.0), "waits are part of the time that a person spends");
        assert_eq!(measures.practice_blocks, Some(2));
        assert_eq!(Measures::new(&times, &tally, false).practice_blocks, None);
    }

    #[test]
    fn times_are_limited_by_the_time_that_the_server_measured() {
        let reported =
            Times { instruction_ms: Some(60_000.0), total_ms: Some(182_000.0), ..Times::default() };
        let seen = Times { instruction_bound_ms: Some(5_300.0), total_bound_ms: Some(6_000.0), ..reported };
        let of = |times: &Times| {
            let measures = Measures::new(times, &Tally::default(), true);
            (measures.instruction_time, measures.total_time, measures.elapsed_time)
        };
        assert_eq!(of(&seen), (Some(5.3), Some(6.0), Some(6.0)));
        assert_eq!(of(&reported), (Some(60.0), Some(182.0), Some(182.0)), "older data have no limits");
        let ample = Times { instruction_bound_ms: Some(1e6), total_bound_ms: Some(1e6), ..reported };
        assert_eq!(of(&ample), of(&reported));
    }
}
