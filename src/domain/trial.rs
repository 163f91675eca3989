//! One trial: what is shown, and what a press of one of the buttons means.

use serde::{Deserialize, Serialize};

use super::words;

words! {
    /// A side of the trial screen, as the participant sees it.
    Side {
        /// The left query.
        Left = "left",
        /// The right query.
        Right = "right",
    }
}

impl Side {
    /// The opposite side.
    pub const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

words! {
    /// What a row of the table of trials is for.
    TrialKind {
        /// One of the trials that are analysed.
        Main = "main",
        /// An easy trial among the main ones, to notice who does not look.
        Catch = "catch",
        /// A trial with feedback, before the main ones.
        Practice = "practice",
        /// Pictures for the instructions; never answered.
        Instruction = "instruction",
    }
}

words! {
    /// How easy a practice trial is.
    Difficulty {
        /// Cannot be missed by anybody who understood the task; opens a practice block.
        Obvious = "obvious",
        /// Easy.
        Easy = "easy",
    }
}

words! {
    /// A run of trials.
    Block {
        /// Trials with feedback; repeated until all are correct.
        Practice = "practice",
        /// Main and catch trials, shuffled together.
        Main = "main",
    }
}

words! {
    /// What the participant pressed with.
    Input {
        /// A mouse, trackpad or the like.
        Mouse = "mouse",
        /// A finger or pen.
        Touch = "touch",
        /// A key, or a screen reader's press.
        Key = "key",
    }
}

/// The SHA-256 of an image's file as it was imported, in hexadecimal: what identifies an image everywhere inside Weber.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageId(pub String);

/// An image in the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImageOnFile {
    /// Its number, from 1.
    pub number: i64,
    /// What is stored of it, in bytes.
    pub size: usize,
}

/// One row of the table of trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The condition whose participants see it.
    pub condition: String,
    /// What it is for.
    pub kind: TrialKind,
    /// For practice trials only.
    pub difficulty: Option<Difficulty>,
    /// 0-based image set; always there for main trials.
    pub image_set: Option<u32>,
    /// The unit (for instance a channel of a network layer) that the trial is about.
    pub unit: String,
    /// The unit's layer.
    pub layer: String,
    /// The unit's branch.
    pub branch: String,
    /// The image that activates the unit strongly.
    pub base: ImageId,
    /// The base with the occlusion that keeps the activation highest: the correct answer.
    pub max_query: ImageId,
    /// The base with the occlusion that makes the activation lowest.
    pub min_query: ImageId,
    /// References by group; their order is permuted within a group only.
    pub references: Vec<Vec<ImageId>>,
    /// What the study knows about the trial beyond the images.
    #[serde(flatten)]
    pub known: KnownActivations,
}

/// Activations and the baselines' decisions, where the study gives them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KnownActivations {
    /// The unit's activation by the base image.
    pub base_activation: Option<f64>,
    /// ... by the max query.
    pub max_activation: Option<f64>,
    /// ... by the min query.
    pub min_activation: Option<f64>,
    /// Whether the baseline that prefers the occlusion farther from the centre is right.
    pub center_correct: Option<bool>,
    /// Whether the baseline that prefers the occlusion of lower variance is right.
    pub variance_correct: Option<bool>,
    /// Whether the baseline that prefers the occlusion of lower saliency is right.
    pub saliency_correct: Option<bool>,
    /// Whether the baseline that spares the primary object is right.
    pub object_correct: Option<bool>,
}

impl KnownActivations {
    /// (max - min) / base activation, a measure of how easy the trial is; undefined where the base's is not positive.
    pub fn relative_activation_difference(&self) -> Option<f64> {
        let base = self.base_activation.filter(|base| *base > 0.0)?;
        Some((self.max_activation? - self.min_activation?) / base)
    }
}

impl Trial {
    /// All references in the table's order, group after group.
    pub fn all_references(&self) -> impl Iterator<Item = &ImageId> {
        self.references.iter().flatten()
    }

    /// Every image of the trial.
    pub fn images(&self) -> impl Iterator<Item = &ImageId> {
        [&self.base, &self.max_query, &self.min_query].into_iter().chain(self.all_references())
    }

    /// The query images as (left, right) when the max query is shown on `max_side`.
    pub fn queries(&self, max_side: Side) -> (&ImageId, &ImageId) {
        match max_side {
            Side::Left => (&self.max_query, &self.min_query),
            Side::Right => (&self.min_query, &self.max_query),
        }
    }
}

/// The row of buttons under the queries: `levels` under the left one, `levels` under the right one.
///
/// Labels grow outward: with three levels they read 3 2 1 under the left query and 1 2 3 under the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buttons {
    /// Confidence levels per side, 1 to 5.
    pub levels: u8,
}

/// What a press of a button means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Press {
    /// The side that was chosen.
    pub side: Side,
    /// The label that was shown on the button: 1 (unsure) to `levels` (sure).
    pub confidence: u8,
}

impl Buttons {
    /// How many buttons there are.
    pub const fn count(self) -> u8 {
        self.levels * 2
    }

    /// The meaning of button `response`, counted from 0 at the left; none if there is no such button.
    pub fn press(self, response: u8) -> Option<Press> {
        if response < self.levels {
            Some(Press { side: Side::Left, confidence: self.levels - response })
        } else if response < self.count() {
            Some(Press { side: Side::Right, confidence: response - self.levels + 1 })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_the_label_that_was_shown() {
        let buttons = Buttons { levels: 3 };
        let pressed: Vec<_> = (0..6).map(|b| buttons.press(b).map(|p| (p.side, p.confidence))).collect();
        let expected = [
            (Side::Left, 3),
            (Side::Left, 2),
            (Side::Left, 1),
            (Side::Right, 1),
            (Side::Right, 2),
            (Side::Right, 3),
        ];
        assert_eq!(pressed, expected.map(Some));
        assert_eq!(buttons.press(6), None);
    }

    #[test]
    fn relative_activation_difference_needs_a_positive_base() {
        let known = |base| KnownActivations {
            base_activation: Some(base),
            max_activation: Some(3.0),
            min_activation: Some(1.0),
            ..KnownActivations::default()
        };
        assert_eq!(known(4.0).relative_activation_difference(), Some(0.5));
        assert_eq!(known(0.0).relative_activation_difference(), None);
        assert_eq!(known(-4.0).relative_activation_difference(), None);
        assert_eq!(KnownActivations::default().relative_activation_difference(), None);
    }
}
