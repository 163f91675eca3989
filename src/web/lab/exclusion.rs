//! The exclusion workbench: change any bound and see who would leave, before anything is applied; save a policy; freeze one.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Redirect, Response};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::study::find;
use crate::domain::exclusion::{Bounds, Criterion, Off, Policy, Setting};
use crate::domain::study::{Mode, StudyDefinition};
use crate::domain::workbench::{Histogram, Preview, preview};
use crate::figures;
use crate::flow::journal::Actor;
use crate::flow::{FlowError, Refused};
use crate::flow::{policies, results};
use crate::store;
use crate::store::policies::SavedPolicy;
use crate::store::researchers::Researcher;
use crate::web::error::PageError;
use crate::web::page;
use crate::web::session::SignedIn;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/exclusion.html")]
struct ExclusionPage<'a> {
    me: Researcher,
    slug: &'a str,
    definition: &'a StudyDefinition,
    mode: Mode,
    base: &'a str,
    names: Vec<String>,
    rows: Vec<Row>,
    preview: Preview,
    saved: Vec<SavedPolicy>,
    frozen_at: Option<DateTime<Utc>>,
    changed: bool,
    /// Accuracies would tell which condition is which.
    blinded: bool,
}

impl ExclusionPage<'_> {
    fn completed(&self) -> u32 {
        self.preview.groups.iter().map(|group| group.completed).sum()
    }

    fn pass(&self) -> u32 {
        self.preview.groups.iter().map(|group| group.pass).sum()
    }

    /// The title of the condition of that name.
    fn title_of<'t>(&'t self, name: &'t str) -> &'t str {
        self.definition.condition(name).map_or(name, |condition| &condition.title)
    }

    /// Whether a saved policy came after the one that was frozen.
    fn deviates(&self, saved: &SavedPolicy) -> bool {
        saved.frozen_at.is_none() && self.frozen_at.is_some_and(|frozen| saved.saved_at > frozen)
    }
}

/// A line of the form: a criterion for all conditions, or for one that sets it otherwise.
struct Row {
    key: String,
    title: &'static str,
    unit: &'static str,
    condition: Option<String>,
    bounds: Option<Bounds>,
}

impl Row {
    fn min(&self) -> String {
        text(self.bounds.and_then(|bounds| bounds.min))
    }

    fn max(&self) -> String {
        text(self.bounds.and_then(|bounds| bounds.max))
    }
}

fn text(bound: Option<f64>) -> String {
    bound.map_or_else(String::new, |bound| bound.to_string())
}

/// The bars of a histogram as rectangles of an SVG of 240 x 60: (class, x, y, width, height).
fn bars(histogram: &Histogram) -> Vec<(&'static str, f64, f64, f64, f64)> {
    let highest = histogram.bins.iter().map(|(kept, excluded)| kept + excluded).max().unwrap_or(1).max(1);
    let width = 240.0 / histogram.bins.len() as f64;
    let height = |n: u32| f64::from(n) / f64::from(highest) * 56.0;
    let bar = |(n, (kept, excluded)): (usize, &(u32, u32))| {
        let x = n as f64 * width;
        let (low, high) = (height(*kept), height(*excluded));
        let kept = ("kept", x, 60.0 - low, width - 1.0, low);
        [kept, ("exhausted", x, 60.0 - low - high, width - 1.0, high)]
    };
    histogram.bins.iter().enumerate().flat_map(bar).filter(|bar| bar.4 > 0.0).collect()
}

/// Where the bounds stand in it, in px from the left.
fn marks(histogram: &Histogram, bounds: &Option<Bounds>) -> Vec<f64> {
    let (left, right) = histogram.edges;
    let place = |mark: f64| (mark - left) / (right - left) * 240.0;
    bounds.iter().flat_map(|bounds| histogram.marks(*bounds)).map(place).collect()
}

type Fields = BTreeMap<String, String>;

/// The policy that the form describes: the named one, with every bound that the form has. Bounds that belong to another policy
/// are left aside: somebody has just chosen this one to begin with.
fn described(base: &Policy, fields: &Fields) -> Result<Policy, PageError> {
    let mut policy = base.clone();
    if fields.get("from").is_some_and(|from| *from != base.name) {
        return Ok(policy);
    }
    let keys = rows(base).into_iter().map(|row| (row.key, row.condition));
    for (key, condition) in keys.collect::<Vec<_>>() {
        let bound = |which: &str| match fields.get(&format!("{key}.{which}")).map(|text| text.trim()) {
            None | Some("") => Ok(None),
            Some(text) => match text.replace(',', ".").parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Some(value)),
                _ => Err(PageError::from(FlowError::Refused(Refused::BadBound(text.to_owned())))),
            },
        };
        if !fields.contains_key(&format!("{key}.min")) && !fields.contains_key(&format!("{key}.max")) {
            continue;
        }
        let criterion = key.split('/').next_back().and_then(|name| name.parse::<Criterion>().ok());
        let Some(criterion) = criterion else { continue };
        let setting = match (bound("min")?, bound("max")?) {
            (None, None) => Setting::Off(Off::Off),
            (min, max) => Setting::Within(Bounds { min, max }),
        };
        match condition {
            None => policy.criteria.insert(criterion, setting),
            Some(condition) => policy.conditions.entry(condition).or_default().insert(criterion, setting),
        };
    }
    Ok(policy)
}

fn rows(policy: &Policy) -> Vec<Row> {
    let within = |setting: Option<&Setting>| match setting {
        Some(Setting::Within(bounds)) => Some(*bounds),
        _ => None,
    };
    let row = |criterion: Criterion, condition: Option<&String>, setting| {
        let (title, unit) = figures::words(criterion);
        let key = condition.map_or_else(|| criterion.to_string(), |name| format!("{name}/{criterion}"));
        Row { key, title, unit, condition: condition.cloned(), bounds: within(setting) }
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

/// The page: the form's fields stand in the address, so that it can be sent to a colleague.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Query(fields): Query<Fields>,
) -> Result<Response, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let (study, version) = find(&state, &mut conn, &slug).await?;
    let mode = fields.get("mode").and_then(|mode| mode.parse().ok()).unwrap_or(Mode::Live);
    let enrolment = crate::flow::slots::enrolment_policy(&study, &version).name;
    let name = fields.get("policy").cloned().unwrap_or(enrolment);
    let base = policies::by_name(&mut conn, &study, &version, &name).await?;
    let base = base.ok_or(FlowError::Refused(Refused::NoSuchPolicy))?;
    let policy = described(&base, &fields)?;
    let people = policies::judged(&state.app, &mut conn, &study, &version, mode, &policy).await?;
    let blinded = results::is_blinded(&state.app, &mut conn, &study, &version, mode).await?;
    let conditions: Vec<String> = version.definition.conditions.iter().map(|c| c.name.clone()).collect();
    let saved = store::policies::all(&mut conn, study.id).await?;
    Ok(page::html(&ExclusionPage {
        me: researcher,
        slug: &slug,
        definition: &version.definition,
        mode,
        base: &base.name,
        names: policies::names(&mut conn, &study, &version).await?,
        rows: rows(&policy),
        preview: preview(&people, &conditions),
        frozen_at: saved.iter().filter_map(|saved| saved.frozen_at).min(),
        saved,
        changed: policy != base,
        blinded,
    }))
}

/// Saves the policy that the form describes.
pub async fn save(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Redirect, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let (study, version) = find(&state, &mut conn, &slug).await?;
    let name = fields.get("policy").map(String::as_str).unwrap_or_default();
    let base = policies::by_name(&mut conn, &study, &version, name).await?;
    let mut policy = described(&base.ok_or(FlowError::Refused(Refused::NoSuchPolicy))?, &fields)?;
    drop(conn);
    policy.name = fields.get("name").map(|name| name.trim().to_owned()).unwrap_or_default();
    policies::save(&state.app, &Actor::researcher(&researcher), &slug, &policy).await?;
    Ok(Redirect::to(&format!("/lab/studies/{slug}/exclusion?policy={}#saved", policy.name)))
}

/// Which policy.
#[derive(Debug, Deserialize)]
pub struct NameForm {
    name: String,
}

/// Freezes a saved policy as pre-registered.
pub async fn freeze(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(form): Form<NameForm>,
) -> Result<Redirect, PageError> {
    policies::freeze(&state.app, &Actor::researcher(&researcher), &slug, &form.name).await?;
    Ok(Redirect::to(&format!("/lab/studies/{slug}/exclusion#saved")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exclusion::judge;
    use crate::domain::fixture;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn without_fields_the_policy_is_the_named_one() {
        let base = fixture::policy("as-posted");
        assert_eq!(described(&base, &Fields::new()).unwrap(), base);
    }

    #[test]
    fn bounds_of_another_policy_are_left_aside() {
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
        let bounds = |condition| policy.bounds(condition, Criterion::TotalTime);
        assert_eq!(bounds("natural"), Some(Bounds { min: Some(100.0), max: Some(450.5) }));
        assert_eq!(bounds("none"), Some(Bounds { min: Some(10.0), max: None }));
        assert_eq!(policy.bounds("natural", Criterion::CatchTrials), None);
        let mut person = fixture::person("natural");
        person.measures.catch_correct = 0;
        assert!(judge(&policy, "natural", &person.measures).passed());
        for wrong in ["x", "NaN", "inf"] {
            assert!(described(&base, &fields(&[("total_time.min", wrong)])).is_err(), "{wrong}");
        }
    }
}
