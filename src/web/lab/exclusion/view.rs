//! The tables of the workbench: criteria with their effect, and the people who are left in each condition.

use crate::domain::exclusion::{Criterion, CriterionSettings, Policy, Setting};
use crate::domain::study::{Group, Mode, StudyDefinition};
use crate::domain::workbench::{self, Effect, Failing, Preview};
use crate::web::lab::exclusion::form::FormRow;
use crate::web::lab::exclusion::plot::{Bound, Plot};
use crate::web::lab::urls;

/// A number of people, and the address of the page that lists them.
pub struct LinkedCount {
    pub n: u32,
    pub people: Option<String>,
}

/// Makes the addresses of lists of people, which need a policy with a name.
pub struct Links<'a> {
    pub slug: &'a str,
    pub mode: Mode,
    /// None if the bounds have been changed.
    pub policy: Option<&'a str>,
    /// The group that the numbers count.
    pub group: Group,
}

impl Links<'_> {
    /// A number with the address of a list that is filtered by `wanted`.
    fn count(&self, n: u32, wanted: &[(&str, &str)]) -> LinkedCount {
        let address = |policy| {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("mode", self.mode.as_str())
                .append_pair("policy", policy)
                .append_pair("group", self.group.as_str())
                .extend_pairs(wanted)
                .finish();
            format!("{}?{query}", urls::participants(self.slug))
        };
        LinkedCount { n, people: self.policy.filter(|_| n > 0).map(address) }
    }

    fn failing(&self, n: u32, which: Failing, condition: &str) -> LinkedCount {
        self.count(n, &[("failed", &which.to_string()), ("condition", condition)])
    }
}

/// A line of bounds. The first line of a criterion also shows its effect.
pub struct CriterionLine {
    pub row: FormRow,
    /// The title of the condition that the bounds are for.
    pub condition: Option<String>,
    pub effect: Option<EffectLine>,
}

/// The effect of a criterion.
pub struct EffectLine {
    pub plot: Option<Plot>,
    /// How many fail it; how many of these fail no criterion before it; how many fail it, by condition.
    pub counts: Vec<LinkedCount>,
}

/// The lines of all criteria.
pub fn lines(
    rows: Vec<FormRow>,
    preview: &Preview,
    policy: &Policy,
    definition: &StudyDefinition,
    links: &Links<'_>,
) -> Vec<CriterionLine> {
    let line = |row: FormRow| {
        let effect = preview.effects.iter().find(|effect| effect.criterion == row.criterion);
        let effect = effect.filter(|_| row.condition.is_none()).map(|effect| EffectLine {
            plot: effect
                .histogram
                .as_ref()
                .map(|values| Plot::new(values, &bounds(policy, effect.criterion, definition))),
            counts: counts(effect, definition, links),
        });
        let condition = row.condition.as_ref().map(|name| title(definition, name));
        CriterionLine { row, condition, effect }
    };
    rows.into_iter().map(line).collect()
}

fn title(definition: &StudyDefinition, condition: &str) -> String {
    definition.condition(condition).map_or(condition, |condition| &condition.title).to_owned()
}

/// The bounds of a criterion: for all conditions, then for each condition with bounds of its own.
fn bounds(policy: &Policy, criterion: Criterion, definition: &StudyDefinition) -> Vec<Bound> {
    let within = |settings: &CriterionSettings| match settings.get(&criterion) {
        Some(Setting::Within(bounds)) => Some(*bounds),
        _ => None,
    };
    let own = policy.conditions.iter().filter(|(_, settings)| settings.contains_key(&criterion));
    let own = own
        .map(|(name, settings)| Bound { condition: Some(title(definition, name)), bounds: within(settings) });
    std::iter::once(Bound { condition: None, bounds: within(&policy.criteria) }).chain(own).collect()
}

fn counts(effect: &Effect, definition: &StudyDefinition, links: &Links<'_>) -> Vec<LinkedCount> {
    let fail = Failing::One(effect.criterion);
    let mut counts = vec![
        links.failing(effect.alone, fail, ""),
        links.failing(effect.in_order, Failing::First(effect.criterion), ""),
    ];
    let conditions = definition.conditions.iter().zip(&effect.by_condition);
    counts.extend(conditions.map(|(condition, n)| links.failing(*n, fail, &condition.name)));
    counts
}

/// The people of a condition, or of all conditions, and how many are kept.
pub struct GroupLine {
    pub title: String,
    pub completed: u32,
    pub pass: LinkedCount,
    pub leave: LinkedCount,
    pub surplus: u32,
    /// What researchers' decisions change, such as `+1 in, −2 out`; empty if nothing.
    pub by_hand: String,
    pub kept: LinkedCount,
    pub accuracy_of_all: Option<f64>,
    pub accuracy: Option<f64>,
}

impl GroupLine {
    fn new(title: String, group: &workbench::Group, links: &Links<'_>) -> Self {
        let leave = group.completed - group.pass;
        let kept = [("verdict", "kept"), ("condition", &group.condition)];
        Self {
            title,
            completed: group.completed,
            pass: links.failing(group.pass, Failing::None, &group.condition),
            leave: links.failing(leave, Failing::Any, &group.condition),
            surplus: group.surplus,
            by_hand: by_hand(group.included, group.excluded),
            kept: links.count(group.kept, &kept),
            accuracy_of_all: group.accuracy_of_all,
            accuracy: group.accuracy,
        }
    }
}

fn by_hand(included: u32, excluded: u32) -> String {
    let part = |sign: &str, n: u32, way: &str| (n > 0).then(|| format!("{sign}{n} {way}"));
    let parts = [part("+", included, "in"), part("−", excluded, "out")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// One line for each condition.
pub fn groups(preview: &Preview, definition: &StudyDefinition, links: &Links<'_>) -> Vec<GroupLine> {
    let line = |group: &workbench::Group| GroupLine::new(title(definition, &group.condition), group, links);
    preview.groups.iter().map(line).collect()
}

/// One line for all conditions together; accuracies are not pooled.
pub fn total(title: &str, preview: &Preview, links: &Links<'_>) -> GroupLine {
    let all = workbench::Group {
        condition: String::new(),
        completed: preview.sum(|group| group.completed),
        pass: preview.sum(|group| group.pass),
        surplus: preview.sum(|group| group.surplus),
        included: preview.sum(|group| group.included),
        excluded: preview.sum(|group| group.excluded),
        kept: preview.sum(|group| group.kept),
        accuracy_of_all: None,
        accuracy: None,
    };
    GroupLine::new(title.to_owned(), &all, links)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_links_to_its_people_if_there_are_any_and_the_policy_has_a_name() {
        let links = |policy| Links { slug: "demo", mode: Mode::Pilot, policy, group: Group::Crowd };
        let named = links(Some("strict"));
        assert_eq!(
            named.failing(2, Failing::First(Criterion::CatchTrials), "none").people.unwrap(),
            "/lab/studies/demo/participants?mode=pilot&policy=strict&group=crowd&failed=first-catch_trials&condition=none"
        );
        assert!(named.failing(0, Failing::Any, "").people.is_none(), "no people to list");
        assert!(links(None).failing(2, Failing::Any, "").people.is_none(), "changed bounds have no name");
    }

    #[test]
    fn decisions_are_shown_if_they_change_anything() {
        assert_eq!(by_hand(1, 2), "+1 in, −2 out");
        assert_eq!(by_hand(0, 2), "−2 out");
        assert_eq!(by_hand(0, 0), "");
    }
}
