//! Rules of each recruitment platform: how people arrive and go back, what is posted on the platform, and what it exports.

pub(crate) mod address;
pub(crate) mod connect;
pub(crate) mod generic;
pub(crate) mod ids;
pub(crate) mod mturk;
pub(crate) mod mturk_task;
pub(crate) mod paste;
pub mod payment;
mod placeholder;
pub(crate) mod prolific;
pub mod reconciliation;
pub(crate) mod sona;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use self::ids::{IdFault, What};
use crate::domain::identity::Identity;
use crate::domain::study::{LinkDefinition, Outcome, Platform};

/// The parameters of the address by which a person arrived.
pub type Parameters = BTreeMap<String, String>;

/// The parameter of a personal link.
pub const PERSONAL: &str = "person";

/// What the address says about the person who arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// A person who only looks at the task: nothing is recorded or allocated.
    Preview,
    /// A person whose id the platform gave.
    Known(Identity),
    /// A person with a personal link, whose code is not checked yet.
    Personal(String),
    /// A person without any id.
    Anonymous,
    /// The value of one of the platform's parameters is missing or cannot be an id.
    Incomplete(Incomplete),
}

/// A parameter of the address whose value is missing or cannot be an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// The parameter's name.
    pub parameter: String,
    /// What is wrong with the value.
    pub fault: IdFault,
}

impl From<Result<Identity, Incomplete>> for Visit {
    fn from(read: Result<Identity, Incomplete>) -> Self {
        read.map_or_else(Self::Incomplete, Self::Known)
    }
}

/// Reads who arrived from the address's parameters.
pub fn arrive(link: &LinkDefinition, parameters: &Parameters) -> Visit {
    match link.platform {
        Platform::Mturk => mturk::arrive(parameters),
        Platform::Prolific => prolific::arrive(&link.prolific.clone().unwrap_or_default(), parameters),
        Platform::Connect => connect::arrive(parameters),
        Platform::Sona => sona::arrive(link.sona.as_ref(), parameters),
        Platform::Generic => generic::arrive(link.generic.as_ref(), parameters),
        Platform::Direct if link.personal => {
            let code = id(parameters, PERSONAL, Platform::Direct, What::Person);
            code.map_or_else(Visit::Incomplete, Visit::Personal)
        }
        Platform::Direct => Visit::Anonymous,
    }
}

/// How a person goes back to the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Return {
    /// By the page of the task, which is open in the platform's own frame and hands the task in.
    TaskPage,
    /// By an address.
    Link {
        /// The address that the browser opens.
        url: String,
    },
    /// By a code, which the person types in on the platform.
    Code {
        /// The code that the page shows.
        code: String,
    },
    /// The person has nothing more to do.
    Thanks,
}

/// How a person goes back after an outcome.
pub fn go_back(link: &LinkDefinition, identity: Option<&Identity>, outcome: Outcome) -> Return {
    let code = link.code(outcome);
    let url = match (link.platform, identity) {
        (Platform::Mturk, _) if is_paid(outcome) => return Return::TaskPage,
        (Platform::Mturk | Platform::Direct, _) => None,
        (Platform::Prolific, _) => code.map(prolific::completion_url),
        (Platform::Connect, identity) => {
            // People who type in a code do not need the address.
            identity.filter(|_| is_paid(outcome) && code.is_none()).and_then(connect::completion_url)
        }
        (Platform::Sona, identity) => link.sona.as_ref().and_then(|sona| {
            identity.filter(|_| is_paid(outcome)).and_then(|identity| sona::credit_url(sona, identity))
        }),
        (Platform::Generic, identity) => {
            link.generic.as_ref().and_then(|generic| generic::return_url(generic, identity, outcome, code))
        }
    };
    match (url, code) {
        (Some(url), _) => Return::Link { url: url.into() },
        (None, Some(code)) => Return::Code { code: code.to_owned() },
        (None, None) => Return::Thanks,
    }
}

/// What a platform does with codes of outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseOfCodes {
    /// It tells outcomes in another way.
    Unused,
    /// Codes may be given.
    Possible,
    /// It needs at least the code of completion.
    Needed,
}

/// What a platform does with codes of outcomes.
pub const fn use_of_codes(platform: Platform) -> UseOfCodes {
    match platform {
        Platform::Mturk | Platform::Sona => UseOfCodes::Unused,
        Platform::Direct | Platform::Connect | Platform::Generic => UseOfCodes::Possible,
        Platform::Prolific => UseOfCodes::Needed,
    }
}

/// A platform's name on pages.
pub const fn title(platform: Platform) -> &'static str {
    match platform {
        Platform::Direct => "Plain link",
        Platform::Mturk => "MTurk",
        Platform::Prolific => "Prolific",
        Platform::Connect => "Connect",
        Platform::Sona => "Sona",
        Platform::Generic => "Another platform",
    }
}

/// Whether people are paid after an outcome.
pub const fn is_paid(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Complete | Outcome::TimedOut | Outcome::ScreenedOut)
}

/// The id that a parameter holds, in its normal form.
fn id(parameters: &Parameters, name: &str, platform: Platform, what: What) -> Result<String, Incomplete> {
    let text = parameters.get(name).map(String::as_str).unwrap_or_default();
    let is_held = placeholder::is_own_name(text, name);
    let read = if is_held { Err(IdFault::NotFilledIn) } else { ids::normal(platform, what, text) };
    read.map_err(|fault| Incomplete { parameter: name.to_owned(), fault })
}

/// The person whom three parameters name. The parameters of person and assignment are required; that of the task may be
/// left out.
fn named(
    platform: Platform,
    parameters: &Parameters,
    [person, assignment, task]: [&str; 3],
) -> Result<Identity, Incomplete> {
    let task = parameters.contains_key(task).then(|| id(parameters, task, platform, What::Task));
    Ok(Identity {
        platform,
        ids_of: platform,
        worker_id: id(parameters, person, platform, What::Person)?,
        assignment_id: Some(id(parameters, assignment, platform, What::Assignment)?),
        hit_id: task.transpose()?,
    })
}

/// An address of a platform with encoded parameters.
fn with_parameters(base: &str, parameters: &[(&str, &str)]) -> Option<Url> {
    Url::parse_with_params(base, parameters).ok()
}

#[cfg(test)]
pub(crate) mod fixture {
    use super::*;
    use crate::domain::study::Mode;

    pub fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    pub fn link(platform: Platform) -> LinkDefinition {
        LinkDefinition { platform, ..LinkDefinition::plain("L", Mode::Live) }
    }

    pub fn with_code(platform: Platform, code: &str) -> LinkDefinition {
        LinkDefinition { codes: [(Outcome::Complete, code.to_owned())].into(), ..link(platform) }
    }

    pub fn known(visit: Visit) -> Identity {
        match visit {
            Visit::Known(identity) => identity,
            other => panic!("{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{link, parameters, with_code};
    use super::*;
    use crate::domain::study::GenericLink;

    #[test]
    fn a_plain_link_gives_no_id_and_a_personal_link_needs_its_code() {
        let plain = link(Platform::Direct);
        assert_eq!(arrive(&plain, &parameters(&[("person", "x")])), Visit::Anonymous);
        let personal = LinkDefinition { personal: true, ..plain };
        let missing = Incomplete { parameter: "person".into(), fault: IdFault::Missing };
        assert_eq!(arrive(&personal, &Parameters::new()), Visit::Incomplete(missing));
        assert_eq!(
            arrive(&personal, &parameters(&[("person", " 7-ABC\n")])),
            Visit::Personal("7-abc".into())
        );
    }

    /// Each platform's link, with the parameters of a person who arrives from that platform.
    fn whole_arrivals() -> Vec<(LinkDefinition, Parameters)> {
        let generic = GenericLink { parameter: "who".into(), return_url: None, ids_of: None };
        let panel = GenericLink { ids_of: Some(Platform::Prolific), ..generic.clone() };
        let [person, session, study] =
            ["5f00aa11bb22cc33dd44ee55", "6f00aa11bb22cc33dd44ee55", "7f00aa11bb22cc33dd44ee55"];
        let prolific = [("PROLIFIC_PID", person), ("SESSION_ID", session), ("STUDY_ID", study)];
        let connect = [("participantId", "AB1"), ("assignmentId", "CD2"), ("projectId", "EF3")];
        let generic_of = |generic| LinkDefinition { generic: Some(generic), ..link(Platform::Generic) };
        let personal = LinkDefinition { personal: true, ..link(Platform::Direct) };
        vec![
            (
                link(Platform::Mturk),
                parameters(&[("workerId", "A1"), ("assignmentId", "3A"), ("hitId", "3H")]),
            ),
            (link(Platform::Prolific), parameters(&prolific)),
            (link(Platform::Connect), parameters(&connect)),
            (link(Platform::Sona), parameters(&[("survey_code", "4711")])),
            (generic_of(generic), parameters(&[("who", "x7")])),
            (generic_of(panel), parameters(&[("who", person)])),
            (personal, parameters(&[("person", "7-abc")])),
        ]
    }

    #[test]
    fn a_value_that_is_no_id_makes_the_visit_incomplete_on_every_platform() {
        for (link, whole) in whole_arrivals() {
            let comes = |arrived: &Parameters| arrive(&link, arrived);
            assert!(matches!(comes(&whole), Visit::Known(_) | Visit::Personal(_)), "{:?}", comes(&whole));
            for name in whole.keys() {
                let own_name = format!(" {name}");
                for (value, fault) in [
                    ("", IdFault::Missing),
                    (" \u{200b}", IdFault::Missing),
                    ("{{%PROLIFIC_PID%}}", IdFault::NotFilledIn),
                    ("{%STUDY_ID%}", IdFault::NotFilledIn),
                    ("${x}", IdFault::NotFilledIn),
                    ("[[x]]", IdFault::NotFilledIn),
                    ("%SURVEY_CODE%", IdFault::NotFilledIn),
                    ("undefined", IdFault::NotFilledIn),
                    ("[object Object]", IdFault::NotFilledIn),
                    (&own_name, IdFault::NotFilledIn),
                    ("a\u{7}b", IdFault::Unfit),
                    (&"7".repeat(ids::LONGEST + 1), IdFault::TooLong),
                ] {
                    let mut arrived = whole.clone();
                    arrived.insert(name.clone(), value.to_owned());
                    let expected = Visit::Incomplete(Incomplete { parameter: name.clone(), fault });
                    assert_eq!(comes(&arrived), expected, "{}: {name}={value}", link.platform);
                }
                // MTurk's preview value means a preview only in the parameter of the assignment.
                let mut arrived = whole.clone();
                arrived.insert(name.clone(), "ASSIGNMENT_ID_NOT_AVAILABLE".into());
                let is_preview = (link.platform, name.as_str()) == (Platform::Mturk, "assignmentId");
                assert_eq!(comes(&arrived) == Visit::Preview, is_preview, "{}: {name}", link.platform);
                assert!(
                    is_preview || matches!(comes(&arrived), Visit::Incomplete(_)),
                    "{}: {name}",
                    link.platform
                );
            }
        }
    }

    #[test]
    fn a_code_is_shown_where_there_is_no_address() {
        assert_eq!(
            go_back(&with_code(Platform::Direct, "W-1"), None, Outcome::Complete),
            Return::Code { code: "W-1".into() }
        );
        assert_eq!(go_back(&link(Platform::Direct), None, Outcome::Complete), Return::Thanks);
        assert_eq!(go_back(&with_code(Platform::Direct, "W-1"), None, Outcome::Full), Return::Thanks);
    }

    #[test]
    fn on_mturk_paid_people_go_back_to_the_page_of_the_task() {
        for outcome in Outcome::ALL {
            let expected = if is_paid(*outcome) { Return::TaskPage } else { Return::Thanks };
            assert_eq!(go_back(&link(Platform::Mturk), None, *outcome), expected, "{outcome}");
        }
    }
}
