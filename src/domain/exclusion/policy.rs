//! Policies: named sets of criteria, for the crowd and for experts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Bounds, Criterion, CriterionSettings, Setting};
use crate::domain::study::Group;
use crate::domain::words;

/// A named set of criteria.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name: a-z, 0-9 and hyphens.
    pub name: String,
    /// For every condition ...
    pub criteria: CriterionSettings,
    /// ... unless a condition sets them otherwise.
    #[serde(default)]
    pub conditions: BTreeMap<String, CriterionSettings>,
    /// What experts are judged by; without it they are judged as the crowd is. A policy that does not mention experts is written
    /// as it always was, so that its hash stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experts: Option<Rules>,
}

/// Criteria for every condition, unless a condition sets them otherwise. Without any, all who complete pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// For every condition ...
    pub criteria: CriterionSettings,
    /// ... unless a condition sets them otherwise.
    pub conditions: BTreeMap<String, CriterionSettings>,
}

words! {
    /// What experts are judged by.
    ExpertsBy {
        /// The crowd's criteria.
        Crowd = "crowd",
        /// No criterion: all who complete pass.
        Nothing = "none",
        /// Criteria of their own.
        Own = "own",
    }
}

impl ExpertsBy {
    /// As pages and captions say it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Crowd => "judged as the crowd is",
            Self::Nothing => "judged by no criterion",
            Self::Own => "judged by criteria of their own",
        }
    }
}

/// A part of a policy: for whom, in which condition (in all, if none is named), with which settings.
type Section<'a> = (Group, Option<&'a String>, &'a CriterionSettings);

fn sections<'a>(
    group: Group,
    criteria: &'a CriterionSettings,
    conditions: &'a BTreeMap<String, CriterionSettings>,
) -> impl Iterator<Item = Section<'a>> {
    let own = conditions.iter().map(move |(condition, settings)| (group, Some(condition), settings));
    std::iter::once((group, None, criteria)).chain(own)
}

impl Policy {
    /// The bounds of a criterion for a group in a condition; none where it is off.
    pub fn bounds(&self, group: Group, condition: &str, criterion: Criterion) -> Option<Bounds> {
        let (criteria, conditions) = match (group, &self.experts) {
            (Group::Expert, Some(own)) => (&own.criteria, &own.conditions),
            _ => (&self.criteria, &self.conditions),
        };
        let own = conditions.get(condition).and_then(|settings| settings.get(&criterion));
        match own.or_else(|| criteria.get(&criterion))? {
            Setting::Off(_) => None,
            Setting::Within(bounds) => Some(*bounds),
        }
    }

    /// Everything that the policy sets.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        let experts = self.experts.iter();
        let experts = experts.flat_map(|own| sections(Group::Expert, &own.criteria, &own.conditions));
        sections(Group::Crowd, &self.criteria, &self.conditions).chain(experts)
    }

    /// What experts are judged by.
    pub fn experts_by(&self) -> ExpertsBy {
        let is_on = |setting: &Setting| matches!(setting, Setting::Within(_));
        let mut of_experts = self.sections().filter(|(group, ..)| *group == Group::Expert);
        match &self.experts {
            None => ExpertsBy::Crowd,
            Some(_) if of_experts.any(|(_, _, settings)| settings.values().any(is_on)) => ExpertsBy::Own,
            Some(_) => ExpertsBy::Nothing,
        }
    }

    /// The first bounds that nothing can meet.
    pub fn unusable(&self) -> Option<Unusable> {
        self.sections().find_map(|(group, condition, settings)| {
            settings.iter().find_map(|(criterion, setting)| match setting {
                Setting::Within(bounds) if !bounds.is_usable(*criterion) => Some(Unusable {
                    group,
                    criterion: *criterion,
                    condition: condition.cloned(),
                    bounds: *bounds,
                }),
                _ => None,
            })
        })
    }

    /// Whether both judge alike, whatever they are called, and whether or not they mention what is off.
    pub fn judges_like(&self, other: &Self) -> bool {
        let alike = |condition: &str| {
            Group::ALL.iter().all(|group| {
                let bounds = |policy: &Self, criterion| policy.bounds(*group, condition, criterion);
                Criterion::ALL.iter().all(|criterion| bounds(self, *criterion) == bounds(other, *criterion))
            })
        };
        let mut named = self.sections().chain(other.sections()).filter_map(|(_, condition, _)| condition);
        // No condition is called so: it stands for all that neither policy sets otherwise.
        alike("") && named.all(|condition| alike(condition))
    }

    /// SHA-256 over the policy's JSON (keys in order), in hexadecimal: what a manifest cites.
    pub fn sha256(&self) -> String {
        let document = serde_json::to_vec(self).expect("a policy is plain data");
        hex::encode(Sha256::digest(document))
    }
}

/// Bounds that nothing can meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Unusable {
    /// For whom.
    pub group: Group,
    /// Of which criterion.
    pub criterion: Criterion,
    /// In which condition; in all, if none is named.
    pub condition: Option<String>,
    /// The bounds.
    pub bounds: Bounds,
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bounds for {}", self.criterion)?;
        if let Some(condition) = &self.condition {
            write!(f, " in {condition}")?;
        }
        if self.group == Group::Expert {
            f.write_str(" of experts")?;
        }
        write!(f, " that nothing can meet: {}", self.bounds.in_words())
    }
}
