//! Exclusion policies: named sets of criteria for the crowd and for experts.

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
    /// The policy's name: a-z, 0-9 and hyphens.
    pub name: String,
    /// The settings for all conditions.
    pub criteria: CriterionSettings,
    /// Settings by condition that replace those for all conditions.
    #[serde(default)]
    pub conditions: BTreeMap<String, CriterionSettings>,
    /// The rules for experts. None if they are judged by the crowd's criteria; then the field is not written, so that policies from before
    /// this field keep their hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experts: Option<Rules>,
}

/// The criteria for experts. Without any, all experts who complete pass.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// The settings for all conditions.
    pub criteria: CriterionSettings,
    /// Settings by condition that replace those for all conditions.
    pub conditions: BTreeMap<String, CriterionSettings>,
}

words! {
    /// The criteria by which experts are judged.
    ExpertsBy {
        /// The same criteria as for the crowd.
        Crowd = "crowd",
        /// No criteria: all experts who complete pass.
        Nothing = "none",
        /// Criteria for experts only.
        Own = "own",
    }
}

impl ExpertsBy {
    /// The phrase on pages and in captions.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Crowd => "judged as the crowd is",
            Self::Nothing => "judged by no criterion",
            Self::Own => "judged by criteria of their own",
        }
    }
}

/// A part of a policy: its group, its condition (all if none is named), and its settings.
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
    /// The bounds of a criterion for a group in a condition. None if it is off.
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

    /// All settings of the policy.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        let experts = self.experts.iter();
        let experts = experts.flat_map(|own| sections(Group::Expert, &own.criteria, &own.conditions));
        sections(Group::Crowd, &self.criteria, &self.conditions).chain(experts)
    }

    /// The criteria by which experts are judged.
    pub fn experts_by(&self) -> ExpertsBy {
        let is_on = |setting: &Setting| matches!(setting, Setting::Within(_));
        let mut of_experts = self.sections().filter(|(group, ..)| *group == Group::Expert);
        match &self.experts {
            None => ExpertsBy::Crowd,
            Some(_) if of_experts.any(|(_, _, settings)| settings.values().any(is_on)) => ExpertsBy::Own,
            Some(_) => ExpertsBy::Nothing,
        }
    }

    /// The first bounds that no value can meet, if there are any.
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

    /// Whether both policies give the same verdicts. Their names do not matter, nor whether they mention criteria that are off.
    pub fn judges_like(&self, other: &Self) -> bool {
        let alike = |condition: &str| {
            Group::ALL.iter().all(|group| {
                let bounds = |policy: &Self, criterion| policy.bounds(*group, condition, criterion);
                Criterion::ALL.iter().all(|criterion| bounds(self, *criterion) == bounds(other, *criterion))
            })
        };
        let mut named = self.sections().chain(other.sections()).filter_map(|(_, condition, _)| condition);
        // No condition has an empty name. It stands for all conditions without settings of their own.
        alike("") && named.all(|condition| alike(condition))
    }

    /// SHA-256 of the policy's JSON (keys in order) in hexadecimal, which manifests contain.
    pub fn sha256(&self) -> String {
        let document = serde_json::to_vec(self).expect("a policy can be written as JSON");
        hex::encode(Sha256::digest(document))
    }
}

/// Bounds that no value can meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Unusable {
    /// The group for which the policy sets them.
    pub group: Group,
    /// The criterion for which the policy sets them.
    pub criterion: Criterion,
    /// The condition for which the policy sets them. None for all conditions.
    pub condition: Option<String>,
    /// The bounds themselves.
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
