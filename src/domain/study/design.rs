//! The numerical settings of a study, with the values of the reference study as defaults.

use serde::{Deserialize, Serialize};

use crate::domain::participant::Stage;
use crate::domain::words;

/// The size of the design.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Design {
    /// The number of slots per condition, 1 to 1,000.
    pub slots_per_condition: u32,
    /// The number of image sets. Slot i, counted from 1, shows image set (i - 1) mod this.
    pub image_sets: u32,
    /// The number of main trials per participant: one per unit.
    pub main_trials: u32,
    /// The number of catch trials per participant.
    pub catch_trials: u32,
    /// How many people may complete in a slot until one of them is kept.
    pub postings_per_slot: Postings,
    /// The width of all images in px.
    pub image_width_px: u32,
    /// The height of all images in px.
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

/// A limit of postings: a number, or the word `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Postings {
    /// The largest number of postings, 1 or more.
    AtMost(u32),
    /// There is no limit.
    Unlimited(Unlimited),
}

impl Postings {
    /// The setting without a limit.
    pub const UNLIMITED: Self = Self::Unlimited(Unlimited::Unlimited);

    /// The limit, if there is one.
    pub const fn limit(self) -> Option<u32> {
        match self {
            Self::AtMost(n) => Some(n),
            Self::Unlimited(_) => None,
        }
    }
}

words! {
    /// The word of a setting without a limit.
    Unlimited {
        /// There is no limit.
        Unlimited = "unlimited",
    }
}

/// How long a slot is kept for a person without a sign of life. It is taken back only when another person needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lease {
    /// The time from consent to Welcome, in s.
    pub until_welcome_s: u32,
    /// The time after the last sign of life of a person who has not passed a part yet, in s.
    pub until_work_s: u32,
    /// A part that is passed sooner after consent, in s, does not count as passed.
    pub least_reading_s: u32,
    /// The time after the last sign of life of a person who has passed a part, in s. It is also the longest time for which a
    /// person holds a slot without having passed a part.
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
    /// The smallest inner width in px.
    pub min_width_px: u32,
    /// The smallest inner height in px.
    pub min_height_px: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { min_width_px: 940, min_height_px: 600 }
    }
}

/// The settings of the trial screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrialScreen {
    /// The number of confidence levels under each query, 1 to 5.
    pub confidence_levels: u8,
    /// A key for each button, from left to right (as `KeyboardEvent.key`, lower case).
    pub keys: Vec<String>,
    /// The time from the click to the Continue button, in ms.
    pub continue_after_ms: u32,
}

impl Default for TrialScreen {
    fn default() -> Self {
        let keys = ["s", "d", "f", "j", "k", "l"].map(str::to_owned).to_vec();
        Self { confidence_levels: 3, keys, continue_after_ms: 350 }
    }
}

/// The settings of practice blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Practice {
    /// The number of obvious trials at the start of a block.
    pub obvious_trials: u32,
    /// The number of other trials that follow, from the whole rest of the pool.
    pub other_trials: u32,
    /// After so many blocks the person is offered to end with pay. 0 for never.
    pub offer_end_after_blocks: u32,
    /// After so many blocks the participation ends with pay. The default is not written, so that studies from before this setting keep
    /// their hashes.
    #[serde(skip_serializing_if = "Practice::is_usual_bound")]
    pub most_blocks: u32,
}

impl Default for Practice {
    fn default() -> Self {
        Self { obvious_trials: 1, other_trials: 3, offer_end_after_blocks: 5, most_blocks: Self::USUAL_BOUND }
    }
}

impl Practice {
    /// The largest number of trials in a block.
    pub const LONGEST_BLOCK: u16 = 20;

    /// The default of `most_blocks`: ten times as many as the criterion of the reference study allows.
    const USUAL_BOUND: u32 = 50;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    const fn is_usual_bound(blocks: &u32) -> bool {
        *blocks == Self::USUAL_BOUND
    }

    /// Whether a person whose next practice block has this number has already had the largest number of blocks.
    pub fn is_used_up(&self, stage: Stage, attempt: u16) -> bool {
        stage == Stage::Instructed && u32::from(attempt) > self.most_blocks
    }

    /// Whether a person in this practice block is offered to end with pay.
    pub fn offers_end(&self, stage: Stage, attempt: u16) -> bool {
        stage == Stage::Instructed
            && self.offer_end_after_blocks > 0
            && u32::from(attempt) > self.offer_end_after_blocks
    }

    /// The number of trials in a block.
    pub const fn trials(&self) -> u32 {
        self.obvious_trials + self.other_trials
    }
}

/// The check of the browser's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClockCheck {
    /// The discrepancy is recorded if the browser's clock runs ahead of the time that the server measured by more than this, in s.
    pub discrepancy_s: f64,
}

impl Default for ClockCheck {
    fn default() -> Self {
        Self { discrepancy_s: 5.0 }
    }
}
