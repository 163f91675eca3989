//! Who came to a study and did not get in: a part of its page.

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
    /// Arrivals of the last days that hint at a fault.
    hints: Vec<&'a ArrivalCount>,
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

/// The part, as the study stands.
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
