//! `/metrics`, for Prometheus: the counters of `web::http::metrics`, and the present numbers of connections, people and slots. It
//! needs an API token, and holds no ids of people.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use sqlx::PgConnection;

use crate::domain::allocation::{SlotCounts, count_by_condition};
use crate::domain::rights::Scope;
use crate::domain::study::Mode;
use crate::flow::App;
use crate::flow::lab::team;
use crate::store::{self, StoreError};
use crate::web::http::error::ProblemDocument;
use crate::web::http::extract::MaybeBearer;
use crate::web::state::WebState;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeopleLabels {
    study: String,
    mode: String,
    stage: &'static str,
    group: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotLabels {
    study: String,
    condition: String,
    state: &'static str,
}

/// Answers with all metrics.
pub async fn page(
    State(state): State<WebState>,
    MaybeBearer(token): MaybeBearer,
) -> Result<Response, ProblemDocument> {
    let mut conn = state.app.pool.acquire().await?;
    team::check_token(&mut conn, token.as_deref(), Scope::Metrics).await?;
    let mut now = Registry::default();
    register_server(&mut now, &state);
    register_studies(&mut now, &mut conn, &state.app).await?;
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, media_type)], state.metrics.text(&now)).into_response())
}

fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn register_server(registry: &mut Registry, state: &WebState) {
    let connections = Family::<ConnectionLabels, Gauge>::default();
    let (all, idle) = (i64::from(state.app.pool.size()), whole(state.app.pool.num_idle()));
    connections.get_or_create(&ConnectionLabels { state: "idle" }).set(idle);
    connections.get_or_create(&ConnectionLabels { state: "used" }).set(all.saturating_sub(idle));
    registry.register("weber_database_connections", "Connections to the database", connections);
    let most = ConstGauge::new(i64::from(state.app.pool.options().get_max_connections()));
    registry.register("weber_database_connections_max", "Connections to the database, at most", most);
    let open = ConstGauge::new(whole(state.live.open_pages()));
    registry.register("weber_live_pages", "Researchers' pages that are open and follow what happens", open);
}

async fn register_studies(
    registry: &mut Registry,
    conn: &mut PgConnection,
    app: &App,
) -> Result<(), StoreError> {
    let now = app.now();
    let people = Family::<PeopleLabels, Gauge>::default();
    for count in store::metrics::people(conn, now).await? {
        let (stage, group) = (count.stage.as_str(), count.group);
        let labels = PeopleLabels { study: count.study, mode: count.mode, stage, group };
        people.get_or_create(&labels).set(count.people);
    }
    registry.register("weber_participants", "People by the stage that they are in", people);
    let slots = Family::<SlotLabels, Gauge>::default();
    for study in store::studies::all(conn).await? {
        let version = app.newest_version(conn, study.id).await?;
        let all = store::slots::all(conn, study.id, Mode::Live, now).await?;
        let postings = version.definition.design.postings_per_slot;
        for (condition, SlotCounts { kept, open, running, exhausted }) in count_by_condition(&all, postings) {
            let counts = [("kept", kept), ("open", open), ("running", running), ("exhausted", exhausted)];
            for (state, count) in counts {
                let (study, condition) = (study.slug.clone(), condition.clone());
                let labels = SlotLabels { study, condition, state };
                slots.get_or_create(&labels).set(i64::from(count));
            }
        }
    }
    registry.register("weber_slots", "Slots of live studies by condition and state", slots);
    Ok(())
}
