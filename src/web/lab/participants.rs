//! Everybody who took part: a table to filter, sort and search.

use std::cmp::Ordering;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::domain::codebook::people::JudgedPerson;
use crate::domain::exclusion::Criterion;
use crate::domain::preregistration::StandingPolicy;
use crate::domain::study::{Group, Mode, StudyDefinition};
use crate::domain::workbench::Failing;
use crate::figures;
use crate::flow::study::{policies, results};
use crate::flow::{FlowError, Refused};
use crate::store::researchers::Researcher;
use crate::web::http::error::PageError;
use crate::web::http::page;
use crate::web::lab::paging::PageOfRows;
use crate::web::lab::session::SignedIn;
use crate::web::lab::study::find;
use crate::web::state::WebState;

/// Rows on one page of the table: what can be looked through, and drawn at once.
const ROWS: usize = 100;

/// What the table shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct ParticipantFilter {
    mode: Mode,
    /// Crowd or experts; both if it is neither.
    group: String,
    condition: String,
    verdict: String,
    /// Under which policy people are judged; the enrolment policy if none is named.
    policy: String,
    /// What people who completed fail: a word of [`Failing`].
    failed: String,
    search: String,
    /// The column by whose values rows stand; none: newest first.
    sort: String,
    descending: bool,
    /// Which page of the rows, from 1.
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
        let verdict = match self.verdict.as_str() {
            "kept" => person.kept(),
            "excluded" => person.verdict.is_some() && !person.kept() && !person.surplus(),
            "decided" => person.person.overridden.is_some(),
            "surplus" => person.surplus(),
            "incomplete" => person.verdict.is_none(),
            _ => true,
        };
        let group = self.group.parse().map_or(true, |group| row.group == group);
        let condition = self.condition.is_empty() || row.condition == self.condition;
        let failed = self.failed.parse::<Failing>().map_or(true, |which| which.admits(person));
        verdict
            && group
            && condition
            && failed
            && row.participant.contains(&self.search.trim().to_lowercase())
    }

    /// What people can be asked to fail: (word, in words). In order is offered to whoever came that way.
    fn failings(&self) -> Vec<(String, String)> {
        let title = |criterion: Criterion| figures::words(criterion).0;
        let mut failings = vec![(Failing::None, "none".to_owned()), (Failing::Any, "any".into())];
        failings.extend(Criterion::ALL.iter().map(|one| (Failing::One(*one), title(*one).into())));
        if let Ok(first @ Failing::First(criterion)) = self.failed.parse() {
            failings.push((first, format!("{}, none above", title(criterion))));
        }
        failings.into_iter().map(|(which, words)| (which.to_string(), words)).collect()
    }

    /// Whatever has no value comes last, in either direction.
    fn sort(&self, people: &mut [&JudgedPerson], blinded: bool) {
        let Some(column) = COLUMNS.iter().find(|column| column.is_sorted_by(self, blinded)) else {
            people.reverse();
            return;
        };
        people.sort_by(|a, b| match ((column.value)(a), (column.value)(b)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) if self.descending => b.compare(&a),
            (Some(a), Some(b)) => a.compare(&b),
        });
    }

    /// The address of the table sorted by a column, from its first page: once more turns the order round.
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

/// What rows are sorted by.
enum Value {
    Number(f64),
    Text(String),
}

impl Value {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            // A column has one kind of value.
            _ => Ordering::Equal,
        }
    }
}

/// A column of the table.
struct ParticipantColumn {
    name: &'static str,
    title: &'static str,
    is_number: bool,
    value: fn(&JudgedPerson) -> Option<Value>,
}

impl ParticipantColumn {
    /// Accuracies are not to be had while conditions are hidden, nor by their order.
    fn is_sorted_by(&self, filter: &ParticipantFilter, blinded: bool) -> bool {
        self.name == filter.sort && !(blinded && self.name == "accuracy")
    }

    /// For the attribute `aria-sort`.
    fn order(&self, filter: &ParticipantFilter) -> &'static str {
        match (self.name == filter.sort, filter.descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }
}

const fn text(
    name: &'static str,
    title: &'static str,
    value: fn(&JudgedPerson) -> Option<Value>,
) -> ParticipantColumn {
    ParticipantColumn { name, title, is_number: false, value }
}

const fn numbers(
    name: &'static str,
    title: &'static str,
    value: fn(&JudgedPerson) -> Option<Value>,
) -> ParticipantColumn {
    ParticipantColumn { name, title, is_number: true, value }
}

const COLUMNS: [ParticipantColumn; 10] = [
    text("name", "Name", |p| Some(Value::Text(p.person.participant.clone()))),
    text("condition", "Condition", |p| Some(Value::Text(p.person.condition.clone()))),
    text("stage", "Stage", |p| Some(Value::Text(p.person.stage.to_string()))),
    text("verdict", "Verdict", |p| Some(verdict_words(p)).filter(|words| !words.is_empty()).map(Value::Text)),
    numbers("accuracy", "Accuracy", |p| share(p).map(Value::Number)),
    numbers("catch", "Catch", |p| Some(Value::Number(p.person.measures.catch_correct.into()))),
    numbers("instructions", "Instructions, s", |p| p.person.measures.instruction_time.map(Value::Number)),
    numbers("total", "Total, s", |p| p.person.measures.total_time.map(Value::Number)),
    numbers("blocks", "Blocks", |p| p.person.measures.practice_blocks.map(|n| Value::Number(n.into()))),
    text("consent", "Consent (UTC)", |p| Some(Value::Number(p.person.enrolled_at.timestamp_millis() as f64))),
];

/// Share of main trials answered correctly.
fn share(person: &JudgedPerson) -> Option<f64> {
    let tally = &person.person.tally;
    (tally.main_total > 0).then(|| f64::from(tally.main_correct) / f64::from(tally.main_total))
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
    /// Whether the list can be parted into crowd and experts.
    has_experts: bool,
    /// Accuracies would tell which condition is which.
    blinded: bool,
    columns: Vec<&'static ParticipantColumn>,
    lines: Vec<ParticipantLine<'a>>,
    pages: PageOfRows,
    all: usize,
}

struct ParticipantLine<'a> {
    judged: &'a JudgedPerson,
    accuracy: Option<f64>,
}

impl ParticipantLine<'_> {
    fn verdict(&self) -> String {
        verdict_words(self.judged)
    }
}

/// How a person stands, in words: the decision, and what the rule says.
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

/// The table.
pub async fn table(
    State(state): State<WebState>,
    SignedIn(researcher): SignedIn,
    Path(slug): Path<String>,
    Query(filter): Query<ParticipantFilter>,
) -> Result<Response, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let (study, version) = find(&state, &mut conn, &slug).await?;
    let chosen = policies::chosen(&mut conn, &study, &version, &filter.policy).await?;
    let chosen = chosen.ok_or(FlowError::Refused(Refused::NoSuchPolicy))?;
    let people =
        policies::judged(&state.app, &mut conn, &study, &version, filter.mode, &chosen.policy).await?;
    let blinded = results::is_blinded(&state.app, &mut conn, &study, &version, filter.mode).await?;
    let mut found: Vec<&JudgedPerson> = people.iter().filter(|person| filter.admits(person)).collect();
    filter.sort(&mut found, blinded);
    let pages = PageOfRows::new(filter.page, found.len(), ROWS);
    let lines = found[pages.rows()]
        .iter()
        .map(|judged| ParticipantLine { judged, accuracy: share(judged) })
        .collect();
    Ok(page::html(&ParticipantsPage {
        me: researcher,
        slug: &slug,
        definition: &version.definition,
        chosen: &chosen,
        policies: policies::all(&mut conn, &study, &version).await?,
        filter: &filter,
        has_experts: people.iter().any(|judged| judged.person.group == Group::Expert),
        blinded,
        columns: COLUMNS.iter().filter(|column| !(blinded && column.name == "accuracy")).collect(),
        lines,
        pages,
        all: people.len(),
    }))
}
