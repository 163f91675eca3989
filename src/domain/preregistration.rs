//! Pre-registration: one saved policy of a study can be frozen for good, before the data are looked at. Every policy that gives other
//! verdicts deviates from it.

use chrono::{DateTime, Utc};

use super::exclusion::Policy;

/// The pre-registered policy of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Preregistration {
    /// The frozen policy.
    pub policy: Policy,
    /// The time when it was frozen.
    pub at: DateTime<Utc>,
}

/// The relation of a policy to the pre-registered one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreregistrationStatus {
    /// The study has no pre-registered policy.
    Free,
    /// It gives the same verdicts as the pre-registered policy.
    Preregistered {
        /// The time when that policy was frozen.
        at: DateTime<Utc>,
        /// The name of that policy, if it differs.
        under: Option<String>,
    },
    /// It gives other verdicts than the pre-registered policy.
    Deviates {
        /// The name of the pre-registered policy.
        from: String,
    },
}

impl PreregistrationStatus {
    /// Compares the verdicts of a policy with those of the pre-registered one, not their names.
    pub fn of(policy: &Policy, preregistered: Option<&Preregistration>) -> Self {
        let Some(Preregistration { policy: preregistered, at }) = preregistered else { return Self::Free };
        if !policy.judges_like(preregistered) {
            return Self::Deviates { from: preregistered.name.clone() };
        }
        let under = (policy.name != preregistered.name).then(|| preregistered.name.clone());
        Self::Preregistered { at: *at, under }
    }

    /// The time when the same verdicts were pre-registered, if they were.
    pub const fn preregistered_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Preregistered { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// The name of the pre-registered policy from which it deviates, if it does.
    pub fn deviates_from(&self) -> Option<&str> {
        match self {
            Self::Deviates { from } => Some(from),
            _ => None,
        }
    }

    /// The note beside a policy's name on pages and in files, if there is one.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Free => None,
            Self::Preregistered { at, under } => {
                let under = under.as_ref().map_or_else(String::new, |name| format!(" as {name}"));
                Some(format!("pre-registered{under} {} UTC", at.format("%Y-%m-%d %H:%M")))
            }
            Self::Deviates { from } => Some(format!("deviates from {from}")),
        }
    }
}

/// A policy of a study with its relation to the pre-registered one.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingPolicy {
    /// The policy of the study.
    pub policy: Policy,
    /// Its relation to the pre-registered policy.
    pub standing: PreregistrationStatus,
}

impl StandingPolicy {
    /// Compares a policy with the pre-registered one.
    pub fn new(policy: Policy, preregistered: Option<&Preregistration>) -> Self {
        Self { standing: PreregistrationStatus::of(&policy, preregistered), policy }
    }

    /// Its name and its note, for lists of policies.
    pub fn label(&self) -> String {
        let words = self.standing.words().map_or_else(String::new, |words| format!(" · {words}"));
        format!("{}{words}", self.policy.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture;

    #[test]
    fn a_policy_is_compared_by_its_verdicts_and_not_by_its_name() {
        let promised = Policy { name: "promised".into(), ..fixture::policy("as-posted") };
        let promise = Preregistration { policy: promised.clone(), at: fixture::at(0.0) };
        let label = |policy: Policy| StandingPolicy::new(policy, Some(&promise)).label();
        assert_eq!(label(promised), "promised · pre-registered 2024-10-04 00:00 UTC");
        let posted = fixture::policy("as-posted");
        assert_eq!(label(posted), "as-posted · pre-registered as promised 2024-10-04 00:00 UTC");
        let later = fixture::policy("as-analysed");
        assert_eq!(label(later.clone()), "as-analysed · deviates from promised");
        let impostor = Policy { name: "promised".into(), ..later };
        let standing = PreregistrationStatus::of(&impostor, Some(&promise));
        assert_eq!((standing.preregistered_at(), standing.deviates_from()), (None, Some("promised")));
        assert_eq!(StandingPolicy::new(impostor, None).label(), "promised");
    }
}
