//! What every handler needs.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::flow::App;
use crate::flow::participation::enrolment_queue::EnrolmentQueues;
use crate::flow::participation::visits;
use crate::flow::participation::visits::VisitCounter;
use crate::flow::records::batch_queue::{BATCH_TIMEOUT, BatchQueue};
use crate::flow::records::intake::RecordIntake;
use crate::recruitment::{mturk, prolific};
use crate::web::http::image_cache::ImageCache;
use crate::web::http::metrics::Metrics;
use crate::web::http::security_headers::FixedHeaders;
use crate::web::live::Live;
use crate::web::live::fragments::ShownFragments;
use crate::web::participant::consent_limit;
use crate::web::participant::consent_limit::ConsentLimit;
use crate::web::participant::prolific_keys::ProlificKeys;

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
    pub enrolments: EnrolmentQueues,
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
    /// Who is about to begin.
    pub consent_limit: ConsentLimit,
    /// The keys of signed links.
    pub prolific_keys: Arc<ProlificKeys>,
    /// How this server is reached.
    pub site: Site,
    /// What every answer carries.
    pub headers: FixedHeaders,
}

/// How this server is reached.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its public address without a slash at the end, such as `https://study.example.org`.
    pub public_url: String,
    /// Sites whose frames may hold the page of a task, and to which it may be handed in.
    pub mturk_origins: Vec<String>,
    /// Where Prolific's public keys are.
    pub prolific_keys_url: String,
    /// Proxies whose word about a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// People of one network address who agreed and are not at work yet, at most.
    pub newcomers_per_address: usize,
    /// Longest time that a request may take, its body included; live pages stream for longer.
    pub longest_request: Duration,
}

impl Site {
    /// A server that is reached at an address, with everything else as it is by default: MTurk's own sites, Prolific's
    /// own keys, and a proxy on this machine.
    pub fn at(public_url: String) -> Self {
        Self {
            public_url,
            mturk_origins: mturk::ORIGINS.map(str::to_owned).into(),
            prolific_keys_url: prolific::KEY_SET.to_owned(),
            newcomers_per_address: consent_limit::MOST,
            longest_request: Duration::from_secs(30),
            trusted_proxies: vec![
                IpNet::from(IpAddr::from([127, 0, 0, 1])),
                IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
            ],
        }
    }

    /// Whether it is reached by HTTPS, so that cookies may be bound to it.
    pub fn is_secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// Bytes of images that a server keeps in memory, at most.
const IMAGE_CACHE_BYTES: usize = 256 << 20;

impl WebState {
    /// Starts what handlers need.
    pub fn new(app: App, own_changes: UnboundedReceiver<i64>, site: Site) -> Self {
        Self(Arc::new(Parts {
            live: Live::start(&app.pool, own_changes),
            fragments: ShownFragments::default(),
            enrolments: EnrolmentQueues::new(&app),
            visits: visits::queue(&app),
            records: RecordIntake::start(&app, BATCH_TIMEOUT),
            metrics: Metrics::new(&app),
            app,
            consent_limit: ConsentLimit::of(site.newcomers_per_address),
            prolific_keys: Arc::new(ProlificKeys::at(site.prolific_keys_url.clone())),
            images: ImageCache::new(IMAGE_CACHE_BYTES),
            headers: FixedHeaders::new(&site),
            site,
        }))
    }
}
