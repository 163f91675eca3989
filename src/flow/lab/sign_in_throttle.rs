//! Limits attempts to guess passwords, codes and links. An attempt is counted before it is checked, so that many at the same time
//! are all counted.
//!
//! Attempts are counted by researcher and network, so that a stranger who guesses a researcher's password does not lock them out;
//! by network, since one password may be tried on many researchers; and by researcher, since many networks may guess together. A
//! browser in which the researcher has signed in before has a mark that only this server can make, and is counted on its own:
//! other people in its network, such as a colleague, cannot lock the researcher out.

use chrono::TimeDelta;
use subtle::ConstantTimeEq;

use crate::flow::secrets::token_sha256;
use crate::flow::{App, Refused, Result};
use crate::store;
use crate::store::researchers::Tries;

/// The time for which attempts are counted.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// How long a browser is known after its researcher signed in. Browsers keep a cookie for at most this time.
pub const KNOWN_FOR: TimeDelta = TimeDelta::days(400);

/// Attempts from one network within the window, about all researchers together: many researchers may share one address.
const MOST_OF_NETWORK: i64 = 60;

/// Where an attempt comes from.
#[derive(Debug, Clone, Default)]
pub struct Whence {
    /// The keyed hash of the network's address.
    pub network: Vec<u8>,
    /// The mark of the browser, if it has one.
    pub mark: Option<String>,
}

/// A mark for the browser in which a researcher has signed in.
pub fn mark(app: &App, email: &str) -> String {
    let (until, nonce) = ((app.now() + KNOWN_FOR).timestamp(), app.short_name());
    format!("{until}.{nonce}.{}", app.secrets.browser_mark(email, until, &nonce))
}

/// Whether a browser's mark was made for this researcher, and is valid.
fn is_known(app: &App, email: &str, mark: &str) -> bool {
    let mut parts = mark.split('.');
    let (Some(until), Some(nonce), Some(given), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let Ok(until) = until.parse() else { return false };
    let right = app.secrets.browser_mark(email, until, nonce);
    until >= app.now().timestamp() && bool::from(right.as_bytes().ct_eq(given.as_bytes()))
}

/// An attempt to guess something.
pub struct Guess {
    hmac: Vec<u8>,
    /// The network, or the browser if it is known.
    place: Vec<u8>,
    is_known: bool,
    /// The most attempts within the window: from this place, and from anywhere.
    most: (i64, i64),
}

impl Guess {
    /// A researcher's password.
    pub fn password(app: &App, email: &str, whence: &Whence) -> Self {
        Self::of(app, app.secrets.email_hmac(email), email, whence, (8, 100))
    }

    /// A code of a researcher's second factor. A person who guesses codes has the password or a session already.
    pub fn code(app: &App, email: &str, whence: &Whence) -> Self {
        Self::of(app, app.secrets.code_hmac(email), email, whence, (8, 8))
    }

    /// A one-time link to set a password. Its 32 random bytes cannot be guessed: the limit only saves work.
    pub fn link(app: &App, whence: &Whence) -> Self {
        let place = whence.network.clone();
        Self { hmac: app.secrets.link_hmac(), place, is_known: false, most: (20, i64::MAX) }
    }

    fn of(app: &App, hmac: Vec<u8>, email: &str, whence: &Whence, most: (i64, i64)) -> Self {
        match whence.mark.as_deref().filter(|mark| is_known(app, email, mark)) {
            Some(mark) => Self { hmac, place: token_sha256(mark), is_known: true, most },
            None => Self { hmac, place: whence.network.clone(), is_known: false, most },
        }
    }

    /// Counts the attempt, or refuses it after too many wrong ones.
    pub async fn count(&self, app: &App) -> Result<()> {
        let mut tx = app.pool.begin().await?;
        let now = app.now();
        // A clock that was once wrong may have stored attempts in the future, which would count for too long.
        let (since, until) = (now - WINDOW, now + WINDOW);
        let tries =
            store::researchers::tries_locked(&mut tx, &self.hmac, &self.place, (since, until)).await?;
        if self.too_many(tries) {
            return Err(Refused::TooManyFailures.into());
        }
        store::researchers::add_try(&mut tx, &self.hmac, &self.place, now, since).await?;
        Ok(tx.commit().await?)
    }

    fn too_many(&self, tries: Tries) -> bool {
        let (here, anywhere) = self.most;
        let by_others = tries.anywhere >= anywhere || tries.of_network >= MOST_OF_NETWORK;
        tries.here >= here || (by_others && !self.is_known)
    }

    /// Resets the count after a right attempt.
    pub async fn was_right(&self, conn: &mut sqlx::PgConnection) -> Result<()> {
        Ok(store::researchers::forget_tries(conn, &self.hmac, &self.place).await?)
    }
}
