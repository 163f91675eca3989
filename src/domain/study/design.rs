//! The numbers of a study, with the reference study's values as defaults.

use serde::{Deserialize, Serialize};

use crate::domain::participant::Stage;
use crate::domain::words;

/// Size of the design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Design {
    /// Accepted participants per condition, 1 to 1,000.
    pub slots_per_condition: u32,
    /// Image sets; slot i (1-based) shows image set (i - 1) mod this.
    pub image_sets: u32,
    /// Main trials per participant: one per unit.
    pub main_trials: u32,
    /// Catch trials per participant.
    pub catch_trials: u32,
    /// How many people may complete a slot until one of them is kept.
    pub postings_per_slot: Postings,
    /// Width of every image in px.
    pub image_width_px: u32,
    /// Height of every image in px.
    pub image_height_px: u32,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            slots_per_condition: 50,
            image_sets: 10,
            main_trials: 18,
            catch_trials: 3,
            postings_per_slot: Postings::AtMost(3),
            image_width_px: 224,
            image_height_px: 224,
        }
    }
}

/// A bound on postings: a number, or the word `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Postings {
    /// At most so many, 1 or more.
    AtMost(u32),
    /// As many as it takes.
    Unlimited(Unlimited),
}

impl Postings {
    /// No bound.
    pub const UNLIMITED: Self = Self::Unlimited(Unlimited::Unlimited);

    /// The bound, if there is one.
    pub const fn limit(self) -> Option<u32> {
        match self {
            Self::AtMost(n) => Some(n),
            Self::Unlimited(_) => None,
        }
    }
}

words! {
    /// The word for "no bound".
    Unlimited {
        /// No bound.
        Unlimited = "unlimited",
    }
}

/// How long a slot is kept for somebody who gives no sign of life. It is taken back only when somebody needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lease {
    /// From consent until Welcome, in s.
    pub until_welcome_s: u32,
    /// After the last sign of life, from Welcome until somebody is at work, in s.
    pub until_work_s: u32,
    /// Somebody is at work once they have passed a part, so many seconds after consent at the earliest.
    pub least_reading_s: u32,
    /// After the last sign of life of somebody at work, in s. Whoever only reads holds a slot for so long in all.
    pub after_last_sign_s: u32,
}

impl Default for Lease {
    fn default() -> Self {
        Self { until_welcome_s: 300, until_work_s: 300, least_reading_s: 20, after_last_sign_s: 1800 }
    }
}

/// What the browser must offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// Smallest inner width in px.
    pub min_width_px: u32,
    /// Smallest inner height in px.
    pub min_height_px: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { min_width_px: 940, min_height_px: 600 }
    }
}

/// The trial screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrialScreen {
    /// Confidence levels under each query, 1 to 5.
    pub confidence_levels: u8,
    /// One key per button, left to right (as `KeyboardEvent.key`, lower case).
    pub keys: Vec<String>,
    /// From the click to the Continue button, in ms.
    pub continue_after_ms: u32,
}

impl Default for TrialScreen {
    fn default() -> Self {
        let keys = ["s", "d", "f", "j", "k", "l"].map(str::to_owned).to_vec();
        Self { confidence_levels: 3, keys, continue_after_ms: 350 }
    }
}

/// Practice blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Practice {
    /// Obvious trials that open a block.
    pub obvious_trials: u32,
    /// Others that follow, from the whole rest of the pool.
    pub other_trials: u32,
    /// After so many blocks the person is offered to end, paid; 0: never.
    pub offer_end_after_blocks: u32,
    /// After so many blocks the participation ends, paid. The usual number is left out, so that studies imported before there
    /// was a bound still have their hashes.
    #[serde(skip_serializing_if = "Practice::is_usual_bound")]
    pub most_blocks: u32,
}

impl Default for Practice {
    fn default() -> Self {
        Self { obvious_trials: 1, other_trials: 3, offer_end_after_blocks: 5, most_blocks: Self::USUAL_BOUND }
    }
}

impl Practice {
    /// Most trials that a block may have.
    pub const LONGEST_BLOCK: u16 = 20;

    /// Blocks until the participation ends: ten times as many as the criterion of the reference study lets pass.
    const USUAL_BOUND: u32 = 50;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    const fn is_usual_bound(blocks: &u32) -> bool {
        *blocks == Self::USUAL_BOUND
    }

    /// Whether somebody who is to begin this practice block has had all that there may be.
    pub fn is_used_up(&self, stage: Stage, attempt: u16) -> bool {
        stage == Stage::Instructed && u32::from(attempt) > self.most_blocks
    }

    /// Whether somebody in this practice block is offered to end, paid.
    pub fn offers_end(&self, stage: Stage, attempt: u16) -> bool {
        stage == Stage::Instructed
            && self.offer_end_after_blocks > 0
            && u32::from(attempt) > self.offer_end_after_blocks
    }

    /// Trials in a block.
    pub const fn trials(&self) -> u32 {
        self.obvious_trials + self.other_trials
    }
}

/// Checking the browser's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClockCheck {
    /// A live browser that claims to be more than so many s ahead of what the server saw is recorded.
    pub discrepancy_s: f64,
}

impl Default for ClockCheck {
    fn default() -> Self {
        Self { discrepancy_s: 5.0 }
    }
}
