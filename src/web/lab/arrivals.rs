//! Who came to a study and did not get in: a part of its page.

use std::collections::BTreeMap;

use askama::Template;
use chrono::{NaiveDate, TimeDelta};
use sqlx::PgConnection;

use crate::domain::gate::Arrival;
use crate::domain::study::Mode;
use crate::store;
use crate::store::arrivals::ArrivalCount;
use crate::store::studies::Study;
use crate::web::http::error::ProblemDocument;
use crate::web::http::page;
use crate::web::lab::urls;
use crate::web::state::WebState;

/// How long the page warns of arrivals that hint at a fault, in days. What was mended is quiet after that.
const WARNED_DAYS: i64 = 7;

#[derive(Template)]
#[template(path = "lab/_arrivals.html")]
struct ArrivalsPart<'a> {
    slug: &'a str,
    /// Arrivals of the last days that hint at a fault.
    hints: Vec<ArrivalCount>,
    /// Visits in all.
    all: u64,
    /// Those that led no further, with how often; without those that were only looked at.
    ended: Vec<(Arrival, u64)>,
}

impl ArrivalsPart<'_> {
    /// What came of it, and where to look.
    const fn advice(arrival: &Arrival) -> &'static str {
        match arrival {
            Arrival::Incomplete => {
                "came by an address whose parameters were missing, not filled in, or no ids of the platform. Compare the \
                 address that you gave to the platform with the one under"
            }
            Arrival::UnknownPerson => {
                "came by a personal link that was never given out: whole addresses must be sent. They stand under"
            }
            _ => {
                "came without a good signature. Signed links must be switched on on Prolific, too, for the address under"
            }
        }
    }
}

/// Whether a visit is counted like that once; what people decide on the page of consent is counted besides.
fn is_whole(arrival: Arrival) -> bool {
    arrival == Arrival::Arrived || !arrival.saw_consent()
}

/// The part, as it stands now.
pub async fn part(
    state: &WebState,
    conn: &mut PgConnection,
    study: &Study,
    mode: Mode,
) -> Result<String, ProblemDocument> {
    let since: NaiveDate = (state.app.now() - TimeDelta::days(WARNED_DAYS)).date_naive();
    let lately = store::arrivals::since(&mut *conn, study.id, mode, since).await?;
    let by_group = store::arrivals::visits(conn, study.id, mode).await?;
    let mut visits = BTreeMap::<Arrival, u64>::new();
    for (arrival, n) in by_group.into_values().flatten() {
        *visits.entry(arrival).or_default() += n;
    }
    Ok(page::text(&ArrivalsPart {
        slug: &study.slug,
        hints: lately.into_iter().filter(|count| count.kind.hints_at_a_fault()).collect(),
        all: visits.iter().filter(|(arrival, _)| is_whole(**arrival)).map(|(_, n)| n).sum(),
        ended: visits.into_iter().filter(|(arrival, _)| *arrival != Arrival::Arrived).collect(),
    }))
}
