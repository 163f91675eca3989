//! Who somebody is on the platform they came from. Personal data: stored in one table, never logged, never exported.

use super::study::Platform;

/// A text without what cannot be seen at its ends: blanks of every kind, and characters of no width, which are copied along
/// unnoticed.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Characters of no width.
pub const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The one spelling of a researcher's e-mail address.
pub fn email(text: &str) -> String {
    trimmed(text).to_lowercase()
}

/// A platform's ids of one participation.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The platform.
    pub platform: Platform,
    /// Whose ids these are, for the once-only rule: mostly the platform's own.
    pub ids_of: Platform,
    /// The person's id there.
    pub worker_id: String,
    /// The assignment or submission.
    pub assignment_id: Option<String>,
    /// The task.
    pub hit_id: Option<String>,
}

impl std::fmt::Debug for Identity {
    /// Names nobody, so that no log does.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.platform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_names_nobody() {
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
