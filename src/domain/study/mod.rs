//! The definition of a study: all settings and texts of the experiment, with the values of the reference study as defaults.
//!
//! A study folder's `study.toml` deserialises into [`StudyDefinition`]; `docs/study-format.md` describes it for researchers.

mod condition;
mod design;
mod link;
mod texts;
mod words;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use condition::{Condition, ReferenceGroup, Usd};
pub use design::{ClockCheck, Design, Lease, Postings, Practice, TrialScreen, Unlimited, Window};
pub use link::{Codes, GenericLink, LinkDefinition, MturkTask, Outcome, ProlificLink, SonaLink};
pub use texts::{StudyPages, Texts, text_sha256};
pub use words::{Group, Mode, Platform, ReferenceKind, StudyState};

use super::exclusion::Policy;
use super::trial::{Buttons, Difficulty, ImageId, ImageOnFile, Trial, TrialKind};

/// A study without its trials and images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyDefinition {
    /// The short name in addresses, commands and exports: a-z, 0-9 and hyphens, 1 to 40 characters.
    pub slug: String,
    /// The title that participants read.
    pub title: String,
    /// The e-mail address for questions of participants.
    pub contact: String,
    /// The institution that runs the study, for the consent page.
    #[serde(default)]
    pub institution: String,
    /// Studies of one family share the once-only rule. By default a study is its own family.
    #[serde(default)]
    pub family: Option<String>,
    /// The name of the policy that decides whether a slot is filled.
    pub enrolment_policy: String,
    /// The size of the design.
    #[serde(default)]
    pub design: Design,
    /// How long a slot is kept for a person without a sign of life.
    #[serde(default)]
    pub lease: Lease,
    /// What the browser must offer.
    #[serde(default)]
    pub window: Window,
    /// The settings of the trial screen.
    #[serde(default)]
    pub trial: TrialScreen,
    /// The settings of practice blocks.
    #[serde(default)]
    pub practice: Practice,
    /// The check of the browser's clock.
    #[serde(default)]
    pub clock: ClockCheck,
    /// The conditions, in the order of tables and figures.
    pub conditions: Vec<Condition>,
    /// The study's exclusion policies.
    pub policies: Vec<Policy>,
    /// The rules of admission.
    #[serde(default)]
    pub recruitment: Recruitment,
    /// The entry links that an import of the study creates.
    #[serde(default)]
    pub links: Vec<LinkDefinition>,
    /// The words on the screens.
    #[serde(default)]
    pub texts: Texts,
    /// The pages in Markdown.
    #[serde(default)]
    pub pages: StudyPages,
}

/// The rules of admission.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recruitment {
    /// The short names of earlier studies whose participants are not admitted.
    pub not_after: Vec<String>,
    /// Whether an import switches on open live links of the crowd.
    pub open_links: bool,
}

impl StudyDefinition {
    /// The family of studies that share the once-only rule.
    pub fn family(&self) -> &str {
        self.family.as_deref().unwrap_or(&self.slug)
    }

    /// The condition of that name.
    pub fn condition(&self, name: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.name == name)
    }

    /// Whether people of a condition practise.
    pub fn practises(&self, condition: &str) -> bool {
        self.condition(condition).is_some_and(|condition| condition.practice)
    }

    /// The conditions whose people practise.
    pub fn practising(&self) -> Vec<String> {
        self.conditions.iter().filter(|condition| condition.practice).map(|c| c.name.clone()).collect()
    }

    /// The policy of that name.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// The buttons of a trial.
    pub const fn buttons(&self) -> Buttons {
        Buttons { levels: self.trial.confidence_levels }
    }

    /// The image set, from 0, of a slot's number, from 1.
    pub const fn image_set_of_slot(&self, slot: u32) -> u32 {
        (slot - 1) % self.design.image_sets
    }

    /// The number of main and catch trials that a participant answers.
    pub const fn main_block_trials(&self) -> u32 {
        self.design.main_trials + self.design.catch_trials
    }
}

/// A stored row of the table of trials.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTrial {
    /// The row's number in the database.
    pub id: i64,
    /// The trial of the row.
    pub trial: Trial,
}

/// An imported version of a study. It never changes, so that it shows what a participant saw.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyVersion {
    /// The version's number in the database.
    pub id: i64,
    /// The study's number in the database.
    pub study_id: i64,
    /// The version's number within the study, from 1.
    pub number: i32,
    /// The definition in the study folder.
    pub definition: StudyDefinition,
    /// The table of trials, in its order.
    pub trials: Vec<StoredTrial>,
    /// All images of the trials.
    pub images: HashMap<ImageId, ImageOnFile>,
}

impl StudyVersion {
    /// The trials of a kind in a condition.
    pub fn trials_of(&self, condition: &str, kind: TrialKind) -> impl Iterator<Item = &StoredTrial> {
        self.trials.iter().filter(move |row| row.trial.condition == condition && row.trial.kind == kind)
    }

    /// The main trials of an image set in a condition.
    pub fn main_trials(&self, condition: &str, image_set: u32) -> impl Iterator<Item = &StoredTrial> {
        self.trials_of(condition, TrialKind::Main).filter(move |row| row.trial.image_set == Some(image_set))
    }

    /// The practice pool of a condition, by difficulty.
    pub fn practice_pool(&self, condition: &str, difficulty: Difficulty) -> Vec<&StoredTrial> {
        self.trials_of(condition, TrialKind::Practice)
            .filter(|row| row.trial.difficulty == Some(difficulty))
            .collect()
    }

    /// An image of its trials. For any other image, the returned number does not exist.
    pub fn image(&self, id: &ImageId) -> ImageOnFile {
        self.images.get(id).copied().unwrap_or_default()
    }

    /// The row of that number.
    pub fn trial(&self, id: i64) -> Option<&Trial> {
        self.trials.iter().find(|row| row.id == id).map(|row| &row.trial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_sets_repeat_over_the_slots() {
        let sets: Vec<_> = (1..=50).map(|slot| (slot - 1) % Design::default().image_sets).collect();
        assert_eq!(sets[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
        assert!((0..10).all(|set| sets.iter().filter(|s| **s == set).count() == 5));
    }
}
