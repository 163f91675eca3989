//! What is counted and measured on a participation: its answers, its times, and what criteria are about.

use serde::Serialize;

/// What is counted from a participation's answers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Answers stored, practice included.
    pub answers: u32,
    /// Catch trials answered correctly.
    pub catch_correct: u32,
    /// Catch trials answered.
    pub catch_total: u32,
    /// Main trials answered correctly.
    pub main_correct: u32,
    /// Main trials answered.
    pub main_total: u32,
    /// Answers on the left, over main and catch trials.
    pub left_answers: u32,
    /// Answers on the right, over main and catch trials.
    pub right_answers: u32,
    /// Practice blocks with at least one answer.
    pub practice_blocks: u32,
    /// Wait for images of trials, in ms.
    pub load_wait_ms: f64,
}

/// Times of a participation by the experiment clock, in ms since Welcome, and what the server thinks of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Times {
    /// First end of the fullscreen page.
    pub instruction_ms: Option<f64>,
    /// The longest that the server believed it to be then; none where it believes all.
    pub instruction_bound_ms: Option<f64>,
    /// Wait for images until then.
    pub instruction_load_wait_ms: f64,
    /// Press on Submit.
    pub total_ms: Option<f64>,
    /// The longest that the server believed it to be then; none where it believes all.
    pub total_bound_ms: Option<f64>,
    /// How far the clock ran ahead of what the server saw, in s, where that was too far; below 0, how far it stayed behind.
    pub clock_discrepancy_s: Option<f64>,
}

/// A time that a browser told, as far as the server believes it.
fn believed(told_ms: Option<f64>, bound_ms: Option<f64>) -> Option<f64> {
    told_ms.map(|ms| ms.min(bound_ms.unwrap_or(f64::INFINITY)))
}

/// What the criteria are about, measured on one participation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Measures {
    /// In s, as far as the server believes it; waits for images are taken off.
    pub instruction_time: Option<f64>,
    /// In s, as far as the server believes it; waits for images are taken off.
    pub total_time: Option<f64>,
    /// In s, as the person lived it: from Welcome to Submit, with everything in between.
    pub elapsed_time: Option<f64>,
    /// Catch trials answered correctly.
    pub catch_correct: u32,
    /// Catch trials answered.
    pub catch_total: u32,
    /// Answers on the left, over main and catch trials.
    pub left_answers: u32,
    /// Answers on the right, over main and catch trials.
    pub right_answers: u32,
    /// Practice blocks begun; none where the condition has no practice.
    pub practice_blocks: Option<u32>,
    /// In s; 0 where the clock ran ahead by no more than the study allows, or stayed behind.
    pub clock_discrepancy: f64,
}

impl Measures {
    /// Measures a participation in a condition that practises or not. Waits for images are taken off the times of criteria.
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

    /// Share of catch trials answered correctly; none without catch trials.
    pub fn catch_share(&self) -> Option<f64> {
        (self.catch_total > 0).then(|| f64::from(self.catch_correct) / f64::from(self.catch_total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_images_are_taken_off_the_times() {
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
    fn times_are_believed_as_far_as_the_server_saw_them_pass() {
        let told = Times { instruction_ms: Some(60_000.0), total_ms: Some(182_000.0), ..Times::default() };
        let seen = Times { instruction_bound_ms: Some(5_300.0), total_bound_ms: Some(6_000.0), ..told };
        let of = |times: &Times| {
            let measures = Measures::new(times, &Tally::default(), true);
            (measures.instruction_time, measures.total_time, measures.elapsed_time)
        };
        assert_eq!(of(&seen), (Some(5.3), Some(6.0), Some(6.0)));
        assert_eq!(of(&told), (Some(60.0), Some(182.0), Some(182.0)), "nobody looked at that before");
        let ample = Times { instruction_bound_ms: Some(1e6), total_bound_ms: Some(1e6), ..told };
        assert_eq!(of(&ample), of(&told));
    }
}
