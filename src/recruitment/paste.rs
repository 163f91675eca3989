//! The texts that a researcher pastes into a platform's form for a study.

use crate::domain::study::{LinkDefinition, Platform};

/// The address for the platform's form, with the platform's own placeholders.
pub fn address(link: &LinkDefinition, entry: &str) -> String {
    match link.platform {
        Platform::Prolific => {
            let names = link.prolific.clone().unwrap_or_default();
            format!(
                "{entry}?{}={{{{%PROLIFIC_PID%}}}}&{}={{{{%STUDY_ID%}}}}&{}={{{{%SESSION_ID%}}}}",
                names.participant_parameter, names.study_parameter, names.session_parameter
            )
        }
        Platform::Sona => {
            let name = link.sona.as_ref().map_or("survey_code", |sona| sona.parameter.as_str());
            format!("{entry}?{name}=%SURVEY_CODE%")
        }
        Platform::Generic => {
            let name = link.generic.as_ref().map_or("id", |generic| generic.parameter.as_str());
            format!("{entry}?{name}=...")
        }
        Platform::Direct | Platform::Mturk | Platform::Connect => entry.to_owned(),
    }
}

/// Tells the researcher in one or two sentences what to do with the address.
pub const fn advice(link: &LinkDefinition) -> &'static str {
    match link.platform {
        Platform::Mturk => {
            "Post one HIT per batch with the command below; MTurk adds the worker's parameters by itself."
        }
        Platform::Prolific => {
            "Paste this as the study's URL, choose “I'll use URL parameters”, and add each code below as a completion path."
        }
        Platform::Connect => "Paste this as the project's survey URL; Connect adds its parameters by itself.",
        Platform::Sona => "Paste this as the study's URL; credit is granted by itself at the end.",
        Platform::Generic => {
            "Give this to the panel, with its own placeholder for the person's id in place of the dots."
        }
        Platform::Direct if link.personal => {
            "Each person gets an address of their own, good for one participation. Opening it uses up nothing; agreeing does."
        }
        Platform::Direct => "Anyone who has this address can take part, as often as they like.",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::link;
    use super::*;
    use crate::domain::study::ProlificLink;

    #[test]
    fn the_address_has_the_placeholders_of_the_platform() {
        let entry = "https://s.example/enter/abc";
        let mut prolific = link(Platform::Prolific);
        assert_eq!(
            address(&prolific, entry),
            "https://s.example/enter/abc?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
        );
        prolific.prolific =
            Some(ProlificLink { participant_parameter: "who".into(), ..ProlificLink::default() });
        assert!(address(&prolific, entry).contains("?who={{%PROLIFIC_PID%}}&"));
        assert!(address(&link(Platform::Sona), entry).ends_with("?survey_code=%SURVEY_CODE%"));
        assert_eq!(address(&link(Platform::Mturk), entry), entry);
    }
}
