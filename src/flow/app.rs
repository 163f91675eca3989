//! What every flow needs: the database, the installation's key, the clock, random numbers, and a channel to announce changes.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeZone, Utc};
use parking_lot::Mutex;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::domain::study::StudyVersion;
use crate::flow::metrics::WorkCounts;
use crate::flow::readiness::Readiness;
use crate::flow::secrets::Secrets;
use crate::flow::study::results;
use crate::store::{self, StoreError};

/// A source of the time.
pub trait Clock: Send + Sync {
    /// Now, to the microsecond, as the database stores it.
    fn now(&self) -> DateTime<Utc>;
}

/// The computer's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where time comes from")]
    fn now(&self) -> DateTime<Utc> {
        let now = Utc::now();
        Utc.timestamp_micros(now.timestamp_micros()).single().unwrap_or(now)
    }
}

/// What every flow needs. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub pool: PgPool,
    /// The installation's key.
    pub secrets: Secrets,
    pub clock: Arc<dyn Clock>,
    /// Counters for `/metrics`.
    pub work: WorkCounts,
    /// Whether people can be let in.
    pub readiness: Readiness,
    /// A cryptographically strong generator.
    rng: Arc<Mutex<ChaCha20Rng>>,
    /// A cache of versions, which never change once they are imported.
    versions: Arc<Mutex<HashMap<i64, Arc<StudyVersion>>>>,
    /// A cache of computed results.
    pub results: Arc<results::Cache>,
    /// Ids of studies in which something changed, for live pages.
    changes: tokio::sync::mpsc::UnboundedSender<i64>,
}

impl App {
    /// Makes an `App`. The receiver yields the ids of studies in which something changed.
    pub fn new(
        pool: PgPool,
        secrets: Secrets,
        clock: Arc<dyn Clock>,
        seed: [u8; 32],
    ) -> (Self, tokio::sync::mpsc::UnboundedReceiver<i64>) {
        let (changes, receiver) = tokio::sync::mpsc::unbounded_channel();
        let rng = Arc::new(Mutex::new(ChaCha20Rng::from_seed(seed)));
        let (work, readiness) = (WorkCounts::default(), Readiness::default());
        let (versions, results) = (Arc::default(), Arc::default());
        (Self { pool, secrets, clock, work, readiness, rng, versions, results, changes }, receiver)
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A new random number generator for one decision.
    pub fn rng(&self) -> ChaCha20Rng {
        let mut rng = self.rng.lock();
        ChaCha20Rng::from_rng(&mut *rng)
    }

    /// A new unguessable token: 32 random bytes as URL-safe text.
    pub fn token(&self) -> String {
        let mut bytes = [0; 32];
        self.rng().fill_bytes(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// A short random name that people can read out: 10 letters and digits without those that look alike (50 bits).
    pub fn short_name(&self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut bytes = [0; 10];
        self.rng().fill_bytes(&mut bytes);
        bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
    }

    /// A new id that sorts by time.
    pub fn new_id(&self, now: DateTime<Utc>) -> Uuid {
        let mut random = [0; 10];
        self.rng().fill_bytes(&mut random);
        uuid::Builder::from_unix_timestamp_millis(
            u64::try_from(now.timestamp_millis()).unwrap_or_default(),
            &random,
        )
        .into_uuid()
    }

    /// A version of a study, from the cache if possible. It uses the caller's connection: tasks that hold a connection
    /// and wait for a second one could block each other for ever.
    pub async fn version(&self, conn: &mut PgConnection, id: i64) -> Result<Arc<StudyVersion>, StoreError> {
        if let Some(version) = self.versions.lock().get(&id) {
            return Ok(version.clone());
        }
        let version = Arc::new(store::studies::version(conn, id).await?);
        self.versions.lock().insert(id, version.clone());
        Ok(version)
    }

    /// The newest version of a study.
    pub async fn newest_version(
        &self,
        conn: &mut PgConnection,
        study_id: i64,
    ) -> Result<Arc<StudyVersion>, StoreError> {
        let id = store::studies::newest_version_id(&mut *conn, study_id).await?;
        self.version(conn, id).await
    }

    /// Tells live pages that something changed in a study.
    pub fn changed(&self, study_id: i64) {
        // A command has no listener.
        let _ = self.changes.send(study_id);
    }
}
