//! The normal form of each platform's ids. Ids are stored, hashed, searched, listed and compared in this form only.

use serde::Serialize;

use super::placeholder;
use crate::domain::identity::{is_invisible, trimmed};
use crate::domain::study::Platform;

/// The longest id of any platform, in characters.
pub const LONGEST: usize = 200;

/// The longest id of MTurk and of Connect, in characters: MTurk's documents say 64, and both give out shorter ones.
const LONGEST_ALPHANUMERIC: usize = 64;

/// The number of hexadecimal digits of Prolific's ids.
const PROLIFIC_DIGITS: usize = 24;

/// The ends of the mail addresses by which Prolific forwards mail to a person; the id stands before them.
const PROLIFIC_MAIL: [&str; 2] = ["@email.prolific.com", "@email.prolific.co"];

/// What an id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A participant of the platform.
    Person,
    /// An assignment or submission.
    Assignment,
    /// A task, study or project.
    Task,
}

/// Why a text cannot be an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdFault {
    /// The text is missing or blank.
    Missing,
    /// The text is a placeholder that the platform did not fill in.
    NotFilledIn,
    /// The text is longer than any id.
    TooLong,
    /// The text does not have the form of the platform's ids.
    Unfit,
}

/// The normal form of an id of a platform.
///
/// # Errors
/// Says why the text cannot be an id.
pub fn normal(platform: Platform, what: What, text: &str) -> Result<String, IdFault> {
    let text = trimmed(text);
    if text.is_empty() {
        return Err(IdFault::Missing);
    }
    if placeholder::is(text) {
        return Err(IdFault::NotFilledIn);
    }
    if text.chars().count() > LONGEST {
        return Err(IdFault::TooLong);
    }
    let id = in_one_case(platform, what, text);
    if is_made_as(platform, &id) { Ok(id) } else { Err(IdFault::Unfit) }
}

/// The normal form of an id, or the trimmed text if it cannot be an id: a platform's list must keep all its lines.
pub fn normal_or_as_it_is(platform: Platform, what: What, text: &str) -> String {
    normal(platform, what, text).unwrap_or_else(|_| trimmed(text).to_owned())
}

/// The normal form of a link's code.
pub fn link_code(text: &str) -> String {
    trimmed(text).to_ascii_lowercase()
}

/// Changes the id to the one case that the platform uses. Connect's task ids stay as they came, because they are part of the
/// address by which people go back.
fn in_one_case(platform: Platform, what: What, text: &str) -> String {
    match (platform, what) {
        (Platform::Prolific, _) => {
            let id = text.to_ascii_lowercase();
            PROLIFIC_MAIL.iter().find_map(|mail| id.strip_suffix(mail)).unwrap_or(&id).to_owned()
        }
        (Platform::Mturk, _) | (Platform::Connect, What::Person) => text.to_ascii_uppercase(),
        (Platform::Direct, _) => text.to_ascii_lowercase(),
        (Platform::Connect | Platform::Sona | Platform::Generic, _) => text.to_owned(),
    }
}

fn is_made_as(platform: Platform, id: &str) -> bool {
    let all = |is: fn(&u8) -> bool| id.as_bytes().iter().all(is);
    match platform {
        Platform::Prolific => id.len() == PROLIFIC_DIGITS && all(u8::is_ascii_hexdigit),
        Platform::Mturk => id.len() <= LONGEST_ALPHANUMERIC && all(u8::is_ascii_alphanumeric),
        Platform::Connect => {
            id.len() <= LONGEST_ALPHANUMERIC && all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
        }
        Platform::Sona => (2..=7).contains(&id.len()) && all(u8::is_ascii_digit),
        // The link's code, a slash and the personal code.
        Platform::Direct => all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'/')),
        Platform::Generic => {
            !id.contains(|c: char| c.is_whitespace() || c.is_control() || is_invisible(c) || c == '\u{fffd}')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID: &str = "5f00aa11bb22cc33dd44ee55";

    #[test]
    fn every_spelling_of_an_id_has_one_normal_form() {
        let upper = PID.to_uppercase();
        for text in [
            PID,
            &upper,
            &format!(" {PID}"),
            &format!("{PID}\n"),
            &format!("\u{a0}{PID}\u{3000}"),
            &format!("\u{feff}{PID}\u{200b}"),
            &format!("{PID}@email.prolific.com"),
            &format!("{upper}@EMAIL.PROLIFIC.COM "),
        ] {
            assert_eq!(normal(Platform::Prolific, What::Person, text).as_deref(), Ok(PID), "{text:?}");
        }
        assert_eq!(normal(Platform::Mturk, What::Person, " a1b2\r\n").as_deref(), Ok("A1B2"));
        assert_eq!(normal(Platform::Connect, What::Person, "ab-1").as_deref(), Ok("AB-1"));
        assert_eq!(normal(Platform::Connect, What::Task, "aB1").as_deref(), Ok("aB1"));
        assert_eq!(normal(Platform::Sona, What::Person, " 0047 ").as_deref(), Ok("0047"));
        assert_eq!(normal(Platform::Generic, What::Person, "\tAda-7\t").as_deref(), Ok("Ada-7"));
        assert_eq!(normal(Platform::Direct, What::Person, "K3/7-AB ").as_deref(), Ok("k3/7-ab"));
    }

    #[test]
    fn the_normal_form_of_a_normal_form_is_the_same() {
        for (platform, text) in [
            (Platform::Prolific, PID),
            (Platform::Mturk, "A1B2"),
            (Platform::Connect, "AB-1"),
            (Platform::Sona, "47"),
            (Platform::Generic, "Ada+7@x"),
            (Platform::Direct, "k3/7-ab"),
        ] {
            assert_eq!(normal(platform, What::Person, text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_text_that_no_platform_gives_out_is_refused() {
        let fault = |platform, text: &str| normal(platform, What::Person, text).unwrap_err();
        for platform in Platform::ALL {
            assert_eq!(fault(*platform, ""), IdFault::Missing, "{platform}");
            assert_eq!(fault(*platform, " \u{200b}\n"), IdFault::Missing, "{platform}");
            assert_eq!(fault(*platform, "{{%PROLIFIC_PID%}}"), IdFault::NotFilledIn, "{platform}");
            assert_eq!(fault(*platform, "undefined"), IdFault::NotFilledIn, "{platform}");
            assert_eq!(fault(*platform, &"7".repeat(LONGEST + 1)), IdFault::TooLong, "{platform}");
            assert_eq!(fault(*platform, "a b"), IdFault::Unfit, "{platform}");
            assert_eq!(fault(*platform, "a\0"), IdFault::Unfit, "{platform}");
            assert_eq!(fault(*platform, "a\u{fffd}b"), IdFault::Unfit, "{platform}");
        }
        let short = &PID[1..];
        for (platform, text) in [
            (Platform::Prolific, short),
            (Platform::Prolific, "5f00aa11bb22cc33dd44ee5g"),
            (Platform::Prolific, "5f00aa11bb22cc33dd44ee55@example.org"),
            (Platform::Mturk, "A-1"),
            (Platform::Mturk, "ÄB"),
            (Platform::Connect, "p/1"),
            (Platform::Sona, "7"),
            (Platform::Sona, "12345678"),
            (Platform::Generic, "a\u{200b}b"),
        ] {
            assert_eq!(fault(platform, text), IdFault::Unfit, "{platform}: {text}");
        }
    }
}
