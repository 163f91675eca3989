//! Pages that follow a study: their changing parts are sent when they change, and nothing is sent while nothing happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use serde_json::json;
use tokio::time::Instant;

use super::progress;
use super::results::{self, Choice};
use super::studies;
use super::study::{self, ModeQuery, find};
use crate::domain::study::Mode;
use crate::store::researchers::Researcher;
use crate::web::error::PageError;
use crate::web::page;
use crate::web::session::OpenSession;
use crate::web::state::WebState;

/// A page looks again at most so often while changes come in.
const QUIET: Duration = Duration::from_millis(500);

/// ... and at least so often, since leases lapse without anybody doing anything.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Parts that are made of everybody's data are made again at most so often.
const HEAVY: Duration = Duration::from_secs(3);

/// The parts of a study's page.
pub async fn of_study(
    State(state): State<WebState>,
    session: OpenSession,
    Path(slug): Path<String>,
    Query(ModeQuery { mode }): Query<ModeQuery>,
) -> Result<Response, PageError> {
    let (study, _) = find(&state, &mut *state.app.pool.acquire().await?, &slug).await?;
    let heavy = {
        let (state, slug) = (state.clone(), slug.clone());
        move || {
            let (state, slug) = (state.clone(), slug.clone());
            async move { Ok(json!({ "progress": progress::part(&state, &slug, mode).await? })) }
        }
    };
    let light = {
        let (state, me) = (state.clone(), session.researcher.clone());
        move || {
            let (state, me, slug) = (state.clone(), me.clone(), slug.clone());
            async move { enrolment(&state, &me, &slug, mode).await }
        }
    };
    Ok(stream(watch(state, session, Some(study.id), light, heavy)))
}

/// The list of studies.
pub async fn of_studies(State(state): State<WebState>, session: OpenSession) -> Result<Response, PageError> {
    let own = state.clone();
    let light = move || {
        let state = own.clone();
        async move { Ok(json!({ "studies": page::text(&studies::list(&state).await?) })) }
    };
    Ok(stream(watch(state, session, None, light, async || Ok(json!({})))))
}

/// The flow of participants.
pub async fn of_flow(
    State(state): State<WebState>,
    session: OpenSession,
    Path(slug): Path<String>,
    Query(choice): Query<Choice>,
) -> Result<Response, PageError> {
    let (study, _) = find(&state, &mut *state.app.pool.acquire().await?, &slug).await?;
    let own = state.clone();
    let heavy = move || {
        let (state, slug, choice) = (own.clone(), slug.clone(), choice.clone());
        async move { Ok(json!({ "flow-figure": results::flow_fragment(&state, &slug, &choice).await? })) }
    };
    Ok(stream(watch(state, session, Some(study.id), async || Ok(json!({})), heavy)))
}

fn stream(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(20))).into_response()
}

/// Sends parts as JSON, HTML by the id of the element that holds it, whenever they differ from those sent before: light ones
/// within half a second of a change, heavy ones less often. Without a study, changes in any of them count.
fn watch<L, H>(
    state: WebState,
    session: OpenSession,
    study_id: Option<i64>,
    light: impl Fn() -> L + Send + 'static,
    heavy: impl Fn() -> H + Send + 'static,
) -> impl Stream<Item = Result<Event, Infallible>>
where
    L: Future<Output = Result<serde_json::Value, PageError>> + Send,
    H: Future<Output = Result<serde_json::Value, PageError>> + Send,
{
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    let stop = state.live.stop.clone();
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        let mut changes = state.live.subscribe();
        let mut sent = [String::new(), String::new()];
        let mut heavy_again: Option<Instant> = Some(Instant::now());
        while session.is_good(&state).await {
            let due = heavy_again.is_some_and(|at| at <= Instant::now());
            // A page that cannot be read now is read at the next change.
            let mut parts = vec![(0, light().await)];
            if due {
                parts.push((1, heavy().await));
                heavy_again = None;
            }
            for (which, part) in parts {
                let Ok(part) = part.map(|part| part.to_string()) else { continue };
                if part != sent[which] && part != "{}" {
                    let event = Event::default().event("fragments").data(&part);
                    if sender.send(Ok(event)).await.is_err() {
                        return;
                    }
                    sent[which] = part;
                }
            }
            let looked = Instant::now();
            tokio::time::sleep(QUIET).await;
            let again = heavy_again.unwrap_or(looked + LOOK_AGAIN);
            tokio::select! {
                () = sender.closed() => return,
                () = tokio::time::sleep_until(again) => { heavy_again.get_or_insert(again); }
                () = changed(&mut changes, study_id) => { heavy_again.get_or_insert(looked + HEAVY); }
            }
        }
    }));
    tokio_stream::wrappers::ReceiverStream::new(receiver)
}

/// Waits for a change that concerns a study.
async fn changed(
    changes: &mut tokio::sync::broadcast::Receiver<crate::web::live::Change>,
    study_id: Option<i64>,
) {
    use tokio::sync::broadcast::error::RecvError;
    loop {
        match changes.recv().await {
            Ok(change) if study_id.is_none_or(|id| change.concerns(id)) => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            // The server stops.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn enrolment(
    state: &WebState,
    me: &Researcher,
    slug: &str,
    mode: Mode,
) -> Result<serde_json::Value, PageError> {
    let mut conn = state.app.pool.acquire().await?;
    let (study, version) = find(state, &mut conn, slug).await?;
    let enrolment = study::enrolment(state, &mut conn, &study, &version, mode).await?;
    let running = study::running(state, &mut conn, &study, &version, mode).await?;
    Ok(json!({
        "state": page::text(&study::Standing::new(me, &study, &version, mode, &enrolment)),
        "enrolment": page::text(&enrolment),
        "postings": page::text(&study::PostingForms::new(me, &study, mode, &enrolment)),
        "running": page::text(&running),
    }))
}
