//! Renders the fragments of open pages when something changes: each once for all pages of this server that show it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use crate::domain::study::Mode;
use crate::flow::study::overview;
use crate::flow::study::overview::StudyOverview;
use crate::web::http::error::PageError;
use crate::web::http::page;
use crate::web::lab::{arrivals, progress, results, studies, study};
use crate::web::live::Change;
use crate::web::live::shown_fragments::{Fragment, Fragments};
use crate::web::state::WebState;

/// The shortest time between two renderings of a fragment. A change is announced within a quarter of a second; with this pause and
/// the rendering itself, it is on every open page within a second.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest time between two renderings, since leases expire without a change that is announced.
pub const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Follows a fragment, and keeps it up to date as long as any page shows it. Without a study, changes in any study count.
pub fn follow(
    state: &WebState,
    part: &Fragment,
    study_id: Option<i64>,
) -> watch::Receiver<Option<Fragments>> {
    let (receiver, first) = state.fragments.follow(part);
    if let Some(sender) = first {
        let stop = state.live.stop.clone();
        tokio::spawn(stop.run_until_cancelled_owned(keep(state.clone(), part.clone(), study_id, sender)));
    }
    receiver
}

/// Renders a fragment again at each change, until no page shows it.
async fn keep(
    state: WebState,
    part: Fragment,
    study_id: Option<i64>,
    sender: watch::Sender<Option<Fragments>>,
) {
    loop {
        // Changes before this subscription are in the data that is read below.
        let mut changes = state.live.subscribe();
        let began = Instant::now();
        if let Some(made) = made(&state, &part).await {
            sender.send_if_modified(|shown| {
                let differs = shown.as_ref() != Some(&made);
                *shown = Some(made);
                differs
            });
        }
        // A slow fragment is rendered for at most half of the time.
        tokio::time::sleep_until(began + PAUSE.max(2 * began.elapsed())).await;
        tokio::select! {
            () = sender.closed() => if state.fragments.forget(&part, &sender) { return },
            () = tokio::time::sleep_until(began + LOOK_AGAIN) => {}
            () = changed(&mut changes, study_id) => {}
        }
    }
}

/// Renders a fragment. If that fails, it is tried again at the next change.
async fn made(state: &WebState, part: &Fragment) -> Option<Fragments> {
    let (state, part) = (state.clone(), part.clone());
    // A task of its own, so that a panic does not end the updates.
    let made = tokio::spawn(async move { render(&state, &part).await }).await.ok()?;
    unless_failed(made).map(|fragments| fragments.to_string().into())
}

/// What was rendered. A failure is logged here, since it belongs to no request.
fn unless_failed(made: Result<Value, PageError>) -> Option<Value> {
    let log = |PageError(problem): &PageError| {
        tracing::warn!(cause = problem.cause(), "A part of a live page could not be rendered");
    };
    made.inspect_err(log).ok()
}

async fn render(state: &WebState, fragment: &Fragment) -> Result<Value, PageError> {
    Ok(match fragment {
        Fragment::Studies => json!({ "studies": page::text(&studies::list(state).await?) }),
        Fragment::Enrolment(slug, mode, steers) => enrolment(state, slug, *mode, *steers).await?,
        Fragment::Progress(slug, mode) => json!({ "progress": progress::part(state, slug, *mode).await? }),
        Fragment::Flow(slug, choice) => {
            json!({ "flow-figure": results::flow_fragment(state, slug, choice).await? })
        }
    })
}

async fn enrolment(state: &WebState, slug: &str, mode: Mode, steers: bool) -> Result<Value, PageError> {
    let overview = overview::overview(&state.app, slug, mode).await?;
    let arrivals = arrivals::part(&overview);
    let StudyOverview { study, version, enrolment, running, .. } = overview;
    let enrolment = study::EnrolmentFragment::new(&version, enrolment);
    Ok(json!({
        "state": page::text(&study::StateCard::new(steers, &study, &version, mode, &enrolment)),
        "enrolment": page::text(&enrolment),
        "postings": page::text(&study::PostingForms::new(steers, &study, mode, &enrolment)),
        "running": page::text(&study::Running::new(&version, running)),
        "arrivals": arrivals,
    }))
}

/// Waits for a change that concerns a study.
async fn changed(changes: &mut broadcast::Receiver<Change>, study_id: Option<i64>) {
    use broadcast::error::RecvError;
    loop {
        match changes.recv().await {
            Ok(change) if study_id.is_none_or(|id| change.concerns(id)) => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            // The server is stopping.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::captured_log::CapturedLog;
    use crate::web::http::error::ProblemDocument;

    #[test]
    fn a_part_that_cannot_be_rendered_is_logged_with_its_cause() {
        let (log, _logging) = CapturedLog::begin();
        assert_eq!(unless_failed(Ok(json!(1))), Some(json!(1)));
        assert_eq!(log.text(), "");
        let failure = PageError(ProblemDocument::internal().because("no such table"));
        assert_eq!(unless_failed(Err(failure)), None);
        assert!(log.text().contains("no such table"), "{}", log.text());
    }
}
