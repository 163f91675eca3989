//! The progress of a study: a part of its page.

use std::time::Duration;

use askama::Template;

use crate::domain::progress::{ConditionProgress, Progress};
use crate::domain::study::Mode;
use crate::figures;
use crate::flow::study::results;
use crate::web::http::error::PageError;
use crate::web::http::page;
use crate::web::state::WebState;

#[derive(Template)]
#[template(path = "lab/_progress.html")]
struct ProgressPart {
    progress: Progress,
    chart: String,
    lines: Vec<(String, ConditionProgress)>,
}

/// Renders the part as of now.
pub async fn part(state: &WebState, slug: &str, mode: Mode) -> Result<String, PageError> {
    let material = results::load_people(&state.app, slug, mode, None).await?;
    let progress = material.progress();
    let chart = figures::progress(&progress).and_then(|figure| figure.svg);
    let conditions = &material.version.definition.conditions;
    let lines = conditions.iter().map(|condition| condition.title.clone()).zip(progress.conditions.clone());
    let chart = chart.map_or_else(String::new, |svg| format!("<div class=\"drawing scroll\">{svg}</div>"));
    Ok(page::text(&ProgressPart { lines: lines.collect(), chart, progress }))
}

/// A duration as minutes and seconds.
fn minutes(seconds: &Option<f64>) -> String {
    let whole = seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default().as_secs());
    whole.map_or_else(|| "–".into(), |s| format!("{} min {:02} s", s / 60, s % 60))
}

/// An amount of cents as dollars.
fn dollars(cents: &f64) -> String {
    format!("{:.2} USD", cents / 100.0)
}
