//! The exclusion workbench: a researcher changes bounds and sees who would be excluded before anything is applied, saves policies,
//! and freezes one.

mod form;
mod plot;
mod view;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::domain::analysis::{JudgedPerson, apart};
use crate::domain::exclusion::{ExpertsBy, Policy};
use crate::domain::preregistration::{PreregistrationStatus, StandingPolicy};
use crate::domain::study::{Group, Mode, StudyDefinition};
use crate::domain::workbench::{self, Moved};
use crate::flow::audit::log::Actor;
use crate::flow::study::judged::{JudgedStudy, chosen_policy, judged_study};
use crate::flow::study::policies;
use crate::flow::{FlowError, Refused};
use crate::store::policies::SavedPolicy;
use crate::store::researchers::Researcher;
use crate::web::http::error::{PageError, ProblemDocument};
use crate::web::http::page;
use crate::web::lab::choice::live_mode;
use crate::web::lab::session::SignedIn;
use crate::web::lab::urls;
use crate::web::state::WebState;
use form::{FormFields, described, rows, rows_as_typed, ways_for_experts};
use view::{CriterionLine, GroupLine, Links};

/// The most names in a list of people; more could not be read.
const MOST_NAMED: usize = 200;

#[derive(Template)]
#[template(path = "lab/exclusion.html")]
struct ExclusionPage<'a> {
    me: Researcher,
    slug: &'a str,
    definition: &'a StudyDefinition,
    mode: Mode,
    base: &'a StandingPolicy,
    policies: Vec<StandingPolicy>,
    lines: Vec<CriterionLine>,
    groups: Vec<GroupLine>,
    total: GroupLine,
    /// The experts of all conditions, where any took part.
    experts: Option<GroupLine>,
    /// How experts are judged, and how else they could be, where there are or may be experts.
    experts_by: Option<(ExpertsBy, Vec<ExpertsBy>)>,
    saved: Vec<(SavedPolicy, PreregistrationStatus)>,
    /// The people whom changed bounds would include or exclude; none if no bound is changed.
    moved: Option<Moved>,
    /// Whether accuracies are hidden, since they would show which condition is which.
    blinded: bool,
    /// Why the bounds make no policy, or why the policy was not saved.
    problem: Option<&'a ProblemDocument>,
    /// Whether the bounds are those that people are judged by.
    applied: bool,
    /// The name that was typed for the policy.
    name: &'a str,
}

impl ExclusionPage<'_> {
    /// Who leaves and who comes in: a label, the people who are named, and how many more there are.
    fn ways<'t>(&self, moved: &'t Moved) -> Vec<(&'static str, &'t [String], usize)> {
        let ways = [("Leave", &moved.leave), ("Come in", &moved.join)];
        let way = |(words, people): (&'static str, &'t Vec<String>)| {
            let (named, more) = people.split_at(people.len().min(MOST_NAMED));
            (words, named, more.len())
        };
        ways.into_iter().map(way).filter(|(_, named, _)| !named.is_empty()).collect()
    }

    /// Whether the researcher may freeze a policy, which is possible once.
    fn may_freeze(&self) -> bool {
        self.me.steers() && self.saved.iter().all(|(saved, _)| saved.frozen_at.is_none())
    }
}

/// The mode of the data that are shown.
fn mode_of(fields: &FormFields) -> Mode {
    fields.get("mode").and_then(|mode| mode.parse().ok()).unwrap_or_else(live_mode)
}

/// Shows the effect of the bounds. If they make no policy, or it was refused, the page says why and keeps the bounds as typed.
async fn show(
    state: &WebState,
    me: Researcher,
    slug: &str,
    fields: &FormFields,
    refused: Option<Refused>,
) -> Result<Response, PageError> {
    let mode = mode_of(fields);
    let name = fields.get("policy").map_or("", String::as_str);
    let JudgedStudy { version, policy: base, policies, saved, people: before, blinded } =
        judged_study(&state.app, slug, mode, name).await?;
    let (policy, rows, applied, refused) = match described(&base.policy, fields) {
        Ok(policy) => (policy.clone(), rows(&policy), true, refused),
        Err(why) => (base.policy.clone(), rows_as_typed(&base.policy, fields), false, Some(why)),
    };
    let judge_again = |judged: &JudgedPerson| JudgedPerson::new(judged.person.clone(), &policy);
    let people: Vec<JudgedPerson> = before.iter().map(judge_again).collect();
    let conditions: Vec<String> = version.definition.conditions.iter().map(|c| c.name.clone()).collect();
    let moved = (!policy.judges_like(&base.policy)).then(|| Moved::between(&before, &people));
    let (crowd, experts) = apart(people);
    let preview = workbench::preview(&crowd, &conditions);
    let experts = (!experts.is_empty()).then(|| workbench::preview(&experts, &conditions));
    let named = moved.is_none().then_some(base.policy.name.as_str());
    let links = Links { slug, mode, policy: named, group: Group::Crowd };
    let of_experts = Links { group: Group::Expert, ..links };
    let may_come = version.definition.links.iter().any(|link| link.group == Group::Expert);
    let problem = refused.map(|refused| ProblemDocument::from(FlowError::Refused(refused)));
    let page = page::html(&ExclusionPage {
        me,
        slug,
        definition: &version.definition,
        mode,
        lines: view::lines(rows, &preview, &policy, &version.definition, &links),
        groups: view::groups(&preview, &version.definition, &links),
        total: view::total(if experts.is_some() { "All of the crowd" } else { "All" }, &preview, &links),
        experts_by: (may_come || experts.is_some())
            .then(|| (policy.experts_by(), ways_for_experts(&base.policy))),
        experts: experts.map(|experts| view::total("Experts", &experts, &of_experts)),
        policies,
        saved,
        moved,
        blinded,
        problem: problem.as_ref(),
        applied,
        name: fields.get("name").map_or("", String::as_str),
        base: &base,
    });
    let status = problem.map_or(StatusCode::OK, |problem| problem.status());
    Ok((status, page).into_response())
}

/// The page. The form's fields are in the address, so that it can be sent to a colleague.
pub async fn page(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Query(fields): Query<FormFields>,
) -> Result<Response, PageError> {
    show(&state, researcher, &slug, &fields, None).await
}

/// Saves the policy that the form describes. If it is refused, the form is shown again and can be corrected.
pub async fn save(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(fields): Form<FormFields>,
) -> Result<Response, PageError> {
    let field = |name: &str| fields.get(name).map_or("", |text| text.trim());
    let base = chosen_policy(&state.app, &slug, field("policy")).await?;
    let saved = match described(&base.policy, &fields) {
        Ok(policy) => {
            let policy = Policy { name: field("name").to_owned(), ..policy };
            policies::save(&state.app, &Actor::researcher(&researcher), &slug, &policy).await
        }
        Err(refused) => Err(refused.into()),
    };
    match saved {
        Ok(()) => Ok(back(&slug, field("name"), mode_of(&fields)).into_response()),
        Err(FlowError::Refused(refused)) => show(&state, researcher, &slug, &fields, Some(refused)).await,
        Err(error) => Err(error.into()),
    }
}

/// The policy to freeze, and what the page showed.
#[derive(Debug, Deserialize)]
pub struct FreezeForm {
    name: String,
    #[serde(default)]
    policy: String,
    #[serde(default = "live_mode")]
    mode: Mode,
}

/// Freezes a saved policy as pre-registered.
pub async fn freeze(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Form(form): Form<FreezeForm>,
) -> Result<Redirect, PageError> {
    policies::freeze(&state.app, &Actor::researcher(&researcher), &slug, &form.name).await?;
    Ok(back(&slug, &form.policy, form.mode))
}

/// Redirects to the saved policies, with the same people and bounds shown.
fn back(slug: &str, policy: &str, mode: Mode) -> Redirect {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("policy", policy)
        .append_pair("mode", mode.as_str())
        .finish();
    Redirect::to(&format!("{}?{query}#saved", urls::exclusion(slug)))
}
