//! The form of the workbench: a line per criterion, and the policy that its bounds describe.

use std::collections::BTreeMap;

use crate::domain::exclusion::{Bounds, Criterion, CriterionSheet, ExpertsBy, Off, Policy, Rules, Setting};
use crate::flow::Refused;
use crate::flow::study::policies;

/// The values of a form or an address, by name.
pub type FormFields = BTreeMap<String, String>;

/// A line of the form: a criterion for all conditions, or for one condition with bounds of its own.
pub struct FormRow {
    pub criterion: Criterion,
    pub key: String,
    pub title: &'static str,
    pub unit: &'static str,
    pub condition: Option<String>,
    pub min: String,
    pub max: String,
}

/// The lines of a policy.
pub fn rows(policy: &Policy) -> Vec<FormRow> {
    let text = |bound: Option<f64>| bound.map_or_else(String::new, |bound| bound.to_string());
    let row = |criterion: Criterion, condition: Option<&String>, setting: Option<&Setting>| {
        let CriterionSheet { title, unit, .. } = criterion.sheet();
        let key = condition.map_or_else(|| criterion.to_string(), |name| format!("{name}/{criterion}"));
        let Bounds { min, max } = match setting {
            Some(Setting::Within(bounds)) => *bounds,
            _ => Bounds::default(),
        };
        FormRow { criterion, key, title, unit, condition: condition.cloned(), min: text(min), max: text(max) }
    };
    let mut rows = Vec::new();
    for criterion in Criterion::ALL {
        rows.push(row(*criterion, None, policy.criteria.get(criterion)));
        for (condition, settings) in &policy.conditions {
            if let Some(setting) = settings.get(criterion) {
                rows.push(row(*criterion, Some(condition), Some(setting)));
            }
        }
    }
    rows
}

/// The lines of a policy with the values that were typed, where these make no policy.
pub fn rows_as_typed(base: &Policy, fields: &FormFields) -> Vec<FormRow> {
    let mut rows = rows(base);
    for row in &mut rows {
        for (which, text) in [("min", &mut row.min), ("max", &mut row.max)] {
            if let Some(typed) = fields.get(&format!("{}.{which}", row.key)) {
                text.clone_from(typed);
            }
        }
    }
    rows
}

/// The policy that the form describes: the named one, with every bound of the form. Bounds that belong to another policy are
/// ignored: the researcher has just chosen this one to begin with.
pub fn described(base: &Policy, fields: &FormFields) -> Result<Policy, Refused> {
    let mut policy = base.clone();
    if fields.get("from").is_some_and(|from| *from != base.name) {
        return Ok(policy);
    }
    for FormRow { criterion, key, condition, .. } in rows(base) {
        let (min, max) = (fields.get(&format!("{key}.min")), fields.get(&format!("{key}.max")));
        if min.or(max).is_none() {
            continue;
        }
        let setting = match (bound(min)?, bound(max)?) {
            (None, None) => Setting::Off(Off::Off),
            (min, max) => Setting::Within(Bounds { min, max }),
        };
        match condition {
            None => policy.criteria.insert(criterion, setting),
            Some(condition) => policy.conditions.entry(condition).or_default().insert(criterion, setting),
        };
    }
    match fields.get("experts").and_then(|word| word.parse().ok()) {
        Some(ExpertsBy::Crowd) => policy.experts = None,
        Some(ExpertsBy::Nothing) if base.experts_by() != ExpertsBy::Nothing => {
            policy.experts = Some(Rules::default());
        }
        _ => {}
    }
    policies::usable(&policy)?;
    Ok(policy)
}

/// The possible ways to judge experts. Criteria of their own are possible only if the policy to begin with has some.
pub fn ways_for_experts(base: &Policy) -> Vec<ExpertsBy> {
    let possible = |by: &ExpertsBy| *by != ExpertsBy::Own || base.experts_by() == ExpertsBy::Own;
    ExpertsBy::ALL.iter().copied().filter(possible).collect()
}

/// Parses a number as people write it.
fn bound(text: Option<&String>) -> Result<Option<f64>, Refused> {
    let text = text.map_or("", |text| text.trim());
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.replace(',', ".").parse().ok().filter(|number: &f64| number.is_finite());
    number.map(Some).ok_or_else(|| Refused::BadBound(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exclusion::judge;
    use crate::domain::fixture;
    use crate::domain::study::Group;

    fn fields(pairs: &[(&str, &str)]) -> FormFields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn without_fields_the_policy_is_the_named_one() {
        let base = fixture::policy("as-posted");
        assert_eq!(described(&base, &FormFields::new()).unwrap(), base);
    }

    #[test]
    fn bounds_of_another_policy_are_ignored() {
        let base = fixture::policy("as-posted");
        let bounds = |from| fields(&[("from", from), ("total_time.min", "100"), ("total_time.max", "")]);
        assert_eq!(described(&base, &bounds("as-analysed")).unwrap(), base);
        assert_ne!(described(&base, &bounds("as-posted")).unwrap(), base);
    }

    #[test]
    fn bounds_are_changed_switched_off_and_set_per_condition() {
        let base = fixture::policy("as-posted");
        let policy = described(
            &base,
            &fields(&[
                ("total_time.min", "100"),
                ("total_time.max", "450,5"),
                ("catch_trials.min", ""),
                ("catch_trials.max", " "),
                ("none/total_time.min", "10"),
            ]),
        )
        .unwrap();
        let bounds = |condition| policy.bounds(Group::Crowd, condition, Criterion::TotalTime);
        assert_eq!(bounds("natural"), Some(Bounds { min: Some(100.0), max: Some(450.5) }));
        assert_eq!(bounds("none"), Some(Bounds { min: Some(10.0), max: None }));
        assert_eq!(policy.bounds(Group::Crowd, "natural", Criterion::CatchTrials), None);
        let mut person = fixture::person("natural");
        person.measures.catch_correct = 0;
        assert!(judge(&policy, Group::Crowd, "natural", &person.measures).passed());
        for wrong in ["x", "NaN", "inf"] {
            assert!(described(&base, &fields(&[("total_time.min", wrong)])).is_err(), "{wrong}");
        }
    }

    #[test]
    fn experts_are_judged_as_the_form_says_or_else_as_the_policy_says() {
        let by_nothing = fixture::policy("as-posted");
        let by_crowd = described(&by_nothing, &fields(&[("experts", "crowd")])).unwrap();
        assert_eq!((by_nothing.experts_by(), by_crowd.experts_by()), (ExpertsBy::Nothing, ExpertsBy::Crowd));
        let again = described(&by_crowd, &fields(&[("experts", "none")])).unwrap();
        assert_eq!(again, by_nothing);
        let mut own = by_crowd;
        let seconds = Setting::Within(Bounds { min: Some(60.0), max: None });
        own.experts = Some(Rules { criteria: [(Criterion::TotalTime, seconds)].into(), ..Rules::default() });
        assert_eq!(
            described(&own, &fields(&[("experts", "own"), ("catch_trials.min", "0.6")])).unwrap(),
            own
        );
        assert_eq!(ways_for_experts(&own).len(), ways_for_experts(&by_nothing).len() + 1);
    }

    #[test]
    fn bounds_that_no_value_can_meet_are_refused_with_criterion_and_bounds() {
        let base = fixture::policy("as-posted");
        let refused = |pairs: &[(&str, &str)]| described(&base, &fields(pairs)).unwrap_err().to_string();
        let crossed = refused(&[("total_time.min", "900"), ("total_time.max", "100")]);
        assert!(
            crossed.ends_with("bounds for total_time that nothing can meet: at least 900 and at most 100")
        );
        assert!(refused(&[("catch_trials.min", "60")]).contains("catch_trials"), "a share, not percent");
    }

    #[test]
    fn what_was_typed_stays_in_its_field() {
        let typed = rows_as_typed(&fixture::policy("as-posted"), &fields(&[("total_time.min", "soon")]));
        let row = typed.iter().find(|row| row.key == "total_time").unwrap();
        assert_eq!((row.min.as_str(), row.max.as_str()), ("soon", "900"));
    }

    #[test]
    fn showing_a_policy_in_the_form_does_not_change_it() {
        let mut base = fixture::policy("as-posted");
        base.criteria.remove(&Criterion::CatchTrials);
        let texts = rows(&base)
            .into_iter()
            .flat_map(|row| [(format!("{}.min", row.key), row.min), (format!("{}.max", row.key), row.max)]);
        assert!(described(&base, &texts.collect()).unwrap().judges_like(&base));
    }
}
