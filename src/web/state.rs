//! What every handler needs.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::mpsc::UnboundedReceiver;

use super::crowd::{self, Crowd};
use super::image_cache::ImageCache;
use super::lab::part::Shown;
use super::live::Live;
use super::metrics::Metrics;
use super::protection::FixedHeaders;
use super::signed::Keys;
use crate::flow::App;
use crate::flow::newcomers::Doors;
use crate::flow::queue::{PATIENCE, Queue};
use crate::flow::record::Intake;
use crate::flow::visits::{self, Visits};
use crate::recruitment::{mturk, prolific};

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
    pub doors: Doors,
    /// Where those who come are counted.
    pub visits: Queue<Visits>,
    /// Where records are taken in.
    pub records: Intake,
    /// Images asked for lately.
    pub images: ImageCache,
    /// Where open pages hear of changes.
    pub live: Live,
    /// What open pages show.
    pub shown: Shown,
    /// What this server counts.
    pub metrics: Metrics,
    /// Who is about to begin.
    pub crowd: Crowd,
    /// The keys of signed links.
    pub prolific_keys: Arc<Keys>,
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
            newcomers_per_address: crowd::MOST,
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
            shown: Shown::default(),
            doors: Doors::new(&app),
            visits: visits::queue(&app),
            records: Intake::start(&app, PATIENCE),
            metrics: Metrics::new(&app),
            app,
            crowd: Crowd::of(site.newcomers_per_address),
            prolific_keys: Arc::new(Keys::at(site.prolific_keys_url.clone())),
            images: ImageCache::new(IMAGE_CACHE_BYTES),
            headers: FixedHeaders::new(&site),
            site,
        }))
    }
}
