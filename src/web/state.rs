//! What every handler needs.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;

use super::image_cache::ImageCache;
use super::live::Live;
use crate::flow::App;
use crate::flow::queue::RecordQueue;

/// What every handler needs. Cheap to clone.
#[derive(Clone)]
pub struct WebState {
    /// The flows' needs.
    pub app: App,
    /// Where records are taken in.
    pub records: RecordQueue,
    /// Images asked for lately.
    pub images: ImageCache,
    /// Where open pages hear of changes.
    pub live: Live,
    /// How this server is reached.
    pub site: Arc<Site>,
}

/// How this server is reached.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its public address without a slash at the end, such as `https://study.example.org`.
    pub public_url: String,
}

impl Site {
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
        Self {
            live: Live::start(&app.pool, own_changes),
            records: RecordQueue::start(&app),
            app,
            images: ImageCache::new(IMAGE_CACHE_BYTES),
            site: Arc::new(site),
        }
    }
}
