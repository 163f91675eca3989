//! Streams for live pages: a fragment is sent when it changes.

use std::convert::Infallible;

use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use futures::stream::{select, select_all, unfold};
use tokio::sync::mpsc::Sender;
use tokio_stream::wrappers::{ReceiverStream, WatchStream};

use crate::web::http::error::PageError;
use crate::web::lab::choice::{Choice, ModeQuery};
use crate::web::lab::session::OpenSession;
use crate::web::lab::study::find;
use crate::web::live::fragments::{LOOK_AGAIN, follow};
use crate::web::live::shown_fragments::Fragment;
use crate::web::state::WebState;

/// How often a message is sent to keep the connection open while nothing changes.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(20);

/// The fragments of a study's page.
pub async fn of_study(
    State(state): State<WebState>,
    session: OpenSession,
    Path(slug): Path<String>,
    Query(ModeQuery { mode }): Query<ModeQuery>,
) -> Result<Response, PageError> {
    let (study, _) = find(&state, &mut *state.app.pool.acquire().await?, &slug).await?;
    let steers = session.researcher.steers();
    let parts = [Fragment::Enrolment(slug.clone(), mode, steers), Fragment::Progress(slug, mode)];
    Ok(stream(state, session, &parts, Some(study.id)))
}

/// The list of studies.
pub async fn of_studies(State(state): State<WebState>, session: OpenSession) -> Result<Response, PageError> {
    Ok(stream(state, session, &[Fragment::Studies], None))
}

/// The flow of participants.
pub async fn of_flow(
    State(state): State<WebState>,
    session: OpenSession,
    Path(slug): Path<String>,
    Query(choice): Query<Choice>,
) -> Result<Response, PageError> {
    let (study, _) = find(&state, &mut *state.app.pool.acquire().await?, &slug).await?;
    Ok(stream(state, session, &[Fragment::Flow(slug, choice)], Some(study.id)))
}

/// Sends each fragment whenever it differs from the one that was sent before.
fn stream(state: WebState, session: OpenSession, parts: &[Fragment], study_id: Option<i64>) -> Response {
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    let followed = parts.iter().map(|part| WatchStream::new(follow(&state, part, study_id)));
    let made = select_all(followed);
    let looks = unfold((), |()| async { Some((None, tokio::time::sleep(LOOK_AGAIN).await)) });
    let stop = state.live.stop.clone();
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        let _open = state.live.open_page();
        let mut news = std::pin::pin!(select(made, looks));
        loop {
            let fragments = tokio::select! {
                () = sender.closed() => return,
                fragments = news.next() => fragments.flatten(),
            };
            // The session is also checked while nothing changes.
            if !session.is_good(&state).await {
                return;
            }
            if let Some(fragments) = fragments {
                send(&sender, &fragments).await;
            }
        }
    }));
    Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

async fn send(sender: &Sender<Result<Event, Infallible>>, fragments: &str) {
    // A closed connection is noticed in the next turn of the loop.
    let _ = sender.send(Ok(Event::default().event("fragments").data(fragments))).await;
}
