//! Speaks each platform's dialect: how people arrive, how they go back, what is posted there and what it exports.

pub mod connect;
pub mod generic;
pub mod mturk;
pub mod mturk_task;
pub mod paste;
pub mod payment;
pub mod prolific;
pub mod reconciliation;
pub mod sona;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::identity::Identity;
use crate::domain::study::{LinkDefinition, Outcome, Platform};

/// The parameters of the address that somebody arrived at.
pub type Parameters = BTreeMap<String, String>;

/// Longest id of a platform that is accepted, in characters.
const LONGEST_ID: usize = 200;

/// The parameter of a personal link.
pub const PERSONAL: &str = "person";

/// Who arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// Somebody who only looks at the task: nothing is recorded or allocated.
    Preview,
    /// Somebody whom the platform names.
    Known(Identity),
    /// Somebody with a personal link, whose code is still to be checked.
    Personal(String),
    /// Somebody of whom nothing is known.
    Anonymous,
    /// The platform's parameters are missing or unusable; which one.
    Incomplete(String),
}

/// Reads who arrived from the address's parameters.
pub fn arrive(link: &LinkDefinition, parameters: &Parameters) -> Visit {
    match link.platform {
        Platform::Mturk => mturk::arrive(parameters),
        Platform::Prolific => prolific::arrive(&link.prolific.clone().unwrap_or_default(), parameters),
        Platform::Connect => connect::arrive(parameters),
        Platform::Sona => sona::arrive(link.sona.as_ref(), parameters),
        Platform::Generic => generic::arrive(link.generic.as_ref(), parameters),
        Platform::Direct if link.personal => match parameter(parameters, PERSONAL) {
            Some(code) => Visit::Personal(code.to_owned()),
            None => Visit::Incomplete(PERSONAL.to_owned()),
        },
        Platform::Direct => Visit::Anonymous,
    }
}

/// How a person goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Return {
    /// To the page of the task, which stands open in the platform's own frame and hands the task in.
    TaskPage,
    /// To an address.
    Link {
        /// Where to.
        url: String,
    },
    /// A code to type in on the platform.
    Code {
        /// The code.
        code: String,
    },
    /// Nothing more to do.
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
            // Where people type in a code, the address is not needed.
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

/// Whether people are paid after an outcome.
pub const fn is_paid(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Complete | Outcome::TimedOut | Outcome::ScreenedOut)
}

/// A parameter that is there, not empty and not too long.
fn parameter<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    parameters.get(name).map(String::as_str).filter(|value| !value.is_empty() && value.len() <= LONGEST_ID)
}

/// The person that three parameters name: theirs, which must be there, and those of the assignment and of the task.
fn named(platform: Platform, parameters: &Parameters, [person, assignment, task]: [&str; 3]) -> Visit {
    let (Some(worker_id), Some(assignment_id)) =
        (parameter(parameters, person), parameter(parameters, assignment))
    else {
        let missing = if parameter(parameters, person).is_none() { person } else { assignment };
        return Visit::Incomplete(missing.to_owned());
    };
    Visit::Known(Identity {
        platform,
        ids_of: platform,
        worker_id: worker_id.to_owned(),
        assignment_id: Some(assignment_id.to_owned()),
        hit_id: parameter(parameters, task).map(str::to_owned),
    })
}

/// An address of a platform with parameters, safely written.
fn address(base: &str, parameters: &[(&str, &str)]) -> Option<Url> {
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

    #[test]
    fn a_plain_link_names_nobody_and_a_personal_one_needs_its_code() {
        let plain = link(Platform::Direct);
        assert_eq!(arrive(&plain, &parameters(&[("person", "x")])), Visit::Anonymous);
        let personal = LinkDefinition { personal: true, ..plain };
        assert_eq!(arrive(&personal, &Parameters::new()), Visit::Incomplete("person".into()));
        assert_eq!(arrive(&personal, &parameters(&[("person", "7-abc")])), Visit::Personal("7-abc".into()));
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
