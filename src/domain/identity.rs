//! A person's ids on the platform from which they came. They are personal data: they are never logged or exported, and stored in tables
//! of their own.

use super::study::Platform;

/// A text without white space and invisible characters at its ends, which people copy without noticing.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Whether a character has no width.
pub const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The normalised form of a researcher's e-mail address.
pub fn email(text: &str) -> String {
    trimmed(text).to_lowercase()
}

/// A platform's ids of one participation.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The platform from which the person came.
    pub platform: Platform,
    /// The platform that issued the ids, for the once-only rule. In most cases it is the same platform.
    pub ids_of: Platform,
    /// The person's id on the platform.
    pub worker_id: String,
    /// The platform's id of the assignment or submission.
    pub assignment_id: Option<String>,
    /// The platform's id of the task.
    pub hit_id: Option<String>,
}

impl std::fmt::Debug for Identity {
    /// Does not write the ids, so that no log contains them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.platform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_contains_no_ids() {
        let identity = Identity {
            platform: Platform::Mturk,
            ids_of: Platform::Mturk,
            worker_id: "AWORKER".into(),
            assignment_id: Some("3ASSIGNMENT".into()),
            hit_id: Some("3HIT".into()),
        };
        assert_eq!(format!("{identity:?}"), "Identity(mturk)");
    }
}
