//! Speaks each platform's dialect: how people arrive, and how they go back.

pub mod mturk;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::identity::Identity;
use crate::domain::study::Platform;

/// The parameters of the address that somebody arrived at.
pub type Parameters = BTreeMap<String, String>;

/// Longest id of a platform that is accepted, in characters.
const LONGEST_ID: usize = 200;

/// Who arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// Somebody who only looks at the task: nothing is recorded or allocated.
    Preview,
    /// Somebody whom the platform names.
    Known(Identity),
    /// Somebody of whom nothing is known.
    Anonymous,
    /// The platform's parameters are missing or unusable; which one.
    Incomplete(&'static str),
}

/// Reads who arrived from the address's parameters.
pub fn arrive(platform: Platform, parameters: &Parameters) -> Visit {
    match platform {
        Platform::Mturk => mturk::arrive(parameters),
        Platform::Direct | Platform::Prolific | Platform::Connect | Platform::Sona | Platform::Generic => {
            Visit::Anonymous
        }
    }
}

/// How a person goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Return {
    /// A form that the browser posts to MTurk.
    MturkForm {
        /// Where to.
        action: String,
        /// Its fields.
        fields: BTreeMap<String, String>,
    },
    /// A code to type in on the platform.
    Code {
        /// The code.
        code: String,
    },
    /// Nothing more to do.
    Thanks,
}

/// How a person who is done goes back.
pub fn go_back(identity: Option<&Identity>, receipt: &str, completion_code: Option<&str>) -> Return {
    identity.and_then(|identity| mturk::go_back(identity, receipt)).unwrap_or_else(|| match completion_code {
        Some(code) => Return::Code { code: code.to_owned() },
        None => Return::Thanks,
    })
}

/// A parameter that is there, not empty and not too long.
fn parameter<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    parameters.get(name).map(String::as_str).filter(|value| !value.is_empty() && value.len() <= LONGEST_ID)
}
