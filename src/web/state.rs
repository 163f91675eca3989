//! The state that every handler gets. The files of the types in it must not import it: code that needs both is in a file of its own
//! (`tests/architecture/` looks for circular imports).

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::flow::App;
use crate::flow::participation::enroll::Enrolments;
use crate::flow::participation::signed_links::SignedLinks;
use crate::flow::participation::visits;
use crate::flow::participation::visits::VisitCounter;
use crate::flow::records::batch_queue::{BATCH_TIMEOUT, BatchQueue};
use crate::flow::records::intake::RecordIntake;
use crate::web::http::image_cache::ImageCache;
use crate::web::http::metrics::Metrics;
use crate::web::http::security_headers::FixedHeaders;
use crate::web::live::Live;
use crate::web::live::shown_fragments::ShownFragments;
use crate::web::site::Site;

/// The state that every handler gets. Cheap to clone.
#[derive(Clone)]
pub struct WebState(Arc<Parts>);

impl Deref for WebState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The parts of the state.
pub struct Parts {
    pub app: App,
    pub enrolments: Enrolments,
    /// Counts visits.
    pub visits: BatchQueue<VisitCounter>,
    pub records: RecordIntake,
    pub images: ImageCache,
    /// Tells open pages about changes.
    pub live: Live,
    pub fragments: ShownFragments,
    pub metrics: Metrics,
    /// Checks the signatures of links.
    pub signed_links: SignedLinks,
    pub site: Site,
    /// The security headers of every response.
    pub headers: FixedHeaders,
}

/// Bytes in the image cache, at most.
const IMAGE_CACHE_BYTES: usize = 256 << 20;

impl WebState {
    /// Makes the state, and starts its queues.
    pub fn new(app: App, own_changes: UnboundedReceiver<i64>, site: Site) -> Self {
        Self(Arc::new(Parts {
            live: Live::start(&app.pool, own_changes),
            fragments: ShownFragments::default(),
            enrolments: Enrolments::new(&app, site.newcomers_per_address),
            visits: visits::queue(&app),
            records: RecordIntake::start(&app, BATCH_TIMEOUT),
            metrics: Metrics::new(&app),
            app,
            signed_links: SignedLinks::new(site.prolific_keys_url.clone(), site.public_url.clone()),
            images: ImageCache::new(IMAGE_CACHE_BYTES),
            headers: FixedHeaders::new(&site),
            site,
        }))
    }
}
