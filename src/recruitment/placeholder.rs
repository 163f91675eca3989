//! Recognises texts in an address that are no ids: placeholders that the platform did not fill in, and words for an empty value.

/// Characters of placeholders in common template languages. No id contains them.
const MARKS: [char; 12] = ['{', '}', '[', ']', '<', '>', '%', '$', '|', '`', '«', '»'];

/// Words that programs write for an empty value, in lower case and without punctuation.
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

/// Names of id parameters of platforms and panels, in lower case and without punctuation.
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

/// Whether a trimmed text is a placeholder.
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

/// Whether the text is a name between two marks: `@id@`, `#id#`, `(id)`. Ids may begin and end with one `_` or `-`, not with two.
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

/// The letters and digits of a text, in lower case.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_placeholders_are_recognised() {
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
