//! The visits that did not lead to a participation: a part of a study's page.

use std::collections::BTreeMap;

use askama::Template;

use crate::domain::gate::Arrival;
use crate::flow::study::overview::{StudyOverview, WARNED_DAYS};
use crate::store::arrivals::ArrivalCount;
use crate::web::http::page;
use crate::web::lab::urls;

#[derive(Template)]
#[template(path = "lab/_arrivals.html")]
struct ArrivalsPart<'a> {
    slug: &'a str,
    /// Arrivals of the last days that suggest a fault.
    hints: Vec<&'a ArrivalCount>,
    /// The number of all visits.
    all: u64,
    /// How often visits ended without consent, by the way in which they ended.
    ended: Vec<(Arrival, u64)>,
}

impl ArrivalsPart<'_> {
    /// What was wrong with the visits, and where to look.
    const fn advice(arrival: &Arrival) -> &'static str {
        match arrival {
            Arrival::Incomplete => {
                "came by an address whose parameters were missing, not filled in, or not ids of the platform. Compare the \
                 address that you gave to the platform with the one under"
            }
            Arrival::UnknownPerson => {
                "came by a personal link that was never given out. Send people their complete addresses: see"
            }
            _ => {
                "came without a valid signature. Signed links must also be switched on at Prolific, for the address under"
            }
        }
    }
}

/// Whether this counts a visit, and not what a person decided on the page of consent, which is counted in addition.
fn is_whole(arrival: Arrival) -> bool {
    arrival == Arrival::Arrived || !arrival.saw_consent()
}

/// Renders the part.
pub fn part(overview: &StudyOverview) -> String {
    let mut visits = BTreeMap::<Arrival, u64>::new();
    for (arrival, n) in overview.visits.values().flatten() {
        *visits.entry(*arrival).or_default() += n;
    }
    let hints = overview.lately.iter().filter(|count| count.kind.hints_at_a_fault());
    page::text(&ArrivalsPart {
        slug: &overview.study.slug,
        hints: hints.collect(),
        all: visits.iter().filter(|(arrival, _)| is_whole(**arrival)).map(|(_, n)| n).sum(),
        ended: visits.into_iter().filter(|(arrival, _)| *arrival != Arrival::Arrived).collect(),
    })
}
