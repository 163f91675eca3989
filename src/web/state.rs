//! What every handler needs. The files of the types that it holds do not import it: a handler or other code that needs both stands in a
//! file of its own (`tests/architecture/` looks for circles).

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

/// What every handler needs. Cheap to clone.
#[derive(Clone)]
pub struct WebState(Arc<Parts>);

impl Deref for WebState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What every handler needs.
pub struct Parts {
    /// The flows' needs.
    pub app: App,
    /// Where consents are taken in.
    pub enrolments: Enrolments,
    /// Where those who come are counted.
    pub visits: BatchQueue<VisitCounter>,
    /// Where records are taken in.
    pub records: RecordIntake,
    /// Images asked for lately.
    pub images: ImageCache,
    /// Where open pages hear of changes.
    pub live: Live,
    /// What open pages show.
    pub fragments: ShownFragments,
    /// What this server counts.
    pub metrics: Metrics,
    /// What checks the signatures of links.
    pub signed_links: SignedLinks,
    /// How this server is reached.
    pub site: Site,
    /// What every answer carries.
    pub headers: FixedHeaders,
}

/// Bytes of images that a server keeps in memory, at most.
const IMAGE_CACHE_BYTES: usize = 256 << 20;

impl WebState {
    /// Starts what handlers need.
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
