//! The table of all participants, which can be filtered, sorted and searched.

mod columns;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::domain::analysis::JudgedPerson;
use crate::domain::exclusion::Criterion;
use crate::domain::preregistration::StandingPolicy;
use crate::domain::study::{Group, Mode, StudyDefinition};
use crate::domain::words;
use crate::domain::workbench::Failing;
use crate::flow::study::judged::{JudgedStudy, judged_study};
use crate::store::researchers::Researcher;
use crate::web::http::error::PageError;
use crate::web::http::page;
use crate::web::lab::paging::PageOfRows;
use crate::web::lab::participants::columns::{CellLook, ParticipantCells, ParticipantColumn};
use crate::web::lab::session::SignedIn;
use crate::web::lab::urls;
use crate::web::state::WebState;

/// Rows on one page of the table: few enough to read, and to show at once.
const ROWS: usize = 100;

words! {
    /// The verdicts by which the table can be filtered.
    ShownVerdict {
        /// Kept by the policy or by a decision.
        Kept = "kept",
        /// Completed, and neither kept nor surplus.
        Excluded = "excluded",
        /// Passed, and found no open slot.
        Surplus = "surplus",
        /// Did not complete.
        Incomplete = "incomplete",
        /// A researcher decided about them.
        Decided = "decided",
    }
}

impl ShownVerdict {
    fn admits(self, person: &JudgedPerson) -> bool {
        match self {
            Self::Kept => person.kept(),
            Self::Excluded => person.verdict.is_some() && !person.kept() && !person.surplus(),
            Self::Surplus => person.surplus(),
            Self::Incomplete => person.verdict.is_none(),
            Self::Decided => person.person.overridden.is_some(),
        }
    }
}

/// Which people the table shows, and in which order.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct ParticipantFilter {
    mode: Mode,
    /// Crowd or experts; both if empty.
    group: String,
    condition: String,
    /// A word of [`ShownVerdict`]; all if empty.
    verdict: String,
    /// The policy by which people are judged; the enrolment policy if empty.
    policy: String,
    /// What people who completed fail: a word of [`Failing`]; all if empty.
    failed: String,
    search: String,
    /// The column by which rows are sorted; newest first if empty.
    sort: String,
    descending: bool,
    /// The page's number, from 1.
    page: usize,
}

impl Default for ParticipantFilter {
    fn default() -> Self {
        let text = String::new;
        Self {
            mode: Mode::Live,
            group: text(),
            condition: text(),
            verdict: text(),
            policy: text(),
            failed: text(),
            search: text(),
            sort: text(),
            descending: false,
            page: 1,
        }
    }
}

impl ParticipantFilter {
    fn admits(&self, person: &JudgedPerson) -> bool {
        let row = &person.person;
        let verdict = self.verdict.parse::<ShownVerdict>().map_or(true, |shown| shown.admits(person));
        let group = self.group.parse().map_or(true, |group| row.group == group);
        let condition = self.condition.is_empty() || row.condition == self.condition;
        let failed = self.failed.parse::<Failing>().map_or(true, |which| which.admits(person));
        verdict
            && group
            && condition
            && failed
            && row.participant.contains(&self.search.trim().to_lowercase())
    }

    /// The choices for failed criteria: (word, label). "None above" is offered only if the address asks for it.
    fn failings(&self) -> Vec<(String, String)> {
        let title = |criterion: Criterion| criterion.sheet().title;
        let mut failings = vec![(Failing::None, "none".to_owned()), (Failing::Any, "any".into())];
        failings.extend(Criterion::ALL.iter().map(|one| (Failing::One(*one), title(*one).into())));
        if let Ok(first @ Failing::First(criterion)) = self.failed.parse() {
            failings.push((first, format!("{}, none above", title(criterion))));
        }
        failings.into_iter().map(|(which, words)| (which.to_string(), words)).collect()
    }

    /// Sorts people by the chosen column, or newest first without one.
    fn sort(&self, people: &mut [&JudgedPerson], blinded: bool) {
        match ParticipantColumn::shown(blinded).find(|column| column.name == self.sort) {
            Some(column) => column.sort(people, self.descending),
            None => people.reverse(),
        }
    }

    /// The address of the table's first page, sorted by a column; in reverse if it is sorted by that column already.
    fn sorted_by(&self, column: &ParticipantColumn) -> String {
        self.address(column.name, self.sort == column.name && !self.descending, 1)
    }

    /// The address of a page of the same rows in the same order.
    fn at_page(&self, page: &usize) -> String {
        self.address(&self.sort, self.descending, *page)
    }

    fn address(&self, sort: &str, descending: bool, page: usize) -> String {
        let pairs = [
            ("mode", self.mode.as_str()),
            ("group", &self.group),
            ("condition", &self.condition),
            ("verdict", &self.verdict),
            ("policy", &self.policy),
            ("failed", &self.failed),
            ("search", &self.search),
            ("sort", sort),
            ("descending", if descending { "true" } else { "false" }),
            ("page", &page.to_string()),
        ];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        format!("?{query}")
    }
}

#[derive(Template)]
#[template(path = "lab/participants.html")]
struct ParticipantsPage<'a> {
    me: Researcher,
    slug: &'a str,
    definition: &'a StudyDefinition,
    chosen: &'a StandingPolicy,
    policies: Vec<StandingPolicy>,
    filter: &'a ParticipantFilter,
    /// Whether there are experts, so that the table can be filtered by group.
    has_experts: bool,
    columns: Vec<&'static ParticipantColumn>,
    rows: Vec<ParticipantCells>,
    pages: PageOfRows,
    all: usize,
}

/// A participant's verdict in words: the decision, if any, and what the policy says.
pub fn verdict_words(judged: &JudgedPerson) -> String {
    let Some(verdict) = &judged.verdict else { return String::new() };
    let reasons = judged.reasons().join(", ").replace('_', " ");
    match (judged.person.overridden.is_some(), judged.kept()) {
        (false, true) => "kept".into(),
        (false, false) if verdict.passed() => reasons,
        (false, false) => format!("excluded: {reasons}"),
        (true, kept) => {
            let decided = if kept { "kept by decision" } else { "excluded by decision" };
            let rule = if reasons.is_empty() { "passes" } else { &reasons };
            format!("{decided} (rule: {rule})")
        }
    }
}

/// The page with the table.
pub async fn table(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Query(filter): Query<ParticipantFilter>,
) -> Result<Response, PageError> {
    let JudgedStudy { version, policy: chosen, policies, people, blinded, .. } =
        judged_study(&state.app, &slug, filter.mode, &filter.policy).await?;
    let mut found: Vec<&JudgedPerson> = people.iter().filter(|person| filter.admits(person)).collect();
    filter.sort(&mut found, blinded);
    let pages = PageOfRows::new(filter.page, found.len(), ROWS);
    Ok(page::html(&ParticipantsPage {
        me: researcher,
        slug: &slug,
        definition: &version.definition,
        chosen: &chosen,
        policies,
        filter: &filter,
        has_experts: people.iter().any(|judged| judged.person.group == Group::Expert),
        columns: ParticipantColumn::shown(blinded).collect(),
        rows: found[pages.rows()].iter().map(|judged| columns::row(judged, blinded)).collect(),
        pages,
        all: people.len(),
    }))
}
