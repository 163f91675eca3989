//! What was promised before the data were looked at: one saved policy of a study may be frozen as pre-registered, for good, and
//! every policy that judges otherwise deviates from it.

use chrono::{DateTime, Utc};

use super::exclusion::Policy;

/// The policy that a study pre-registered.
#[derive(Debug, Clone, PartialEq)]
pub struct Preregistration {
    /// The policy.
    pub policy: Policy,
    /// When it was frozen.
    pub at: DateTime<Utc>,
}

/// How a policy stands to the pre-registered one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreregistrationStatus {
    /// The study has pre-registered none.
    Free,
    /// It judges as was pre-registered.
    Preregistered {
        /// When.
        at: DateTime<Utc>,
        /// Under which name, where it is another one.
        under: Option<String>,
    },
    /// It judges otherwise.
    Deviates {
        /// Than which one.
        from: String,
    },
}

impl PreregistrationStatus {
    /// Compares a policy with the pre-registered one: by what it does, since names and what is not mentioned judge nobody.
    pub fn of(policy: &Policy, promised: Option<&Preregistration>) -> Self {
        let Some(Preregistration { policy: promised, at }) = promised else { return Self::Free };
        if !policy.judges_like(promised) {
            return Self::Deviates { from: promised.name.clone() };
        }
        let under = (policy.name != promised.name).then(|| promised.name.clone());
        Self::Preregistered { at: *at, under }
    }

    /// When what it does was pre-registered.
    pub const fn preregistered_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Preregistered { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// The pre-registered policy that it deviates from.
    pub fn deviates_from(&self) -> Option<&str> {
        match self {
            Self::Deviates { from } => Some(from),
            _ => None,
        }
    }

    /// What stands beside a policy's name wherever it is used.
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

/// A policy of a study, and how it stands to the pre-registered one.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingPolicy {
    /// The policy.
    pub policy: Policy,
    /// How it stands.
    pub standing: PreregistrationStatus,
}

impl StandingPolicy {
    /// Compares a policy with the pre-registered one.
    pub fn new(policy: Policy, promised: Option<&Preregistration>) -> Self {
        Self { standing: PreregistrationStatus::of(&policy, promised), policy }
    }

    /// Its name, and how it stands, where it is chosen.
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
    fn a_policy_keeps_the_promise_by_what_it_does_and_not_by_its_name() {
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
