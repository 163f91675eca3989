//! The texts that participants read.

use serde::{Deserialize, Serialize};
use sha2::Digest;

/// The words on the screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Texts {
    /// The title above the references.
    pub references_title: String,
    /// The title above the base image beside references.
    pub base_title: String,
    /// The title above the base image in a condition without references.
    pub base_title_alone: String,
    /// The question above the queries.
    pub question: String,
    /// The words under the buttons, beside an arrow that points outward.
    pub more_confident: String,
    /// The label of the button that ends a trial.
    pub continue_label: String,
    /// The feedback after a correct practice trial.
    pub practice_correct: String,
    /// The feedback after a wrong practice trial.
    pub practice_incorrect: String,
    /// The words before the main trials.
    pub main_intro: String,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            references_title: "Favorite Images".into(),
            base_title: "Another Favorite Image".into(),
            base_title_alone: "Favorite Image".into(),
            question: "Which image is more favored?".into(),
            more_confident: "More Confident".into(),
            continue_label: "Continue".into(),
            practice_correct: "That was correct!".into(),
            practice_incorrect: "That was incorrect! The machine actually favors the other image more."
                .into(),
            main_intro: "Great! Let's now start with the real trials!".into(),
        }
    }
}

/// The pages in Markdown. In `study.toml` the fields name files. An imported definition has the contents of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StudyPages {
    /// The text to which a person agrees.
    pub consent: String,
    /// The page after the end.
    pub debrief: String,
    /// The page for a worker who only previews the task.
    pub preview: String,
    /// The instructions of each condition, in the order of the conditions.
    pub instructions: Vec<String>,
}

impl Default for StudyPages {
    fn default() -> Self {
        Self {
            consent: "consent.md".into(),
            debrief: "debrief.md".into(),
            preview: "preview.md".into(),
            instructions: Vec::new(),
        }
    }
}

/// SHA-256 of a text, which is stored with a consent.
pub fn text_sha256(text: &str) -> Vec<u8> {
    sha2::Sha256::digest(text.as_bytes()).to_vec()
}
