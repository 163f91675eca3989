//! Prolific's public keys, by which its signed links are checked: fetched when they are needed, and remembered.

use std::time::{Duration, Instant};

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;
use parking_lot::Mutex;

use crate::flow::{Refused, Result};
use crate::outgoing;

/// How long keys are remembered.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A token that names an unknown key makes them be fetched anew, but not more often than this.
const PAUSE: Duration = Duration::from_secs(30);

/// After a fetch that failed, the platform is not asked again for so long. All who came meanwhile hear of that one failure: if each
/// of them asked, a platform that hangs would make them wait one after the other. People who try again in a minute, as the page
/// asks them to, make a new fetch.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How long the platform may take to answer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the keys are, and those that were fetched.
pub struct ProlificKeys {
    url: String,
    fetched: Mutex<FetchedKeys>,
    /// Held by the request that fetches. All others wait for it here, and find what it brought.
    fetching: tokio::sync::Mutex<()>,
}

/// What the last fetches brought, and when.
#[derive(Default)]
struct FetchedKeys {
    keys: Option<(Instant, JwkSet)>,
    failed_at: Option<Instant>,
}

impl FetchedKeys {
    /// What is known of the key of that id; none: the platform is to be asked.
    fn key(&self, id: &str) -> Option<Result<Option<DecodingKey>>> {
        if let Some((at, keys)) = &self.keys {
            let key = keys.find(id).and_then(|key| DecodingKey::from_jwk(key).ok());
            if at.elapsed() < if key.is_some() { LIFETIME } else { PAUSE } {
                return Some(Ok(key));
            }
        }
        let has_failed = self.failed_at.is_some_and(|at| at.elapsed() < PAUSE_AFTER_FAILURE);
        has_failed.then(|| Err(Refused::KeysUnavailable.into()))
    }
}

impl ProlificKeys {
    /// Keys that are to be fetched from an address.
    pub fn at(url: String) -> Self {
        Self { url, fetched: Mutex::default(), fetching: tokio::sync::Mutex::default() }
    }

    /// The key of that id; none: Prolific has no such key. The caller holds no database connection, since the platform may take
    /// long to answer.
    pub async fn key(&self, id: &str) -> Result<Option<DecodingKey>> {
        if let Some(known) = self.remembered(id) {
            return known;
        }
        let _turn = self.fetching.lock().await;
        if let Some(known) = self.remembered(id) {
            return known;
        }
        let reply = outgoing::get_json::<JwkSet>(&self.url, FETCH_TIMEOUT).await;
        let now = Instant::now();
        let mut fetched = self.fetched.lock();
        match reply {
            Ok(keys) => fetched.keys = Some((now, keys)),
            Err(error) => {
                tracing::error!(%error, url = %self.url, "Prolific's keys cannot be fetched");
                fetched.failed_at = Some(now);
            }
        }
        fetched.key(id).unwrap_or_else(|| Err(Refused::KeysUnavailable.into()))
    }

    fn remembered(&self, id: &str) -> Option<Result<Option<DecodingKey>>> {
        self.fetched.lock().key(id)
    }
}
