//! Anonymous counts of those who come. Many who come at the same moment are counted together, by one statement.

use crate::domain::gate::Arrival;
use crate::flow::records::batch_queue::{BATCH_TIMEOUT, BatchJob, BatchQueue};
use crate::flow::{App, Refused, Result};
use crate::store::links::Link;
use crate::store::{self, StoreError};

/// A person who came.
#[derive(Debug, Clone, Copy)]
pub struct Came {
    study_id: i64,
    link_id: i64,
    how: Arrival,
}

impl Came {
    /// By a link, and how.
    pub const fn by(link: &Link, how: Arrival) -> Self {
        Self { study_id: link.study_id, link_id: link.id, how }
    }
}

/// Counts those who come.
pub struct VisitCounter {
    app: App,
}

/// Where those who come are counted.
pub fn queue(app: &App) -> BatchQueue<VisitCounter> {
    BatchQueue::start(VisitCounter { app: app.clone() }, BATCH_TIMEOUT)
}

/// Counts a person who came. No page hangs on it.
pub async fn note(visits: &BatchQueue<VisitCounter>, came: Came) {
    if let Err(error) = visits.submit(came).await {
        tracing::warn!(%error, "A visit is not counted");
    }
}

impl BatchJob for VisitCounter {
    type Job = Came;
    type Reply = ();

    fn failed(&self, error: &StoreError) {
        self.app.readiness.note(error, self.app.now().timestamp());
    }

    async fn run_batch(&self, came: &[Came]) -> Result<Vec<Result<()>>> {
        let arrivals: Vec<_> = came.iter().map(|came| (came.link_id, came.how)).collect();
        let mut conn = self.app.pool.acquire().await?;
        store::arrivals::count_all(&mut conn, &arrivals, self.app.now()).await?;
        let mut studies: Vec<i64> = came.iter().map(|came| came.study_id).collect();
        studies.sort_unstable();
        studies.dedup();
        studies.into_iter().for_each(|study_id| self.app.changed(study_id));
        Ok(came.iter().map(|_| Ok(())).collect())
    }
}

/// How a person is counted who is refused before the study knows anything of them; none where the refusal is no visit's end,
/// or was counted when they came.
pub const fn refused_as(refused: &Refused) -> Option<Arrival> {
    match refused {
        Refused::PreviewOnly => Some(Arrival::Preview),
        Refused::PlatformParameter(_) => Some(Arrival::Incomplete),
        Refused::NoSuchPersonalLink => Some(Arrival::UnknownPerson),
        Refused::NotSigned => Some(Arrival::NotSigned),
        Refused::Crowded => Some(Arrival::Crowded),
        _ => None,
    }
}
