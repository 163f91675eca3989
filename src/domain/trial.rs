//! A trial: its images, and the meaning of its buttons.

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
    /// The kind of a row in the table of trials.
    TrialKind {
        /// A trial that is analysed.
        Main = "main",
        /// An easy trial among the main ones, which tests attention.
        Catch = "catch",
        /// A trial with feedback before the main ones.
        Practice = "practice",
        /// A picture for the instructions, which is never answered.
        Instruction = "instruction",
    }
}

words! {
    /// How easy a practice trial is.
    Difficulty {
        /// Every person who understood the task answers it correctly. Practice blocks start with such trials.
        Obvious = "obvious",
        /// An easy trial that may be answered wrongly.
        Easy = "easy",
    }
}

words! {
    /// The kind of a block of trials.
    Block {
        /// Trials with feedback. New blocks are drawn until all answers of a block are correct.
        Practice = "practice",
        /// Main and catch trials, shuffled together.
        Main = "main",
    }
}

words! {
    /// The device with which the participant pressed a button.
    Input {
        /// A mouse or trackpad.
        Mouse = "mouse",
        /// A finger or pen.
        Touch = "touch",
        /// A key, or a screen reader's press.
        Key = "key",
    }
}

/// The id of an image inside Weber: SHA-256 of its file as it was imported, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImageId(pub String);

/// An image in the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImageOnFile {
    /// The row's number in the database, from 1.
    pub number: i64,
    /// The size of the stored file in bytes.
    pub size: usize,
}

/// A row of the table of trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The condition whose participants see it.
    pub condition: String,
    /// The kind of trial.
    pub kind: TrialKind,
    /// The difficulty, of practice trials only.
    pub difficulty: Option<Difficulty>,
    /// The image set, from 0. Main trials always have one.
    pub image_set: Option<u32>,
    /// The unit that the trial asks about, for instance a channel of a network layer.
    pub unit: String,
    /// The layer of the unit.
    pub layer: String,
    /// The branch of the unit.
    pub branch: String,
    /// The image that activates the unit strongly.
    pub base: ImageId,
    /// The base image with the occlusion that keeps the activation highest. It is the correct answer.
    pub max_query: ImageId,
    /// The base image with the occlusion that makes the activation lowest.
    pub min_query: ImageId,
    /// The references by group. Their order is permuted only within a group.
    pub references: Vec<Vec<ImageId>>,
    /// Activations and decisions of baselines.
    #[serde(flatten)]
    pub known: KnownActivations,
}

/// The activations of a trial's images, and whether baselines answer it correctly, as far as the study says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KnownActivations {
    /// The activation of the unit by the base image.
    pub base_activation: Option<f64>,
    /// The activation of the unit by the max query.
    pub max_activation: Option<f64>,
    /// The activation of the unit by the min query.
    pub min_activation: Option<f64>,
    /// Whether the baseline is right that prefers the occlusion farther from the centre.
    pub center_correct: Option<bool>,
    /// Whether the baseline is right that prefers the occlusion of lower variance.
    pub variance_correct: Option<bool>,
    /// Whether the baseline is right that prefers the occlusion of lower saliency.
    pub saliency_correct: Option<bool>,
    /// Whether the baseline is right that prefers the occlusion outside the primary object.
    pub object_correct: Option<bool>,
}

impl KnownActivations {
    /// (max - min) / base activation, which measures how easy the trial is. None if the base activation is not positive or one is unknown.
    pub fn relative_activation_difference(&self) -> Option<f64> {
        let base = self.base_activation.filter(|base| *base > 0.0)?;
        Some((self.max_activation? - self.min_activation?) / base)
    }
}

impl Trial {
    /// All references, group by group, in the table's order.
    pub fn all_references(&self) -> impl Iterator<Item = &ImageId> {
        self.references.iter().flatten()
    }

    /// All images of the trial.
    pub fn images(&self) -> impl Iterator<Item = &ImageId> {
        [&self.base, &self.max_query, &self.min_query].into_iter().chain(self.all_references())
    }

    /// The left and the right query, if the max query is shown on `max_side`.
    pub fn queries(&self, max_side: Side) -> (&ImageId, &ImageId) {
        match max_side {
            Side::Left => (&self.max_query, &self.min_query),
            Side::Right => (&self.min_query, &self.max_query),
        }
    }
}

/// The buttons under the queries: `levels` under the left one, and `levels` under the right one.
///
/// The labels increase outward: with three levels they are 3 2 1 under the left query and 1 2 3 under the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buttons {
    /// The number of confidence levels per side, 1 to 5.
    pub levels: u8,
}

/// The meaning of a pressed button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Press {
    /// The chosen side.
    pub side: Side,
    /// The label on the button, from 1 (unsure) to `levels` (sure).
    pub confidence: u8,
}

impl Buttons {
    /// The number of buttons.
    pub const fn count(self) -> u8 {
        self.levels * 2
    }

    /// The meaning of button `response`, counted from 0 at the left. None if there is no such button.
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
