//! What participants read.

use serde::{Deserialize, Serialize};
use sha2::Digest;

/// Words on the screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Texts {
    /// Over the references.
    pub references_title: String,
    /// Over the base image beside references.
    pub base_title: String,
    /// Over the base image where there are no references.
    pub base_title_alone: String,
    /// Over the queries.
    pub question: String,
    /// Under the buttons, beside an arrow that points outward.
    pub more_confident: String,
    /// Ends a trial.
    pub continue_label: String,
    /// After a correct practice trial.
    pub practice_correct: String,
    /// After a wrong practice trial.
    pub practice_incorrect: String,
    /// Between practice and main trials.
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

/// Pages in Markdown. In `study.toml` the fields name files; an imported definition holds the files' contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StudyPages {
    /// What a person agrees to.
    pub consent: String,
    /// After the end.
    pub debrief: String,
    /// What a worker sees who only previews the task.
    pub preview: String,
    /// Instructions by condition, in the order of the conditions.
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

/// SHA-256 of a text: what the record of a consent cites.
pub fn text_sha256(text: &str) -> Vec<u8> {
    sha2::Sha256::digest(text.as_bytes()).to_vec()
}
