//! What stands in an address where a platform should have written an id: a placeholder that was not filled in, or what
//! programs write when they have nothing to write.

/// Characters that placeholders are made of, in one or another template language, and no id holds.
const MARKS: [char; 12] = ['{', '}', '[', ']', '<', '>', '%', '$', '|', '`', '«', '»'];

/// What programs write for nothing, in small letters and digits alone.
const NOTHING: [&str; 14] = [
    "undefined",
    "null",
    "none",
    "nan",
    "nil",
    "na",
    "void",
    "empty",
    "unset",
    "missing",
    "unknown",
    "objectobject",
    "true",
    "false",
];

/// Names of parameters, of the platforms and such as panels use, in small letters and digits alone.
const NAMES: [&str; 22] = [
    "prolificpid",
    "prolificid",
    "studyid",
    "sessionid",
    "submissionid",
    "workerid",
    "assignmentid",
    "hitid",
    "participantid",
    "projectid",
    "surveycode",
    "id",
    "pid",
    "uid",
    "userid",
    "personid",
    "panelid",
    "panelistid",
    "respondentid",
    "subjectid",
    "yourid",
    "idhere",
];

/// Whether a text, trimmed, is no id but a placeholder.
pub fn is(text: &str) -> bool {
    let plain = squeezed(text);
    plain.is_empty()
        || text.contains(MARKS)
        || is_wrapped(text)
        || text.strip_prefix(':').is_some_and(is_name)
        || plain.ends_with("notavailable")
        || NOTHING.contains(&plain.as_str())
        || NAMES.contains(&plain.as_str())
}

/// Whether a text is the name of its own parameter.
pub fn is_own_name(text: &str, parameter: &str) -> bool {
    squeezed(text) == squeezed(parameter)
}

/// A name between two marks: `@id@`, `#id#`, `(id)`. Ids may begin and end with one `_` or `-`, but not with two.
fn is_wrapped(text: &str) -> bool {
    let between = |open: &str, close: &str| {
        text.len() > open.len() + close.len()
            && text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(is_name)
    };
    let alike = ["@", "#", "!", "~", "*", ":", "?", "'", "\"", "^", "__", "--"];
    between("(", ")") || alike.iter().any(|mark| between(mark, mark))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))
}

/// Its letters and digits, small.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_known_in_every_spelling_in_use() {
        for text in [
            "{{%PROLIFIC_PID%}}",
            "{%PROLIFIC_PID%}",
            "{{PROLIFIC_PID}}",
            "{pid}",
            "${e://Field/PROLIFIC_PID}",
            "${worker}",
            "$worker",
            "#{worker}",
            "[[PID]]",
            "[PID]",
            "%SURVEY_CODE%",
            "%7B%7Bpid%7D%7D",
            "<id>",
            "<%= id %>",
            ":worker",
            "@worker@",
            "#worker#",
            "(worker)",
            "__WORKER__",
            "*|WORKER|*",
            "«worker»",
            "...",
            "-",
            "???",
            "undefined",
            "Undefined",
            "NULL",
            "(null)",
            "None",
            "NaN",
            "n/a",
            "[object Object]",
            "object Object",
            "ASSIGNMENT_ID_NOT_AVAILABLE",
            "PROLIFIC_PID",
            "worker-id",
            "Your ID",
        ] {
            assert!(is(text), "{text}");
        }
        assert!(is_own_name("Who_Am_I", "whoAmI"));
    }

    #[test]
    fn ids_are_not_taken_for_placeholders() {
        for text in [
            "5f00aa11bb22cc33dd44ee55",
            "A1B2C3",
            "4711",
            "-NxYz_09",
            "_ab-c_",
            "+4930123",
            "@someone",
            "a&b=c/ü#",
            "anna.null@example.org",
            "none-of-these-7",
            "6F9619FF-8B86-D011-B42D-00C04FC964FF",
        ] {
            assert!(!is(text), "{text}");
        }
        assert!(!is_own_name("who1", "who"));
    }
}
