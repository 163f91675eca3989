//! Prolific's signed links: the keys, fetched and remembered, and the check of a token.

use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use parking_lot::Mutex;

use crate::domain::identity::Identity;
use crate::recruitment::{Parameters, prolific};
use crate::store::links::Link;

/// How long keys are remembered.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A token that names an unknown key makes them be fetched anew, but not more often than this.
const PAUSE: Duration = Duration::from_secs(30);

/// How long the platform may take to answer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// How far apart the clocks may be, in s.
const LEEWAY_S: u64 = 30;

/// Where the keys are, and those known.
pub struct ProlificKeys {
    url: String,
    known: Mutex<Option<(Instant, JwkSet)>>,
}

impl ProlificKeys {
    /// ProlificKeys that are to be fetched from an address when they are needed.
    pub const fn at(url: String) -> Self {
        Self { url, known: Mutex::new(None) }
    }

    fn remembered(&self, id: &str) -> Option<Option<DecodingKey>> {
        let known = self.known.lock();
        let (at, keys) = known.as_ref()?;
        let key = keys.find(id).and_then(|key| DecodingKey::from_jwk(key).ok());
        let is_fresh = at.elapsed() < if key.is_some() { LIFETIME } else { PAUSE };
        is_fresh.then_some(key)
    }

    /// The key of that id. An error: the platform could not be asked.
    async fn key(&self, id: &str) -> Result<Option<DecodingKey>, reqwest::Error> {
        if let Some(known) = self.remembered(id) {
            return Ok(known);
        }
        let client = crate::outgoing::http_client(FETCH_TIMEOUT)?;
        let keys: JwkSet = client.get(&self.url).send().await?.error_for_status()?.json().await?;
        let key = keys.find(id).and_then(|key| DecodingKey::from_jwk(key).ok());
        *self.known.lock() = Some((Instant::now(), keys));
        Ok(key)
    }
}

/// Why a link does not count as signed.
pub enum Unsigned {
    /// It is not signed, or for another arrival.
    Refused,
    /// Unknown, for the platform's keys cannot be fetched.
    KeysAreAway,
}

/// Refuses an arrival whose link Prolific did not sign, for this very person, submission and study, at this server's address.
pub async fn check(
    keys: &ProlificKeys,
    public_url: &str,
    link: &Link,
    identity: &Identity,
    parameters: &Parameters,
) -> Result<(), Unsigned> {
    let token = prolific::token(parameters).ok_or(Unsigned::Refused)?;
    let header = decode_header(token).map_err(|_| Unsigned::Refused)?;
    let id = header.kid.ok_or(Unsigned::Refused)?;
    let key = keys.key(&id).await.map_err(|error| {
        tracing::error!(%error, url = %keys.url, "Prolific's keys cannot be fetched");
        Unsigned::KeysAreAway
    })?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = LEEWAY_S;
    validation.set_issuer(&[prolific::ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
    // The audience is the study's address with whatever placeholders it was given with: compared below.
    validation.validate_aud = false;
    let key = key.ok_or(Unsigned::Refused)?;
    let claims = decode::<prolific::Claims>(token, &key, &validation).map_err(|_| Unsigned::Refused)?.claims;
    let settings = link.definition.prolific.clone().unwrap_or_default();
    let entry = format!("{public_url}/enter/{}", link.code);
    if claims.fit(&settings, identity, &entry) { Ok(()) } else { Err(Unsigned::Refused) }
}
